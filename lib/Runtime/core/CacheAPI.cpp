// CacheAPI.cpp - the functions of Cache.h: they check their arguments and pass on.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Cache.h"
#include "lib/Runtime/core/Context.h"
#include "lib/Runtime/core/Structs.h"

#include <memory>
#include <new>

using namespace mxn::runtime;

uint32_t mxn_model_cache_group_count(const mxn_model_t *model, uint32_t function) {
  const Function *found = model ? model->function(function) : nullptr;
  return found ? found->cacheGroups.size() : 0;
}

mxn_status_t mxn_model_cache_group_info(const mxn_model_t *model, uint32_t function, uint32_t group,
                                        mxn_cache_group_info_t *out_info) {
  if (!model || !out_info)
    return failMissing(model ? "out_info" : "the model");
  const Function *found = model->function(function);
  if (!found)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "there is no function %u", function);
  if (group >= found->cacheGroups.size())
    return fail(MXN_STATUS_INVALID_ARGUMENT, "function \"%s\" has %zu cache groups, there is no group %u", found->name,
                found->cacheGroups.size(), group);
  const CacheGroup &source = found->cacheGroups[group];
  mxn_cache_group_info_t info = {};
  info.type = source.type;
  info.name = source.name;
  info.cache_input = source.cacheInput;
  info.table_input = source.tableInput;
  info.cache_output = source.cacheOutput;
  info.layers = source.layers;
  info.heads = source.heads;
  info.head_size = source.headSize;
  info.block_tokens = source.blockTokens;
  info.block_bytes = source.blockBytes;
  info.sink = source.sink;
  info.window = source.window;
  return writeStruct(info, out_info);
}

mxn_status_t mxn_cache_create(mxn_model_t *model, uint32_t function, const mxn_cache_options_t *options,
                              mxn_cache_t **out_cache) {
  if (!model || !out_cache)
    return failMissing(model ? "out_cache" : "the model");
  const Function *found = model->function(function);
  if (!found)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "there is no function %u", function);
  mxn_cache_options_t known;
  MXN_RETURN_IF_FAILED(readStruct(options, "the cache's options", known));
  std::unique_ptr<mxn_cache> cache(new (std::nothrow) mxn_cache(*model, function, *found));
  if (!cache)
    return fail(MXN_STATUS_OUT_OF_MEMORY, "no memory for a cache");
  MXN_RETURN_IF_FAILED(cache->create(known));
  *out_cache = cache.release();
  return MXN_STATUS_OK;
}

void mxn_cache_destroy(mxn_cache_t *cache) { delete cache; }

mxn_status_t mxn_cache_pool(mxn_cache_t *cache, uint32_t group, mxn_tensor_t *out_tensor) {
  if (!cache || !out_tensor)
    return failMissing(cache ? "out_tensor" : "the cache");
  mxn_tensor_t tensor;
  MXN_RETURN_IF_FAILED(cache->pool(group, tensor));
  return writeStruct(tensor, out_tensor);
}

mxn_status_t mxn_cache_stats(const mxn_cache_t *cache, mxn_cache_stats_t *out_stats) {
  if (!cache || !out_stats)
    return failMissing(cache ? "out_stats" : "the cache");
  mxn_cache_stats_t stats = cache->stats();
  return writeStruct(stats, out_stats);
}

mxn_status_t mxn_cache_sequence_create(mxn_cache_t *cache, uint32_t *out_sequence) {
  return cache && out_sequence ? cache->addSequence(out_sequence) : failMissing(cache ? "out_sequence" : "the cache");
}

mxn_status_t mxn_cache_sequence_free(mxn_cache_t *cache, uint32_t sequence) {
  return cache ? cache->freeSequence(sequence) : failMissing("the cache");
}

mxn_status_t mxn_cache_sequence_fork(mxn_cache_t *cache, uint32_t sequence, uint32_t *out_copy) {
  return cache && out_copy ? cache->fork(sequence, out_copy) : failMissing(cache ? "out_copy" : "the cache");
}

mxn_status_t mxn_cache_share_prefix(mxn_cache_t *cache, uint32_t from, uint64_t tokens, uint32_t *out_sequence) {
  return cache && out_sequence ? cache->sharePrefix(from, tokens, out_sequence)
                               : failMissing(cache ? "out_sequence" : "the cache");
}

mxn_status_t mxn_cache_sequence_reserve(mxn_cache_t *cache, uint32_t sequence, uint64_t tokens) {
  return cache ? cache->reserve(sequence, tokens) : failMissing("the cache");
}

mxn_status_t mxn_cache_sequence_commit(mxn_cache_t *cache, uint32_t sequence, uint64_t tokens) {
  return cache ? cache->commit(sequence, tokens) : failMissing("the cache");
}

mxn_status_t mxn_cache_sequence_truncate(mxn_cache_t *cache, uint32_t sequence, uint64_t length) {
  return cache ? cache->truncate(sequence, length) : failMissing("the cache");
}

mxn_status_t mxn_cache_sequence_length(const mxn_cache_t *cache, uint32_t sequence, uint64_t *out_length) {
  return cache && out_length ? cache->length(sequence, out_length) : failMissing(cache ? "out_length" : "the cache");
}

mxn_status_t mxn_cache_columns(const mxn_cache_t *cache, uint32_t group, const uint32_t *sequences, uint32_t count,
                               uint32_t *out_columns) {
  if (!cache || (count && !sequences) || !out_columns)
    return failMissing("the cache, the sequences or out_columns");
  return cache->columns(group, sequences, count, out_columns);
}

mxn_status_t mxn_cache_fill_table(const mxn_cache_t *cache, uint32_t group, const uint32_t *sequences, uint32_t count,
                                  int32_t *out_table, uint32_t columns) {
  if (!cache || (count && (!sequences || !out_table)))
    return failMissing("the cache, the sequences or out_table");
  return cache->fillTable(group, sequences, count, out_table, columns);
}

mxn_status_t mxn_step(mxn_context_t *context, mxn_cache_t *cache, const mxn_step_input_t *input,
                      mxn_step_output_t *out_output) {
  if (!context || !cache || !input || !out_output)
    return failMissing("the context, the cache, the input or out_output");
  if (out_output->struct_size < 2 * sizeof(uint32_t)) // before anything changes
    return fail(MXN_STATUS_INVALID_ARGUMENT, "struct_size of the result isn't set");
  mxn_step_input_t known;
  MXN_RETURN_IF_FAILED(readStruct(input, "the step's input", known));
  mxn_step_output_t output = {};
  MXN_RETURN_IF_FAILED(cache->step(*context, known, output));
  return writeStruct(output, out_output);
}
