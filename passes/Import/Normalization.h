//===- Normalization.h - Mean and deviation along axes --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_IMPORT_NORMALIZATION_H
#define MXN_PASSES_IMPORT_NORMALIZATION_H

#include "passes/Import/Loops.h"

namespace mxn {

/// Normalises a tensor along axes: (x - mean) / sqrt(variance + epsilon), the mean left out unless `centre`.
struct Standardization {
  mlir::Value x;
  Dims dims;
  llvm::SmallVector<int64_t> axes;
  bool centre = true;
  double epsilon = 0;
  bool epsilonOutside = false; // added to the root instead
  mlir::Type type;             // of all that is computed
  /// Of the shape of the dimensions without the axes.
  mlir::Value mean, inverse;

  Dims rows() const { return withoutAxes(dims, axes, /*keep=*/false); }
  /// Computes `mean` and `inverse`.
  void statistics(LowerContext &c);
  /// The normalised tensor times `scale` plus `bias`, which may be absent.
  mlir::Value apply(LowerContext &c, std::optional<LoopOperand> scale, std::optional<LoopOperand> bias,
                    mlir::Type element);
};

} // namespace mxn

#endif
