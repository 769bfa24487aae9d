// DamageTest.cpp - a damaged bundle gives a status, never a crash.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mxn/Bundle/Format.h"
#include "test/unit/Runtime/TestBundle.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

using namespace mxn;
using namespace mxn::test;

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
TEST(Damage, FlipsUnderFittingHashes) {
  Bytes good = writeBundle(makeManifest(makeMain()));
  mxn_bundle_header_t header;
  memcpy(&header, good.data(), sizeof(header));
  std::mt19937 random(2);
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
