//===- ScalarBuilder.cpp - Arithmetic on the elements of tensors ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/ScalarBuilder.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace mxn {

static bool isFloat(Value v) { return isa<FloatType>(v.getType()); }

Value ScalarBuilder::number(Type type, double value) {
  if (isa<FloatType>(type))
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, static_cast<int64_t>(value)));
}

Value ScalarBuilder::add(Value x, Value y) {
  return isFloat(x) ? arith::AddFOp::create(b, loc, x, y).getResult() : arith::AddIOp::create(b, loc, x, y).getResult();
}

Value ScalarBuilder::sub(Value x, Value y) {
  return isFloat(x) ? arith::SubFOp::create(b, loc, x, y).getResult() : arith::SubIOp::create(b, loc, x, y).getResult();
}

Value ScalarBuilder::mul(Value x, Value y) {
  return isFloat(x) ? arith::MulFOp::create(b, loc, x, y).getResult() : arith::MulIOp::create(b, loc, x, y).getResult();
}

Value ScalarBuilder::div(Value x, Value y) {
  if (isFloat(x))
    return arith::DivFOp::create(b, loc, x, y);
  return isUnsigned ? arith::DivUIOp::create(b, loc, x, y).getResult()
                    : arith::DivSIOp::create(b, loc, x, y).getResult();
}

Value ScalarBuilder::max(Value x, Value y) {
  if (isFloat(x))
    return arith::MaximumFOp::create(b, loc, x, y);
  return isUnsigned ? arith::MaxUIOp::create(b, loc, x, y).getResult()
                    : arith::MaxSIOp::create(b, loc, x, y).getResult();
}

Value ScalarBuilder::min(Value x, Value y) {
  if (isFloat(x))
    return arith::MinimumFOp::create(b, loc, x, y);
  return isUnsigned ? arith::MinUIOp::create(b, loc, x, y).getResult()
                    : arith::MinSIOp::create(b, loc, x, y).getResult();
}

Value ScalarBuilder::abs(Value x) {
  if (isFloat(x))
    return math::AbsFOp::create(b, loc, x);
  return isUnsigned ? x : math::AbsIOp::create(b, loc, x).getResult();
}

Value ScalarBuilder::neg(Value x) {
  return isFloat(x) ? arith::NegFOp::create(b, loc, x).getResult() : sub(number(x, 0), x);
}

Value ScalarBuilder::less(Value x, Value y) {
  if (isFloat(x))
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, y);
  return arith::CmpIOp::create(b, loc, isUnsigned ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt, x, y);
}

Value ScalarBuilder::select(Value condition, Value x, Value y) {
  return arith::SelectOp::create(b, loc, condition, x, y);
}

Value ScalarBuilder::sigmoid(Value x) {
  Value one = number(x, 1);
  return div(one, add(one, exp(neg(x))));
}

Value ScalarBuilder::convert(Value x, Type to) {
  Type from = x.getType();
  if (from == to)
    return x;
  unsigned width = from.getIntOrFloatBitWidth(), wide = to.getIntOrFloatBitWidth();
  if (isa<FloatType>(from) && isa<FloatType>(to)) {
    if (width < wide)
      return arith::ExtFOp::create(b, loc, to, x);
    if (width > wide)
      return arith::TruncFOp::create(b, loc, to, x);
    return arith::TruncFOp::create(b, loc, to, arith::ExtFOp::create(b, loc, b.getF32Type(), x));
  }
  if (isa<FloatType>(from))
    return isUnsigned ? arith::FPToUIOp::create(b, loc, to, x).getResult()
                      : arith::FPToSIOp::create(b, loc, to, x).getResult();
  if (isa<FloatType>(to))
    return isUnsigned ? arith::UIToFPOp::create(b, loc, to, x).getResult()
                      : arith::SIToFPOp::create(b, loc, to, x).getResult();
  if (width > wide)
    return arith::TruncIOp::create(b, loc, to, x);
  return isUnsigned ? arith::ExtUIOp::create(b, loc, to, x).getResult()
                    : arith::ExtSIOp::create(b, loc, to, x).getResult();
}

Value ScalarBuilder::quantize(Value x, Type to) {
  bool toUnsigned = LowerContext::isUnsigned(to);
  unsigned width = to.getIntOrFloatBitWidth();
  double low = toUnsigned ? 0 : -std::ldexp(1.0, width - 1);
  double high = std::ldexp(1.0, toUnsigned ? width : width - 1) - 1;
  Value rounded = math::RoundEvenOp::create(b, loc, x);
  Value bounded = min(max(rounded, number(x, low)), number(x, high));
  // Through i32, which holds every value of the types up to 16 bits.
  Value wide = arith::FPToSIOp::create(b, loc, b.getI32Type(), bounded);
  return ScalarBuilder(b, loc).convert(wide, b.getIntegerType(width));
}

Value ScalarBuilder::indexToFloat(Value index, Type to) {
  return arith::SIToFPOp::create(b, loc, to, arith::IndexCastOp::create(b, loc, b.getI64Type(), index));
}

Value ScalarBuilder::position(int64_t loop) { return linalg::IndexOp::create(b, loc, loop); }

Type accumulatorType(Type lowered) {
  if (isa<FloatType>(lowered) && lowered.getIntOrFloatBitWidth() < 32)
    return Float32Type::get(lowered.getContext());
  return lowered;
}

} // namespace mxn
