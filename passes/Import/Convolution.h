//===- Convolution.h - What the kinds of convolution share ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_IMPORT_CONVOLUTION_H
#define MXN_PASSES_IMPORT_CONVOLUTION_H

#include "passes/Import/Window.h"

namespace mxn {

/// x is [N, C, image...], w is [M, C / groups, kernel...]; the numbers are those of the inputs, `bias` 0 for none.
mlir::LogicalResult inferConvolution(InferContext &c, unsigned x, unsigned w, unsigned bias);

/// The sum over channels and window of a padded `x`, in the type that sums are made in.
mlir::Value convolve(LowerContext &c, const Window &window, mlir::Value x, llvm::ArrayRef<SymbolicExpr> xDims,
                     mlir::Value w, llvm::ArrayRef<SymbolicExpr> wDims, llvm::ArrayRef<SymbolicExpr> yDims,
                     int64_t groups);

/// Convolutions of any rank in the loops n, g, m, out..., c, kernel... over tensors that have a dimension for the
/// groups: x is [N, G, C, ...], w is [G, M, C, ...] (transposed: [G, C, M, ...]), y is [N, G, M, ...].
mlir::Value groupedNest(LowerContext &c, mlir::Value x, mlir::Value w, llvm::ArrayRef<SymbolicExpr> yDims,
                        bool transposed,
                        llvm::function_ref<mlir::AffineExpr(size_t, mlir::AffineExpr, mlir::AffineExpr)> read);

/// Splits dimension `at`, which holds channels, into groups.
Dims splitChannels(llvm::ArrayRef<SymbolicExpr> dims, size_t at, int64_t groups);

/// Adds a bias of one element for each channel (null for none) and rounds to the output's type.
mlir::Value finishConvolution(LowerContext &c, mlir::Value sum, llvm::ArrayRef<SymbolicExpr> dims, mlir::Value bias);

void addConvTransposeHandlers(HandlerRegistry &);
void addQuantizedConvolutionHandlers(HandlerRegistry &);

} // namespace mxn

#endif
