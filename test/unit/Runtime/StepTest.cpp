// StepTest.cpp - mxn_step with the toy language model: ragged batches, forks, failures.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mxn/Runtime/Cache.h"
#include "test/unit/Runtime/TestBundle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

using namespace mxn;
using namespace mxn::test;

namespace {

using Ids = std::vector<int64_t>;

// What the toy says after these tokens.
int64_t answer(const Ids &ids) {
  int64_t last = static_cast<int64_t>(ids.size()) - 1, sum = last;
  for (int64_t p = 0; p <= last; ++p)
    sum += (p + 1) * ids[p] + (p < 2 || p + 6 > last ? 31 * ids[p] : 0);
  return sum % 512;
}

class StepTest : public testing::Test {
protected:
  StepTest() {
    mxn_cache_options_t options = {};
    options.struct_size = sizeof(options);
    options.blocks = 12;
    EXPECT_EQ(mxn_cache_create(model.model, 0, &options, &cache), MXN_STATUS_OK) << mxn_last_error();
  }
  ~StepTest() override { mxn_cache_destroy(cache); }

  uint32_t newSequence() {
    uint32_t sequence = UINT32_MAX;
    EXPECT_EQ(mxn_cache_sequence_create(cache, &sequence), MXN_STATUS_OK);
    return sequence;
  }

  mxn_status_t step(const std::vector<std::pair<uint32_t, Ids>> &parts, const std::vector<int32_t> *rows = nullptr) {
    std::vector<uint32_t> sequences, counts;
    Ids ids;
    for (auto &[sequence, more] : parts) {
      sequences.push_back(sequence);
      counts.push_back(more.size());
      ids.insert(ids.end(), more.begin(), more.end());
    }
    mxn_step_input_t input = {};
    input.struct_size = sizeof(input);
    input.sequence_count = sequences.size();
    input.sequences = sequences.data();
    input.token_counts = counts.data();
    input.ids = ids.data();
    input.rows = rows ? rows->data() : nullptr;
    input.row_count = rows ? rows->size() : 0;
    output = {};
    output.struct_size = sizeof(output);
    return mxn_step(context.context, cache, &input, &output);
  }

  int64_t best(uint32_t row) {
    const float *logits = output.logits + row * output.vocabulary;
    return std::max_element(logits, logits + output.vocabulary) - logits;
  }

  uint64_t length(uint32_t sequence) {
    uint64_t out = UINT64_MAX;
    EXPECT_EQ(mxn_cache_sequence_length(cache, sequence, &out), MXN_STATUS_OK);
    return out;
  }

  OpenModel model{makeStep()};
  OpenContext context{model};
  mxn_cache_t *cache = nullptr;
  mxn_step_output_t output = {};
};

} // namespace

TEST_F(StepTest, AnswersAsIfAlone) {
  uint32_t a = newSequence(), b = newSequence();
  ASSERT_EQ(step({{a, {5, 6, 7}}, {b, {9}}}), MXN_STATUS_OK) << mxn_last_error();
  ASSERT_EQ(output.rows, 2u);
  ASSERT_EQ(output.vocabulary, 512u);
  EXPECT_EQ(best(0), answer({5, 6, 7}));
  EXPECT_EQ(best(1), answer({9}));
  std::vector<int32_t> rows = {0, 2, 1, 2};
  ASSERT_EQ(step({{b, {1}}, {a, {2, 3}}}, &rows), MXN_STATUS_OK) << mxn_last_error();
  ASSERT_EQ(output.rows, 4u);
  EXPECT_EQ(best(0), answer({9, 1}));
  EXPECT_EQ(best(1), answer({5, 6, 7, 2, 3}));
  EXPECT_EQ(best(2), answer({5, 6, 7, 2}));
  EXPECT_EQ(best(3), best(1));
  std::vector<int32_t> none;
  none.reserve(1); // NULL would mean something else
  ASSERT_EQ(step({{b, {4}}}, &none), MXN_STATUS_OK) << mxn_last_error();
  EXPECT_EQ(output.rows, 0u);
  EXPECT_EQ(length(b), 3u);
}

TEST_F(StepTest, RefusesAndChangesNothing) {
  uint32_t a = newSequence(), b = newSequence();
  ASSERT_EQ(step({{a, {1, 2, 3}}}), MXN_STATUS_OK);
  std::vector<int32_t> rows = {2};
  EXPECT_EQ(step({{a, {1}}, {a, {2}}}), MXN_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(step({{a, {1}}, {b, {}}}), MXN_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(step({{a, {1}}, {77, {1}}}), MXN_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(step({{a, {1}}, {b, {1}}}, &rows), MXN_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(mxn_last_error(), "row 2 is wanted of a step of 2 tokens");
  EXPECT_EQ(step({}), MXN_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(step({{a, {4, 600}}}), MXN_STATUS_KERNEL_FAILED);
  EXPECT_EQ(step({{a, {4}}, {b, Ids(48, 1)}}), MXN_STATUS_OUT_OF_MEMORY) << "there are 11 blocks more";
  EXPECT_EQ(length(a), 3u);
  EXPECT_EQ(length(b), 0u);
  mxn_cache_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  ASSERT_EQ(mxn_cache_stats(cache, &stats), MXN_STATUS_OK);
  EXPECT_EQ(stats.blocks_free, 22u) << "room that was made for a step that failed is given back";
  ASSERT_EQ(step({{a, {4}}}), MXN_STATUS_OK);
  EXPECT_EQ(best(0), answer({1, 2, 3, 4}));

  OpenModel other(makeStep());
  OpenContext foreign(other);
  std::swap(foreign.context, context.context);
  EXPECT_EQ(step({{a, {4}}}), MXN_STATUS_INVALID_ARGUMENT);
  std::swap(foreign.context, context.context);
}

TEST_F(StepTest, CopiesNothingAndPlansOnce) {
  uint32_t a = newSequence();
  ASSERT_EQ(step({{a, {1, 2, 3, 4, 5}}}), MXN_STATUS_OK);
  ASSERT_EQ(step({{a, {1}}}), MXN_STATUS_OK);
  mxn_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  mxn_context_stats(context.context, &stats);
  uint64_t plans = stats.plans;
  const float *logits = output.logits;
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(step({{a, {i}}}), MXN_STATUS_OK);
    EXPECT_EQ(output.logits, logits);
  }
  mxn_context_stats(context.context, &stats);
  EXPECT_EQ(stats.bytes_copied, 0u);
  EXPECT_EQ(stats.plans, plans);
}

TEST_F(StepTest, TellsWhatItCannotGive) {
  auto function = makeStep();
  function->inputs[0]->name = "temperature";
  OpenModel strange(std::move(function));
  OpenContext strangeContext(strange);
  mxn_cache_options_t options = {};
  options.struct_size = sizeof(options);
  options.blocks = 1;
  mxn_cache_t *strangeCache = nullptr;
  ASSERT_EQ(mxn_cache_create(strange.model, 0, &options, &strangeCache), MXN_STATUS_OK);
  std::swap(cache, strangeCache);
  std::swap(context.context, strangeContext.context);
  EXPECT_EQ(step({{newSequence(), {1}}}), MXN_STATUS_UNSUPPORTED);
  EXPECT_STREQ(mxn_last_error(), "mxn_step has nothing to give to input \"temperature\" of function \"step\"");
  std::swap(cache, strangeCache);
  std::swap(context.context, strangeContext.context);
  mxn_cache_destroy(strangeCache);
}

// Whatever sequences share blocks, each answers as if it were alone.
TEST_F(StepTest, RandomForksAndBatches) {
  std::mt19937 random(3);
  std::vector<std::pair<uint32_t, Ids>> sequences;
  unsigned full = 0, steps = 0;
  for (int round = 0; round < 3000; ++round) {
    if (sequences.empty() || (random() % 6 == 0 && sequences.size() < 5))
      sequences.emplace_back(newSequence(), Ids());
    size_t one = random() % sequences.size();
    if (random() % 5 == 0 && sequences.size() < 6) {
      uint32_t copy;
      ASSERT_EQ(mxn_cache_sequence_fork(cache, sequences[one].first, &copy), MXN_STATUS_OK);
      sequences.emplace_back(copy, sequences[one].second);
    }
    std::vector<std::pair<uint32_t, Ids>> parts;
    std::vector<size_t> which;
    for (size_t i = 0; i < sequences.size(); ++i)
      if (random() % 2) {
        Ids ids(1 + random() % 3);
        for (int64_t &id : ids)
          id = random() % 512;
        parts.emplace_back(sequences[i].first, ids);
        which.push_back(i);
      }
    if (parts.empty())
      continue;
    mxn_status_t status = step(parts);
    if (status != MXN_STATUS_OK) {
      ASSERT_EQ(status, MXN_STATUS_OUT_OF_MEMORY) << mxn_last_error();
      ASSERT_EQ(mxn_cache_sequence_free(cache, sequences[one].first), MXN_STATUS_OK);
      sequences.erase(sequences.begin() + one);
      ++full;
      continue;
    }
    ++steps;
    for (size_t i = 0; i < which.size(); ++i) {
      Ids &ids = sequences[which[i]].second;
      ids.insert(ids.end(), parts[i].second.begin(), parts[i].second.end());
      ASSERT_EQ(best(i), answer(ids)) << "after " << ids.size() << " tokens";
    }
  }
  EXPECT_GT(full, 100u);
  EXPECT_GT(steps, 1000u);
}
