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
  /// Lowers the ops of a graph at `b`; unless it is the function's own, guards are copied there too.
  mlir::LogicalResult lower(mlir::Block &block, mlir::OpBuilder &b);
  mlir::LogicalResult lower(onnx::NodeOp node, mlir::OpBuilder &b);
  mlir::LogicalResult lower(onnx::ConstantOp op, mlir::OpBuilder &b);
  /// See ControlFlow.cpp.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> lowerIf(LowerContext &context);
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> lowerLoop(LowerContext &context);
  /// What a graph yields for an onnx value, as a `type` where that is given.
  mlir::FailureOr<mlir::Value> yielded(mlir::Value onnxValue, mlir::Type type, mlir::OpBuilder &b, mlir::Location loc);
  mlir::LogicalResult lowerTypes(mlir::Operation *op, mlir::OpBuilder &b);
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
