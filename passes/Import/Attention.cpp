//===- Attention.cpp - Attention and rotary embedding ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Letters: B batch, S queries, P past keys, T = P + keys, H query heads, KV key-value heads, G = H / KV queries that
// share a key, D size of a query and a key, E size of a value.
//
#include "dialects/Program/ProgramDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Import/Indexing.h"
#include "passes/Import/Loops.h"

using namespace mlir;

namespace mxn {
namespace {

enum Input { Query, Key, NewValue, Mask, PastKey, PastValue, NonPad };

/// The sizes of one Attention node; heads and head sizes must be known when compiling.
struct Shape {
  SymbolicExpr batch, queries, keys, past, total;
  int64_t heads, kvHeads, group, size, valueSize;
  bool flat; // [B, S, H*D] rather than [B, H, S, D]
};

template <typename Context> FailureOr<Shape> attentionShape(Context &c) {
  Dims q = c.dims(Query), k = c.dims(Key), v = c.dims(NewValue);
  if ((q.size() != 3 && q.size() != 4) || k.size() != q.size() || v.size() != q.size())
    return c.error() << "its query, key and value must have 3 or 4 dimensions each";
  Shape s;
  s.flat = q.size() == 3;
  auto number = [](const SymbolicExpr &e) { return e.constant().value_or(0); };
  int64_t columns[3] = {number(q.back()), number(k.back()), number(v.back())};
  s.heads = s.flat ? c.node.intAttr("q_num_heads", 0) : number(q[1]);
  s.kvHeads = s.flat ? c.node.intAttr("kv_num_heads", 0) : number(k[1]);
  if (s.heads < 1 || s.kvHeads < 1 || s.heads % s.kvHeads)
    return c.error() << "it has " << s.heads << " query heads and " << s.kvHeads
                     << " key-value heads; the first must be a multiple of the second, and both known";
  if (s.flat) {
    columns[0] /= s.heads;
    columns[1] /= s.kvHeads;
    columns[2] /= s.kvHeads;
  }
  s.group = s.heads / s.kvHeads;
  s.size = columns[0];
  s.valueSize = columns[2];
  if (s.size < 1 || s.valueSize < 1 || columns[1] != s.size)
    return c.error() << "queries have " << s.size << " numbers a head, keys " << columns[1] << ", values "
                     << s.valueSize << "; the first two must be equal, and all known when compiling";
  s.batch = q[0];
  s.queries = s.flat ? q[1] : q[2];
  s.keys = s.flat ? k[1] : k[2];
  s.past = c.hasInput(PastKey) ? c.dims(PastKey)[2] : SymbolicExpr(0);
  s.total = s.past + s.keys;
  return s;
}

LogicalResult inferAttention(InferContext &c) {
  FailureOr<Shape> shape = attentionShape(c);
  if (failed(shape))
    return failure();
  Dims k = c.dims(Key), v = c.dims(NewValue);
  int64_t sequence = shape->flat ? 1 : 2;
  if (failed(c.equate(k[0], shape->batch, "the batch of keys and queries")) ||
      failed(c.equate(v[0], shape->batch, "the batch of values and queries")) ||
      failed(c.equate(v[sequence], k[sequence], "the number of values and keys")))
    return failure();
  for (unsigned i : {PastKey, PastValue}) {
    if (!c.hasInput(i))
      continue;
    Dims past = c.dims(i);
    if (past.size() != 4)
      return c.error() << "its past keys and values must have 4 dimensions";
    int64_t size = i == PastKey ? shape->size : shape->valueSize;
    if (failed(c.equate(past[0], shape->batch, "the batch of past keys or values and queries")) ||
        failed(c.equate(past[1], shape->kvHeads, "the heads of past keys or values")) ||
        failed(c.equate(past[2], shape->past, "the length of past keys and values")) ||
        failed(c.equate(past[3], size, "the head size of past keys or values")))
      return failure();
  }
  if (c.hasInput(Mask)) {
    Dims mask = c.dims(Mask);
    if (mask.size() < 2 || mask.size() > 4)
      return c.error() << "its mask must have 2 to 4 dimensions";
    if (!mask.back().isConstant(1) && failed(c.equate(mask.back(), shape->total, "the mask's length and the keys'")))
      return failure();
  }
  auto e = [](int64_t n) { return SymbolicExpr(n); };
  if (shape->flat)
    c.setDims(0, {shape->batch, shape->queries, e(shape->heads * shape->valueSize)});
  else
    c.setDims(0, {shape->batch, e(shape->heads), shape->queries, e(shape->valueSize)});
  c.setDims(1, {shape->batch, e(shape->kvHeads), shape->total, e(shape->size)});
  c.setDims(2, {shape->batch, e(shape->kvHeads), shape->total, e(shape->valueSize)});
  c.setDims(3, {shape->batch, e(shape->heads), shape->queries, shape->total});
  return success();
}

/// Past and new keys (or values), one behind the other: [B, KV, P + S, D]. Written from the last element to the first,
/// so that the result may stand where the past stood: each past element moves towards the end or stays.
Value appendToPast(LowerContext &c, const Shape &s, Value past, Value fresh, int64_t size) {
  Type element = cast<RankedTensorType>(fresh.getType()).getElementType();
  Dims to = {s.batch, SymbolicExpr(s.kvHeads), s.total, SymbolicExpr(size)};
  SmallVector<Value> sizes = sizeValues(c, to);
  Value pastLength = c.size(s.past), one = c.index(1), init = c.empty(to, element);
  auto region = program::RegionOp::create(c.b, c.loc, TypeRange{init.getType()}, /*takes_over=*/past, Value());
  OpBuilder::InsertionGuard guard(c.b);
  c.b.createBlock(&region.getBody());
  Value empty = c.b.clone(*init.getDefiningOp())->getResult(0);
  SmallVector<Value> result =
      buildLoops(c.b, c.loc, sizes, empty,
                 [&](OpBuilder &b, Location loc, ValueRange count, ValueRange carried) -> SmallVector<Value> {
                   SmallVector<Value> at; // from the end
                   for (auto [size, i] : llvm::zip(sizes, count))
                     at.push_back(arith::SubIOp::create(b, loc, arith::SubIOp::create(b, loc, size, one), i));
                   Value isPast = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, at[2], pastLength);
                   auto read = scf::IfOp::create(
                       b, loc, isPast,
                       [&](OpBuilder &nested, Location at2) {
                         scf::YieldOp::create(nested, at2, tensor::ExtractOp::create(nested, at2, past, at).getResult());
                       },
                       [&](OpBuilder &nested, Location at2) {
                         Value row = arith::SubIOp::create(nested, at2, at[2], pastLength);
                         SmallVector<Value> place = s.flat ? SmallVector<Value>{at[0], row, at[1], at[3]}
                                                           : SmallVector<Value>{at[0], at[1], row, at[3]};
                         scf::YieldOp::create(nested, at2,
                                              tensor::ExtractOp::create(nested, at2, fresh, place).getResult());
                       });
                   return {tensor::InsertOp::create(b, loc, read.getResult(0), carried[0], at)};
                 });
  program::YieldOp::create(c.b, c.loc, result);
  return region.getResult(0);
}

FailureOr<SmallVector<Value>> lowerAttention(LowerContext &c) {
  FailureOr<Shape> shape = attentionShape(c);
  if (failed(shape))
    return failure();
  const Shape &s = *shape;
  if (c.hasInput(NonPad))
    return c.error() << "nonpad_kv_seqlen isn't supported";
  if (c.node.getNumResults() > 3 && !c.node.getResult(3).use_empty())
    return c.error() << "its output of raw scores isn't supported";
  if (c.node.intAttr("left_window_size", -1) != -1 || c.node.intAttr("right_window_size", -1) != -1)
    return c.error() << "window sizes aren't supported";
  bool causal = c.node.intAttr("is_causal", 0);
  float scale = c.node.floatAttr("scale", 0), cap = c.node.floatAttr("softcap", 0);
  if (scale == 0)
    scale = 1 / std::sqrt(static_cast<float>(s.size));

  auto e = [](int64_t n) { return SymbolicExpr(n); };
  Type element = LowerContext::lowered(c.outputElement()), wide = accumulatorType(element);
  // Heads apart: [B, S, KV, G, D] or [B, KV, G, S, D]; keys [B, S, KV, D] or [B, KV, S, D].
  auto split = [&](Input i, int64_t size, int64_t groups) {
    Dims to = s.flat ? Dims{s.batch, i == Query ? s.queries : s.keys, e(s.kvHeads), e(size)}
                     : Dims{s.batch, e(s.kvHeads), i == Query ? s.queries : s.keys, e(size)};
    if (i == Query)
      to = s.flat ? Dims{s.batch, s.queries, e(s.kvHeads), e(groups), e(size)}
                  : Dims{s.batch, e(s.kvHeads), e(groups), s.queries, e(size)};
    return c.reshape(c.input(i), c.dims(i), to);
  };
  Value q = split(Query, s.size, s.group), k = split(Key, s.size, 1), v = split(NewValue, s.valueSize, 1);
  bool stacked = !s.flat; // whether keys and values are [B, KV, T, D]
  bool presents = c.node.getNumResults() > 1 &&
                  (!c.node.getResult(1).use_empty() || (c.node.getNumResults() > 2 && !c.node.getResult(2).use_empty()));
  if (c.hasInput(PastKey)) {
    k = appendToPast(c, s, c.input(PastKey), k, s.size);
    v = appendToPast(c, s, c.input(PastValue), v, s.valueSize);
    stacked = true;
  } else if (presents && s.flat) {
    k = c.transpose(k, {s.batch, s.keys, e(s.kvHeads), e(s.size)}, {0, 2, 1, 3});
    v = c.transpose(v, {s.batch, s.keys, e(s.kvHeads), e(s.valueSize)}, {0, 2, 1, 3});
    stacked = true;
  }

  // scores[b, kv, g, s, t] = sum over d of q * k
  enum { B, KV, G, S, T, D };
  Dims scoreDims = {s.batch, e(s.kvHeads), e(s.group), s.queries, s.total};
  SmallVector<int64_t> qLoops = s.flat ? SmallVector<int64_t>{B, S, KV, G, D} : SmallVector<int64_t>{B, KV, G, S, D};
  SmallVector<int64_t> kLoops = stacked ? SmallVector<int64_t>{B, KV, T, D} : SmallVector<int64_t>{B, T, KV, D};
  Value zero = c.constant(wide, 0);
  Value scores = loopNest(c, 6, {{q, qLoops}, {k, kLoops}}, c.filled(scoreDims, zero), {B, KV, G, S, T},
                          [&](ScalarBuilder &b, ValueRange x) {
                            return b.add(x[2], b.mul(b.convert(x[0], wide), b.convert(x[1], wide)));
                          });

  // Scaling, cap, mask. A row without an allowed key gives zeros, as ONNX has it.
  SmallVector<LoopOperand> operands = {{scores, {B, KV, G, S, T}}};
  Type maskElement;
  if (c.hasInput(Mask)) {
    maskElement = c.inputElement(Mask);
    Dims given = c.dims(Mask);
    Value mask = c.input(Mask);
    Dims full(4 - given.size(), e(1));
    full.append(given.begin(), given.end());
    bool perHead = !full[1].isConstant(1);
    if (perHead && full[1].constant() != s.heads)
      return c.error() << "its mask has " << full[1].str() << " heads, there are " << s.heads;
    Dims to = {full[0], perHead ? e(s.kvHeads) : e(1), perHead ? e(s.group) : e(1), full[2], full[3]};
    mask = c.reshape(mask, given, to);
    LoopOperand operand{mask, {}};
    for (int64_t i = 0; i < 5; ++i)
      operand.loops.push_back(to[i].isConstant(1) && !scoreDims[i].isConstant(1) ? -1 : i);
    operands.push_back(operand);
  }
  Value past = c.size(s.past);
  scores = compute(c, operands, scoreDims, wide, [&](ScalarBuilder &b, ValueRange x) {
    Value minimum = b.number(wide, -INFINITY);
    Value score = b.mul(x[0], b.number(wide, scale));
    if (cap > 0)
      score = b.mul(b.tanh(b.div(score, b.number(wide, cap))), b.number(wide, cap));
    if (maskElement && maskElement.isInteger(1))
      score = b.select(x[1], score, minimum);
    else if (maskElement)
      score = b.add(score, b.convert(x[1], wide));
    if (causal) {
      Value last = arith::AddIOp::create(b.b, b.loc, b.position(S), past);
      Value allowed = arith::CmpIOp::create(b.b, b.loc, arith::CmpIPredicate::sle, b.position(T), last);
      score = b.select(allowed, score, minimum);
    }
    return score;
  });

  // Softmax over t.
  Dims rowDims(ArrayRef(scoreDims).drop_back());
  Value lowest = c.constant(wide, -INFINITY);
  Value greatest = loopNest(c, 5, {{scores, {B, KV, G, S, T}}}, c.filled(rowDims, lowest), {B, KV, G, S},
                            [&](ScalarBuilder &b, ValueRange x) { return b.max(x[1], x[0]); });
  Value shares = compute(c, {{scores, {B, KV, G, S, T}}, {greatest, {B, KV, G, S}}}, scoreDims, wide,
                         [&](ScalarBuilder &b, ValueRange x) {
                           Value minimum = b.number(wide, -INFINITY);
                           Value blank = arith::CmpFOp::create(b.b, b.loc, arith::CmpFPredicate::OEQ, x[0], minimum);
                           return b.select(blank, b.number(wide, 0), b.exp(b.sub(x[0], x[1])));
                         });
  Value sums = loopNest(c, 5, {{shares, {B, KV, G, S, T}}}, c.filled(rowDims, zero), {B, KV, G, S},
                        [&](ScalarBuilder &b, ValueRange x) { return b.add(x[1], x[0]); });

  // y = sum over t of share * v, divided by the row's sum.
  enum { Y = 4, YT = 5 };
  SmallVector<int64_t> yLoops = s.flat ? SmallVector<int64_t>{B, S, KV, G, Y} : SmallVector<int64_t>{B, KV, G, S, Y};
  SmallVector<int64_t> vLoops = stacked ? SmallVector<int64_t>{B, KV, YT, Y} : SmallVector<int64_t>{B, YT, KV, Y};
  Dims yDims = s.flat ? Dims{s.batch, s.queries, e(s.kvHeads), e(s.group), e(s.valueSize)}
                      : Dims{s.batch, e(s.kvHeads), e(s.group), s.queries, e(s.valueSize)};
  Value y = loopNest(c, 6, {{shares, {B, KV, G, S, YT}}, {v, vLoops}}, c.filled(yDims, zero), yLoops,
                     [&](ScalarBuilder &b, ValueRange x) {
                       return b.add(x[2], b.mul(x[0], b.convert(x[1], wide)));
                     });
  SmallVector<int64_t> sumLoops = s.flat ? SmallVector<int64_t>{0, 2, 3, 1} : SmallVector<int64_t>{0, 1, 2, 3};
  y = compute(c, {{y, {0, 1, 2, 3, 4}}, {sums, sumLoops}}, yDims, element, [&](ScalarBuilder &b, ValueRange x) {
    Value none = arith::CmpFOp::create(b.b, b.loc, arith::CmpFPredicate::OEQ, x[1], b.number(wide, 0));
    return b.convert(b.div(x[0], b.select(none, b.number(wide, 1), x[1])), element);
  });
  SmallVector<Value> results = {c.reshape(y, yDims, c.outputDims(0))};
  if (c.node.getNumResults() > 1)
    results.push_back(stacked ? k : Value());
  if (c.node.getNumResults() > 2)
    results.push_back(stacked ? v : Value());
  if (c.node.getNumResults() > 3)
    results.push_back(Value());
  return results;
}

//===----------------------------------------------------------------------===//
// RotaryEmbedding
//===----------------------------------------------------------------------===//

LogicalResult inferRotary(InferContext &c) {
  c.setDims(0, c.dims(0));
  return success();
}

/// y[2j] or y[j] = cos*a - sin*b, its partner sin*a + cos*b, for the first `rotary` numbers of each head.
FailureOr<SmallVector<Value>> lowerRotary(LowerContext &c) {
  Dims dims = c.dims(0), table = c.dims(1);
  bool flat = dims.size() == 3, interleaved = c.node.intAttr("interleaved", 0);
  int64_t heads = flat ? c.node.intAttr("num_heads", 0) : dims[1].constant().value_or(0);
  int64_t columns = dims.back().constant().value_or(0);
  if (heads < 1 || columns < 1 || (flat && columns % heads))
    return c.error() << "it has " << heads << " heads on " << columns << " columns; both must be known when compiling";
  int64_t size = flat ? columns / heads : columns;
  int64_t rotary = c.node.intAttr("rotary_embedding_dim", 0);
  rotary = rotary ? rotary : size;
  if (rotary > size || rotary % 2 || table.back().constant() != rotary / 2)
    return c.error() << "it rotates " << rotary << " of " << size << " numbers with a table of " << table.back().str()
                     << " columns";
  bool positions = c.hasInput(3);
  if (table.size() != (positions ? 2u : 3u))
    return c.error() << "its tables must have " << (positions ? 2 : 3) << " dimensions";
  auto e = [](int64_t n) { return SymbolicExpr(n); };
  // [B, S, H, D] or [B, H, S, D]
  Dims apart = flat ? Dims{dims[0], dims[1], e(heads), e(size)} : dims;
  Value x = c.reshape(c.input(0), dims, apart), cosines = c.input(1), sines = c.input(2);
  int64_t sequence = flat ? 1 : 2;
  AffineExpr d0 = c.b.getAffineDimExpr(0), row = c.b.getAffineDimExpr(sequence);
  SmallVector<Read> reads;
  if (positions)
    reads.push_back({c.input(3), AffineMap::get(4, 0, {d0, row}, c.b.getContext())});
  Value rows = c.size(table[0]);
  Type element = LowerContext::lowered(c.outputElement()), wide = accumulatorType(element);
  Value y = generate(c, apart, element, reads, [&](OpBuilder &b, Location loc, ValueRange at, ValueRange elements) {
    ScalarBuilder s(b, loc);
    auto index = [&](int64_t n) -> Value { return arith::ConstantIndexOp::create(b, loc, n); };
    Value j = at[3], half = index(rotary / 2), two = index(2);
    Value rotated = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, j, index(rotary));
    // The pair that j belongs to, and whether j is its second number. Beyond the rotated part both are clamped.
    Value inside = arith::SelectOp::create(b, loc, rotated, j, index(0));
    Value pair = interleaved ? arith::DivUIOp::create(b, loc, inside, two).getResult()
                             : arith::RemUIOp::create(b, loc, inside, half).getResult();
    Value first = interleaved ? arith::MulIOp::create(b, loc, pair, two).getResult() : pair;
    Value second = arith::AddIOp::create(b, loc, first, interleaved ? index(1) : half);
    Value isSecond = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, inside, first);
    auto read = [&](Value tensor, ValueRange place) {
      return s.convert(tensor::ExtractOp::create(b, loc, tensor, place), wide);
    };
    SmallVector<Value> place = {at[0], at[sequence], pair};
    if (positions) {
      Value position = arith::IndexCastOp::create(b, loc, b.getIndexType(), elements[0]);
      place = {checkedIndex(b, loc, position, rows, /*fromEnd=*/false), pair};
    }
    Value cosine = read(cosines, place), sine = read(sines, place);
    Value a = read(x, {at[0], at[1], at[2], first}), partner = read(x, {at[0], at[1], at[2], second});
    Value real = s.sub(s.mul(cosine, a), s.mul(sine, partner)), imaginary = s.add(s.mul(sine, a), s.mul(cosine, partner));
    Value turned = s.select(isSecond, imaginary, real);
    return s.convert(s.select(rotated, turned, read(x, at)), element);
  });
  return SmallVector<Value>{c.reshape(y, apart, dims)};
}

} // namespace

void addAttentionHandlers(HandlerRegistry &r) {
  r.add("", "Attention", 23, {inferAttention, lowerAttention});
  r.add("", "RotaryEmbedding", 23, {inferRotary, lowerRotary});
}

} // namespace mxn
