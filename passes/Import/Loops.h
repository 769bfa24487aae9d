//===- Loops.h - linalg ops over tensors with loops named by number -------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_IMPORT_LOOPS_H
#define MXN_PASSES_IMPORT_LOOPS_H

#include "passes/Import/ScalarBuilder.h"

namespace mxn {

/// A tensor that a nest of loops reads: dimension i follows loop `loops[i]`, or stays at 0 where that is -1.
struct LoopOperand {
  mlir::Value tensor;
  llvm::SmallVector<int64_t> loops;
};

/// The operand whose last dimension follows loop `end - 1`, the one before it loop `end - 2` and so on; a dimension of
/// 1 where the loop runs further (`bounds`, one for each loop) is broadcast.
LoopOperand trailing(mlir::Value tensor, llvm::ArrayRef<SymbolicExpr> bounds, int64_t end);

/// The loops 0 to n - 1.
llvm::SmallVector<int64_t> allLoops(int64_t n);
/// The loops 0 to n - 1 without `axes`.
llvm::SmallVector<int64_t> loopsWithout(int64_t n, llvm::ArrayRef<int64_t> axes);

using LoopBody = std::function<mlir::Value(ScalarBuilder &, mlir::ValueRange)>;

/// A nest of `loops` loops that updates `init`, whose dimensions follow `initLoops`; the other loops reduce. The body
/// gets the operands' elements and the accumulator.
mlir::Value loopNest(LowerContext &c, int64_t loops, llvm::ArrayRef<LoopOperand> operands, mlir::Value init,
                     llvm::ArrayRef<int64_t> initLoops, const LoopBody &body);

/// Computes each element of a tensor of shape `dims`; one loop for each dimension.
mlir::Value compute(LowerContext &c, llvm::ArrayRef<LoopOperand> operands, llvm::ArrayRef<SymbolicExpr> dims,
                    mlir::Type element, const LoopBody &body);

/// The tensor in another floating-point type.
mlir::Value convertTensor(LowerContext &c, mlir::Value tensor, llvm::ArrayRef<SymbolicExpr> dims, mlir::Type element);

/// The tensor inside a larger one that holds `padding` elsewhere: element i of a dimension stands at
/// `before + i * stride`. One dispatch; the tensor itself where nothing changes.
mlir::Value padded(LowerContext &c, mlir::Value tensor, llvm::ArrayRef<SymbolicExpr> from,
                   llvm::ArrayRef<SymbolicExpr> before, llvm::ArrayRef<int64_t> strides,
                   llvm::ArrayRef<SymbolicExpr> to, mlir::TypedAttr padding);

/// The dimensions without `axes`, or with 1 in their place.
Dims withoutAxes(llvm::ArrayRef<SymbolicExpr> dims, llvm::ArrayRef<int64_t> axes, bool keep);

/// A number that is known when compiling, or follows from the sizes, as a scalar of an op's body.
mlir::Value sizeAsFloat(LowerContext &c, ScalarBuilder &s, const SymbolicExpr &e, mlir::Type type);

} // namespace mxn

#endif
