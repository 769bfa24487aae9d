//===- ScalarBuilder.h - Arithmetic on the elements of tensors ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the bodies of linalg ops are written with: one call for floating-point and integer elements.
//
#ifndef MXN_PASSES_IMPORT_SCALARBUILDER_H
#define MXN_PASSES_IMPORT_SCALARBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Import/Handlers.h"

namespace mxn {

class ScalarBuilder {
public:
  /// `isUnsigned` says how integers are compared, divided and converted.
  ScalarBuilder(mlir::OpBuilder &b, mlir::Location loc, bool isUnsigned = false)
      : b(b), loc(loc), isUnsigned(isUnsigned) {}
  mlir::OpBuilder &b;
  mlir::Location loc;
  bool isUnsigned;

  mlir::Value number(mlir::Type type, double value);
  mlir::Value number(mlir::Value like, double value) { return number(like.getType(), value); }
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  mlir::Value div(mlir::Value x, mlir::Value y);
  /// A NaN in either operand gives NaN.
  mlir::Value max(mlir::Value x, mlir::Value y);
  mlir::Value min(mlir::Value x, mlir::Value y);
  mlir::Value abs(mlir::Value x);
  mlir::Value neg(mlir::Value x);
  mlir::Value less(mlir::Value x, mlir::Value y); // false where either is NaN
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);

  // Floating-point only.
  mlir::Value exp(mlir::Value x) { return mlir::math::ExpOp::create(b, loc, x); }
  mlir::Value log(mlir::Value x) { return mlir::math::LogOp::create(b, loc, x); }
  mlir::Value sqrt(mlir::Value x) { return mlir::math::SqrtOp::create(b, loc, x); }
  mlir::Value tanh(mlir::Value x) { return mlir::math::TanhOp::create(b, loc, x); }
  mlir::Value erf(mlir::Value x) { return mlir::math::ErfOp::create(b, loc, x); }
  mlir::Value pow(mlir::Value x, mlir::Value y) { return mlir::math::PowFOp::create(b, loc, x, y); }
  mlir::Value log1p(mlir::Value x) { return mlir::math::Log1pOp::create(b, loc, x); }
  mlir::Value expm1(mlir::Value x) { return mlir::math::ExpM1Op::create(b, loc, x); }
  mlir::Value floor(mlir::Value x) { return mlir::math::FloorOp::create(b, loc, x); }
  mlir::Value ceil(mlir::Value x) { return mlir::math::CeilOp::create(b, loc, x); }
  mlir::Value sigmoid(mlir::Value x);

  /// Between signless types of the same kind, or from integer to floating point; no change of value where it fits.
  mlir::Value convert(mlir::Value x, mlir::Type to);
  /// Rounds half to even and saturates to an integer type (of the signedness of `to`).
  mlir::Value quantize(mlir::Value x, mlir::Type to);
  /// An index as a floating-point number.
  mlir::Value indexToFloat(mlir::Value index, mlir::Type to);
  /// The loop's position in an op's body.
  mlir::Value position(int64_t loop);
};

/// The type in which sums of this type are made: f32 for the 16-bit floating-point types, else the type itself.
mlir::Type accumulatorType(mlir::Type lowered);

} // namespace mxn

#endif
