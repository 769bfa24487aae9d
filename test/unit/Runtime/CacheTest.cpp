// CacheTest.cpp - the paged cache's allocator, also against a simple model of what it has to hold.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mxn/Runtime/Cache.h"
#include "test/unit/Runtime/TestBundle.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>

using namespace mxn;
using namespace mxn::test;

namespace {

class CacheTest : public testing::Test {
protected:
  ~CacheTest() override { mxn_cache_destroy(cache); }

  mxn_status_t create(uint32_t blocks, uint64_t maxTokens = 0, uint32_t maxSequences = 0,
                      const mxn_allocator_t *allocator = nullptr) {
    mxn_cache_options_t options = {};
    options.struct_size = sizeof(options);
    options.blocks = blocks;
    options.max_tokens = maxTokens;
    options.max_sequences = maxSequences;
    options.allocator = allocator;
    return mxn_cache_create(model.model, 0, &options, &cache);
  }

  uint32_t newSequence() {
    uint32_t sequence = UINT32_MAX;
    EXPECT_EQ(mxn_cache_sequence_create(cache, &sequence), MXN_STATUS_OK) << mxn_last_error();
    return sequence;
  }

  mxn_status_t grow(uint32_t sequence, uint64_t tokens) {
    mxn_status_t status = mxn_cache_sequence_reserve(cache, sequence, tokens);
    return status ? status : mxn_cache_sequence_commit(cache, sequence, tokens);
  }

  std::vector<int32_t> table(uint32_t sequence, uint32_t group) {
    uint32_t columns = 0;
    EXPECT_EQ(mxn_cache_columns(cache, group, &sequence, 1, &columns), MXN_STATUS_OK);
    std::vector<int32_t> out(columns);
    EXPECT_EQ(mxn_cache_fill_table(cache, group, &sequence, 1, out.data(), columns), MXN_STATUS_OK);
    return out;
  }

  mxn_cache_stats_t stats() {
    mxn_cache_stats_t out = {};
    out.struct_size = sizeof(out);
    EXPECT_EQ(mxn_cache_stats(cache, &out), MXN_STATUS_OK);
    return out;
  }

  // The float at a position's place in a group, the first that belongs to it.
  float &at(uint32_t sequence, uint32_t group, uint64_t position) {
    mxn_tensor_t pool = {};
    pool.struct_size = sizeof(pool);
    EXPECT_EQ(mxn_cache_pool(cache, group, &pool), MXN_STATUS_OK);
    uint64_t blockFloats = pool.bytes / sizeof(float) / pool.dims[0];
    int32_t block = table(sequence, group)[position / 4];
    EXPECT_GE(block, 0);
    return static_cast<float *>(pool.data)[block * blockFloats + position % 4 * pool.dims[5]];
  }

  OpenModel model{makeStep()};
  mxn_cache_t *cache = nullptr;
};

} // namespace

TEST_F(CacheTest, TakesItsSizeFromTheOptions) {
  EXPECT_EQ(create(0), MXN_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(mxn_last_error(), "a cache needs its size: set blocks or max_tokens");
  EXPECT_EQ(create(0, UINT64_MAX), MXN_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(create(UINT32_MAX), MXN_STATUS_INVALID_ARGUMENT);
  ASSERT_EQ(create(0, 9, 3), MXN_STATUS_OK) << mxn_last_error();
  EXPECT_EQ(stats().blocks_total, 2u * (3 + 2)) << "three sequences of 3 tokens each need a block of their own";
  mxn_tensor_t pool = {};
  pool.struct_size = sizeof(pool);
  ASSERT_EQ(mxn_cache_pool(cache, 0, &pool), MXN_STATUS_OK);
  EXPECT_EQ(pool.rank, 6u);
  EXPECT_EQ(pool.dims[0], 5);
  EXPECT_EQ(pool.dims[5], 4);
  EXPECT_EQ(pool.flags, MXN_TENSOR_DONATE);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(pool.data) % 4096, 0u);
  for (uint64_t i = 0; i < pool.bytes; ++i)
    ASSERT_EQ(static_cast<uint8_t *>(pool.data)[i], 0);
  EXPECT_EQ(mxn_cache_pool(cache, 2, &pool), MXN_STATUS_INVALID_ARGUMENT);
}

TEST_F(CacheTest, RefusesFunctionsWithoutGroups) {
  OpenModel other(makeMain());
  mxn_cache_options_t options = {};
  options.struct_size = sizeof(options);
  options.blocks = 1;
  EXPECT_EQ(mxn_cache_create(other.model, 0, &options, &cache), MXN_STATUS_UNSUPPORTED);
  EXPECT_STREQ(mxn_last_error(), "function \"main\" has no paged cache");
}

TEST_F(CacheTest, UsesTheCallersAllocator) {
  struct Counts {
    int live = 0, calls = 0;
  } counts;
  mxn_allocator_t allocator = {};
  allocator.struct_size = sizeof(allocator);
  allocator.user = &counts;
  allocator.allocate = [](void *user, uint64_t bytes, uint64_t alignment) -> void * {
    auto *c = static_cast<Counts *>(user);
    if (++c->calls == 4)
      return nullptr;
    ++c->live;
    void *memory = aligned_alloc(alignment, bytes);
    memset(memory, 0xff, bytes);
    return memory;
  };
  allocator.release = [](void *user, void *memory, uint64_t) {
    --static_cast<Counts *>(user)->live;
    free(memory);
  };
  ASSERT_EQ(create(3, 0, 0, &allocator), MXN_STATUS_OK);
  uint32_t s = newSequence();
  ASSERT_EQ(grow(s, 1), MXN_STATUS_OK);
  EXPECT_EQ(at(s, 0, 0), 0.0f);
  mxn_cache_destroy(cache);
  cache = nullptr;
  EXPECT_EQ(counts.live, 0);
  EXPECT_EQ(create(3, 0, 0, &allocator), MXN_STATUS_OUT_OF_MEMORY) << "the second pool gets no memory";
  EXPECT_EQ(counts.live, 0);
}

TEST_F(CacheTest, SaysWhenItIsFullAndChangesNothing) {
  ASSERT_EQ(create(3), MXN_STATUS_OK);
  uint32_t a = newSequence(), b = newSequence();
  ASSERT_EQ(grow(a, 6), MXN_STATUS_OK);
  EXPECT_EQ(mxn_cache_sequence_reserve(cache, b, 5), MXN_STATUS_OUT_OF_MEMORY);
  EXPECT_STREQ(mxn_last_error(), "the cache is full: sequence 1 with 0 tokens needs 2 blocks of group \"all\" for 5 "
                                 "more, 1 of 3 are free");
  EXPECT_EQ(stats().blocks_free, 2u);
  EXPECT_EQ(grow(b, 4), MXN_STATUS_OK);
  EXPECT_EQ(mxn_cache_sequence_commit(cache, b, 1), MXN_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(mxn_cache_sequence_reserve(cache, b, UINT64_MAX), MXN_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(grow(a, 2), MXN_STATUS_OK) << "room in the last block";
  ASSERT_EQ(mxn_cache_sequence_free(cache, a), MXN_STATUS_OK);
  EXPECT_EQ(mxn_cache_sequence_free(cache, a), MXN_STATUS_INVALID_ARGUMENT);
  uint32_t c = newSequence();
  EXPECT_NE(c, a) << "a handle that was freed isn't one of the next sequence";
  EXPECT_EQ(mxn_cache_sequence_reserve(cache, a, 1), MXN_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(grow(c, 8), MXN_STATUS_OK);
}

TEST_F(CacheTest, ForksShareUntilOneWrites) {
  ASSERT_EQ(create(8), MXN_STATUS_OK);
  uint32_t a = newSequence(), b;
  ASSERT_EQ(grow(a, 6), MXN_STATUS_OK);
  at(a, 0, 5) = 5;
  ASSERT_EQ(mxn_cache_sequence_fork(cache, a, &b), MXN_STATUS_OK);
  EXPECT_EQ(stats().blocks_shared, 4u);
  EXPECT_EQ(table(a, 0), table(b, 0));
  ASSERT_EQ(grow(b, 1), MXN_STATUS_OK);
  EXPECT_EQ(stats().blocks_shared, 2u);
  EXPECT_EQ(stats().bytes_copied, 4u * (2 * 2 * 2 * 4 * 4) + 4u * (2 * 4 * 2));
  EXPECT_EQ(table(a, 0)[0], table(b, 0)[0]);
  EXPECT_NE(table(a, 0)[1], table(b, 0)[1]);
  EXPECT_EQ(at(b, 0, 5), 5) << "what the block held was copied";
  uint64_t copied = stats().bytes_copied;
  ASSERT_EQ(grow(a, 1), MXN_STATUS_OK);
  EXPECT_EQ(stats().bytes_copied, copied) << "the other one has the block for itself now";
}

TEST_F(CacheTest, WindowsGiveBlocksBack) {
  ASSERT_EQ(create(8), MXN_STATUS_OK);
  uint32_t a = newSequence(), b;
  ASSERT_EQ(grow(a, 13), MXN_STATUS_OK); // sink 2, window 6: tokens 0, 1 and from 7 on
  std::vector<int32_t> near = table(a, 1);
  ASSERT_EQ(near.size(), 4u);
  EXPECT_GE(near[0], 0);
  EXPECT_GE(near[1], 0);
  ASSERT_EQ(grow(a, 1), MXN_STATUS_OK); // from 8 on: tokens 4 to 7 are behind
  near = table(a, 1);
  EXPECT_GE(near[0], 0);
  EXPECT_EQ(near[1], -1);
  EXPECT_GE(near[2], 0);
  EXPECT_EQ(mxn_cache_sequence_truncate(cache, a, 13), MXN_STATUS_WRONG_STATE);
  EXPECT_NE(std::string(mxn_last_error()).find("can't be had any more"), std::string::npos);
  EXPECT_EQ(mxn_cache_share_prefix(cache, a, 9, &b), MXN_STATUS_WRONG_STATE);
  EXPECT_EQ(mxn_cache_share_prefix(cache, a, 15, &b), MXN_STATUS_INVALID_ARGUMENT);
  ASSERT_EQ(mxn_cache_sequence_truncate(cache, a, 14), MXN_STATUS_OK);
  EXPECT_EQ(mxn_cache_sequence_truncate(cache, a, 6), MXN_STATUS_WRONG_STATE);
  ASSERT_EQ(mxn_cache_sequence_truncate(cache, a, 4), MXN_STATUS_OK) << "the first block is still there";
  EXPECT_EQ(table(a, 1), (std::vector<int32_t>{near[0]}));
}

TEST_F(CacheTest, TablesNeedTheirColumns) {
  ASSERT_EQ(create(8), MXN_STATUS_OK);
  uint32_t sequences[] = {newSequence(), newSequence()}, columns = 0;
  ASSERT_EQ(mxn_cache_columns(cache, 0, sequences, 2, &columns), MXN_STATUS_OK);
  EXPECT_EQ(columns, 1u);
  ASSERT_EQ(grow(sequences[1], 9), MXN_STATUS_OK);
  ASSERT_EQ(mxn_cache_columns(cache, 0, sequences, 2, &columns), MXN_STATUS_OK);
  EXPECT_EQ(columns, 3u);
  int32_t out[8];
  EXPECT_EQ(mxn_cache_fill_table(cache, 0, sequences, 2, out, 2), MXN_STATUS_INVALID_ARGUMENT);
  ASSERT_EQ(mxn_cache_fill_table(cache, 0, sequences, 2, out, 4), MXN_STATUS_OK);
  EXPECT_EQ(std::vector<int32_t>(out, out + 8), (std::vector<int32_t>{-1, -1, -1, -1, 0, 1, 2, -1}));
  uint32_t nobody = 77;
  EXPECT_EQ(mxn_cache_fill_table(cache, 0, &nobody, 1, out, 4), MXN_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(mxn_cache_fill_table(cache, 2, sequences, 2, out, 4), MXN_STATUS_INVALID_ARGUMENT);
}

// Random calls. The model of a sequence is the list of the values that were written at its positions.
TEST_F(CacheTest, HoldsWhatWasWritten) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    mxn_cache_destroy(cache);
    ASSERT_EQ(create(10 + seed), MXN_STATUS_OK);
    std::mt19937 random(seed);
    std::map<uint32_t, std::vector<float>> sequences;
    float next = 1;
    unsigned full = 0, refused = 0;
    for (unsigned round = 0; round < 600; ++round) {
      auto any = sequences.empty() ? sequences.end() : std::next(sequences.begin(), random() % sequences.size());
      uint32_t copy = 0;
      switch (random() % 8) {
      case 0:
        if (sequences.size() < 6)
          sequences[newSequence()] = {};
        break;
      case 1: // share a prefix, all of it as often as not
        if (any != sequences.end() && sequences.size() < 8) {
          uint64_t size = any->second.size(), length = random() % 2 ? size : random() % (size + 1);
          mxn_status_t status = mxn_cache_share_prefix(cache, any->first, length, &copy);
          if (status == MXN_STATUS_OK)
            sequences[copy].assign(any->second.begin(), any->second.begin() + length);
          else
            ASSERT_TRUE(status == MXN_STATUS_WRONG_STATE && length < size && ++refused);
        }
        break;
      case 2:
        if (any != sequences.end() && random() % 2) {
          ASSERT_EQ(mxn_cache_sequence_free(cache, any->first), MXN_STATUS_OK);
          sequences.erase(any);
        }
        break;
      case 3:
        if (any != sequences.end()) {
          uint64_t size = any->second.size(), length = size - std::min<uint64_t>(size, random() % 4);
          mxn_status_t status = mxn_cache_sequence_truncate(cache, any->first, length);
          if (status == MXN_STATUS_OK)
            any->second.resize(length);
          else
            ASSERT_TRUE(status == MXN_STATUS_WRONG_STATE && length < size && ++refused);
        }
        break;
      default: // make room, write some of it, commit that
        if (any != sequences.end()) {
          uint64_t room = 1 + random() % 6, written = random() % (room + 1), size = any->second.size();
          mxn_cache_stats_t before = stats();
          mxn_status_t status = mxn_cache_sequence_reserve(cache, any->first, room);
          if (status != MXN_STATUS_OK) {
            ASSERT_EQ(status, MXN_STATUS_OUT_OF_MEMORY);
            mxn_cache_stats_t after = stats();
            ASSERT_EQ(memcmp(&before, &after, sizeof(before)), 0);
            ++full;
            break;
          }
          for (uint64_t i = 0; i < written; ++i) {
            at(any->first, 0, size + i) = at(any->first, 1, size + i) = next;
            any->second.push_back(next++);
          }
          ASSERT_EQ(mxn_cache_sequence_commit(cache, any->first, written), MXN_STATUS_OK);
        }
      }
      // Everything that was written is there, and no block is lost.
      std::map<int32_t, unsigned> users[2];
      for (auto &[sequence, values] : sequences) {
        uint64_t length = 0;
        ASSERT_EQ(mxn_cache_sequence_length(cache, sequence, &length), MXN_STATUS_OK);
        ASSERT_EQ(length, values.size());
        for (uint64_t p = 0; p < length; ++p) {
          ASSERT_EQ(at(sequence, 0, p), values[p]);
          if (p < 2 || p + 6 >= length)
            ASSERT_EQ(at(sequence, 1, p), values[p]) << p << " of " << length;
        }
        for (uint32_t group : {0, 1})
          for (int32_t block : table(sequence, group))
            if (block >= 0)
              ++users[group][block];
      }
      uint64_t used = users[0].size() + users[1].size(), shared = 0;
      for (auto &group : users)
        for (auto &[block, count] : group)
          shared += count > 1;
      mxn_cache_stats_t now = stats();
      ASSERT_EQ(now.blocks_total - now.blocks_free, used);
      ASSERT_EQ(now.blocks_shared, shared);
      ASSERT_EQ(now.sequences, sequences.size());
    }
    EXPECT_GT(full + refused, 0u);
  }
}
