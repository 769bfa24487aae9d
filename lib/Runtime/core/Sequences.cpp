// Sequences.cpp - sequences of a paged cache: sharing, growing and cutting them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Cache.h"

#include <algorithm>
#include <cstring>

using namespace mxn::runtime;

using ull = unsigned long long; // what %llu prints

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
  Sequence *sequence = nullptr;
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
  Sequence *sequence = nullptr;
  MXN_RETURN_IF_FAILED(find(handle, &sequence));
  if (tokens > sequence->room - sequence->length)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "sequence %u has room for %llu tokens, %llu are committed", handle,
                ull(sequence->room - sequence->length), ull(tokens));
  sequence->length += tokens;
  leaveBehind(*sequence);
  return MXN_STATUS_OK;
}

mxn_status_t mxn_cache::truncate(uint32_t handle, uint64_t length) {
  Sequence *sequence = nullptr;
  MXN_RETURN_IF_FAILED(find(handle, &sequence));
  MXN_RETURN_IF_FAILED(checkKept(*sequence, handle, length));
  sequence->length = length;
  dropRoom(*sequence, length);
  return MXN_STATUS_OK;
}
