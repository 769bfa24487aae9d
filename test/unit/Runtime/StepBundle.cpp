// StepBundle.cpp - the function "step" of the toy language model of Kernels.c.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/unit/Runtime/TestBundle.h"

using namespace mxn;
using namespace mxn::test;

using bundle::ElementType_Float32;
using bundle::ElementType_Int32;
using bundle::ElementType_Int64;

namespace {
struct Group {
  const char *name, *cache, *table;
  int64_t layers, heads, headSize, sink, window;
};
constexpr int64_t blockTokens = 4, vocabulary = 512;
} // namespace

std::unique_ptr<bundle::FunctionT> test::makeStep() {
  constexpr Group groups[] = {{"all", "cache.all", "blocks.all", 2, 2, 4, 0, 0},
                              {"near", "cache.near", "blocks.near", 1, 1, 2, 2, 6}};
  FunctionBuilder f("step");
  uint32_t zero = f.constant(0), one = f.constant(1), two = f.constant(2), four = f.constant(4), eight = f.constant(8);
  auto times = [&](uint32_t a, uint32_t b) { return f.arith(bundle::Arith_Mul, a, b); };
  // The inputs' order is one that nobody would guess.
  uint32_t rows = f.inputDim(0, 0), tokens = f.inputDim(1, 0), sequences = f.inputDim(3, 0);
  uint32_t starts = f.arith(bundle::Arith_Add, sequences, one), rowBytes = times(rows, four),
           tokenBytes = times(tokens, eight), startBytes = times(starts, four), sequenceBytes = times(sequences, four);
  std::array<uint32_t, 3> slices[10];
  slices[4] = {f.addInput("rows", ElementType_Int32, {{"rows", rows}}, rowBytes), zero, rowBytes};
  slices[0] = {f.addInput("ids", ElementType_Int64, {{"tokens", tokens}}, tokenBytes), zero, tokenBytes};
  slices[2] = {f.addInput("sequence_starts", ElementType_Int32, {{"sequences + 1", starts}}, startBytes), zero,
               startBytes};
  slices[3] = {f.addInput("context_lengths", ElementType_Int32, {{"sequences", sequences}}, sequenceBytes), zero,
               sequenceBytes};
  for (uint32_t g = 0; g < 2; ++g) {
    const Group &group = groups[g];
    uint32_t cacheInput = 4 + 2 * g, tableInput = 5 + 2 * g;
    uint32_t blocks = f.inputDim(cacheInput, 0), columns = f.inputDim(tableInput, 1);
    uint32_t layers = f.constant(group.layers), heads = f.constant(group.heads), headSize = f.constant(group.headSize),
             size = f.constant(blockTokens);
    uint32_t bytes = times(
        blocks, f.constant(group.layers * 2 * group.heads * blockTokens * group.headSize * int64_t(sizeof(float))));
    uint32_t tableBytes = times(sequenceBytes, columns);
    std::vector<std::pair<const char *, uint32_t>> dims = {{"blocks", blocks}, {"", layers}, {"", two},
                                                           {"", heads},        {"", size},   {"", headSize}};
    slices[6 + 2 * g] = {f.addInput(group.cache, ElementType_Float32, dims, bytes), zero, bytes};
    slices[5 + 2 * g] = {
        f.addInput(group.table, ElementType_Int32, {{"sequences", sequences}, {"columns", columns}}, tableBytes), zero,
        tableBytes};
    f.addOutput(group.cache, ElementType_Float32, dims, bytes, static_cast<int>(cacheInput));
    auto entry = std::make_unique<bundle::CacheGroupT>();
    entry->name = group.name;
    entry->cache_input = cacheInput;
    entry->table_input = tableInput;
    entry->cache_output = g;
    entry->layers = group.layers;
    entry->heads = group.heads;
    entry->head_size = group.headSize;
    entry->block_tokens = blockTokens;
    entry->type = ElementType_Float32;
    entry->sink = group.sink;
    entry->window = group.window;
    f.function->cache_groups.push_back(std::move(entry));
  }
  slices[1] = {f.addInput("positions", ElementType_Int64, {{"tokens", tokens}}, tokenBytes), zero, tokenBytes};
  uint32_t width = f.constant(vocabulary), logitBytes = times(times(rows, width), four);
  slices[9] = {f.addOutput("logits", ElementType_Float32, {{"rows", rows}, {"vocabulary", width}}, logitBytes), zero,
               logitBytes};
  uint32_t body = f.addBlock();
  f.dispatch(body, 3, {std::begin(slices), std::end(slices)}, {0, 0, 0, 0, 0, 0, 1, 0, 1, 1}, {}, {one, one, one});
  return std::move(f.function);
}
