//===- Import.h - Reads an ONNX file into the onnx dialect ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_IMPORT_IMPORT_H
#define MXN_LIB_IMPORT_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <functional>

namespace mxn::import {

struct Options {
  /// Whether external data may lie behind symbolic and hard links, as model caches and package tools make them.
  bool allowExternalLinks = false;
  /// Whether the compiler lowers this op itself; others are replaced by their schema's function body where there is
  /// one. ONNX's own domain is the empty one. Null: expand nothing.
  std::function<bool(llvm::StringRef domain, llvm::StringRef op, int64_t version)> isNative;
};

/// Reads `path` into a module with a `func.func @main` of `onnx` ops, an `llm.weight` for each tensor that stays in its
/// file, and an `onnx.model` attribute. Errors go to the context's diagnostics with the file (and the node) as
/// location; the result is null then. Memory does not grow with the weights.
mlir::OwningOpRef<mlir::ModuleOp> importModel(mlir::MLIRContext &context, llvm::StringRef path, const Options &options);

} // namespace mxn::import

#endif
