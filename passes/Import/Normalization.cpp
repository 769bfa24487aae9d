//===- Normalization.cpp - Softmax and normalisations over the last axes --===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Normalization.h"

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

void Standardization::statistics(LowerContext &c) {
  int64_t rank = dims.size();
  SmallVector<int64_t> all = allLoops(rank), kept = loopsWithout(rank, axes), inner = allLoops(kept.size());
  Dims rows = this->rows();
  SymbolicExpr count(1);
  for (int64_t axis : axes)
    count = count * dims[axis];
  auto sum = [&](ArrayRef<LoopOperand> operands, const LoopBody &term) {
    return loopNest(c, rank, operands, c.filled(rows, c.constant(type, 0)), kept,
                    [&](ScalarBuilder &s, ValueRange v) { return s.add(v.back(), term(s, v)); });
  };
  SmallVector<LoopOperand> operands = {{x, all}};
  if (centre) {
    Value total = sum(operands, [&](ScalarBuilder &s, ValueRange v) { return s.convert(v[0], type); });
    mean = compute(c, {{total, inner}}, rows, type,
                   [&](ScalarBuilder &s, ValueRange v) { return s.div(v[0], sizeAsFloat(c, s, count, type)); });
    operands.push_back({mean, kept});
  }
  Value squares = sum(operands, [&](ScalarBuilder &s, ValueRange v) {
    Value d = s.convert(v[0], type);
    if (centre)
      d = s.sub(d, v[1]);
    return s.mul(d, d);
  });
  inverse = compute(c, {{squares, inner}}, rows, type, [&](ScalarBuilder &s, ValueRange v) {
    Value variance = s.div(v[0], sizeAsFloat(c, s, count, type)), small = s.number(type, epsilon);
    Value deviation = epsilonOutside ? s.add(s.sqrt(variance), small) : s.sqrt(s.add(variance, small));
    return s.div(s.number(type, 1), deviation);
  });
}

Value Standardization::apply(LowerContext &c, std::optional<LoopOperand> scale, std::optional<LoopOperand> bias,
                             Type element) {
  int64_t rank = dims.size();
  SmallVector<int64_t> kept = loopsWithout(rank, axes);
  SmallVector<LoopOperand> operands = {{x, allLoops(rank)}, {inverse, kept}};
  if (centre)
    operands.push_back({mean, kept});
  if (scale)
    operands.push_back(*scale);
  if (bias)
    operands.push_back(*bias);
  return compute(c, operands, dims, element, [&](ScalarBuilder &s, ValueRange v) {
    unsigned next = 2;
    Value y = s.convert(v[0], type);
    if (centre)
      y = s.sub(y, v[next++]);
    y = s.mul(y, v[1]);
    if (scale)
      y = s.mul(y, s.convert(v[next++], type));
    if (bias)
      y = s.add(y, s.convert(v[next++], type));
    return s.convert(y, element);
  });
}

/// The statistics of the result's rows that somebody reads: each of the given tensors at its output.
static void addStatistics(LowerContext &c, SmallVector<Value> &results, const Dims &rows,
                          ArrayRef<std::pair<unsigned, Value>> statistics) {
  results.resize(c.node.getNumResults());
  for (auto [i, v] : statistics)
    if (i < c.node.getNumResults() && !c.node.getResult(i).use_empty())
      results[i] = convertTensor(c, c.reshape(v, rows, c.outputDims(i)), c.outputDims(i),
                                 LowerContext::lowered(c.outputElement(i)));
}

/// An input that is broadcast to the first one, where it is there.
static std::optional<LoopOperand> optionalOperand(LowerContext &c, unsigned input, const Dims &dims) {
  if (!c.hasInput(input))
    return std::nullopt;
  return trailing(c.input(input), dims, dims.size());
}

/// LayerNormalization, RMSNormalization and SimplifiedLayerNormalization: x, scale, bias.
static FailureOr<SmallVector<Value>> lowerLayerNorm(LowerContext &c, bool centre) {
  Standardization norm;
  norm.x = c.input(0);
  norm.dims = c.dims(0);
  int64_t rank = norm.dims.size();
  norm.axes = llvm::to_vector(llvm::seq(*normalizeAxis(c.node.intAttr("axis", -1), rank), rank));
  norm.centre = centre;
  norm.epsilon = c.node.floatAttr("epsilon", 1e-5f);
  Type element = LowerContext::lowered(c.outputElement());
  norm.type = accumulatorType(element);
  norm.statistics(c);
  SmallVector<Value> results = {
      norm.apply(c, optionalOperand(c, 1, norm.dims), optionalOperand(c, 2, norm.dims), element)};
  if (centre)
    addStatistics(c, results, norm.rows(), {{1, norm.mean}, {2, norm.inverse}});
  else
    addStatistics(c, results, norm.rows(), {{1, norm.inverse}});
  return results;
}

//===----------------------------------------------------------------------===//
// Normalisation of a residual sum
//===----------------------------------------------------------------------===//

// SkipLayerNormalization: input, skip, gamma, beta, bias; SkipSimplifiedLayerNormalization has no beta. The outputs are
// the result, the mean, the inverse deviation and the sum.

static LogicalResult inferSkipNorm(InferContext &c) {
  Dims dims = c.dims(0);
  for (unsigned i = 1; i < c.node.getInputs().size(); ++i)
    if (c.hasInput(i)) {
      if (c.input(i).rank() > c.input(0).rank())
        return c.error() << "input " << i << " has more dimensions than the first";
      (void)c.broadcast(dims, c.dims(i));
    }
  c.setDims(0, dims);
  Dims rows = withoutAxes(dims, {static_cast<int64_t>(dims.size()) - 1}, /*keep=*/true);
  c.setDims(1, rows);
  c.setDims(2, rows);
  c.setDims(3, dims);
  return success();
}

static FailureOr<SmallVector<Value>> lowerSkipNorm(LowerContext &c, bool centre) {
  Standardization norm;
  norm.dims = c.dims(0);
  int64_t rank = norm.dims.size();
  norm.axes = {rank - 1};
  norm.centre = centre;
  norm.epsilon = c.node.floatAttr("epsilon", 1e-12f);
  Type element = LowerContext::lowered(c.outputElement());
  norm.type = accumulatorType(element);
  SmallVector<LoopOperand> terms = {{c.input(0), allLoops(rank)}, *optionalOperand(c, 1, norm.dims)};
  if (auto bias = optionalOperand(c, centre ? 4 : 3, norm.dims))
    terms.push_back(*bias);
  norm.x = compute(c, terms, norm.dims, element, [&](ScalarBuilder &s, ValueRange v) {
    Value sum = s.convert(v[0], norm.type);
    for (Value term : v.drop_front().drop_back())
      sum = s.add(sum, s.convert(term, norm.type));
    return s.convert(sum, element);
  });
  norm.statistics(c);
  auto beta = centre ? optionalOperand(c, 3, norm.dims) : std::nullopt;
  SmallVector<Value> results = {norm.apply(c, optionalOperand(c, 2, norm.dims), beta, element)};
  if (centre)
    addStatistics(c, results, norm.rows(), {{1, norm.mean}, {2, norm.inverse}});
  else
    addStatistics(c, results, norm.rows(), {{2, norm.inverse}});
  if (results.size() > 3)
    results[3] = norm.x;
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
  for (bool centre : {false, true})
    r.add("com.microsoft", centre ? "SkipLayerNormalization" : "SkipSimplifiedLayerNormalization", 1,
          {inferSkipNorm, [centre](LowerContext &c) { return lowerSkipNorm(c, centre); }});
}

} // namespace mxn
