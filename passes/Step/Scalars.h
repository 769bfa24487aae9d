//===- Scalars.h - Short names for the arithmetic of loops ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_STEP_SCALARS_H
#define MXN_PASSES_STEP_SCALARS_H

#include "dialects/Kernel/KernelDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mxn {

/// Short names for the scalar arithmetic of the loops.
struct Scalars {
  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Value index(int64_t n) { return mlir::arith::ConstantIndexOp::create(b, loc, n); }
  mlir::Value real(double x) { return mlir::arith::ConstantOp::create(b, loc, b.getF32FloatAttr(x)); }
  mlir::Value add(mlir::Value x, mlir::Value y) { return mlir::arith::AddIOp::create(b, loc, x, y); }
  mlir::Value sub(mlir::Value x, mlir::Value y) { return mlir::arith::SubIOp::create(b, loc, x, y); }
  mlir::Value mul(mlir::Value x, mlir::Value y) { return mlir::arith::MulIOp::create(b, loc, x, y); }
  mlir::Value div(mlir::Value x, mlir::Value y) { return mlir::arith::DivUIOp::create(b, loc, x, y); }
  mlir::Value rem(mlir::Value x, mlir::Value y) { return mlir::arith::RemUIOp::create(b, loc, x, y); }
  mlir::Value less(mlir::Value x, mlir::Value y) {
    return mlir::arith::CmpIOp::create(b, loc, mlir::arith::CmpIPredicate::slt, x, y);
  }
  mlir::Value dim(mlir::Value tensor, int64_t i) { return mlir::tensor::DimOp::create(b, loc, tensor, i); }
  mlir::Value read(mlir::Value tensor, mlir::ValueRange at) {
    return mlir::tensor::ExtractOp::create(b, loc, tensor, at);
  }
  mlir::Value readIndex(mlir::Value tensor, mlir::ValueRange at) {
    return mlir::arith::IndexCastOp::create(b, loc, b.getIndexType(), read(tensor, at));
  }
  /// A number of the data as one in [0, end]; one outside fails the call.
  mlir::Value bounded(mlir::Value x, mlir::Value end) {
    mlir::Value zero = index(0);
    mlir::Value low = mlir::arith::MaxSIOp::create(b, loc, x, zero),
                inside = mlir::arith::MinSIOp::create(b, loc, low, end);
    kernel::CheckOp::create(b, loc, mlir::arith::CmpIOp::create(b, loc, mlir::arith::CmpIPredicate::eq, inside, x), 1);
    return inside;
  }
  mlir::Value wide(mlir::Value x) {
    return x.getType().isF32() ? x : mlir::arith::ExtFOp::create(b, loc, b.getF32Type(), x).getResult();
  }
  mlir::Value narrow(mlir::Value x, mlir::Type type) {
    return type.isF32() ? x : mlir::arith::TruncFOp::create(b, loc, type, x).getResult();
  }
  /// A loop from `begin` to `end` that carries values.
  mlir::SmallVector<mlir::Value>
  loop(mlir::Value begin, mlir::Value end, mlir::ValueRange carried,
       llvm::function_ref<mlir::SmallVector<mlir::Value>(Scalars, mlir::Value, mlir::ValueRange)> body) {
    auto op =
        mlir::scf::ForOp::create(b, loc, begin, end, index(1), carried,
                                 [&](mlir::OpBuilder &nested, mlir::Location at, mlir::Value i, mlir::ValueRange args) {
                                   mlir::scf::YieldOp::create(nested, at, body(Scalars{nested, at}, i, args));
                                 });
    return mlir::SmallVector<mlir::Value>(op.getResults());
  }
};

} // namespace mxn

#endif
