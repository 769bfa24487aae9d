//===- Lowering.h - The walk that lowers a graph --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Private to passes/Import: what LowerContext and the pass share.
//
#ifndef MXN_PASSES_IMPORT_LOWERING_H
#define MXN_PASSES_IMPORT_LOWERING_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Import/Handlers.h"
#include "llvm/ADT/DenseMap.h"
#include <map>

namespace mxn {

class Lowering {
public:
  explicit Lowering(mlir::func::FuncOp func) : func(func) {}
  mlir::LogicalResult run();

  /// The lowered value of an onnx value.
  llvm::DenseMap<mlir::Value, mlir::Value> values;
  /// The value of a size; each is computed once, at the function's start.
  mlir::Value size(const SymbolicExpr &e, mlir::Location loc);

private:
  mlir::LogicalResult lower(onnx::NodeOp node);
  mlir::LogicalResult lower(onnx::ConstantOp op);
  mlir::LogicalResult lowerTypes(mlir::Operation *op);
  mlir::Value fromKnown(LowerContext &context, unsigned result);
  void reportUnsupported();

  mlir::func::FuncOp func;
  mlir::Block::iterator entry;
  mlir::Operation *anchor = nullptr; // sizes are built behind it
  std::map<std::string, mlir::Value> sizes;
  std::map<std::string, std::vector<mlir::Location>> unsupported;
};

} // namespace mxn

#endif
