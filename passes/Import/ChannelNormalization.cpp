//===- ChannelNormalization.cpp - Normalisations of images ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Normalization.h"
#include "passes/Import/Window.h"

using namespace mlir;

namespace mxn {

static LogicalResult inferLikeFirst(InferContext &c) {
  c.setDims(0, c.dims(0));
  return success();
}

/// Scale, bias and further inputs have one element for each channel (dimension 1).
static LogicalResult inferPerChannel(InferContext &c) {
  Dims dims = c.dims(0);
  SymbolicExpr channels = dims.size() > 1 ? dims[1] : SymbolicExpr(1);
  for (unsigned i = 1; i < c.node.getInputs().size(); ++i)
    if (c.input(i).rank() != 1 || failed(c.equate(c.dims(i)[0], channels, "the channels")))
      return c.error() << "input " << i << " must have one element for each channel";
  c.setDims(0, c.dims(0));
  return success();
}

//===----------------------------------------------------------------------===//
// BatchNormalization
//===----------------------------------------------------------------------===//

// Inputs: x, scale, bias, mean, variance.
static FailureOr<SmallVector<Value>> lowerBatchNorm(LowerContext &c) {
  bool training = c.node.intAttr("training_mode", 0);
  for (Value v : c.node.getOutputs().drop_front())
    training |= !v.use_empty();
  if (training)
    return c.error() << "training isn't supported: only the first output, with training_mode = 0";
  if (!c.node.intAttr("spatial", 1))
    return c.error() << "spatial = 0 isn't supported";
  Dims dims = c.dims(0);
  Type element = LowerContext::lowered(c.outputElement()), type = accumulatorType(element);
  double epsilon = c.node.floatAttr("epsilon", 1e-5f);
  Value factor =
      compute(c, {{c.input(1), {0}}, {c.input(4), {0}}}, c.dims(1), type, [&](ScalarBuilder &s, ValueRange v) {
        Value root = s.sqrt(s.add(s.convert(v[1], type), s.number(type, epsilon)));
        return s.div(s.convert(v[0], type), root);
      });
  SmallVector<int64_t> channel = {dims.size() > 1 ? 1 : -1};
  Value y =
      compute(c, {{c.input(0), allLoops(dims.size())}, {factor, channel}, {c.input(2), channel}, {c.input(3), channel}},
              dims, element, [&](ScalarBuilder &s, ValueRange v) {
                Value d = s.sub(s.convert(v[0], type), s.convert(v[3], type));
                return s.convert(s.add(s.mul(d, v[1]), s.convert(v[2], type)), element);
              });
  SmallVector<Value> results(c.node.getNumResults());
  results[0] = y;
  return results;
}

//===----------------------------------------------------------------------===//
// Instance, group and mean-variance normalisation
//===----------------------------------------------------------------------===//

static Standardization standardization(LowerContext &c, Value x, const Dims &dims, ArrayRef<int64_t> axes,
                                       double epsilon) {
  Standardization norm;
  norm.x = x;
  norm.dims = dims;
  norm.axes = SmallVector<int64_t>(axes);
  norm.epsilon = epsilon;
  norm.type = accumulatorType(LowerContext::lowered(c.outputElement()));
  return norm;
}

static FailureOr<SmallVector<Value>> lowerInstanceNorm(LowerContext &c) {
  Dims dims = c.dims(0);
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(2, dims.size()));
  Standardization norm = standardization(c, c.input(0), dims, axes, c.node.floatAttr("epsilon", 1e-5f));
  norm.statistics(c);
  return SmallVector<Value>{norm.apply(c, LoopOperand{c.input(1), {1}}, LoopOperand{c.input(2), {1}},
                                       LowerContext::lowered(c.outputElement()))};
}

static LogicalResult inferGroupNorm(InferContext &c) {
  Dims dims = c.dims(0);
  if (dims.size() < 2 || c.node.intAttr("num_groups", 0) < 1)
    return c.error() << "needs an input with channels and a positive num_groups";
  // Before version 21, scale and bias have one element for each group.
  SymbolicExpr count = c.node.getVersion() < 21 ? SymbolicExpr(c.node.intAttr("num_groups", 0)) : dims[1];
  for (unsigned i : {1u, 2u})
    if (c.input(i).rank() != 1 || failed(c.equate(c.dims(i)[0], count, "the elements of scale and bias")))
      return c.error() << "input " << i << " must have " << count.str() << " elements";
  c.setDims(0, c.dims(0));
  return success();
}

static FailureOr<SmallVector<Value>> lowerGroupNorm(LowerContext &c) {
  Dims dims = c.dims(0);
  SymbolicExpr groups(c.node.intAttr("num_groups", 1)), each = SymbolicExpr::floorDiv(dims[1], groups);
  Dims split = {dims[0], groups, each};
  split.append(dims.begin() + 2, dims.end());
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(2, split.size()));
  Standardization norm =
      standardization(c, c.reshape(c.input(0), dims, split), split, axes, c.node.floatAttr("epsilon", 1e-5f));
  norm.statistics(c);
  auto parameter = [&](unsigned i) {
    if (c.node.getVersion() < 21)
      return LoopOperand{c.input(i), {1}};
    return LoopOperand{c.reshape(c.input(i), c.dims(i), {groups, each}), {1, 2}};
  };
  Value y = norm.apply(c, parameter(1), parameter(2), LowerContext::lowered(c.outputElement()));
  return SmallVector<Value>{c.reshape(y, split, dims)};
}

static FailureOr<SmallVector<Value>> lowerMeanVarianceNorm(LowerContext &c) {
  Dims dims = c.dims(0);
  SmallVector<int64_t> axes;
  for (int64_t given : c.node.intsAttr("axes", {0, 2, 3})) {
    auto axis = normalizeAxis(given, dims.size());
    if (!axis)
      return c.error() << "axis " << given << " is outside of the " << dims.size() << " dimensions of its input";
    axes.push_back(*axis);
  }
  Standardization norm = standardization(c, c.input(0), dims, axes, 1e-9);
  norm.epsilonOutside = true;
  norm.statistics(c);
  return SmallVector<Value>{norm.apply(c, std::nullopt, std::nullopt, LowerContext::lowered(c.outputElement()))};
}

//===----------------------------------------------------------------------===//
// LpNormalization, LRN
//===----------------------------------------------------------------------===//

static FailureOr<SmallVector<Value>> lowerLpNorm(LowerContext &c) {
  Dims dims = c.dims(0);
  int64_t rank = dims.size(), p = c.node.intAttr("p", 2), given = c.node.intAttr("axis", -1);
  auto axis = normalizeAxis(given, rank);
  if (!axis || (p != 1 && p != 2))
    return c.error() << "needs an axis of its input and p = 1 or 2; they are " << given << " and " << p;
  Type element = LowerContext::lowered(c.outputElement()), type = accumulatorType(element);
  SmallVector<int64_t> all = allLoops(rank), kept = loopsWithout(rank, *axis);
  Dims rows = withoutAxes(dims, *axis, /*keep=*/false);
  Value sum = loopNest(c, rank, {{c.input(0), all}}, c.filled(rows, c.constant(type, 0)), kept,
                       [&](ScalarBuilder &s, ValueRange v) {
                         Value x = s.convert(v[0], type);
                         return s.add(v[1], p == 1 ? s.abs(x) : s.mul(x, x));
                       });
  Value norm = p == 1 ? sum
                      : compute(c, {{sum, allLoops(rows.size())}}, rows, type,
                                [&](ScalarBuilder &s, ValueRange v) { return s.sqrt(v[0]); });
  return SmallVector<Value>{
      compute(c, {{c.input(0), all}, {norm, kept}}, dims, element, [&](ScalarBuilder &s, ValueRange v) {
        Value zero = s.number(type, 0);
        Value none = arith::CmpFOp::create(s.b, s.loc, arith::CmpFPredicate::OEQ, v[1], zero);
        return s.convert(s.select(none, zero, s.div(s.convert(v[0], type), v[1])), element);
      })};
}

/// Each element over a power of the sum of squares of its neighbours along the channels.
static FailureOr<SmallVector<Value>> lowerLRN(LowerContext &c) {
  Dims dims = c.dims(0);
  int64_t rank = dims.size(), size = c.node.intAttr("size", 0);
  if (rank < 2 || size < 1)
    return c.error() << "needs channels and a positive size";
  double alpha = c.node.floatAttr("alpha", 1e-4f), beta = c.node.floatAttr("beta", 0.75f),
         bias = c.node.floatAttr("bias", 1);
  Type element = LowerContext::lowered(c.outputElement()), type = accumulatorType(element);
  Dims whole = dims, begin(rank, SymbolicExpr(0));
  whole[1] = whole[1] + SymbolicExpr(size - 1);
  begin[1] = (size - 1) / 2;
  Value image = padded(c, c.input(0), dims, begin, SmallVector<int64_t>(rank, 1), whole,
                       cast<TypedAttr>(c.b.getZeroAttr(element)));
  Value squares = slide(c, image, Slide{{1}, {size}, {1}, {1}}, {}, c.filled(dims, c.constant(type, 0)),
                        [&](ScalarBuilder &s, ValueRange v) {
                          Value x = s.convert(v[0], type);
                          return s.add(v[1], s.mul(x, x));
                        });
  return SmallVector<Value>{compute(
      c, {{c.input(0), allLoops(rank)}, {squares, allLoops(rank)}}, dims, element, [&](ScalarBuilder &s, ValueRange v) {
        Value base = s.add(s.number(type, bias), s.mul(v[1], s.number(type, alpha / size)));
        return s.convert(s.div(s.convert(v[0], type), s.pow(base, s.number(type, beta))), element);
      })};
}

void addChannelNormalizationHandlers(HandlerRegistry &r) {
  r.add("", "BatchNormalization", 6, {inferPerChannel, lowerBatchNorm});
  r.add("", "InstanceNormalization", 6, {inferPerChannel, lowerInstanceNorm});
  r.add("", "GroupNormalization", 18, {inferGroupNorm, lowerGroupNorm});
  r.add("", "MeanVarianceNormalization", 9, {inferLikeFirst, lowerMeanVarianceNorm});
  r.add("", "LpNormalization", 1, {inferLikeFirst, lowerLpNorm});
  r.add("", "LRN", 1, {inferLikeFirst, lowerLRN});
}

} // namespace mxn
