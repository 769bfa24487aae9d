// DecodeCacheTest.cpp - which cache groups the loader takes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mxn/Runtime/Cache.h"
#include "test/unit/Runtime/TestBundle.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

using namespace mxn;
using namespace mxn::test;

TEST(DecodeCache, Describes) {
  OpenModel model(makeStep());
  ASSERT_EQ(model.status, MXN_STATUS_OK) << mxn_last_error();
  ASSERT_EQ(mxn_model_cache_group_count(model.model, 0), 2u);
  EXPECT_EQ(mxn_model_cache_group_count(model.model, 1), 0u);
  mxn_cache_group_info_t info = {};
  info.struct_size = sizeof(info);
  ASSERT_EQ(mxn_model_cache_group_info(model.model, 0, 1, &info), MXN_STATUS_OK);
  EXPECT_STREQ(info.name, "near");
  EXPECT_EQ(info.type, MXN_TYPE_FLOAT32);
  EXPECT_EQ(info.cache_input, 6u);
  EXPECT_EQ(info.table_input, 7u);
  EXPECT_EQ(info.cache_output, 1u);
  EXPECT_EQ(info.block_bytes, 1u * 2 * 1 * 4 * 2 * 4);
  EXPECT_EQ(info.sink, 2u);
  EXPECT_EQ(info.window, 6u);
  EXPECT_EQ(mxn_model_cache_group_info(model.model, 0, 2, &info), MXN_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(mxn_last_error(), "function \"step\" has 2 cache groups, there is no group 2");
}

TEST(DecodeCache, RefusesWhatCannotBe) {
  using Change = std::function<void(bundle::FunctionT &, bundle::CacheGroupT &)>;
  const std::pair<const char *, Change> changes[] = {
      {"has no name", [](auto &, auto &g) { g.name = ""; }},
      {"not clean UTF-8", [](auto &, auto &g) { g.name = "\x1b[2J"; }},
      {"names an input or output that doesn't exist", [](auto &, auto &g) { g.cache_input = 9; }},
      {"names an input or output that doesn't exist", [](auto &, auto &g) { g.table_input = UINT32_MAX; }},
      {"names an input or output that doesn't exist", [](auto &, auto &g) { g.cache_output = 3; }},
      {"its cache isn't", [](auto &, auto &g) { g.cache_input = 1; }},
      {"its cache isn't", [](auto &, auto &g) { g.layers = 3; }},
      {"its cache isn't", [](auto &, auto &g) { g.heads = 1; }},
      {"its cache isn't", [](auto &, auto &g) { g.block_tokens = 8; }},
      {"its cache isn't", [](auto &, auto &g) { g.head_size = 2; }},
      {"its cache isn't", [](auto &, auto &g) { g.type = bundle::ElementType_Float16; }},
      {"its cache isn't", [](auto &, auto &g) { g.cache_output = 2; }},
      {"its table isn't", [](auto &, auto &g) { g.table_input = 0; }},
      {"its table isn't", [](auto &, auto &g) { g.table_input = 8; }},
      {"a block would have no bytes", [](auto &, auto &g) { g.layers = 0; }},
      {"a block would have no bytes", [](auto &, auto &g) { g.block_tokens = 0; }},
      {"a block would have no bytes", [](auto &, auto &g) { g.type = bundle::ElementType_String; }},
      {"a block would have no bytes",
       [](auto &, auto &g) { g.layers = g.heads = g.head_size = g.block_tokens = UINT32_MAX; }},
      {"keeps a number of tokens", [](auto &, auto &g) { g.sink = 4; }},
      {"keeps a number of tokens", [](auto &, auto &g) { g.window = UINT64_MAX; }},
      {"doesn't take over its cache input",
       [](auto &f, auto &) {
         for (auto &buffer : f.buffers)
           if (buffer->kind == bundle::BufferKind_Output && buffer->donated_input >= 0)
             buffer->donated_input = 10 - buffer->donated_input; // 4 and 6 change places
       }},
      {"shares its name or a tensor", [](auto &f, auto &) { f.cache_groups[1]->name = "all"; }},
      {"shares its name or a tensor",
       [](auto &f, auto &g) {
         *f.cache_groups[1] = g;
         f.cache_groups[1]->name = "other";
       }},
      {"at most 256 are allowed",
       [](auto &f, auto &g) {
         while (f.cache_groups.size() < 257)
           f.cache_groups.push_back(std::make_unique<bundle::CacheGroupT>(g));
       }},
  };
  for (const auto &[expected, change] : changes) {
    auto function = makeStep();
    change(*function, *function->cache_groups[0]);
    OpenModel model(std::move(function));
    EXPECT_EQ(model.status, MXN_STATUS_BAD_BUNDLE) << expected;
    EXPECT_NE(std::string(mxn_last_error()).find(expected), std::string::npos) << expected << ": " << mxn_last_error();
  }
}
