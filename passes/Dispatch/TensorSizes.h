//===- TensorSizes.h - The sizes of tensors as host values ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_DISPATCH_TENSORSIZES_H
#define MXN_PASSES_DISPATCH_TENSORSIZES_H

#include "lib/Support/Materialize.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"

namespace mxn {

/// The size of each dimension of a tensor, as constants or as index values that the op which made the tensor reads.
/// Nothing where the tensor is a function argument or where a size is computed inside a region.
std::optional<llvm::SmallVector<mlir::OpFoldResult>> tensorSizes(mlir::Value tensor);

/// Bytes of one element in memory: a bool is one byte.
int64_t elementBytes(mlir::Type element);

} // namespace mxn

#endif
