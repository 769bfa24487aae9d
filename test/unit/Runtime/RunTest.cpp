// RunTest.cpp - binding and running small programs.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/unit/Runtime/TestBundle.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

using namespace mxn;
using namespace mxn::test;

static std::vector<float> runMain(mxn_context_t *context, std::vector<float> x) {
  mxn_tensor_t input = makeTensor(MXN_TYPE_FLOAT32, {static_cast<int64_t>(x.size())}, x.data(), x.size() * 4);
  EXPECT_EQ(mxn_context_bind(context, 0, &input, 1), MXN_STATUS_OK) << mxn_last_error();
  EXPECT_EQ(mxn_context_run(context), MXN_STATUS_OK) << mxn_last_error();
  mxn_tensor_t z = {};
  z.struct_size = sizeof(z);
  EXPECT_EQ(mxn_context_output(context, 0, &z), MXN_STATUS_OK);
  EXPECT_EQ(z.rank, 1u);
  EXPECT_EQ(z.dims[0], static_cast<int64_t>(x.size()));
  const float *data = static_cast<const float *>(z.data);
  return std::vector<float>(data, data + z.bytes / 4);
}

TEST(Run, ComputesAndReplansForOtherSizes) {
  OpenModel model(makeMain());
  ASSERT_EQ(model.status, MXN_STATUS_OK) << mxn_last_error();
  OpenContext context(model);
  ASSERT_NE(context.context, nullptr);
  EXPECT_EQ(runMain(context.context, {1, 2, 3}), (std::vector<float>{1, 5, 11}));
  EXPECT_EQ(runMain(context.context, {}), (std::vector<float>{}));
  EXPECT_EQ(runMain(context.context, {5, 5, 5, 5, 5}), (std::vector<float>{25, 26, 27, 28, 29}));
  mxn_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  ASSERT_EQ(mxn_context_stats(context.context, &stats), MXN_STATUS_OK);
  EXPECT_EQ(stats.dispatches, 2u);
  EXPECT_EQ(stats.bytes_copied, 20u);
  uint64_t plans = stats.plans;
  runMain(context.context, {1, 1, 1, 1, 1});
  mxn_context_stats(context.context, &stats);
  EXPECT_EQ(stats.plans, plans) << "the same sizes are not planned again";
}

TEST(Run, GivesTheSameForEveryNumberOfThreads) {
  OpenModel model(makeMain());
  std::vector<float> x;
  for (int i = 0; i < 16; ++i)
    x.push_back(0.1f * i);
  OpenContext one(model, 1);
  std::vector<float> expected = runMain(one.context, x);
  for (uint32_t threads : {2, 3, 7}) {
    OpenContext many(model, threads);
    for (int i = 0; i < 200; ++i)
      ASSERT_EQ(runMain(many.context, x), expected);
  }
}

TEST(Run, ReachesOnlyAsFarAsTheConstant) {
  // 17 elements leave the constant of 16, which only the real sizes show.
  OpenModel model(makeMain());
  OpenContext context(model);
  std::vector<float> x(17);
  mxn_tensor_t input = makeTensor(MXN_TYPE_FLOAT32, {17}, x.data(), 68);
  EXPECT_EQ(mxn_context_bind(context.context, 0, &input, 1), MXN_STATUS_CHECK_FAILED);
  EXPECT_EQ(mxn_context_run(context.context), MXN_STATUS_WRONG_STATE);
}

TEST(Run, TellsWhatIsWrongWithAnInput) {
  OpenModel model(makeMain());
  OpenContext context(model);
  std::vector<float> x(8);
  auto errorOf = [&](mxn_tensor_t input) {
    EXPECT_EQ(mxn_context_bind(context.context, 0, &input, 1), MXN_STATUS_INVALID_ARGUMENT);
    return std::string(mxn_last_error());
  };
  EXPECT_EQ(errorOf(makeTensor(MXN_TYPE_FLOAT32, {2, 4}, x.data(), 32)),
            "input \"x\" has 2 dimensions, the model expects [n] of float32");
  EXPECT_EQ(errorOf(makeTensor(MXN_TYPE_INT64, {4}, x.data(), 32)),
            "input \"x\" is of int64, the model expects [n] of float32");
  EXPECT_EQ(errorOf(makeTensor(MXN_TYPE_FLOAT32, {9}, x.data(), 32)),
            "input \"x\" has 32 bytes, its shape [9] of float32 needs 36");
  EXPECT_EQ(errorOf(makeTensor(MXN_TYPE_FLOAT32, {4}, nullptr, 32)), "input \"x\" has no data");
  EXPECT_EQ(errorOf(makeTensor(MXN_TYPE_FLOAT32, {INT64_MAX}, x.data(), 32)),
            "input \"x\" with the shape [9223372036854775807] is too large");
  EXPECT_EQ(errorOf(makeTensor(MXN_TYPE_FLOAT32, {1}, reinterpret_cast<uint8_t *>(x.data()) + 1, 8)),
            "input \"x\" isn't aligned to its elements of 4 bytes");
  EXPECT_EQ(mxn_context_bind(context.context, 0, nullptr, 0), MXN_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(mxn_last_error(), "function \"main\" takes 1 inputs, 0 came");
}

TEST(Run, RefusesInputsInMemoryThatTheContextOwns) {
  OpenModel model(makeMain());
  OpenContext context(model);
  runMain(context.context, {1, 2, 3});
  mxn_tensor_t z = {};
  z.struct_size = sizeof(z);
  mxn_context_output(context.context, 0, &z);
  EXPECT_EQ(mxn_context_bind(context.context, 0, &z, 1), MXN_STATUS_INVALID_ARGUMENT);
}

TEST(Run, WritesToTheCallersMemory) {
  OpenModel model(makeMain());
  OpenContext context(model);
  float x[] = {1, 2}, z[] = {0, 0, 7};
  mxn_tensor_t input = makeTensor(MXN_TYPE_FLOAT32, {2}, x, sizeof(x));
  EXPECT_EQ(mxn_context_set_output(context.context, 0, z, sizeof(z)), MXN_STATUS_WRONG_STATE);
  ASSERT_EQ(mxn_context_bind(context.context, 0, &input, 1), MXN_STATUS_OK);
  EXPECT_EQ(mxn_context_set_output(context.context, 0, z, 4), MXN_STATUS_INVALID_ARGUMENT);
  ASSERT_EQ(mxn_context_set_output(context.context, 0, z, sizeof(z)), MXN_STATUS_OK);
  ASSERT_EQ(mxn_context_run(context.context), MXN_STATUS_OK);
  EXPECT_EQ(z[0], 1);
  EXPECT_EQ(z[1], 5);
  EXPECT_EQ(z[2], 7);
  x[0] = 3; // another run reads the inputs anew
  ASSERT_EQ(mxn_context_run(context.context), MXN_STATUS_OK);
  EXPECT_EQ(z[0], 9);
}

// cache[past + 1] = cache[past] and then a new element: in place where the input is donated.
static std::unique_ptr<bundle::FunctionT> makeAppend() {
  FunctionBuilder f("main");
  uint32_t zero = f.constant(0), one = f.constant(1), four = f.constant(4), past = f.inputDim(0, 0);
  uint32_t present = f.arith(bundle::Arith_Add, past, one);
  uint32_t pastBytes = f.arith(bundle::Arith_Mul, past, four), presentBytes = f.arith(bundle::Arith_Mul, present, four);
  uint32_t cache = f.addInput("past", bundle::ElementType_Float32, {{"past", past}}, pastBytes);
  uint32_t next = f.addInput("next", bundle::ElementType_Float32, {{"one", one}}, four);
  uint32_t out = f.addOutput("present", bundle::ElementType_Float32, {{"past + 1", present}}, presentBytes, 0);
  uint32_t body = f.addBlock();
  f.copy(body, {cache, zero, pastBytes}, {out, zero, pastBytes});
  f.copy(body, {next, zero, four}, {out, pastBytes, four});
  return std::move(f.function);
}

TEST(Run, GrowsADonatedInputInPlace) {
  OpenModel model(makeAppend());
  ASSERT_EQ(model.status, MXN_STATUS_OK) << mxn_last_error();
  OpenContext context(model);
  float cache[4] = {1, 2, 3, -1}, next[1] = {9};
  mxn_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  mxn_tensor_t present = {};
  present.struct_size = sizeof(present);
  auto run = [&](uint64_t capacity, uint32_t flags) {
    mxn_tensor_t inputs[] = {makeTensor(MXN_TYPE_FLOAT32, {3}, cache, capacity, flags),
                             makeTensor(MXN_TYPE_FLOAT32, {1}, next, 4)};
    ASSERT_EQ(mxn_context_bind(context.context, 0, inputs, 2), MXN_STATUS_OK) << mxn_last_error();
    ASSERT_EQ(mxn_context_run(context.context), MXN_STATUS_OK) << mxn_last_error();
    mxn_context_stats(context.context, &stats);
    mxn_context_output(context.context, 0, &present);
    EXPECT_EQ(present.dims[0], 4);
    EXPECT_EQ(static_cast<float *>(present.data)[2], 3);
    EXPECT_EQ(static_cast<float *>(present.data)[3], 9);
  };
  run(16, 0);
  EXPECT_NE(present.data, cache);
  EXPECT_EQ(stats.bytes_copied, 16u);
  EXPECT_EQ(cache[3], -1);
  run(12, MXN_TENSOR_DONATE); // no room for one more
  EXPECT_NE(present.data, cache);
  run(16, MXN_TENSOR_DONATE);
  EXPECT_EQ(present.data, cache);
  EXPECT_EQ(stats.bytes_copied, 4u);
  EXPECT_EQ(cache[3], 9);
}

// Counts by 3 in a loop of at most n trips while below 10; then reads the counter back and fills as many bytes.
static std::unique_ptr<bundle::FunctionT> makeLoop() {
  FunctionBuilder f("main");
  uint32_t zero = f.constant(0), one = f.constant(1), eight = f.constant(8), three = f.constant(3),
           ten = f.constant(10);
  uint32_t trips = f.inputDim(0, 0), hundred = f.constant(100);
  f.addInput("trips", bundle::ElementType_UInt8, {{"trips", trips}}, trips);
  uint32_t out = f.addOutput("out", bundle::ElementType_UInt8, {{"", hundred}}, hundred);
  uint32_t counter = f.addTransient(eight, 0, 5), go = f.addTransient(one, 0, 5);
  uint32_t body = f.addBlock(), loopBody = f.addBlock(), thenBlock = f.addBlock();
  auto fill = [&](uint32_t block, uint32_t buffer, uint32_t length, uint8_t value) {
    bundle::FillT op;
    op.target = f.slice(buffer, zero, length);
    op.value = value;
    f.add(block, std::move(op));
  };
  fill(body, counter, eight, 0);
  fill(body, go, one, 1);
  bundle::LoopT loop;
  loop.trips = trips;
  loop.counter = f.newRegister();
  loop.block = loopBody;
  loop.has_condition = true;
  loop.condition = f.slice(go, zero, one);
  f.add(body, std::move(loop));
  f.dispatch(loopBody, 1, {{counter, zero, eight}, {go, zero, one}}, {1, 1}, {three, ten}, {one, one, one});
  bundle::ReadOpT read;
  read.result = f.newRegister();
  uint32_t value = read.result;
  read.type = bundle::ElementType_Int64;
  read.source = f.slice(counter, zero, eight);
  read.minimum = 1;
  read.maximum = 100;
  read.message = "the count";
  f.add(body, std::move(read), 1);
  fill(body, out, hundred, 0);
  bundle::IfT branch;
  bundle::ArithOpT less;
  less.kind = bundle::Arith_Less;
  less.result = f.newRegister();
  less.lhs = ten;
  less.rhs = value;
  branch.condition = less.result;
  branch.then_block = thenBlock;
  f.add(body, less);
  f.add(body, branch);
  fill(thenBlock, out, value, 5);
  return std::move(f.function);
}

TEST(Run, LoopsReadsAndBranches) {
  OpenModel model(makeLoop());
  ASSERT_EQ(model.status, MXN_STATUS_OK) << mxn_last_error();
  OpenContext context(model);
  uint8_t dummy[50] = {};
  auto run = [&](int64_t trips) {
    mxn_tensor_t input = makeTensor(MXN_TYPE_UINT8, {trips}, dummy, 50);
    EXPECT_EQ(mxn_context_bind(context.context, 0, &input, 1), MXN_STATUS_OK) << mxn_last_error();
    return mxn_context_run(context.context);
  };
  auto filled = [&] {
    mxn_tensor_t out = {};
    out.struct_size = sizeof(out);
    EXPECT_EQ(mxn_context_output(context.context, 0, &out), MXN_STATUS_OK);
    int count = 0;
    for (int i = 0; i < 100; ++i)
      count += static_cast<uint8_t *>(out.data)[i] == 5;
    return count;
  };
  ASSERT_EQ(run(20), MXN_STATUS_OK) << mxn_last_error();
  EXPECT_EQ(filled(), 12) << "3, 6, 9, 12: the condition ends the loop";
  ASSERT_EQ(run(2), MXN_STATUS_OK);
  EXPECT_EQ(filled(), 0) << "the trip count ends the loop, and 6 isn't above 10";
  EXPECT_EQ(run(0), MXN_STATUS_CHECK_FAILED);
  EXPECT_STREQ(mxn_last_error(), "/layers.1/Mul: the count: 0 is not between 1 and 100");
}

static std::unique_ptr<bundle::FunctionT> makeComplaint(int64_t point, int64_t code) {
  FunctionBuilder f("main");
  uint32_t one = f.constant(1), many = f.constant(1000), at = f.constant(point), what = f.constant(code);
  uint32_t body = f.addBlock();
  f.dispatch(body, 2, {}, {}, {at, what}, {many, one, one});
  return std::move(f.function);
}

TEST(Run, NamesTheKernelAndTheNodeThatFailed) {
  for (uint32_t threads : {1, 4}) {
    OpenModel model(makeComplaint(637, 1));
    OpenContext context(model, threads);
    ASSERT_EQ(mxn_context_bind(context.context, 0, nullptr, 0), MXN_STATUS_OK) << mxn_last_error();
    EXPECT_EQ(mxn_context_run(context.context), MXN_STATUS_KERNEL_FAILED);
    EXPECT_STREQ(mxn_last_error(), "/layers.0/Add: kernel \"complain\" failed with code 1: an index that was read from "
                                   "data is out of range");
  }
}

TEST(Run, StopsWhenCancelled) {
  OpenModel model(makeComplaint(5000, 1));
  int32_t cancel = 1;
  mxn_context_options_t options = {};
  options.struct_size = sizeof(options);
  options.cancel = &cancel;
  mxn_context_t *context = nullptr;
  ASSERT_EQ(mxn_context_create(model.model, &options, &context), MXN_STATUS_OK);
  ASSERT_EQ(mxn_context_bind(context, 0, nullptr, 0), MXN_STATUS_OK);
  EXPECT_EQ(mxn_context_run(context), MXN_STATUS_CANCELLED);
  cancel = 0;
  EXPECT_EQ(mxn_context_run(context), MXN_STATUS_OK) << mxn_last_error();
  mxn_context_destroy(context);
}

TEST(Run, ReportsOverflowOfSizes) {
  FunctionBuilder f("main");
  uint32_t n = f.inputDim(0, 0), big = f.constant(INT64_MAX);
  uint32_t bytes = f.arith(bundle::Arith_Mul, n, big);
  f.addInput("x", bundle::ElementType_UInt8, {{"n", n}}, n);
  f.addOutput("y", bundle::ElementType_UInt8, {{"m", bytes}}, bytes);
  f.addBlock();
  OpenModel model(std::move(f.function));
  ASSERT_EQ(model.status, MXN_STATUS_OK) << mxn_last_error();
  OpenContext context(model);
  uint8_t x[2];
  mxn_tensor_t input = makeTensor(MXN_TYPE_UINT8, {2}, x, 2);
  EXPECT_EQ(mxn_context_bind(context.context, 0, &input, 1), MXN_STATUS_CHECK_FAILED);
  EXPECT_NE(std::string(mxn_last_error()).find("doesn't fit in 64 bits"), std::string::npos) << mxn_last_error();
  input.dims[0] = 1;
  EXPECT_EQ(mxn_context_bind(context.context, 0, &input, 1), MXN_STATUS_CHECK_FAILED);
  EXPECT_NE(std::string(mxn_last_error()).find("would have"), std::string::npos) << mxn_last_error();
}

TEST(Run, ReportsChecksOfThePrologue) {
  FunctionBuilder f("main");
  uint32_t n = f.inputDim(0, 0), m = f.inputDim(1, 0);
  f.checkEqual(n, m, "inputs \"a\" and \"b\" need the same length");
  f.addInput("a", bundle::ElementType_UInt8, {{"n", n}}, n);
  f.addInput("b", bundle::ElementType_UInt8, {{"m", m}}, m);
  f.addBlock();
  OpenModel model(std::move(f.function));
  OpenContext context(model);
  uint8_t x[3] = {};
  mxn_tensor_t inputs[] = {makeTensor(MXN_TYPE_UINT8, {2}, x, 2), makeTensor(MXN_TYPE_UINT8, {3}, x, 3)};
  EXPECT_EQ(mxn_context_bind(context.context, 0, inputs, 2), MXN_STATUS_CHECK_FAILED);
  EXPECT_STREQ(mxn_last_error(), "function \"main\": inputs \"a\" and \"b\" need the same length: 2 is not equal to 3");
}

TEST(Run, WritesATrace) {
  OpenModel model(makeMain());
  OpenContext context(model);
  ASSERT_EQ(mxn_context_profile(context.context, 1), MXN_STATUS_OK);
  runMain(context.context, {1, 2, 3});
  std::string path = testing::TempDir() + "mxn_run_test_trace.json";
  ASSERT_EQ(mxn_context_write_trace(context.context, path.c_str()), MXN_STATUS_OK) << mxn_last_error();
  FILE *file = fopen(path.c_str(), "rb");
  ASSERT_NE(file, nullptr);
  char text[4096] = {};
  EXPECT_GT(fread(text, 1, sizeof(text) - 1, file), 0u);
  fclose(file);
  remove(path.c_str());
  EXPECT_NE(strstr(text, "{\"name\":\"binary\",\"cat\":\"kernel\""), nullptr) << text;
  EXPECT_NE(strstr(text, "\"location\":\"/layers.0/Add\",\"grid\":[3,1,1]"), nullptr) << text;
  EXPECT_EQ(mxn_context_write_trace(context.context, "/nonexistent/trace.json"), MXN_STATUS_IO_ERROR);
}
