//===- Reduction.h - Reductions that several families need ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_IMPORT_REDUCTION_H
#define MXN_PASSES_IMPORT_REDUCTION_H

#include "passes/Import/Handlers.h"

namespace mxn {

enum class Reduce { Sum, Mean, Max, Min, Prod, L1, L2, LogSum, LogSumExp, SumSquare };

/// What the reduction of nothing gives.
mlir::TypedAttr reductionIdentity(mlir::Builder &b, Reduce kind, mlir::Type lowered, bool isUnsigned);

/// Reduces `axes` of a tensor of ONNX type `element`; the axes vanish, the type stays. Sums of 16-bit floating-point
/// elements are made in f32 and rounded once.
mlir::Value reduceAxes(LowerContext &c, Reduce kind, mlir::Value tensor, llvm::ArrayRef<SymbolicExpr> dims,
                       mlir::Type element, llvm::ArrayRef<int64_t> axes);

} // namespace mxn

#endif
