//===- Power.cpp - Pow over all types, signs and special values -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Loops.h"

using namespace mlir;

namespace mxn {

static LogicalResult inferPow(InferContext &c) {
  c.setDims(0, c.broadcast(c.dims(0), c.dims(1)));
  return success();
}

/// The exponent, where it is one constant number.
static std::optional<double> constantExponent(LowerContext &c) {
  DenseElementsAttr dense = c.denseConstant(1);
  if (!dense || !dense.isSplat())
    return std::nullopt;
  if (isa<IntegerType>(dense.getElementType()))
    return dense.getSplatValue<APInt>().roundToDouble(!LowerContext::isUnsigned(dense.getElementType()));
  APFloat value = dense.getSplatValue<APFloat>();
  bool lost;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
  return value.convertToDouble();
}

/// Whether the power is a few products, roots or quotients, which are exact or nearly so.
static bool isSimple(double exponent, bool isFloat) {
  return llvm::is_contained({0.0, 1.0, 2.0, 3.0, 4.0}, exponent) ||
         (isFloat && llvm::is_contained({0.5, -0.5, -1.0, -2.0}, exponent));
}

static Value simplePower(ScalarBuilder &s, Value x, double exponent) {
  if (exponent < 0)
    return s.div(s.number(x, 1), simplePower(s, x, -exponent));
  if (exponent == 0.5)
    return s.sqrt(x);
  Value y = exponent == 0 ? s.number(x, 1) : x;
  if (exponent >= 2)
    y = s.mul(x, x);
  return exponent == 3 ? s.mul(y, x) : exponent == 4 ? s.mul(y, y) : y;
}

/// x^y by the rules of IEEE 754 over math.powf of |x|, which knows neither signs nor zero exponents.
static Value floatPower(ScalarBuilder &s, Value x, Value y) {
  Value zero = s.number(x, 0), one = s.number(x, 1);
  auto equal = [&](Value a, Value b) -> Value {
    return arith::CmpFOp::create(s.b, s.loc, arith::CmpFPredicate::OEQ, a, b);
  };
  auto both = [&](Value a, Value b) -> Value { return arith::AndIOp::create(s.b, s.loc, a, b); };
  auto invert = [&](Value a) -> Value { return arith::XOrIOp::create(s.b, s.loc, a, s.number(s.b.getI1Type(), -1)); };
  Value magnitude = s.pow(s.abs(x), y);
  Value whole = equal(s.floor(y), y), half = s.mul(y, s.number(y, 0.5));
  Value odd = both(whole, invert(equal(s.floor(half), half)));
  Value negative = s.less(x, zero), finite = s.less(s.abs(x), s.number(x, INFINITY));
  Value r = s.select(both(negative, odd), s.neg(magnitude), magnitude);
  r = s.select(both(both(negative, finite), invert(whole)), s.number(x, NAN), r);
  Value unit = arith::OrIOp::create(s.b, s.loc, equal(y, zero), equal(x, one));
  return s.select(unit, one, r);
}

/// Squares and multiplies through all bits of the exponent, modulo the type's width; a negative exponent leaves what
/// rounding towards 0 leaves: 1 and -1 to themselves, everything else to 0.
static Value integerPower(ScalarBuilder &s, Value x, Value y, bool yUnsigned) {
  Type type = x.getType(), index = y.getType();
  auto equal = [&](Value a, Value b) -> Value {
    return arith::CmpIOp::create(s.b, s.loc, arith::CmpIPredicate::eq, a, b);
  };
  Value one = s.number(type, 1), result = one, square = x;
  for (unsigned bit = 0, bits = index.getIntOrFloatBitWidth(); bit < bits; ++bit) {
    Value mask = arith::ConstantOp::create(s.b, s.loc, s.b.getIntegerAttr(index, APInt::getOneBitSet(bits, bit)));
    Value set = arith::CmpIOp::create(s.b, s.loc, arith::CmpIPredicate::ne, arith::AndIOp::create(s.b, s.loc, y, mask),
                                      s.number(index, 0));
    result = s.select(set, s.mul(result, square), result);
    square = s.mul(square, square);
  }
  if (yUnsigned)
    return result;
  Value negative = arith::CmpIOp::create(s.b, s.loc, arith::CmpIPredicate::slt, y, s.number(index, 0));
  Value odd = equal(arith::AndIOp::create(s.b, s.loc, y, s.number(index, 1)), s.number(index, 1));
  Value minusOne = s.number(type, -1);
  Value unit =
      s.select(equal(x, one), one, s.select(equal(x, minusOne), s.select(odd, minusOne, one), s.number(type, 0)));
  return s.select(negative, unit, result);
}

static FailureOr<SmallVector<Value>> lowerPow(LowerContext &c) {
  Dims dims = c.outputDims();
  int64_t rank = dims.size();
  Type base = c.inputElement(0), power = c.inputElement(1), element = LowerContext::lowered(base);
  Type type = accumulatorType(element), f32 = c.b.getF32Type();
  auto constant = constantExponent(c);
  bool yUnsigned = LowerContext::isUnsigned(power);
  LoopOperand x = trailing(c.input(0), dims, rank), y = trailing(c.input(1), dims, rank);
  if (constant && isSimple(*constant, isa<FloatType>(type)))
    return SmallVector<Value>{compute(c, {x}, dims, element, [&](ScalarBuilder &s, ValueRange v) {
      return s.convert(simplePower(s, s.convert(v[0], type), *constant), element);
    })};
  Value r = compute(c, {x, y}, dims, element, [&](ScalarBuilder &s, ValueRange v) -> Value {
    s.isUnsigned = LowerContext::isUnsigned(base);
    Value x = s.convert(v[0], type);
    ScalarBuilder exponent(s.b, s.loc, yUnsigned);
    if (isa<FloatType>(type))
      return s.convert(floatPower(s, x, exponent.convert(v[1], type)), element);
    if (isa<IntegerType>(power))
      return integerPower(s, x, v[1], yUnsigned);
    // An integer to the power of a floating-point number: exact where that is a whole number.
    Value y = s.convert(v[1], f32), whole = ScalarBuilder(s.b, s.loc).convert(s.floor(y), s.b.getI32Type());
    Value fraction = arith::CmpFOp::create(s.b, s.loc, arith::CmpFPredicate::ONE, s.floor(y), y);
    Value inexact = s.convert(floatPower(s, s.convert(x, f32), y), type);
    return s.select(fraction, inexact, integerPower(s, x, whole, /*yUnsigned=*/false));
  });
  return SmallVector<Value>{r};
}

void addPowerHandlers(HandlerRegistry &r) { r.add("", "Pow", 7, {inferPow, lowerPow}); }

} // namespace mxn
