//===- Normalization.cpp - Softmax and normalisations over the last axes --===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Loops.h"
#include "passes/Import/Reduction.h"

using namespace mlir;

namespace mxn {

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

static LogicalResult inferSoftmax(InferContext &c) {
  Dims dims = c.dims(0);
  int64_t rank = dims.size(), axis = c.node.intAttr("axis", c.node.getVersion() < 13 ? 1 : -1);
  // Before version 13, the axis may stand behind the last dimension.
  if (!normalizeAxis(axis, rank) && !(c.node.getVersion() < 13 && axis == rank))
    return c.error() << "axis " << axis << " is outside of the " << rank << " dimensions of its input";
  c.setDims(0, dims);
  return success();
}

static FailureOr<SmallVector<Value>> lowerSoftmax(LowerContext &c, bool log) {
  Dims dims = c.dims(0);
  int64_t rank = dims.size(), version = c.node.getVersion();
  int64_t axis = c.node.intAttr("axis", version < 13 ? 1 : -1);
  axis = normalizeAxis(axis, rank).value_or(rank);
  // Before version 13, the input is a matrix whose rows are the dimensions from the axis on.
  SmallVector<int64_t> axes = version < 13 ? llvm::to_vector(llvm::seq(axis, rank)) : SmallVector<int64_t>{axis};
  SmallVector<int64_t> all = allLoops(rank), kept = loopsWithout(rank, axes);
  Type element = LowerContext::lowered(c.outputElement()), type = accumulatorType(element);
  Dims rows = withoutAxes(dims, axes, /*keep=*/false);
  Value x = c.input(0);

  // A row of nothing but -inf gives NaN: -inf - -inf.
  Value largest = loopNest(c, rank, {{x, all}}, c.filled(rows, c.constant(type, -INFINITY)), kept,
                           [&](ScalarBuilder &s, ValueRange v) { return s.max(s.convert(v[0], type), v[1]); });
  Value zero = c.filled(rows, c.constant(type, 0));
  if (log) {
    Value sum = loopNest(c, rank, {{x, all}, {largest, kept}}, zero, kept, [&](ScalarBuilder &s, ValueRange v) {
      return s.add(v[2], s.exp(s.sub(s.convert(v[0], type), v[1])));
    });
    return SmallVector<Value>{
        compute(c, {{x, all}, {largest, kept}, {sum, kept}}, dims, element, [&](ScalarBuilder &s, ValueRange v) {
          return s.convert(s.sub(s.sub(s.convert(v[0], type), v[1]), s.log(v[2])), element);
        })};
  }
  Value powers = compute(c, {{x, all}, {largest, kept}}, dims, type,
                         [&](ScalarBuilder &s, ValueRange v) { return s.exp(s.sub(s.convert(v[0], type), v[1])); });
  Value sum =
      loopNest(c, rank, {{powers, all}}, zero, kept, [&](ScalarBuilder &s, ValueRange v) { return s.add(v[1], v[0]); });
  return SmallVector<Value>{
      compute(c, {{powers, all}, {sum, kept}}, dims, element,
              [&](ScalarBuilder &s, ValueRange v) { return s.convert(s.div(v[0], v[1]), element); })};
}

//===----------------------------------------------------------------------===//
// Layer and RMS normalisation
//===----------------------------------------------------------------------===//

static LogicalResult inferLayerNorm(InferContext &c) {
  Dims dims = c.dims(0);
  int64_t rank = dims.size(), given = c.node.intAttr("axis", -1);
  auto axis = normalizeAxis(given, rank);
  if (!axis)
    return c.error() << "axis " << given << " is outside of the " << rank << " dimensions of its input";
  c.setDims(0, dims);
  Dims statistics = withoutAxes(dims, llvm::to_vector(llvm::seq(*axis, rank)), /*keep=*/true);
  c.setDims(1, statistics);
  c.setDims(2, statistics);
  // Scale and bias are broadcast to the input, not the other way round.
  for (unsigned i = 1; i < c.node.getInputs().size(); ++i)
    if (c.hasInput(i)) {
      if (c.input(i).rank() > rank)
        return c.error() << "input " << i << " has more dimensions than the first";
      (void)c.broadcast(dims, c.dims(i));
    }
  return success();
}

namespace {
/// Normalises over the axes from `axis` on. Rows keep their mean when `centre` isn't set.
struct RowNorm {
  Value x;
  Dims dims;
  int64_t axis;
  bool centre;
  double epsilon;
  Type type;           // of all that is computed
  Value mean, inverse; // of the shape of the dimensions before the axis

  void statistics(LowerContext &c) {
    int64_t rank = dims.size();
    SmallVector<int64_t> axes = llvm::to_vector(llvm::seq(axis, rank)), all = allLoops(rank), kept = allLoops(axis);
    Dims rows(ArrayRef<SymbolicExpr>(dims).take_front(axis));
    SymbolicExpr count = product(ArrayRef<SymbolicExpr>(dims).drop_front(axis));
    auto sum = [&](ArrayRef<LoopOperand> operands, const LoopBody &term) {
      return loopNest(c, rank, operands, c.filled(rows, c.constant(type, 0)), kept,
                      [&](ScalarBuilder &s, ValueRange v) { return s.add(v.back(), term(s, v)); });
    };
    SmallVector<LoopOperand> operands = {{x, all}};
    if (centre) {
      Value total = sum(operands, [&](ScalarBuilder &s, ValueRange v) { return s.convert(v[0], type); });
      mean = compute(c, {{total, kept}}, rows, type,
                     [&](ScalarBuilder &s, ValueRange v) { return s.div(v[0], sizeAsFloat(c, s, count, type)); });
      operands.push_back({mean, kept});
    }
    Value squares = sum(operands, [&](ScalarBuilder &s, ValueRange v) {
      Value d = s.convert(v[0], type);
      if (centre)
        d = s.sub(d, v[1]);
      return s.mul(d, d);
    });
    inverse = compute(c, {{squares, kept}}, rows, type, [&](ScalarBuilder &s, ValueRange v) {
      Value variance = s.div(v[0], sizeAsFloat(c, s, count, type));
      return s.div(s.number(type, 1), s.sqrt(s.add(variance, s.number(type, epsilon))));
    });
  }

  /// (x - mean) * inverse * scale + bias; scale and bias may be null.
  Value apply(LowerContext &c, Value scale, Value bias, Type element) {
    int64_t rank = dims.size();
    SmallVector<LoopOperand> operands = {{x, allLoops(rank)}, {inverse, allLoops(axis)}};
    for (Value v : {mean, scale, bias})
      if (v)
        operands.push_back(v == mean ? LoopOperand{v, allLoops(axis)} : trailing(v, dims, rank));
    return compute(c, operands, dims, element, [&](ScalarBuilder &s, ValueRange v) {
      unsigned next = 2;
      Value y = s.convert(v[0], type);
      if (mean)
        y = s.sub(y, v[next++]);
      y = s.mul(y, v[1]);
      if (scale)
        y = s.mul(y, s.convert(v[next++], type));
      if (bias)
        y = s.add(y, s.convert(v[next++], type));
      return s.convert(y, element);
    });
  }
};
} // namespace

/// LayerNormalization, RMSNormalization and SimplifiedLayerNormalization: x, scale, bias.
static FailureOr<SmallVector<Value>> lowerLayerNorm(LowerContext &c, bool centre) {
  Dims dims = c.dims(0);
  Type element = LowerContext::lowered(c.outputElement());
  RowNorm norm{c.input(0),
               dims,
               *normalizeAxis(c.node.intAttr("axis", -1), dims.size()),
               centre,
               c.node.floatAttr("epsilon", 1e-5f),
               accumulatorType(element),
               {},
               {}};
  norm.statistics(c);
  SmallVector<Value> results = {
      norm.apply(c, c.hasInput(1) ? c.input(1) : Value(), c.hasInput(2) ? c.input(2) : Value(), element)};
  // LayerNormalization: mean, inverse deviation. SimplifiedLayerNormalization has the inverse alone.
  SmallVector<Value> rest = centre ? SmallVector<Value>{norm.mean, norm.inverse} : SmallVector<Value>{norm.inverse};
  Dims rows(ArrayRef<SymbolicExpr>(dims).take_front(norm.axis));
  for (unsigned i = 1; i < c.node.getNumResults(); ++i) {
    if (c.node.getResult(i).use_empty() || i > rest.size()) {
      results.push_back(Value());
      continue;
    }
    Value v = c.reshape(rest[i - 1], rows, c.outputDims(i));
    results.push_back(convertTensor(c, v, c.outputDims(i), LowerContext::lowered(c.outputElement(i))));
  }
  return results;
}

void addNormalizationHandlers(HandlerRegistry &r) {
  for (bool log : {false, true})
    r.add("", log ? "LogSoftmax" : "Softmax", 1,
          {inferSoftmax, [log](LowerContext &c) { return lowerSoftmax(c, log); }});
  r.add("", "LayerNormalization", 17, {inferLayerNorm, [](LowerContext &c) { return lowerLayerNorm(c, true); }});
  r.add("", "RMSNormalization", 23, {inferLayerNorm, [](LowerContext &c) { return lowerLayerNorm(c, false); }});
  for (StringRef domain : {"", "com.microsoft"})
    r.add(domain, "SimplifiedLayerNormalization", 1,
          {inferLayerNorm, [](LowerContext &c) { return lowerLayerNorm(c, false); }});
}

} // namespace mxn
