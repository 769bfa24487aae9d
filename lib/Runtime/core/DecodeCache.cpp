// DecodeCache.cpp - checks and decodes a function's cache groups.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Arithmetic.h"
#include "lib/Runtime/core/Decoder.h"
#include "mxn/Runtime/Runtime.h"

#include <cstring>

using namespace mxn;
using namespace mxn::runtime;

static mxn_status_t failGroup(const Function &function, const char *name, const char *what) {
  return fail(MXN_STATUS_BAD_BUNDLE, "function \"%s\", cache group \"%s\": %s", function.name, name, what);
}

// The bytes of one block; false where they exceed every machine or aren't whole.
static bool computeBlockBytes(CacheGroup &group) {
  uint64_t bits = mxn_type_bits(group.type);
  for (uint64_t factor : {uint64_t(2), uint64_t(group.layers), uint64_t(group.heads), uint64_t(group.blockTokens),
                          uint64_t(group.headSize)})
    if (factor == 0 || __builtin_mul_overflow(bits, factor, &bits))
      return false;
  group.blockBytes = bits / 8;
  return bits != 0 && bits % 8 == 0 && group.blockBytes <= static_cast<uint64_t>(maxBytes);
}

static bool hasCacheShape(const TensorInfo &tensor, const CacheGroup &group) {
  const uint32_t sizes[] = {0, group.layers, 2, group.heads, group.blockTokens, group.headSize};
  if (tensor.type != group.type || tensor.dimensions.size() != 6)
    return false;
  for (unsigned axis = 1; axis < 6; ++axis)
    if (tensor.dimensions[axis].staticValue != sizes[axis])
      return false;
  return true;
}

static mxn_status_t checkTensors(const Function &function, const CacheGroup &group) {
  if (group.cacheInput >= function.inputs.size() || group.tableInput >= function.inputs.size() ||
      group.cacheOutput >= function.outputs.size())
    return failGroup(function, group.name, "names an input or output that doesn't exist");
  const TensorInfo &input = function.inputs[group.cacheInput], &output = function.outputs[group.cacheOutput];
  if (!hasCacheShape(input, group) || !hasCacheShape(output, group))
    return failGroup(function, group.name,
                     "its cache isn't [blocks, layers, 2, heads, block_tokens, head_size] of its type");
  if (input.dimensions[0].staticValue != output.dimensions[0].staticValue || input.dimensions[0].staticValue == 0 ||
      input.dimensions[0].staticValue > INT32_MAX)
    return failGroup(function, group.name, "its cache has a number of blocks that can't be");
  const TensorInfo &table = function.inputs[group.tableInput];
  if (table.type != bundle::ElementType_Int32 || table.dimensions.size() != 2)
    return failGroup(function, group.name, "its table isn't [sequences, columns] of int32");
  if (function.buffers[function.outputBuffers[group.cacheOutput]].donor != group.cacheInput)
    return failGroup(function, group.name, "its cache output doesn't take over its cache input");
  return MXN_STATUS_OK;
}

mxn_status_t runtime::decodeCacheGroups(const bundle::Function &source, DecodeBudget &budget, Function &out) {
  if (!source.cache_groups())
    return MXN_STATUS_OK;
  // Few enough that comparing each with each costs nothing.
  if (source.cache_groups()->size() > maxCacheGroups || !budget.take(source.cache_groups()->size()))
    return fail(MXN_STATUS_BAD_BUNDLE, "function \"%s\" has %u cache groups, at most %u are allowed", out.name,
                source.cache_groups()->size(), maxCacheGroups);
  out.cacheGroups.reserve(source.cache_groups()->size());
  for (const bundle::CacheGroup *entry : *source.cache_groups()) {
    CacheGroup group = {"",
                        entry->cache_input(),
                        entry->table_input(),
                        entry->cache_output(),
                        entry->layers(),
                        entry->heads(),
                        entry->head_size(),
                        entry->block_tokens(),
                        entry->type(),
                        entry->sink(),
                        entry->window(),
                        0,
                        -1};
    MXN_RETURN_IF_FAILED(decodeString(entry->name(), "a cache group's name", &group.name));
    if (!group.name[0])
      return failGroup(out, "", "has no name");
    if (!computeBlockBytes(group))
      return failGroup(out, group.name, "a block would have no bytes, a part of one, or too many");
    if (group.sink > INT32_MAX || group.window > INT32_MAX || (group.sink && !group.window))
      return failGroup(out, group.name, "keeps a number of tokens that can't be");
    MXN_RETURN_IF_FAILED(checkTensors(out, group));
    for (const CacheGroup &other : out.cacheGroups)
      if (!strcmp(other.name, group.name) || other.cacheInput == group.cacheInput ||
          other.tableInput == group.tableInput || other.cacheOutput == group.cacheOutput)
        return failGroup(out, group.name, "shares its name or a tensor with another group");
    group.fixedBlocks = out.inputs[group.cacheInput].dimensions[0].staticValue;
    out.cacheGroups.push_back(group);
  }
  return MXN_STATUS_OK;
}
