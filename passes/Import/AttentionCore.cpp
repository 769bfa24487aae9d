//===- AttentionCore.cpp - What the attention operators share -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/AttentionCore.h"
#include "dialects/Program/ProgramDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Import/Indexing.h"

using namespace mlir;

namespace mxn {

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

LogicalResult equatePast(InferContext &c, const AttentionShape &s, unsigned input, int64_t size) {
  Dims past = c.dims(input);
  if (past.size() != 4)
    return c.error() << "its past keys and values must have 4 dimensions";
  if (failed(c.equate(past[0], s.batch, "the batch of past keys or values and queries")) ||
      failed(c.equate(past[1], s.kvHeads, "the heads of past keys or values")) ||
      failed(c.equate(past[2], s.past, "the length of past keys and values")))
    return failure();
  return c.equate(past[3], size, "the head size of past keys or values");
}

LogicalResult equateMask(InferContext &c, const AttentionShape &s, unsigned input) {
  Dims mask = c.dims(input);
  if (mask.size() < 2 || mask.size() > 4)
    return c.error() << "its mask must have 2 to 4 dimensions";
  // Batch and rows may be broadcast; where they could differ, a guard says so. The lowering checks the heads.
  size_t front = 4 - mask.size();
  for (auto [i, size] : {std::pair<size_t, SymbolicExpr>(0, s.batch), {2, s.queries}}) {
    if (i < front || mask[i - front].isConstant(1))
      continue;
    const SymbolicExpr &given = mask[i - front];
    if (given.constant() && size.constant() && failed(c.equate(given, size, "the mask's size and the queries'")))
      return failure();
    (void)c.broadcast(given, size);
  }
  if (mask.back().isConstant(1))
    return success();
  return c.equate(mask.back(), s.total, "the mask's length and the keys'");
}

void setAttentionDims(InferContext &c, const AttentionShape &s, bool flat) {
  if (flat)
    c.setDims(0, {s.batch, s.queries, SymbolicExpr(s.heads * s.valueSize)});
  else
    c.setDims(0, {s.batch, SymbolicExpr(s.heads), s.queries, SymbolicExpr(s.valueSize)});
  c.setDims(1, {s.batch, SymbolicExpr(s.kvHeads), s.total, SymbolicExpr(s.size)});
  c.setDims(2, {s.batch, SymbolicExpr(s.kvHeads), s.total, SymbolicExpr(s.valueSize)});
}

//===----------------------------------------------------------------------===//
// Masks and caches
//===----------------------------------------------------------------------===//

FailureOr<LoopOperand> maskOperand(LowerContext &c, const AttentionShape &s, unsigned input) {
  Dims given = c.dims(input), full(4 - given.size(), SymbolicExpr(1));
  full.append(given.begin(), given.end());
  bool perHead = !full[1].isConstant(1);
  if (perHead && full[1].constant() != s.heads)
    return c.error() << "its mask has " << full[1].str() << " heads, there are " << s.heads;
  Dims to = {full[0], perHead ? SymbolicExpr(s.kvHeads) : SymbolicExpr(1),
             perHead ? SymbolicExpr(s.group) : SymbolicExpr(1), full[2], full[3]};
  Dims scores = {s.batch, SymbolicExpr(s.kvHeads), SymbolicExpr(s.group), s.queries, s.total};
  LoopOperand operand{c.reshape(c.input(input), given, to), {}};
  for (int64_t i = 0; i < 5; ++i)
    operand.loops.push_back(to[i].isConstant(1) && !scores[i].isConstant(1) ? -1 : i);
  return operand;
}

bool hasPresents(LowerContext &c) {
  for (unsigned i : {1u, 2u})
    if (i < c.node.getNumResults() && !c.node.getResult(i).use_empty())
      return true;
  return false;
}

// Written from the last element to the first: each past element moves towards the end or stays, so that the result may
// take over the past's memory.
Value appendToPast(LowerContext &c, const AttentionShape &s, Value past, const HeadRows &fresh, int64_t size,
                   Value pastLengths) {
  Type element = cast<RankedTensorType>(fresh.tensor.getType()).getElementType();
  Dims to = {s.batch, SymbolicExpr(s.kvHeads), s.total, SymbolicExpr(size)};
  SmallVector<Value> sizes = sizeValues(c, to);
  Value wholePast = c.size(s.past), rows = c.size(s.keys), one = c.index(1), firstHead = c.index(fresh.firstHead);
  Value init = c.empty(to, element), zero = c.constant(element, 0);
  auto region = program::RegionOp::create(c.b, c.loc, TypeRange{init.getType()}, /*takes_over=*/past, Value());
  OpBuilder::InsertionGuard guard(c.b);
  c.b.createBlock(&region.getBody());
  Value empty = c.b.clone(*init.getDefiningOp())->getResult(0);
  auto body = [&](OpBuilder &b, Location loc, ValueRange count, ValueRange carried) -> SmallVector<Value> {
    SmallVector<Value> at; // from the end
    for (auto [size, i] : llvm::zip(sizes, count))
      at.push_back(arith::SubIOp::create(b, loc, arith::SubIOp::create(b, loc, size, one), i));
    auto yield = [](OpBuilder &b, Location loc, Value v) { scf::YieldOp::create(b, loc, v); };
    Value length = wholePast;
    if (pastLengths)
      length =
          arith::IndexCastOp::create(b, loc, b.getIndexType(), tensor::ExtractOp::create(b, loc, pastLengths, at[0]));
    auto readFresh = [&](OpBuilder &b, Location loc, Value row) {
      Value head = fresh.firstHead ? arith::AddIOp::create(b, loc, at[1], firstHead).getResult() : at[1];
      SmallVector<Value> place =
          fresh.flat ? SmallVector<Value>{at[0], row, head, at[3]} : SmallVector<Value>{at[0], head, row, at[3]};
      yield(b, loc, tensor::ExtractOp::create(b, loc, fresh.tensor, place));
    };
    auto behindPast = [&](OpBuilder &b, Location loc) {
      Value row = arith::SubIOp::create(b, loc, at[2], length);
      if (!pastLengths)
        return readFresh(b, loc, row);
      Value isRow = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, row, rows);
      auto read = scf::IfOp::create(
          b, loc, isRow, [&](OpBuilder &b, Location loc) { readFresh(b, loc, row); },
          [&](OpBuilder &b, Location loc) { yield(b, loc, zero); });
      yield(b, loc, read.getResult(0));
    };
    Value isPast = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, at[2], length);
    auto read = scf::IfOp::create(
        b, loc, isPast, [&](OpBuilder &b, Location loc) { yield(b, loc, tensor::ExtractOp::create(b, loc, past, at)); },
        behindPast);
    return {tensor::InsertOp::create(b, loc, read.getResult(0), carried[0], at)};
  };
  program::YieldOp::create(c.b, c.loc, buildLoops(c.b, c.loc, sizes, empty, body));
  return region.getResult(0);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

namespace {

/// Everything that one attention is computed from.
struct AttentionLowering {
  enum { B, KV, G, S, T, D }; // the loops of the scores
  LowerContext &c;
  const AttentionShape &s;
  const AttentionRules &rules;
  Type element, wide; // of the result; of everything inside
  bool flat;

  Dims scoreDims() const { return {s.batch, SymbolicExpr(s.kvHeads), SymbolicExpr(s.group), s.queries, s.total}; }
  Dims rowDims() const { return {s.batch, SymbolicExpr(s.kvHeads), SymbolicExpr(s.group), s.queries}; }
  static SmallVector<int64_t> keyLoops(const HeadRows &rows, int64_t t, int64_t number) {
    return rows.flat ? SmallVector<int64_t>{B, t, KV, number} : SmallVector<int64_t>{B, KV, t, number};
  }

  Value scores(Value query, const HeadRows &keys);
  Value shape(Value scores);
  std::pair<Value, Value> softmax(Value scores);
  Value mix(Value shares, Value sums, const HeadRows &values);
};

/// scores[b, kv, g, s, t] = sum over d of query * key
Value AttentionLowering::scores(Value query, const HeadRows &keys) {
  SmallVector<int64_t> queryLoops = flat ? SmallVector<int64_t>{B, S, KV, G, D} : SmallVector<int64_t>{B, KV, G, S, D};
  return loopNest(c, 6, {{query, queryLoops}, {keys.tensor, keyLoops(keys, T, D)}},
                  c.filled(scoreDims(), c.constant(wide, 0)), {B, KV, G, S, T}, [&](ScalarBuilder &b, ValueRange x) {
                    return b.add(x[2], b.mul(b.convert(x[0], wide), b.convert(x[1], wide)));
                  });
}

/// Scale, cap and mask. A key that isn't seen has the score -inf.
Value AttentionLowering::shape(Value scores) {
  float scale = rules.scale ? rules.scale : 1 / std::sqrt(static_cast<float>(s.size));
  SmallVector<LoopOperand> operands = {{scores, {B, KV, G, S, T}}};
  if (rules.mask)
    operands.push_back(*rules.mask);
  if (rules.pastLengths)
    operands.push_back({rules.pastLengths, {B}});
  Value past = c.size(s.past);
  return compute(c, operands, scoreDims(), wide, [&](ScalarBuilder &b, ValueRange x) {
    Value minimum = b.number(wide, -INFINITY);
    Value score = b.mul(x[0], b.number(wide, scale));
    if (rules.cap > 0)
      score = b.mul(b.tanh(b.div(score, b.number(wide, rules.cap))), b.number(wide, rules.cap));
    if (rules.mask && x[1].getType().isInteger(1))
      score = b.select(x[1], score, minimum);
    else if (rules.mask)
      score = b.add(score, b.convert(x[1], wide));
    if (!rules.causal)
      return score;
    Value length = past;
    if (rules.pastLengths)
      length = arith::IndexCastOp::create(b.b, b.loc, b.b.getIndexType(), x[operands.size() - 1]);
    Value last = arith::AddIOp::create(b.b, b.loc, b.position(S), length), t = b.position(T);
    Value seen = arith::CmpIOp::create(b.b, b.loc, arith::CmpIPredicate::sle, t, last);
    score = b.select(seen, score, minimum);
    if (rules.window <= 0)
      return score;
    Value window = arith::ConstantIndexOp::create(b.b, b.loc, rules.window);
    Value behind = arith::AddIOp::create(b.b, b.loc, t, window);
    Value near = arith::CmpIOp::create(b.b, b.loc, arith::CmpIPredicate::sgt, behind, last);
    return b.select(near, score, minimum);
  });
}

/// Softmax over t as shares and their sum. Both are 0 in a row without a key that is seen.
std::pair<Value, Value> AttentionLowering::softmax(Value scores) {
  Value greatest = loopNest(c, 5, {{scores, {B, KV, G, S, T}}}, c.filled(rowDims(), c.constant(wide, -INFINITY)),
                            {B, KV, G, S}, [&](ScalarBuilder &b, ValueRange x) { return b.max(x[1], x[0]); });
  Value shares = compute(c, {{scores, {B, KV, G, S, T}}, {greatest, {B, KV, G, S}}}, scoreDims(), wide,
                         [&](ScalarBuilder &b, ValueRange x) {
                           Value minimum = b.number(wide, -INFINITY);
                           Value blank = arith::CmpFOp::create(b.b, b.loc, arith::CmpFPredicate::OEQ, x[0], minimum);
                           return b.select(blank, b.number(wide, 0), b.exp(b.sub(x[0], x[1])));
                         });
  Value sums = loopNest(c, 5, {{shares, {B, KV, G, S, T}}}, c.filled(rowDims(), c.constant(wide, 0)), {B, KV, G, S},
                        [&](ScalarBuilder &b, ValueRange x) { return b.add(x[1], x[0]); });
  return {shares, sums};
}

/// The sum over t of share * value, divided by the row's sum; zeros for a row without a key that is seen.
Value AttentionLowering::mix(Value shares, Value sums, const HeadRows &values) {
  enum { Y = 4, YT = 5 };
  SmallVector<int64_t> loops = flat ? SmallVector<int64_t>{B, S, KV, G, Y} : SmallVector<int64_t>{B, KV, G, S, Y};
  SmallVector<int64_t> sumLoops = flat ? SmallVector<int64_t>{0, 2, 3, 1} : SmallVector<int64_t>{0, 1, 2, 3};
  Dims dims = flat
                  ? Dims{s.batch, s.queries, SymbolicExpr(s.kvHeads), SymbolicExpr(s.group), SymbolicExpr(s.valueSize)}
                  : Dims{s.batch, SymbolicExpr(s.kvHeads), SymbolicExpr(s.group), s.queries, SymbolicExpr(s.valueSize)};
  Value y = loopNest(c, 6, {{shares, {B, KV, G, S, YT}}, {values.tensor, keyLoops(values, YT, Y)}},
                     c.filled(dims, c.constant(wide, 0)), loops,
                     [&](ScalarBuilder &b, ValueRange x) { return b.add(x[2], b.mul(x[0], b.convert(x[1], wide))); });
  y = compute(c, {{y, allLoops(5)}, {sums, sumLoops}}, dims, element, [&](ScalarBuilder &b, ValueRange x) {
    Value none = arith::CmpFOp::create(b.b, b.loc, arith::CmpFPredicate::OEQ, x[1], b.number(wide, 0));
    return b.convert(b.div(x[0], b.select(none, b.number(wide, 1), x[1])), element);
  });
  return c.reshape(y, dims, c.outputDims(0));
}

} // namespace

Value attend(LowerContext &c, const AttentionShape &s, const AttentionRules &rules, Value query,
             ArrayRef<SymbolicExpr> queryDims, bool flat, const HeadRows &keys, const HeadRows &values) {
  Type element = LowerContext::lowered(c.outputElement());
  AttentionLowering a{c, s, rules, element, accumulatorType(element), flat};
  Dims apart = flat ? Dims{s.batch, s.queries, SymbolicExpr(s.kvHeads), SymbolicExpr(s.group), SymbolicExpr(s.size)}
                    : Dims{s.batch, SymbolicExpr(s.kvHeads), SymbolicExpr(s.group), s.queries, SymbolicExpr(s.size)};
  auto [shares, sums] = a.softmax(a.shape(a.scores(c.reshape(query, queryDims, apart), keys)));
  return a.mix(shares, sums, values);
}

} // namespace mxn
