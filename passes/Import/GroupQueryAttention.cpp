//===- GroupQueryAttention.cpp - ONNX Runtime's attention with a cache ----===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// com.microsoft.GroupQueryAttention: causal attention with rotary embedding inside. Queries, keys and values may stand
// in one tensor. Batches may have different lengths: seqlens_k says how many keys each has, less one, and what stands
// behind them is padding. The past must be as long as what was computed before; the form where past and present are
// one larger buffer is refused.
//
#include "dialects/Kernel/KernelDialect.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Import/Indexing.h"
#include "passes/Import/Rotary.h"

using namespace mlir;

namespace mxn {
namespace gqa {
namespace {

enum Input {
  Query,
  Key,
  NewValue,
  PastKey,
  PastValue,
  LastKey,
  Total,
  Cosines,
  Sines,
  Positions,
  Bias,
  Sink,
  KeyScale
};

template <typename Context> FailureOr<AttentionShape> shapeOf(Context &c) {
  Dims q = c.dims(Query);
  bool packed = !c.hasInput(Key);
  if (q.size() != 3)
    return c.error() << "its query must have 3 dimensions";
  if (packed == c.hasInput(NewValue) || c.hasInput(PastKey) != c.hasInput(PastValue))
    return c.error() << "keys and values must both be there or both be left out";
  if (!c.hasInput(LastKey) || !c.hasInput(Total))
    return c.error() << "seqlens_k and total_sequence_length must be there";
  AttentionShape s;
  s.heads = c.node.intAttr("num_heads", 0);
  s.kvHeads = c.node.intAttr("kv_num_heads", 0);
  if (s.heads < 1 || s.kvHeads < 1 || s.heads % s.kvHeads)
    return c.error() << "it has " << s.heads << " query heads and " << s.kvHeads
                     << " key-value heads; the first must be a multiple of the second";
  int64_t columns = q.back().constant().value_or(0), parts = s.heads + (packed ? 2 * s.kvHeads : 0);
  if (columns < 1 || columns % parts)
    return c.error() << "its query has " << q.back().str() << " columns for " << parts
                     << " heads; they must be a multiple, and known when compiling";
  s.group = s.heads / s.kvHeads;
  s.size = s.valueSize = columns / parts;
  s.batch = q[0];
  s.queries = s.keys = q[1];
  s.past = c.hasInput(PastKey) ? c.dims(PastKey)[2] : SymbolicExpr(0);
  s.total = s.past + s.keys;
  return s;
}

LogicalResult inferTables(InferContext &c, const AttentionShape &s) {
  if (!c.hasInput(Cosines) || !c.hasInput(Sines))
    return c.error() << "rotary embedding needs cos_cache and sin_cache";
  Dims cosines = c.dims(Cosines), sines = c.dims(Sines);
  if (cosines.size() != 2 || sines.size() != 2)
    return c.error() << "cos_cache and sin_cache must have 2 dimensions";
  int64_t columns = cosines[1].constant().value_or(0);
  if (columns < 1 || 2 * columns > s.size)
    return c.error() << "cos_cache has " << cosines[1].str() << " columns, the head size is " << s.size;
  for (int i : {0, 1})
    if (failed(c.equate(cosines[i], sines[i], "the shapes of cos_cache and sin_cache")))
      return failure();
  if (!c.hasInput(Positions))
    return success();
  Dims positions = c.dims(Positions);
  if (positions.size() != 2)
    return c.error() << "position_ids must have 2 dimensions";
  if (failed(c.equate(positions[0], s.batch, "the batch of position_ids and queries")))
    return failure();
  return c.equate(positions[1], s.queries, "the length of position_ids and queries");
}

LogicalResult infer(InferContext &c) {
  if (c.hasInput(PastKey) && c.dims(PastKey).size() != 4)
    return c.error() << "its past keys and values must have 4 dimensions";
  FailureOr<AttentionShape> shape = shapeOf(c);
  if (failed(shape))
    return failure();
  const AttentionShape &s = *shape;
  for (unsigned i : {Key, NewValue}) {
    if (!c.hasInput(i))
      continue;
    Dims dims = c.dims(i);
    if (dims.size() != 3)
      return c.error() << "its keys and values must have 3 dimensions";
    if (failed(c.equate(dims[0], s.batch, "the batch of keys or values and queries")) ||
        failed(c.equate(dims[1], s.queries, "the number of keys or values and queries")) ||
        failed(c.equate(dims[2], s.kvHeads * s.size, "the columns of keys or values")))
      return failure();
  }
  for (unsigned i : {PastKey, PastValue})
    if (c.hasInput(i) && failed(equatePast(c, s, i, s.size)))
      return failure();
  Dims last = c.dims(LastKey);
  if (last.size() != 1)
    return c.error() << "seqlens_k must have 1 dimension";
  if (failed(c.equate(last[0], s.batch, "the batch of seqlens_k and queries")))
    return failure();
  // The present is as long as past and queries together; a larger buffer that holds both isn't supported.
  if (auto total = c.input(Total).values; total && total->size() == 1)
    if (failed(c.equate(total->front(), s.total, "total_sequence_length and the length of past and queries")))
      return failure();
  if (c.node.intAttr("do_rotary", 0) && failed(inferTables(c, s)))
    return failure();
  if (c.hasInput(Bias) && failed(equateMask(c, s, Bias)))
    return failure();
  setAttentionDims(c, s, /*flat=*/true);
  return success();
}

LogicalResult refuse(LowerContext &c) {
  if (failed(refuseOtherAttributes(c.node, {"num_heads", "kv_num_heads", "do_rotary", "rotary_interleaved", "scale",
                                            "softcap", "local_window_size", "smooth_softmax", "qk_output",
                                            "k_quant_type", "v_quant_type"})))
    return failure();
  if (c.node.intAttr("smooth_softmax", 0) > 0 || c.hasInput(Sink))
    return c.error() << "smooth_softmax and head_sink aren't supported";
  if (c.node.intAttr("qk_output", 0) || (c.node.getNumResults() > 3 && !c.node.getResult(3).use_empty()))
    return c.error() << "its output of scores isn't supported";
  for (StringRef name : {"k_quant_type", "v_quant_type"})
    if (c.node.stringAttr(name, "NONE") != "NONE")
      return c.error() << "quantised caches aren't supported";
  for (unsigned i = KeyScale; i < c.numInputs(); ++i)
    if (c.hasInput(i))
      return c.error() << "input " << i << " isn't supported";
  for (unsigned i : {PastKey, PastValue})
    if (c.hasInput(i) && c.inputElement(i) != c.inputElement(Query))
      return c.error() << "its past must have the type of its query";
  return success();
}

/// [B] of i64: how many keys stand before the first query. Null where all is known when compiling.
Value pastLengths(LowerContext &c, const AttentionShape &s) {
  auto values = c.values(Total);
  bool known = values && values->size() == 1; // then shape inference has compared it
  if (known && s.past.isConstant(0))
    return Value();
  Value past = c.size(s.past), queries = c.size(s.queries), total = c.size(s.total);
  return compute(c, {{c.input(LastKey), {0}}}, {s.batch}, c.b.getI64Type(), [&](ScalarBuilder &b, ValueRange x) {
    auto index = [&](Value v) -> Value { return arith::IndexCastOp::create(b.b, b.loc, b.b.getIndexType(), v); };
    auto compare = [&](arith::CmpIPredicate predicate, Value v, Value w) -> Value {
      return arith::CmpIOp::create(b.b, b.loc, predicate, v, w);
    };
    Value zero = arith::ConstantIndexOp::create(b.b, b.loc, 0), one = arith::ConstantIndexOp::create(b.b, b.loc, 1);
    if (!known) {
      SmallVector<Value> front(c.dims(Total).size(), zero);
      Value given = index(tensor::ExtractOp::create(b.b, b.loc, c.input(Total), front));
      kernel::CheckOp::create(b.b, b.loc, compare(arith::CmpIPredicate::eq, given, total), 2);
    }
    // Without a past, a batch may be shorter than the queries: they are padded behind it.
    Value length = b.sub(b.add(index(x[0]), one), queries);
    length = b.select(compare(arith::CmpIPredicate::eq, past, zero), zero, length);
    Value end = b.add(past, one);
    kernel::CheckOp::create(b.b, b.loc, compare(arith::CmpIPredicate::ult, length, end), 2);
    return arith::IndexCastOp::create(b.b, b.loc, b.b.getI64Type(), clampIndex(b.b, b.loc, length, end)).getResult();
  });
}

/// A [B] tensor of zeros, the position of the first query where there is no past.
Value firstPosition(LowerContext &c, Value pastLengths) {
  return pastLengths ? pastLengths : c.filled({SymbolicExpr(1)}, c.constant(c.b.getI64Type(), 0));
}

FailureOr<SmallVector<Value>> lower(LowerContext &c) {
  FailureOr<AttentionShape> shape = shapeOf(c);
  if (failed(shape) || failed(refuse(c)))
    return failure();
  const AttentionShape &s = *shape;
  AttentionRules rules;
  rules.causal = true;
  rules.scale = c.node.floatAttr("scale", 0);
  rules.cap = c.node.floatAttr("softcap", 0);
  rules.window = c.node.intAttr("local_window_size", -1);
  rules.pastLengths = pastLengths(c, s);
  if (c.hasInput(Bias)) {
    auto bias = maskOperand(c, s, Bias);
    if (failed(bias))
      return failure();
    rules.mask = *bias;
  }

  // Queries, keys and values as heads of [B, S, heads, D].
  bool packed = !c.hasInput(Key);
  int64_t parts = s.heads + (packed ? 2 * s.kvHeads : 0);
  auto apart = [&](int64_t heads) { return Dims{s.batch, s.queries, SymbolicExpr(heads), SymbolicExpr(s.size)}; };
  auto heads = [&](Input i, int64_t count) {
    return HeadRows{c.reshape(c.input(i), c.dims(i), apart(count)), /*flat=*/true};
  };
  HeadRows q = heads(Query, parts), k, v;
  k = packed ? HeadRows{q.tensor, true, s.heads} : heads(Key, s.kvHeads);
  v = packed ? HeadRows{q.tensor, true, s.heads + s.kvHeads} : heads(NewValue, s.kvHeads);
  Type element = LowerContext::lowered(c.outputElement());
  if (c.node.intAttr("do_rotary", 0)) {
    Dims table = c.dims(Cosines);
    Value positions = c.hasInput(Positions) ? c.input(Positions) : firstPosition(c, rules.pastLengths);
    Rotation r{2 * *table[1].constant(),
               c.node.intAttr("rotary_interleaved", 0) != 0,
               c.input(Cosines),
               c.input(Sines),
               table[0],
               positions};
    q = {rotate(c, r, q, apart(s.heads), element), true};
    k = {rotate(c, r, k, apart(s.kvHeads), element), true};
  }
  // A tensor that holds these heads alone.
  auto alone = [&](HeadRows &rows, int64_t count) {
    SymbolicExpr zero(0);
    if (cast<RankedTensorType>(rows.tensor.getType()).getDimSize(2) != count)
      rows = {extractSlice(c, rows.tensor, {zero, zero, SymbolicExpr(rows.firstHead), zero}, apart(count)), true};
  };
  alone(q, s.heads);
  if (c.hasInput(PastKey)) {
    k = {appendToPast(c, s, c.input(PastKey), k, s.size, rules.pastLengths), false};
    v = {appendToPast(c, s, c.input(PastValue), v, s.size, rules.pastLengths), false};
  } else {
    alone(k, s.kvHeads);
    alone(v, s.kvHeads);
    if (hasPresents(c)) {
      k = {c.transpose(k.tensor, apart(s.kvHeads), {0, 2, 1, 3}), false};
      v = {c.transpose(v.tensor, apart(s.kvHeads), {0, 2, 1, 3}), false};
    }
  }
  SmallVector<Value> results = {attend(c, s, rules, q.tensor, apart(s.heads), /*flat=*/true, k, v),
                                k.flat ? Value() : k.tensor, v.flat ? Value() : v.tensor, Value()};
  results.resize(c.node.getNumResults());
  return results;
}

} // namespace
} // namespace gqa

void addGroupQueryAttentionHandlers(HandlerRegistry &r) {
  r.add("com.microsoft", "GroupQueryAttention", 1, {gqa::infer, gqa::lower});
}

} // namespace mxn
