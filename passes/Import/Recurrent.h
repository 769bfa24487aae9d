//===- Recurrent.h - What the recurrent operators share -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_IMPORT_RECURRENT_H
#define MXN_PASSES_IMPORT_RECURRENT_H

#include "passes/Import/ScalarBuilder.h"

namespace mxn {

/// A function between the gates of a cell, with the operator's clipping of its argument.
using Activation = std::function<mlir::Value(ScalarBuilder &, mlir::Value)>;

/// The activations of each direction, `defaults` where the node names none. An error where one isn't known.
mlir::FailureOr<llvm::SmallVector<llvm::SmallVector<Activation>>>
recurrentActivations(LowerContext &c, int64_t directions, llvm::ArrayRef<llvm::StringRef> defaults);

} // namespace mxn

#endif
