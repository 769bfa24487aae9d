//===- Materialize.h - Symbolic expressions as index arithmetic -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_SUPPORT_MATERIALIZE_H
#define MXN_LIB_SUPPORT_MATERIALIZE_H

#include "lib/Support/SymbolicExpr.h"
#include "mlir/IR/Builders.h"

namespace mxn {

/// Computes a symbolic expression with arith on index; `symbol` gives the value of a name.
mlir::Value materialize(mlir::OpBuilder &b, mlir::Location loc, const SymbolicExpr &e,
                        llvm::function_ref<mlir::Value(llvm::StringRef)> symbol);

} // namespace mxn

#endif
