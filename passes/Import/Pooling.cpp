//===- Pooling.cpp - Extremes and means of windows ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Reduction.h"
#include "passes/Import/Window.h"

using namespace mlir;

namespace mxn {

//===----------------------------------------------------------------------===//
// Over the whole image
//===----------------------------------------------------------------------===//

static SmallVector<int64_t> imageAxes(int64_t rank) { return llvm::to_vector(llvm::seq<int64_t>(2, rank)); }

static LogicalResult inferGlobalPool(InferContext &c) {
  Dims dims = c.dims(0);
  if (dims.size() < 3)
    return c.error() << "its input must have at least three dimensions";
  c.setDims(0, withoutAxes(dims, imageAxes(dims.size()), /*keep=*/true));
  return success();
}

static FailureOr<SmallVector<Value>> lowerGlobalPool(LowerContext &c, Reduce kind) {
  Dims dims = c.dims(0);
  SmallVector<int64_t> axes = imageAxes(dims.size());
  Value v = reduceAxes(c, kind, c.input(0), dims, c.inputElement(0), axes);
  return SmallVector<Value>{c.reshape(v, withoutAxes(dims, axes, /*keep=*/false), c.outputDims())};
}

/// |x|^p and its inverse; p is a whole number in all but the oldest versions.
static double exponent(onnx::NodeOp node) {
  return node.has("p") && isa<FloatAttr>(node.attr("p")) ? node.floatAttr("p", 2) : node.intAttr("p", 2);
}

static Value powerOf(ScalarBuilder &s, Value x, double p) {
  x = s.abs(x);
  return p == 1 ? x : p == 2 ? s.mul(x, x) : s.pow(x, s.number(x, p));
}

static Value rootOf(ScalarBuilder &s, Value x, double p) {
  return p == 1 ? x : p == 2 ? s.sqrt(x) : s.pow(x, s.number(x, 1 / p));
}

static FailureOr<SmallVector<Value>> lowerGlobalLpPool(LowerContext &c) {
  Dims dims = c.dims(0), kept = {dims[0], dims[1]};
  double p = exponent(c.node);
  Type element = LowerContext::lowered(c.outputElement()), type = accumulatorType(element);
  Value sum =
      loopNest(c, dims.size(), {{c.input(0), allLoops(dims.size())}}, c.filled(kept, c.constant(type, 0)), {0, 1},
               [&](ScalarBuilder &s, ValueRange v) { return s.add(v[1], powerOf(s, s.convert(v[0], type), p)); });
  Value root = compute(c, {{sum, {0, 1}}}, kept, element,
                       [&](ScalarBuilder &s, ValueRange v) { return s.convert(rootOf(s, v[0], p), element); });
  return SmallVector<Value>{c.reshape(root, kept, c.outputDims())};
}

//===----------------------------------------------------------------------===//
// Over windows
//===----------------------------------------------------------------------===//

static std::optional<Window> poolWindow(onnx::NodeOp node, ArrayRef<SymbolicExpr> dims) {
  SmallVector<int64_t> sizes = node.intsAttr("kernel_shape");
  if (dims.size() < 3)
    return std::nullopt;
  return Window::of(node, dims.drop_front(2), Dims(sizes.begin(), sizes.end()));
}

static Slide slideOver(const Window &w) {
  Slide s;
  s.strides = w.strides;
  s.dilations = w.dilations;
  for (size_t i = 0; i < w.rank(); ++i) {
    s.axes.push_back(i + 2);
    s.sizes.push_back(*w.kernel[i].constant());
  }
  return s;
}

static LogicalResult inferPool(InferContext &c) {
  Dims dims = c.dims(0);
  auto window = poolWindow(c.node, dims);
  if (!window)
    return c.error() << "kernel_shape, strides, dilations or pads don't fit an input of " << dims.size()
                     << " dimensions";
  if (failed(window->checkFits(c)))
    return failure();
  Dims out = {dims[0], dims[1]};
  out.append(window->out);
  c.setDims(0, out);
  c.setDims(1, out);
  return success();
}

/// For each window of MaxPool, where its largest element stands in the input, counted over the whole tensor.
static Value largestPositions(LowerContext &c, const Window &w, Value image, ArrayRef<SymbolicExpr> dims,
                              Value largest) {
  Dims out = c.outputDims(1);
  int64_t rank = dims.size();
  bool columns = c.node.intAttr("storage_order", 0);
  Type i64 = c.b.getI64Type();
  Value none = arith::ConstantOp::create(c.b, c.loc, c.b.getI64IntegerAttr(INT64_MAX));
  return slide(c, image, slideOver(w), {{largest, allLoops(rank)}}, c.filled(out, none),
               [&](ScalarBuilder &s, ValueRange v) {
                 Value same = isa<FloatType>(v[0].getType())
                                  ? arith::CmpFOp::create(s.b, s.loc, arith::CmpFPredicate::OEQ, v[0], v[1]).getResult()
                                  : arith::CmpIOp::create(s.b, s.loc, arith::CmpIPredicate::eq, v[0], v[1]).getResult();
                 SmallVector<Value> at = {s.position(0), s.position(1)};
                 for (size_t i = 0; i < w.rank(); ++i) {
                   Value begin = s.mul(s.position(2 + i), c.index(w.strides[i]));
                   Value step = s.mul(s.position(rank + i), c.index(w.dilations[i]));
                   Value p = s.sub(s.add(begin, step), c.size(w.before[i]));
                   Value inside = arith::AndIOp::create(
                       s.b, s.loc, arith::CmpIOp::create(s.b, s.loc, arith::CmpIPredicate::sge, p, c.index(0)),
                       arith::CmpIOp::create(s.b, s.loc, arith::CmpIPredicate::slt, p, c.size(w.image[i])));
                   same = arith::AndIOp::create(s.b, s.loc, same, inside);
                   at.push_back(p);
                 }
                 SmallVector<int64_t> order = allLoops(rank); // the slowest dimension first
                 if (columns)
                   std::reverse(order.begin() + 2, order.end());
                 Value flat = at[0];
                 for (int64_t d : ArrayRef<int64_t>(order).drop_front())
                   flat = s.add(s.mul(flat, c.size(dims[d])), at[d]);
                 Value candidate = s.select(same, arith::IndexCastOp::create(s.b, s.loc, i64, flat), s.number(i64, 0));
                 return s.select(same, s.min(candidate, v[2]), v[2]);
               });
}

static FailureOr<SmallVector<Value>> lowerMaxPool(LowerContext &c) {
  Dims dims = c.dims(0);
  Window w = *poolWindow(c.node, dims);
  Type element = LowerContext::lowered(c.inputElement(0));
  bool isUnsigned = LowerContext::isUnsigned(c.inputElement(0));
  TypedAttr least = reductionIdentity(c.b, Reduce::Max, element, isUnsigned);
  Value image = w.pad(c, c.input(0), dims, least);
  Value init = c.filled(c.outputDims(), arith::ConstantOp::create(c.b, c.loc, least));
  Value y = slide(c, image, slideOver(w), {}, init, [&](ScalarBuilder &s, ValueRange v) {
    s.isUnsigned = isUnsigned;
    return s.max(v[0], v[1]);
  });
  SmallVector<Value> results = {y};
  if (c.node.getNumResults() > 1)
    results.push_back(c.node.getResult(1).use_empty() ? Value() : largestPositions(c, w, image, dims, y));
  return results;
}

/// How many elements of the window at loop `loop` of dimension i count.
static Value countedElements(LowerContext &c, ScalarBuilder &s, const Window &w, size_t i, bool includePadding) {
  // The window reads start, start + dilation, ...; those in [0, limit) count.
  Value start = s.mul(s.position(2 + i), c.index(w.strides[i]));
  SymbolicExpr limit = w.image[i];
  if (includePadding)
    limit = limit + w.before[i] + w.after[i];
  else
    start = s.sub(start, c.size(w.before[i]));
  auto steps = [&](Value distance) { // how many steps reach over a distance
    Value d = s.max(distance, c.index(0));
    if (w.dilations[i] == 1)
      return d;
    return Value(arith::DivUIOp::create(s.b, s.loc, s.add(d, c.index(w.dilations[i] - 1)), c.index(w.dilations[i])));
  };
  Value first = steps(s.sub(c.index(0), start));
  Value end = s.min(steps(s.sub(c.size(limit), start)), c.size(w.kernel[i]));
  return s.sub(end, first);
}

static FailureOr<SmallVector<Value>> lowerAveragePool(LowerContext &c) {
  Dims dims = c.dims(0), out = c.outputDims();
  Window w = *poolWindow(c.node, dims);
  bool includePadding = c.node.intAttr("count_include_pad", 0);
  Type element = LowerContext::lowered(c.outputElement()), type = accumulatorType(element);
  Value image = w.pad(c, c.input(0), dims, cast<TypedAttr>(c.b.getZeroAttr(element)));
  Value sum = slide(c, image, slideOver(w), {}, c.filled(out, c.constant(type, 0)),
                    [&](ScalarBuilder &s, ValueRange v) { return s.add(v[1], s.convert(v[0], type)); });
  Dims whole = w.whole();
  Value y = compute(c, {{sum, allLoops(out.size())}}, out, element, [&](ScalarBuilder &s, ValueRange v) {
    SymbolicExpr fixed(1);
    Value count;
    for (size_t i = 0; i < w.rank(); ++i) {
      SymbolicExpr with = includePadding ? w.image[i] + w.before[i] + w.after[i] : w.image[i];
      if (whole[i] == with) { // no window leaves what counts
        fixed = fixed * w.kernel[i];
        continue;
      }
      Value along = countedElements(c, s, w, i, includePadding);
      count = count ? s.mul(count, along) : along;
    }
    Value divisor = sizeAsFloat(c, s, fixed, type);
    if (count)
      divisor = s.mul(divisor, s.indexToFloat(count, type));
    return s.convert(s.div(v[0], divisor), element);
  });
  return SmallVector<Value>{y};
}

static FailureOr<SmallVector<Value>> lowerLpPool(LowerContext &c) {
  Dims dims = c.dims(0), out = c.outputDims();
  Window w = *poolWindow(c.node, dims);
  double p = exponent(c.node);
  Type element = LowerContext::lowered(c.outputElement()), type = accumulatorType(element);
  Value image = w.pad(c, c.input(0), dims, cast<TypedAttr>(c.b.getZeroAttr(element)));
  Value sum = slide(c, image, slideOver(w), {}, c.filled(out, c.constant(type, 0)),
                    [&](ScalarBuilder &s, ValueRange v) { return s.add(v[1], powerOf(s, s.convert(v[0], type), p)); });
  return SmallVector<Value>{
      compute(c, {{sum, allLoops(out.size())}}, out, element,
              [&](ScalarBuilder &s, ValueRange v) { return s.convert(rootOf(s, v[0], p), element); })};
}

void addPoolingHandlers(HandlerRegistry &r) {
  auto global = [](Reduce kind) -> Handler {
    return {inferGlobalPool, [kind](LowerContext &c) { return lowerGlobalPool(c, kind); }};
  };
  r.add("", "GlobalAveragePool", 1, global(Reduce::Mean));
  r.add("", "GlobalMaxPool", 1, global(Reduce::Max));
  r.add("", "GlobalLpPool", 1, {inferGlobalPool, lowerGlobalLpPool});
  r.add("", "MaxPool", 1, {inferPool, lowerMaxPool});
  r.add("", "AveragePool", 1, {inferPool, lowerAveragePool});
  r.add("", "LpPool", 1, {inferPool, lowerLpPool});
}

} // namespace mxn
