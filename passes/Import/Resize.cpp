//===- Resize.cpp - Images at another resolution --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Import/Loops.h"

using namespace mlir;

namespace mxn {
namespace {

//===----------------------------------------------------------------------===//
// What the node says
//===----------------------------------------------------------------------===//

/// The floating-point elements of a constant.
std::optional<SmallVector<double>> constantFloats(onnx::NodeOp node, unsigned input) {
  auto constant = node.hasInput(input) ? node.getInputs()[input].getDefiningOp<onnx::ConstantOp>() : nullptr;
  auto dense = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : DenseElementsAttr();
  if (!dense || !isa<FloatType>(dense.getElementType()))
    return std::nullopt;
  SmallVector<double> values;
  for (const APFloat &v : dense.getValues<APFloat>()) {
    APFloat wide = v;
    bool lost;
    wide.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
    values.push_back(wide.convertToDouble());
  }
  return values;
}

struct Axis {
  SymbolicExpr in, out;
  std::optional<double> scale; // none: out / in, which only the call tells
  double roiBegin = 0, roiEnd = 1;
};

struct ResizePlan {
  std::vector<Axis> axes; // of the whole tensor
  std::string mode, coordinates, nearest;
  double cubicA, extrapolation;
  bool excludeOutside, antialias;

  /// Emits an error through `c` where something isn't known.
  template <typename Context> static FailureOr<ResizePlan> of(Context &c);
  bool changes(const Axis &a) const {
    return a.in != a.out || (a.scale && *a.scale != 1) || (crops() && (a.roiBegin != 0 || a.roiEnd != 1));
  }
  bool crops() const { return coordinates == "tf_crop_and_resize"; }
};

/// floor(in * scale); a floating-point number is a fraction over a power of two.
std::optional<SymbolicExpr> scaledSize(const SymbolicExpr &in, double scale) {
  if (auto constant = in.constant())
    return SymbolicExpr(static_cast<int64_t>(std::floor(static_cast<double>(*constant) * scale)));
  int64_t denominator = 1;
  while (scale != std::floor(scale) && denominator < (int64_t(1) << 30)) {
    scale *= 2;
    denominator *= 2;
  }
  if (scale != std::floor(scale) || scale > std::ldexp(1.0, 31))
    return std::nullopt;
  return SymbolicExpr::floorDiv(in * SymbolicExpr(static_cast<int64_t>(scale)), denominator);
}

std::optional<Dims> knownValues(InferContext &c, unsigned i) {
  return c.hasInput(i) ? c.input(i).values : std::nullopt;
}
std::optional<Dims> knownValues(LowerContext &c, unsigned i) { return c.values(i); }

/// What keep_aspect_ratio_policy makes of the sizes: one scale for all axes.
void keepAspectRatio(ResizePlan &plan, ArrayRef<int64_t> axes, bool larger) {
  double scale = larger ? 0 : INFINITY;
  for (int64_t i : axes) {
    double ratio = static_cast<double>(*plan.axes[i].out.constant()) / *plan.axes[i].in.constant();
    scale = larger ? std::max(scale, ratio) : std::min(scale, ratio);
  }
  for (int64_t i : axes) {
    plan.axes[i].scale = scale;
    plan.axes[i].out = static_cast<int64_t>(scale * *plan.axes[i].in.constant() + 0.5);
  }
}

template <typename Context> FailureOr<ResizePlan> ResizePlan::of(Context &c) {
  onnx::NodeOp node = c.node;
  Dims in = c.dims(0);
  int64_t rank = in.size();
  bool old = node.getOp() == "Upsample" || node.getVersion() < 11; // scales alone
  ResizePlan plan;
  plan.mode = node.stringAttr("mode", "nearest").str();
  if (plan.mode == "bilinear")
    plan.mode = "linear";
  plan.coordinates = node.stringAttr("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel").str();
  plan.nearest = node.stringAttr("nearest_mode", old ? "floor" : "round_prefer_floor").str();
  plan.cubicA = node.floatAttr("cubic_coeff_a", -0.75f);
  plan.extrapolation = node.floatAttr("extrapolation_value", 0);
  plan.excludeOutside = node.intAttr("exclude_outside", 0);
  plan.antialias = node.intAttr("antialias", 0);
  for (const SymbolicExpr &d : in)
    plan.axes.push_back({d, d, 1.0, 0, 1});

  SmallVector<int64_t> axes = node.intsAttr("axes", allLoops(rank));
  for (int64_t &axis : axes) {
    auto normal = normalizeAxis(axis, rank);
    if (!normal)
      return c.error() << "axis " << axis << " is outside of the " << rank << " dimensions of its input";
    axis = *normal;
  }
  unsigned scalesInput = old ? 1 : 2, sizesInput = 3;
  auto has = [&](unsigned i) { // an empty tensor stands for an absent input
    return c.hasInput(i) && !(c.dims(i).size() == 1 && c.dims(i)[0].isConstant(0));
  };
  if (auto roi = constantFloats(node, 1); plan.crops()) {
    if (!roi || roi->size() != 2 * axes.size())
      return c.error() << "the region of interest (input 1) must be constant";
    for (auto [i, axis] : llvm::enumerate(axes)) {
      plan.axes[axis].roiBegin = (*roi)[i];
      plan.axes[axis].roiEnd = (*roi)[axes.size() + i];
    }
  }
  if (node.has("scales") || has(scalesInput)) {
    std::optional<SmallVector<double>> scales;
    if (auto attr = dyn_cast_if_present<DenseF32ArrayAttr>(node.attr("scales")))
      scales = SmallVector<double>(attr.asArrayRef().begin(), attr.asArrayRef().end());
    else
      scales = constantFloats(node, scalesInput);
    if (!scales || scales->size() != axes.size())
      return c.error() << "the scales (input " << scalesInput << ") must be constant, one for each axis";
    for (auto [axis, scale] : llvm::zip(axes, *scales)) {
      auto out = scaledSize(in[axis], scale);
      if (!out || scale <= 0)
        return c.error() << "the scale " << scale << " of the dimension " << in[axis].str() << " isn't supported";
      plan.axes[axis].out = *out;
      plan.axes[axis].scale = scale;
    }
    return plan;
  }
  auto sizes = !old && has(sizesInput) ? knownValues(c, sizesInput) : std::nullopt;
  if (!sizes || sizes->size() != axes.size())
    return c.error() << "the sizes (input " << sizesInput
                     << ") must follow from the shapes of the inputs, one for each axis";
  bool constant = true;
  for (auto [axis, size] : llvm::zip(axes, *sizes)) {
    Axis &a = plan.axes[axis];
    a.out = size;
    a.scale = std::nullopt;
    if (size.constant() && a.in.constant() && *a.in.constant() > 0)
      a.scale = static_cast<double>(*size.constant()) / *a.in.constant();
    else if (size == a.in)
      a.scale = 1;
    constant &= size.constant() && a.in.constant();
  }
  StringRef policy = node.stringAttr("keep_aspect_ratio_policy", "stretch");
  if (policy == "stretch")
    return plan;
  if (!constant)
    return c.error() << "keep_aspect_ratio_policy needs sizes that are constant";
  keepAspectRatio(plan, axes, policy == "not_smaller");
  return plan;
}

//===----------------------------------------------------------------------===//
// Coordinates and weights
//===----------------------------------------------------------------------===//

/// The place of an output element in the input, along one axis, in f64.
Value coordinate(LowerContext &c, ScalarBuilder &s, const ResizePlan &plan, const Axis &a, Value position) {
  Type f64 = s.b.getF64Type();
  auto number = [&](double v) { return s.number(f64, v); };
  Value x = s.indexToFloat(position, f64), in = sizeAsFloat(c, s, a.in, f64), out = sizeAsFloat(c, s, a.out, f64);
  Value scale = a.scale ? number(*a.scale) : s.div(out, in);
  Value length = a.scale ? s.mul(scale, in) : out; // the output's size before it is rounded
  Value one = number(1), half = number(0.5);
  Value single = arith::CmpFOp::create(s.b, s.loc, arith::CmpFPredicate::OEQ, length, one);
  Value halfPixel = s.sub(s.div(s.add(x, half), scale), half);
  StringRef mode = plan.coordinates;
  if (mode == "asymmetric")
    return s.div(x, scale);
  if (mode == "half_pixel")
    return halfPixel;
  if (mode == "pytorch_half_pixel")
    return s.select(single, number(0), halfPixel);
  if (mode == "half_pixel_symmetric") {
    Value offset = s.mul(s.mul(in, half), s.sub(one, s.div(out, length)));
    return s.add(offset, halfPixel);
  }
  Value last = s.sub(in, one), steps = s.select(single, one, s.sub(length, one));
  if (mode == "align_corners")
    return s.select(single, number(0), s.div(s.mul(x, last), steps));
  // tf_crop_and_resize
  Value range = s.mul(number(a.roiEnd - a.roiBegin), last);
  Value inside = s.select(single, s.mul(range, half), s.div(s.mul(x, range), steps));
  return s.add(inside, s.mul(number(a.roiBegin), last));
}

/// A coordinate within the input, as an index.
Value clampedIndex(LowerContext &c, ScalarBuilder &s, Value x, const SymbolicExpr &size) {
  Value last = s.sub(sizeAsFloat(c, s, size, x.getType()), s.number(x, 1));
  Value inside = s.max(s.min(x, last), s.number(x, 0));
  return arith::IndexCastOp::create(s.b, s.loc, s.b.getIndexType(),
                                    arith::FPToSIOp::create(s.b, s.loc, s.b.getI64Type(), inside));
}

Value isOutside(LowerContext &c, ScalarBuilder &s, Value x, const SymbolicExpr &size) {
  Value last = s.sub(sizeAsFloat(c, s, size, x.getType()), s.number(x, 1));
  return arith::OrIOp::create(s.b, s.loc, s.less(x, s.number(x, 0)), s.less(last, x));
}

/// An element and its weight in the output element: `offset` counts from the element at or before the coordinate.
struct Taps {
  SmallVector<int64_t> offsets;
  std::function<Value(ScalarBuilder &, int64_t offset, Value fraction)> weight;
  bool normalize; // the weights don't add up to 1 by themselves
};

/// Cubic convolution at a distance of at most 1, or of 1 to 2.
Value cubicWeight(ScalarBuilder &s, Value d, double a, bool near) {
  auto n = [&](double v) { return s.number(d, v); };
  if (near) // ((a + 2) d - (a + 3)) d^2 + 1
    return s.add(s.mul(s.mul(s.sub(s.mul(n(a + 2), d), n(a + 3)), d), d), n(1));
  return s.sub(s.mul(s.add(s.mul(s.sub(s.mul(n(a), d), n(5 * a)), d), n(8 * a)), d), n(4 * a));
}

Taps tapsOf(const ResizePlan &plan, const Axis &axis) {
  double shrink = plan.antialias ? std::min(*axis.scale, 1.0) : 1.0, a = plan.cubicA;
  bool linear = plan.mode == "linear";
  Taps taps;
  taps.normalize = plan.excludeOutside || plan.antialias;
  int64_t first = static_cast<int64_t>(std::floor((linear ? -1 : -2) / shrink)) + 1;
  for (int64_t i = first; i <= 1 - first; ++i)
    taps.offsets.push_back(i);
  taps.weight = [=](ScalarBuilder &s, int64_t offset, Value fraction) -> Value {
    auto n = [&](double v) { return s.number(fraction, v); };
    Value d = s.abs(s.sub(n(static_cast<double>(offset)), fraction));
    if (shrink != 1)
      d = s.mul(d, n(shrink));
    if (linear)
      return s.max(s.sub(n(1), d), n(0));
    if (shrink == 1)
      return cubicWeight(s, d, a, offset == 0 || offset == 1);
    Value far = s.select(s.less(d, n(2)), cubicWeight(s, d, a, false), n(0));
    return s.select(s.less(n(1), d), far, cubicWeight(s, d, a, true));
  };
  return taps;
}

//===----------------------------------------------------------------------===//
// Lowering
//===----------------------------------------------------------------------===//

/// A tensor each of whose elements the body computes from its position; it reads others with tensor.extract.
Value gatherEach(LowerContext &c, const Dims &dims, Type element, const std::function<Value(ScalarBuilder &)> &body) {
  return compute(c, {}, dims, element, [&](ScalarBuilder &s, ValueRange) { return body(s); });
}

Value lowerNearest(LowerContext &c, const ResizePlan &plan, const Dims &out) {
  Value x = c.input(0);
  Type element = cast<RankedTensorType>(x.getType()).getElementType();
  return gatherEach(c, out, element, [&](ScalarBuilder &s) {
    SmallVector<Value> at;
    Value outside;
    for (auto [i, a] : llvm::enumerate(plan.axes)) {
      Value position = s.position(i);
      if (!plan.changes(a)) {
        at.push_back(position);
        continue;
      }
      Value place = coordinate(c, s, plan, a, position), half = s.number(place, 0.5);
      Value rounded = plan.nearest == "floor"               ? s.floor(place)
                      : plan.nearest == "ceil"              ? s.ceil(place)
                      : plan.nearest == "round_prefer_ceil" ? s.floor(s.add(place, half))
                                                            : s.ceil(s.sub(place, half));
      at.push_back(clampedIndex(c, s, rounded, a.in));
      if (plan.crops()) {
        Value beyond = isOutside(c, s, place, a.in);
        outside = outside ? Value(arith::OrIOp::create(s.b, s.loc, outside, beyond)) : beyond;
      }
    }
    Value v = tensor::ExtractOp::create(s.b, s.loc, x, at);
    return outside ? s.select(outside, s.number(element, plan.extrapolation), v) : v;
  });
}

/// Interpolates along one axis; axes are independent of each other.
Value interpolateAxis(LowerContext &c, const ResizePlan &plan, size_t axis, Value x, const Dims &dims, Type type) {
  const Axis &a = plan.axes[axis];
  Taps taps = tapsOf(plan, a);
  return gatherEach(c, dims, type, [&](ScalarBuilder &s) {
    SmallVector<Value> at;
    for (size_t i = 0; i < dims.size(); ++i)
      at.push_back(s.position(i));
    Value place = coordinate(c, s, plan, a, at[axis]), base = s.floor(place), fraction = s.sub(place, base);
    Value sum, weights;
    for (int64_t offset : taps.offsets) {
      Value where = s.add(base, s.number(base, static_cast<double>(offset)));
      Value weight = taps.weight(s, offset, fraction);
      if (plan.excludeOutside)
        weight = s.select(isOutside(c, s, where, a.in), s.number(weight, 0), weight);
      at[axis] = clampedIndex(c, s, where, a.in);
      Value v = s.convert(tensor::ExtractOp::create(s.b, s.loc, x, at), s.b.getF64Type());
      Value term = s.mul(weight, v);
      sum = sum ? s.add(sum, term) : term;
      weights = weights ? s.add(weights, weight) : weight;
    }
    if (taps.normalize)
      sum = s.div(sum, weights);
    if (plan.crops())
      sum = s.select(isOutside(c, s, place, a.in), s.number(sum, plan.extrapolation), sum);
    return s.convert(sum, type);
  });
}

LogicalResult inferResize(InferContext &c) {
  auto plan = ResizePlan::of(c);
  if (failed(plan))
    return failure();
  Dims out;
  for (const Axis &a : plan->axes)
    out.push_back(a.out);
  c.setDims(0, out);
  return success();
}

FailureOr<SmallVector<Value>> lowerResize(LowerContext &c) {
  FailureOr<ResizePlan> plan = ResizePlan::of(c);
  if (failed(plan))
    return failure();
  Dims dims = c.dims(0), out = c.outputDims();
  if (plan->mode == "nearest")
    return SmallVector<Value>{lowerNearest(c, *plan, out)};
  if (plan->mode != "linear" && plan->mode != "cubic")
    return c.error() << "the mode \"" << plan->mode << "\" isn't supported";
  Type onnx = c.outputElement(), element = LowerContext::lowered(onnx), f64 = c.b.getF64Type();
  bool integer = isa<IntegerType>(element), isUnsigned = LowerContext::isUnsigned(onnx);
  // 16-bit and f32 images are kept in f32 between axes, others in f64.
  Type type = element.getIntOrFloatBitWidth() <= 16 || element.isF32() ? c.b.getF32Type() : f64;
  Value x = c.input(0);
  if (type != element)
    x = compute(c, {{x, allLoops(dims.size())}}, dims, type, [&](ScalarBuilder &s, ValueRange v) {
      return ScalarBuilder(s.b, s.loc, isUnsigned).convert(v[0], type);
    });
  for (auto [i, a] : llvm::enumerate(plan->axes)) {
    if (!plan->changes(a))
      continue;
    if (plan->antialias && !a.scale)
      return c.error() << "antialias needs a scale that is constant";
    if (tapsOf(*plan, a).offsets.size() > 64)
      return c.error() << "antialias with a scale of " << *a.scale << " isn't supported";
    dims[i] = a.out;
    x = interpolateAxis(c, *plan, i, x, dims, type);
  }
  if (type == element)
    return SmallVector<Value>{x};
  return SmallVector<Value>{
      compute(c, {{x, allLoops(out.size())}}, out, element, [&](ScalarBuilder &s, ValueRange v) -> Value {
        if (!integer)
          return s.convert(v[0], element);
        if (element.getIntOrFloatBitWidth() <= 16)
          return s.quantize(v[0], onnx);
        return ScalarBuilder(s.b, s.loc, isUnsigned).convert(math::RoundEvenOp::create(s.b, s.loc, v[0]), element);
      })};
}

} // namespace

void addResizeHandlers(HandlerRegistry &r) {
  r.add("", "Resize", 10, {inferResize, lowerResize});
  r.add("", "Upsample", 7, {inferResize, lowerResize});
}

} // namespace mxn
