// DamageTest.cpp - a damaged bundle gives a status, never a crash.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mxn/Bundle/Format.h"
#include "mxn/Runtime/Cache.h"
#include "test/unit/Runtime/TestBundle.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

using namespace mxn;
using namespace mxn::test;

// Whatever cache groups get through the loader can be allocated.
static void useCache(mxn_model_t *model, uint32_t function) {
  mxn_cache_options_t options = {};
  options.struct_size = sizeof(options);
  options.blocks = 3;
  mxn_cache_t *cache = nullptr;
  uint32_t sequence;
  if (mxn_cache_create(model, function, &options, &cache) != MXN_STATUS_OK)
    return;
  ASSERT_EQ(mxn_cache_sequence_create(cache, &sequence), MXN_STATUS_OK);
  if (mxn_cache_sequence_reserve(cache, sequence, 9) == MXN_STATUS_OK)
    mxn_cache_sequence_commit(cache, sequence, 9);
  mxn_cache_destroy(cache);
}

// Opens a bundle and, if it opens, binds every function with small inputs. Nothing is run: whoever may change the code
// may do anything.
static void tryBundle(const Bytes &bytes) {
  OpenModel open(bytes);
  if (open.status != MXN_STATUS_OK)
    return;
  mxn_context_options_t options = {};
  options.struct_size = sizeof(options);
  options.threads = 1;
  options.memory_limit = 1 << 24;
  mxn_context_t *context = nullptr;
  if (mxn_context_create(open.model, &options, &context) != MXN_STATUS_OK)
    return;
  alignas(8) uint8_t data[256] = {};
  for (uint32_t function = 0; function < mxn_model_function_count(open.model); ++function) {
    std::vector<mxn_tensor_t> inputs;
    for (uint32_t i = 0; i < mxn_model_input_count(open.model, function); ++i) {
      mxn_tensor_info_t info = {};
      info.struct_size = sizeof(info);
      ASSERT_EQ(mxn_model_input_info(open.model, function, i, &info), MXN_STATUS_OK);
      std::vector<int64_t> dims(info.dims, info.dims + info.rank);
      for (int64_t &dim : dims)
        dim = dim < 0 ? 3 : dim;
      inputs.push_back(makeTensor(info.type, dims, data, sizeof(data)));
    }
    mxn_context_bind(context, function, inputs.data(), inputs.size());
    useCache(open.model, function);
  }
  mxn_context_destroy(context);
}

TEST(Damage, TruncationsAndFlips) {
  Bytes good = writeBundle(makeManifest(makeMain()));
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    Bytes bad = good;
    if (round % 3 == 0)
      bad.resize(random() % bad.size());
    else
      bad[random() % (round % 2 ? sizeof(mxn_bundle_header_t) : bad.size())] ^= 1u << random() % 8;
    tryBundle(bad);
  }
}

// With hashes that fit again, so that the damage reaches the verifier and the decoder.
static void flipUnderFittingHashes(const Bytes &good, unsigned seed) {
  mxn_bundle_header_t header;
  memcpy(&header, good.data(), sizeof(header));
  std::mt19937 random(seed);
  for (int round = 0; round < 20000; ++round) {
    Bytes bad = good;
    for (unsigned flips = 1 + random() % 3; flips > 0; --flips) {
      uint8_t &byte = bad[sizeof(header) + random() % header.manifest_length];
      // Small numbers make other indices, which are the likelier accident; flips make wild ones.
      byte = random() % 2 ? byte ^ (1u << random() % 8) : random() % 8;
    }
    rehash(bad.data(), bad.size());
    tryBundle(bad);
  }
}

TEST(Damage, FlipsUnderFittingHashes) { flipUnderFittingHashes(writeBundle(makeManifest(makeMain())), 2); }

TEST(Damage, FlipsInCacheGroups) { flipUnderFittingHashes(writeBundle(makeManifest(makeStep())), 4); }
