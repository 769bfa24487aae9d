//===- Graph.h - The function that a graph becomes ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_IMPORT_GRAPH_H
#define MXN_LIB_IMPORT_GRAPH_H

#include "lib/Import/Model.h"
#include "mlir/IR/BuiltinOps.h"

namespace mxn::import {

/// Writes `func.func @main` and the weights that it uses into the module.
mlir::LogicalResult buildMain(mlir::ModuleOp module, const plain::Model &model);

} // namespace mxn::import

#endif
