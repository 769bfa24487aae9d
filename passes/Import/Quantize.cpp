//===- Quantize.cpp - To and from quantised elements ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Loops.h"
#include "passes/Import/Reduction.h"

using namespace mlir;

namespace mxn {

static LogicalResult inferQuantize(InferContext &c) {
  c.setDims(0, c.dims(0));
  return success();
}

/// Types of 8 bits and more that hold integers.
static bool isQuantized(Type element) {
  return isa<IntegerType>(element) && LowerContext::lowered(element) && element.getIntOrFloatBitWidth() >= 8;
}

namespace {
/// How scales (input 1) and zero points (input 2) are laid over the elements.
struct Granularity {
  int64_t axis = -1, block = 0;
  bool scalar = false;

  static FailureOr<Granularity> of(LowerContext &c) {
    Granularity g;
    Dims x = c.dims(0), scale = c.dims(1);
    if (product(scale).isConstant(1) && scale.size() <= 1) {
      g.scalar = true;
      return g;
    }
    auto axis = normalizeAxis(c.node.intAttr("axis", 1), x.size());
    if (!axis)
      return c.error() << "the axis is outside of the dimensions of its input";
    g.axis = *axis;
    if (scale.size() == 1)
      return g;
    g.block = c.node.intAttr("block_size", 0);
    if (g.block < 1 || scale.size() != x.size())
      return c.error() << "scales of " << scale.size() << " dimensions need an input of as many and a block_size";
    return g;
  }

  /// The operand for a scale or zero point. A block repeats each element along the axis: the axis is split.
  LoopOperand operand(Value tensor, int64_t rank) const {
    if (scalar)
      return {tensor, SmallVector<int64_t>(cast<RankedTensorType>(tensor.getType()).getRank(), -1)};
    return block ? LoopOperand{tensor, allLoops(rank)} : LoopOperand{tensor, {axis}};
  }
};
} // namespace

/// Applies `body` (element, scale, zero point or null) to every element.
static Value quantizeWith(LowerContext &c, const Granularity &g, Type element,
                          const std::function<Value(ScalarBuilder &, Value x, Value scale, Value zero)> &body) {
  Dims dims = c.dims(0);
  int64_t rank = dims.size();
  bool zero = c.hasInput(2);
  SmallVector<Value> inputs = {c.input(0), c.input(1)};
  if (zero)
    inputs.push_back(c.input(2));
  auto inner = [&](ScalarBuilder &s, ValueRange v) { return body(s, v[0], v[1], zero ? v[2] : Value()); };
  if (!g.block) {
    SmallVector<LoopOperand> operands = {{inputs[0], allLoops(rank)}};
    for (Value v : ArrayRef<Value>(inputs).drop_front())
      operands.push_back(g.operand(v, rank));
    return compute(c, operands, dims, element, inner);
  }
  // Whole blocks: the axis becomes two loops. A last block that is cut short has no such shape.
  Dims split(ArrayRef<SymbolicExpr>(dims).take_front(g.axis));
  split.push_back(c.dims(1)[g.axis]);
  split.push_back(g.block);
  split.append(dims.begin() + g.axis + 1, dims.end());
  SmallVector<int64_t> loops;
  for (int64_t i = 0; i < rank; ++i)
    loops.push_back(i + (i > g.axis));
  SmallVector<LoopOperand> operands = {{c.reshape(inputs[0], dims, split), allLoops(rank + 1)}};
  for (Value v : ArrayRef<Value>(inputs).drop_front())
    operands.push_back({v, loops});
  return c.reshape(compute(c, operands, split, element, inner), split, dims);
}

static LogicalResult checkBlocks(LowerContext &c, const Granularity &g) {
  if (g.block && c.dims(1)[g.axis] * SymbolicExpr(g.block) != c.dims(0)[g.axis])
    return c.error() << "the dimension " << c.dims(0)[g.axis].str() << " isn't known to be a multiple of block_size "
                     << g.block;
  return success();
}

static FailureOr<SmallVector<Value>> lowerQuantizeLinear(LowerContext &c) {
  Type to = c.outputElement();
  if (!isQuantized(to) || to.getIntOrFloatBitWidth() > 16)
    return c.error() << "quantising to " << to << " isn't supported";
  auto g = Granularity::of(c);
  if (failed(g) || failed(checkBlocks(c, *g)))
    return failure();
  Type f32 = c.b.getF32Type(), i32 = c.b.getI32Type();
  // The division is made in the scale's type, unless `precision` (an ONNX type number) names another.
  Type scaleType = LowerContext::lowered(c.inputElement(1));
  int64_t precision = c.node.intAttr("precision", 0);
  Type quotient = precision == 1    ? f32
                  : precision == 10 ? c.b.getF16Type()
                  : precision == 16 ? c.b.getBF16Type()
                                    : scaleType;
  if (precision != 0 && precision != 1 && precision != 10 && precision != 16)
    return c.error() << "precision " << precision << " isn't supported";
  if (!isa<FloatType>(quotient))
    quotient = f32;
  bool toUnsigned = LowerContext::isUnsigned(to), fromUnsigned = LowerContext::isUnsigned(c.inputElement(0));
  Value y = quantizeWith(c, *g, LowerContext::lowered(to), [&](ScalarBuilder &s, Value x, Value scale, Value zero) {
    // Rounds twice where the type is narrow, as the operator says.
    Value a = s.convert(ScalarBuilder(s.b, s.loc, fromUnsigned).convert(x, quotient), accumulatorType(quotient));
    Value d = s.convert(s.convert(scale, quotient), accumulatorType(quotient));
    Value q = s.convert(s.convert(s.div(a, d), quotient), f32);
    Value rounded = math::RoundEvenOp::create(s.b, s.loc, q);
    if (zero)
      rounded = s.add(rounded, s.convert(ScalarBuilder(s.b, s.loc, toUnsigned).convert(zero, i32), f32));
    return s.quantize(rounded, to);
  });
  return SmallVector<Value>{y};
}

static FailureOr<SmallVector<Value>> lowerDequantizeLinear(LowerContext &c) {
  Type from = c.inputElement(0);
  if (!isQuantized(from) || from.getIntOrFloatBitWidth() > 32)
    return c.error() << "dequantising " << from << " isn't supported";
  auto g = Granularity::of(c);
  if (failed(g) || failed(checkBlocks(c, *g)))
    return failure();
  Type i32 = c.b.getI32Type(), f32 = c.b.getF32Type(), to = LowerContext::lowered(c.outputElement());
  bool fromUnsigned = LowerContext::isUnsigned(from);
  Value y = quantizeWith(c, *g, to, [&](ScalarBuilder &s, Value x, Value scale, Value zero) {
    ScalarBuilder from(s.b, s.loc, fromUnsigned);
    Value q = from.convert(x, i32);
    if (zero)
      q = s.sub(q, from.convert(zero, i32));
    return s.convert(s.mul(s.convert(q, f32), s.convert(scale, f32)), to);
  });
  return SmallVector<Value>{y};
}

static LogicalResult inferDynamicQuantize(InferContext &c) {
  c.setDims(0, c.dims(0));
  c.setDims(1, {});
  c.setDims(2, {});
  return success();
}

/// To u8 with the range of the data itself, which always holds 0.
static FailureOr<SmallVector<Value>> lowerDynamicQuantize(LowerContext &c) {
  Dims dims = c.dims(0);
  int64_t rank = dims.size();
  Type f32 = c.b.getF32Type(), u8 = c.outputElement();
  SmallVector<int64_t> all = allLoops(rank);
  auto extreme = [&](Reduce kind) { return reduceAxes(c, kind, c.input(0), dims, c.inputElement(0), all); };
  Value low = extreme(Reduce::Min), high = extreme(Reduce::Max);
  Value scale = compute(c, {{low, {}}, {high, {}}}, {}, f32, [&](ScalarBuilder &s, ValueRange v) {
    Value zero = s.number(f32, 0);
    Value range = s.sub(s.max(v[1], zero), s.min(v[0], zero));
    Value flat = arith::CmpFOp::create(s.b, s.loc, arith::CmpFPredicate::OEQ, range, zero);
    return s.div(s.select(flat, s.number(f32, 1), range), s.number(f32, 255));
  });
  Value zeroPoint = compute(c, {{low, {}}, {scale, {}}}, {}, c.b.getI8Type(), [&](ScalarBuilder &s, ValueRange v) {
    return s.quantize(s.neg(s.div(s.min(v[0], s.number(f32, 0)), v[1])), u8);
  });
  Value y = compute(c, {{c.input(0), all}, {scale, {}}, {zeroPoint, {}}}, dims, c.b.getI8Type(),
                    [&](ScalarBuilder &s, ValueRange v) {
                      Value rounded = math::RoundEvenOp::create(s.b, s.loc, s.div(v[0], v[1]));
                      Value zero = ScalarBuilder(s.b, s.loc, /*isUnsigned=*/true).convert(v[2], f32);
                      return s.quantize(s.add(rounded, zero), u8);
                    });
  return SmallVector<Value>{y, scale, zeroPoint};
}

void addQuantizeHandlers(HandlerRegistry &r) {
  r.add("", "QuantizeLinear", 10, {inferQuantize, lowerQuantizeLinear});
  r.add("", "DequantizeLinear", 10, {inferQuantize, lowerDequantizeLinear});
  r.add("", "DynamicQuantizeLinear", 11, {inferDynamicQuantize, lowerDynamicQuantize});
}

} // namespace mxn
