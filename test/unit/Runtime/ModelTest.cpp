// ModelTest.cpp - opening bundles: what they say, and which rules a loader holds them to.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mxn/Bundle/Format.h"
#include "test/unit/Runtime/TestBundle.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

using namespace mxn;
using namespace mxn::test;

TEST(Model, DescribesItself) {
  OpenModel open(makeMain());
  ASSERT_EQ(open.status, MXN_STATUS_OK) << mxn_last_error();
  EXPECT_EQ(mxn_model_function_count(open.model), 1u);
  EXPECT_STREQ(mxn_model_function_name(open.model, 0), "main");
  EXPECT_EQ(mxn_model_function_name(open.model, 1), nullptr);
  uint32_t index = 99;
  EXPECT_EQ(mxn_model_find_function(open.model, "main", &index), MXN_STATUS_OK);
  EXPECT_EQ(index, 0u);
  EXPECT_EQ(mxn_model_find_function(open.model, "step", &index), MXN_STATUS_NOT_FOUND);
  EXPECT_STREQ(mxn_last_error(), "the model has no function \"step\"; it has: main");
  EXPECT_EQ(mxn_model_input_count(open.model, 0), 1u);
  EXPECT_EQ(mxn_model_output_count(open.model, 0), 1u);
  mxn_tensor_info_t info = {};
  info.struct_size = sizeof(info);
  ASSERT_EQ(mxn_model_input_info(open.model, 0, 0, &info), MXN_STATUS_OK);
  EXPECT_STREQ(info.name, "x");
  EXPECT_EQ(info.type, static_cast<mxn_type_t>(MXN_TYPE_FLOAT32));
  ASSERT_EQ(info.rank, 1u);
  EXPECT_EQ(info.dims[0], -1);
  EXPECT_STREQ(info.dim_names[0], "n");
  EXPECT_EQ(mxn_model_output_info(open.model, 0, 1, &info), MXN_STATUS_INVALID_ARGUMENT);
  const char *text = nullptr;
  EXPECT_EQ(mxn_model_metadata(open.model, "license", &text), MXN_STATUS_OK);
  EXPECT_STREQ(text, "none");
  EXPECT_EQ(mxn_model_metadata(open.model, "producer", &text), MXN_STATUS_OK);
  EXPECT_STREQ(text, "unit test");
  EXPECT_EQ(mxn_model_metadata(open.model, "absent", &text), MXN_STATUS_NOT_FOUND);
  const void *data = nullptr;
  uint64_t length = 0;
  ASSERT_EQ(mxn_model_section(open.model, "tokenizer.json", &data, &length), MXN_STATUS_OK);
  EXPECT_EQ(std::string(static_cast<const char *>(data), length), "{}");
  EXPECT_EQ(mxn_model_section(open.model, "", &data, &length), MXN_STATUS_NOT_FOUND);
}

TEST(Model, IsSharedAmongThreads) {
  OpenModel open(makeMain());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        OpenContext context(open, 2);
        float x[] = {2};
        mxn_tensor_t input = makeTensor(MXN_TYPE_FLOAT32, {1}, x, 4);
        ASSERT_EQ(mxn_context_bind(context.context, 0, &input, 1), MXN_STATUS_OK);
        ASSERT_EQ(mxn_context_run(context.context), MXN_STATUS_OK);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

TEST(Model, RefusesDamagedFiles) {
  Bytes good = writeBundle(makeManifest(makeMain()));
  auto errorOf = [&](std::function<void(Bytes &)> damage) {
    Bytes bad = good;
    damage(bad);
    OpenModel open(bad);
    EXPECT_NE(open.status, MXN_STATUS_OK);
    return std::string(mxn_last_error());
  };
  EXPECT_EQ(errorOf([](Bytes &b) { b.resize(10); }), "too short for a bundle");
  EXPECT_EQ(errorOf([](Bytes &b) { b[0] = 'X'; }), "not a bundle: it doesn't start with \"MXNBNDL\"");
  EXPECT_EQ(errorOf([](Bytes &b) { b[8] = 9; }), "bundle version 9.1, this runtime reads 0.x: compile the model anew");
  EXPECT_EQ(errorOf([](Bytes &b) { b[20] ^= 1; }), "the header is damaged: its hash doesn't fit");
  EXPECT_EQ(errorOf([](Bytes &b) { b[100] ^= 1; }), "the manifest is damaged: its hash doesn't fit");
  EXPECT_NE(errorOf([](Bytes &b) { b.pop_back(); }).find("the file is cut off"), std::string::npos);
  mxn_model_t *model = nullptr;
  EXPECT_EQ(mxn_model_open("/nonexistent.mxn", nullptr, &model), MXN_STATUS_IO_ERROR);
  EXPECT_EQ(mxn_model_open("/", nullptr, &model), MXN_STATUS_IO_ERROR);
  EXPECT_EQ(mxn_model_open(nullptr, nullptr, &model), MXN_STATUS_INVALID_ARGUMENT);
}

TEST(Model, ChecksCodeBeforeItLoadsIt) {
  Bytes bad = writeBundle(makeManifest(makeMain()));
  bad[2 * 65536 + 100] ^= 1;
  OpenModel open(bad);
  ASSERT_EQ(open.status, MXN_STATUS_OK);
  mxn_context_t *context = nullptr;
  EXPECT_EQ(mxn_context_create(open.model, nullptr, &context), MXN_STATUS_BAD_BUNDLE);
}

TEST(Model, SaysWhyNothingRunsIt) {
  bundle::ManifestT manifest = makeManifest(makeMain());
  manifest.plans[0]->code[0]->level = "vax";
  OpenModel open(writeBundle(manifest));
  ASSERT_EQ(open.status, MXN_STATUS_OK) << "tools can look into any bundle";
  mxn_context_t *context = nullptr;
  EXPECT_EQ(mxn_context_create(open.model, nullptr, &context), MXN_STATUS_UNSUPPORTED);
  EXPECT_NE(std::string(mxn_last_error()).find("\"vax\" is code for another processor"), std::string::npos);
}

// Each rule of the loader is broken in turn.
static std::string ruleBroken(std::function<void(bundle::ManifestT &, bundle::FunctionT &)> damage) {
  bundle::ManifestT manifest = makeManifest(makeMain());
  damage(manifest, *manifest.plans[0]->functions[0]);
  OpenModel open(writeBundle(manifest));
  EXPECT_EQ(open.status, MXN_STATUS_BAD_BUNDLE);
  return open.status == MXN_STATUS_OK ? "" : mxn_last_error();
}

#define EXPECT_RULE(text, statement)                                                                                   \
  EXPECT_NE(ruleBroken([](bundle::ManifestT &m, bundle::FunctionT &f) {                                                \
              (void)m, (void)f;                                                                                        \
              statement;                                                                                               \
            }).find(text),                                                                                             \
            std::string::npos)                                                                                         \
      << mxn_last_error()

static bundle::DispatchT &firstDispatch(bundle::FunctionT &f) { return *f.blocks[0]->instructions[0]->op.AsDispatch(); }

TEST(Model, HoldsProgramsToTheRules) {
  EXPECT_RULE("has no plan", m.plans.clear());
  EXPECT_RULE("a function has no name", f.name = "");
  EXPECT_RULE("not clean UTF-8", f.name = "\xff");
  EXPECT_RULE("not clean UTF-8", f.name = "\033[31m");
  EXPECT_RULE("at most 4096", f.name = std::string(5000, 'x'));
  EXPECT_RULE("unknown type", f.inputs[0]->type = static_cast<bundle::ElementType>(99));
  EXPECT_RULE("has no buffer", f.buffers.erase(f.buffers.begin() + 1, f.buffers.end()));
  EXPECT_RULE("more registers", f.register_count = 0x7fffffff);
  EXPECT_RULE("writes a register that is written elsewhere", f.prologue[1]->op.AsConstantOp()->result = 0);
  EXPECT_RULE("writes a register that doesn't exist", f.prologue[1]->op.AsConstantOp()->result = 1000);
  EXPECT_RULE("isn't written before", f.prologue[4]->op.AsArithOp()->rhs = 4);
  EXPECT_RULE("input dimension that doesn't exist", f.prologue[3]->op.AsInputDim()->axis = 1);
  EXPECT_RULE("unknown operation", f.prologue[4]->op.AsArithOp()->kind = static_cast<bundle::Arith>(77));
  EXPECT_RULE("none of those that a prologue may hold", std::swap(f.prologue[4], f.blocks[0]->instructions[0]));
  EXPECT_RULE("a size that the prologue doesn't compute", f.inputs[0]->dims[0]->size = 1000);
  EXPECT_RULE("a size that the prologue doesn't compute", f.buffers[0]->size = 1000);
  EXPECT_RULE("kernel that doesn't exist", firstDispatch(f).kernel = 4);
  EXPECT_RULE("other numbers of bindings or constants", firstDispatch(f).constants.clear());
  EXPECT_RULE("write marks", firstDispatch(f).writes.pop_back());
  EXPECT_RULE("three registers", firstDispatch(f).grid.pop_back());
  EXPECT_RULE("writes to an input", firstDispatch(f).writes[0] = true);
  EXPECT_RULE("writes to a constant", f.blocks[0]->instructions[1]->op.AsDispatch()->writes[1] = true);
  EXPECT_RULE("a buffer that doesn't exist", firstDispatch(f).bindings[0]->buffer = 77);
  EXPECT_RULE("lacks an operand", f.blocks[0]->instructions[2]->op.AsCopy()->source = nullptr);
  EXPECT_RULE("outside of its range", f.buffers[3]->last = 0);
  EXPECT_RULE("ends before it begins", f.buffers[4]->first = 3);
  EXPECT_RULE("beyond the last instruction", f.buffers[4]->last = 3);
  EXPECT_RULE("leaves its section", f.buffers[2]->length = 65);
  EXPECT_RULE("no section of weights", f.buffers[2]->index = 1);
  EXPECT_RULE("isn't aligned", f.buffers[2]->offset = 4; f.buffers[2]->length = 4);
  EXPECT_RULE("location that doesn't exist", f.blocks[0]->instructions[0]->location = 2);
  EXPECT_RULE("no code section", m.plans[0]->code[0]->section = 0);
  EXPECT_RULE("takes over an input that doesn't exist", f.buffers[1]->donated_input = 1);
}

TEST(Model, KeepsBlocksATree) {
  auto withIf = [](uint32_t thenBlock, uint32_t elseBlock) {
    return [=](bundle::ManifestT &, bundle::FunctionT &f) {
      bundle::IfT op;
      op.then_block = thenBlock;
      op.else_block = elseBlock;
      f.blocks[0]->instructions.push_back(FunctionBuilder::instruction(op));
      f.blocks.push_back(std::make_unique<bundle::BlockT>());
      f.blocks.back()->instructions.push_back(FunctionBuilder::instruction(op));
    };
  };
  EXPECT_NE(ruleBroken(withIf(1, 0)).find("another instruction has already"), std::string::npos);
  EXPECT_NE(ruleBroken(withIf(7, 0)).find("a block that doesn't exist"), std::string::npos);
  auto deep = [](bundle::ManifestT &, bundle::FunctionT &f) {
    for (uint32_t i = 0; i < 100; ++i) {
      bundle::IfT op;
      op.then_block = i + 1;
      f.blocks[i]->instructions.push_back(FunctionBuilder::instruction(op));
      f.blocks.push_back(std::make_unique<bundle::BlockT>());
    }
  };
  EXPECT_NE(ruleBroken(deep).find("too deeply"), std::string::npos);
}
