//===- Window.h - Windows that slide over images --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic that convolutions and poolings share. Dimensions are those behind batch and channels.
//
#ifndef MXN_PASSES_IMPORT_WINDOW_H
#define MXN_PASSES_IMPORT_WINDOW_H

#include "passes/Import/Loops.h"

namespace mxn {

struct Window {
  /// Reads strides, dilations, pads, auto_pad and ceil_mode; nothing where their number isn't that of the dimensions.
  static std::optional<Window> of(onnx::NodeOp node, llvm::ArrayRef<SymbolicExpr> image,
                                  llvm::ArrayRef<SymbolicExpr> kernel);

  Dims image, kernel;
  llvm::SmallVector<int64_t> strides, dilations;
  Dims before, after; // padding
  bool ceil = false;  // a last window may reach over the end
  Dims out;
  /// The image with its padding and what the last window needs behind it.
  Dims whole() const;
  /// The elements from a window's first to its last.
  SymbolicExpr extent(size_t i) const {
    return (kernel[i] - SymbolicExpr(1)) * SymbolicExpr(dilations[i]) + SymbolicExpr(1);
  }
  size_t rank() const { return image.size(); }

  /// Refuses a window larger than the padded image; where only the call tells, a guard does.
  mlir::LogicalResult checkFits(InferContext &c) const;

  /// An image [N, C, ...] with its padding.
  mlir::Value pad(LowerContext &c, mlir::Value tensor, llvm::ArrayRef<SymbolicExpr> dims,
                  mlir::TypedAttr padding) const;
  /// The padded dimensions of an image of these dimensions.
  Dims padDims(llvm::ArrayRef<SymbolicExpr> dims) const;
  /// The element that window position `out` reads at `kernel`, in the padded image.
  mlir::AffineExpr read(size_t i, mlir::AffineExpr out, mlir::AffineExpr kernel) const {
    return out * strides[i] + kernel * dilations[i];
  }
};

/// Windows along some axes of a tensor, which is padded already.
struct Slide {
  llvm::SmallVector<int64_t> axes, sizes, strides, dilations;
};

/// Updates `init` with each element of each window. The loops are those of `init`, then one for each of the axes; the
/// body gets the element, the operands' elements and the accumulator.
mlir::Value slide(LowerContext &c, mlir::Value tensor, const Slide &how, llvm::ArrayRef<LoopOperand> operands,
                  mlir::Value init, const LoopBody &body);

} // namespace mxn

#endif
