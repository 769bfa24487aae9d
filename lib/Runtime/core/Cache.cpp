// Cache.cpp - sequences of a paged cache: making, sharing, growing and cutting them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Cache.h"

#include <algorithm>
#include <cstring>

using namespace mxn::runtime;

using ull = unsigned long long; // what %llu prints

// A handle is a slot and, above it, the slot's generation, so that one which was freed is noticed.
static constexpr uint32_t slotBits = 20;
static constexpr uint32_t slotMask = (1u << slotBits) - 1;
static constexpr uint32_t generationMask = UINT32_MAX >> slotBits;

static uint64_t divideUp(uint64_t value, uint64_t by) { return (value + by - 1) / by; }

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
  const Sequence *found;
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
  Sequence *sequence;
  MXN_RETURN_IF_FAILED(find(handle, &sequence));
  dropRoom(*sequence, 0);
  sequence->exists = false;
  sequence->length = 0;
  sequence->generation = (sequence->generation + 1) & generationMask;
  freeSlots.push_back(handle & slotMask);
  return MXN_STATUS_OK;
}

// Gives back the blocks behind the first `room` tokens.
void mxn_cache::dropRoom(Sequence &sequence, uint64_t room) {
  for (size_t g = 0; g < pools.size(); ++g) {
    std::vector<int32_t> &blocks = sequence.blocks[g];
    for (uint64_t kept = divideUp(room, pools[g].group->blockTokens); blocks.size() > kept; blocks.pop_back())
      if (blocks.back() >= 0)
        pools[g].release(blocks.back());
  }
  sequence.room = room;
}

// Gives back the blocks that lie wholly between the sink and the window. They go in order, so the first that is gone
// already ends the search.
void mxn_cache::leaveBehind(Sequence &sequence) {
  for (size_t g = 0; g < pools.size(); ++g) {
    const CacheGroup &group = *pools[g].group;
    if (!group.window || sequence.length <= group.window)
      continue;
    uint64_t first = divideUp(group.sink, group.blockTokens);
    std::vector<int32_t> &blocks = sequence.blocks[g];
    for (uint64_t k = (sequence.length - group.window) / group.blockTokens; k > first && blocks[k - 1] >= 0; --k) {
      pools[g].release(blocks[k - 1]);
      blocks[k - 1] = -1;
    }
  }
}

// Whether a sequence could be cut to `length`: all that its windows then reach for must be there.
mxn_status_t mxn_cache::checkKept(const Sequence &sequence, uint32_t handle, uint64_t length) const {
  if (length > sequence.length)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "sequence %u has %llu tokens, %llu are asked for", handle,
                ull(sequence.length), ull(length));
  for (const BlockPool &pool : pools) {
    const CacheGroup &group = *pool.group;
    uint64_t start = length > group.window ? std::max(length - group.window, group.sink) : 0;
    const std::vector<int32_t> &blocks = sequence.blocks[&pool - pools.data()];
    for (uint64_t k = start / group.blockTokens; group.window && k * group.blockTokens < length; ++k)
      if (blocks[k] < 0)
        return fail(MXN_STATUS_WRONG_STATE,
                    "the first %llu tokens of sequence %u can't be had any more: cache group \"%s\" keeps %llu tokens "
                    "at the end and gave back what lies before",
                    ull(length), handle, group.name, ull(group.window));
  }
  return MXN_STATUS_OK;
}

mxn_status_t mxn_cache::sharePrefix(uint32_t from, uint64_t tokens, uint32_t *out) {
  Sequence *source;
  MXN_RETURN_IF_FAILED(find(from, &source));
  MXN_RETURN_IF_FAILED(checkKept(*source, from, tokens));
  uint32_t handle;
  MXN_RETURN_IF_FAILED(addSequence(&handle)); // may move the sequences
  source = &sequences[from & slotMask];
  Sequence &copy = sequences[handle & slotMask];
  for (size_t g = 0; g < pools.size(); ++g) {
    uint64_t count = divideUp(tokens, pools[g].group->blockTokens);
    copy.blocks[g].assign(source->blocks[g].begin(), source->blocks[g].begin() + count);
    for (int32_t block : copy.blocks[g])
      if (block >= 0)
        pools[g].share(block);
  }
  copy.length = copy.room = tokens;
  leaveBehind(copy);
  *out = handle;
  return MXN_STATUS_OK;
}

mxn_status_t mxn_cache::fork(uint32_t from, uint32_t *out) {
  uint64_t tokens;
  MXN_RETURN_IF_FAILED(length(from, &tokens));
  return sharePrefix(from, tokens, out);
}

mxn_status_t mxn_cache::reserve(uint32_t handle, uint64_t tokens) {
  Sequence *sequence;
  MXN_RETURN_IF_FAILED(find(handle, &sequence));
  if (tokens == 0)
    return MXN_STATUS_OK;
  // Kernels get lengths as int32.
  if (tokens > INT32_MAX || sequence->length + tokens > INT32_MAX)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "sequence %u has %llu tokens and can't get %llu more", handle,
                ull(sequence->length), ull(tokens));
  uint64_t room = std::max(sequence->room, sequence->length + tokens);
  // The block at the end that another sequence also uses, if any; it is copied before it is written to.
  auto sharedEnd = [&](size_t g) -> int32_t * {
    uint64_t size = pools[g].group->blockTokens;
    if (sequence->length % size == 0)
      return nullptr;
    int32_t *block = &sequence->blocks[g][sequence->length / size];
    return pools[g].isShared(*block) ? block : nullptr;
  };
  for (size_t g = 0; g < pools.size(); ++g) {
    uint64_t count = divideUp(room, pools[g].group->blockTokens);
    uint64_t needed = count - sequence->blocks[g].size() + (sharedEnd(g) ? 1 : 0);
    if (needed > pools[g].freeCount())
      return fail(MXN_STATUS_OUT_OF_MEMORY,
                  "the cache is full: sequence %u with %llu tokens needs %llu blocks of group \"%s\" for %llu more, "
                  "%llu of %llu are free",
                  handle, ull(sequence->length), ull(needed), pools[g].group->name, ull(tokens),
                  ull(pools[g].freeCount()), ull(pools[g].blockCount()));
  }
  for (size_t g = 0; g < pools.size(); ++g) {
    BlockPool &pool = pools[g];
    if (int32_t *shared = sharedEnd(g)) {
      int32_t copy = pool.take();
      memcpy(pool.data(copy), pool.data(*shared), pool.group->blockBytes);
      bytesCopied += pool.group->blockBytes;
      pool.release(*shared);
      *shared = copy;
    }
    for (uint64_t count = divideUp(room, pool.group->blockTokens); sequence->blocks[g].size() < count;)
      sequence->blocks[g].push_back(pool.take());
  }
  sequence->room = room;
  return MXN_STATUS_OK;
}

mxn_status_t mxn_cache::commit(uint32_t handle, uint64_t tokens) {
  Sequence *sequence;
  MXN_RETURN_IF_FAILED(find(handle, &sequence));
  if (tokens > sequence->room - sequence->length)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "sequence %u has room for %llu tokens, %llu are committed", handle,
                ull(sequence->room - sequence->length), ull(tokens));
  sequence->length += tokens;
  leaveBehind(*sequence);
  return MXN_STATUS_OK;
}

mxn_status_t mxn_cache::truncate(uint32_t handle, uint64_t length) {
  Sequence *sequence;
  MXN_RETURN_IF_FAILED(find(handle, &sequence));
  MXN_RETURN_IF_FAILED(checkKept(*sequence, handle, length));
  sequence->length = length;
  dropRoom(*sequence, length);
  return MXN_STATUS_OK;
}

mxn_status_t mxn_cache::length(uint32_t handle, uint64_t *out) const {
  const Sequence *sequence;
  MXN_RETURN_IF_FAILED(find(handle, &sequence));
  *out = sequence->length;
  return MXN_STATUS_OK;
}

mxn_status_t mxn_cache::columns(uint32_t group, const uint32_t *handles, uint32_t count, uint32_t *out) const {
  MXN_RETURN_IF_FAILED(checkGroup(group));
  size_t most = 1;
  for (uint32_t i = 0; i < count; ++i) {
    const Sequence *sequence;
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
