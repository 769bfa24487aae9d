// Cache.cpp - a paged cache: its pools, its list of sequences, and block tables.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Cache.h"

#include <algorithm>

using namespace mxn::runtime;

using ull = unsigned long long; // what %llu prints

mxn_status_t mxn_cache::create(const mxn_cache_options_t &options) {
  if (function.cacheGroups.empty())
    return fail(MXN_STATUS_UNSUPPORTED, "function \"%s\" has no paged cache", function.name);
  if (options.allocator && (options.allocator->struct_size < sizeof(mxn_allocator_t) || !options.allocator->allocate ||
                            !options.allocator->release))
    return fail(MXN_STATUS_INVALID_ARGUMENT, "the allocator lacks a function, or its struct_size isn't set");
  if (options.max_tokens > uint64_t(1) << 48)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "max_tokens is %llu, which is too large", ull(options.max_tokens));
  pools.reserve(function.cacheGroups.size());
  for (const CacheGroup &group : function.cacheGroups) {
    uint64_t blocks = options.blocks;
    if (!blocks && options.max_tokens)
      blocks = divideUp(options.max_tokens, group.blockTokens) + std::max(options.max_sequences, 1u) - 1;
    else if (!blocks && group.fixedBlocks < 0)
      return fail(MXN_STATUS_INVALID_ARGUMENT, "a cache needs its size: set blocks or max_tokens");
    if (group.fixedBlocks >= 0) {
      if (blocks > static_cast<uint64_t>(group.fixedBlocks))
        return fail(MXN_STATUS_INVALID_ARGUMENT, "cache group \"%s\" has %lld blocks, %llu are asked for", group.name,
                    static_cast<long long>(group.fixedBlocks), ull(blocks));
      blocks = group.fixedBlocks;
    }
    pools.emplace_back(group);
    MXN_RETURN_IF_FAILED(pools.back().create(blocks, options.allocator));
  }
  return MXN_STATUS_OK;
}

mxn_status_t mxn_cache::checkGroup(uint32_t group) const {
  if (group < pools.size())
    return MXN_STATUS_OK;
  return fail(MXN_STATUS_INVALID_ARGUMENT, "function \"%s\" has %zu cache groups, there is no group %u", function.name,
              pools.size(), group);
}

mxn_status_t mxn_cache::pool(uint32_t number, mxn_tensor_t &out) const {
  MXN_RETURN_IF_FAILED(checkGroup(number));
  const BlockPool &pool = pools[number];
  const CacheGroup &group = *pool.group;
  out = {sizeof(out), group.type, 6, {}, pool.data(0), pool.blockCount() * group.blockBytes, MXN_TENSOR_DONATE};
  const uint64_t dims[] = {pool.blockCount(), group.layers, 2, group.heads, group.blockTokens, group.headSize};
  std::copy(std::begin(dims), std::end(dims), out.dims);
  return MXN_STATUS_OK;
}

mxn_cache_stats_t mxn_cache::stats() const {
  mxn_cache_stats_t out = {};
  out.sequences = sequences.size() - freeSlots.size();
  for (const BlockPool &pool : pools) {
    out.blocks_total += pool.blockCount();
    out.blocks_free += pool.freeCount();
    out.blocks_shared += pool.sharedCount();
    out.bytes += pool.bytes();
    out.bytes_used += (pool.blockCount() - pool.freeCount()) * pool.group->blockBytes;
  }
  out.bytes_copied = bytesCopied;
  return out;
}

mxn_status_t mxn_cache::find(uint32_t handle, const Sequence **out) const {
  uint32_t slot = handle & slotMask;
  if (slot >= sequences.size() || !sequences[slot].exists || sequences[slot].generation != handle >> slotBits)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "there is no sequence %u", handle);
  *out = &sequences[slot];
  return MXN_STATUS_OK;
}

mxn_status_t mxn_cache::find(uint32_t handle, Sequence **out) {
  const Sequence *found = nullptr;
  MXN_RETURN_IF_FAILED(static_cast<const mxn_cache *>(this)->find(handle, &found));
  *out = const_cast<Sequence *>(found);
  return MXN_STATUS_OK;
}

mxn_status_t mxn_cache::addSequence(uint32_t *out) {
  if (freeSlots.empty()) {
    if (sequences.size() > slotMask)
      return fail(MXN_STATUS_OUT_OF_MEMORY, "there are %zu sequences, which is the most", sequences.size());
    freeSlots.push_back(sequences.size());
    sequences.emplace_back();
    sequences.back().blocks.resize(pools.size());
  }
  uint32_t slot = freeSlots.back();
  freeSlots.pop_back();
  sequences[slot].exists = true;
  *out = sequences[slot].generation << slotBits | slot;
  return MXN_STATUS_OK;
}

mxn_status_t mxn_cache::freeSequence(uint32_t handle) {
  Sequence *sequence = nullptr;
  MXN_RETURN_IF_FAILED(find(handle, &sequence));
  dropRoom(*sequence, 0);
  sequence->exists = false;
  sequence->length = 0;
  sequence->generation = (sequence->generation + 1) & generationMask;
  freeSlots.push_back(handle & slotMask);
  return MXN_STATUS_OK;
}

mxn_status_t mxn_cache::length(uint32_t handle, uint64_t *out) const {
  const Sequence *sequence = nullptr;
  MXN_RETURN_IF_FAILED(find(handle, &sequence));
  *out = sequence->length;
  return MXN_STATUS_OK;
}

mxn_status_t mxn_cache::columns(uint32_t group, const uint32_t *handles, uint32_t count, uint32_t *out) const {
  MXN_RETURN_IF_FAILED(checkGroup(group));
  size_t most = 1;
  for (uint32_t i = 0; i < count; ++i) {
    const Sequence *sequence = nullptr;
    MXN_RETURN_IF_FAILED(find(handles[i], &sequence));
    most = std::max(most, sequence->blocks[group].size());
  }
  *out = most;
  return MXN_STATUS_OK;
}

mxn_status_t mxn_cache::fillTable(uint32_t group, const uint32_t *handles, uint32_t count, int32_t *out,
                                  uint32_t columns) const {
  uint32_t needed;
  MXN_RETURN_IF_FAILED(this->columns(group, handles, count, &needed));
  if (columns < needed)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "a table of %u columns is too small for group \"%s\": %u are needed",
                columns, pools[group].group->name, needed);
  for (uint32_t i = 0; i < count; ++i) {
    const std::vector<int32_t> &blocks = sequences[handles[i] & slotMask].blocks[group];
    std::fill(std::copy(blocks.begin(), blocks.end(), out), out + columns, -1);
    out += columns;
  }
  return MXN_STATUS_OK;
}
