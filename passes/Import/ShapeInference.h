//===- ShapeInference.h - The walk that finds shapes ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Private to passes/Import: what InferContext, the pass and the inference of control flow share.
//
#ifndef MXN_PASSES_IMPORT_SHAPEINFERENCE_H
#define MXN_PASSES_IMPORT_SHAPEINFERENCE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Import/Handlers.h"
#include "llvm/ADT/DenseMap.h"

namespace mxn {

/// Tensors of more elements than this aren't sizes; tracking them would only cost time.
inline constexpr int64_t kMaxTrackedElements = 64;

class ShapeInference {
public:
  explicit ShapeInference(mlir::func::FuncOp func) : func(func) {}
  mlir::LogicalResult run();

  Facts facts(mlir::Value v);
  SymbolicExpr simplify(const SymbolicExpr &e);
  mlir::LogicalResult equate(const SymbolicExpr &a, const SymbolicExpr &b, onnx::NodeOp node, const llvm::Twine &what);
  /// Checks an equality during the call; `message` where there is something better to say than its two sides.
  void guard(const SymbolicExpr &a, const SymbolicExpr &b, onnx::NodeOp node, const llvm::Twine &message = "");
  SymbolicExpr fresh() { return SymbolicExpr::symbol("data" + std::to_string(freshCount++)); }
  llvm::DenseMap<mlir::Value, Facts> known;

private:
  using Solutions = std::map<std::string, SymbolicExpr>;

  mlir::LogicalResult visit(mlir::Block &block);
  mlir::LogicalResult visit(onnx::NodeOp node);
  void visitConstant(onnx::ConstantOp op);
  /// Facts that the value's type states; dynamic dimensions without an expression get fresh symbols.
  Facts fromType(mlir::Type type);
  void writeTypes();
  mlir::Type withDims(mlir::Type type, const Facts &facts);

  //===--------------------------------------------------------------------===//
  // Control flow; see InferControlFlow.cpp
  //===--------------------------------------------------------------------===//

  /// A graph that may or may not run, once it has been visited.
  struct Conditional {
    mlir::Block *block;
    llvm::SmallVector<Facts> yields;
    Solutions learnt; // equations that hold where it runs
    int firstFresh;   // symbols of data from this number on belong to it
  };
  /// Visits a graph. Its values' facts are fixed with its own equations, which are then taken back.
  mlir::FailureOr<Conditional> visitConditional(mlir::Block &block);
  /// What a graph learnt and others don't know is checked when it runs; values from outside that it reads get the
  /// dimensions that it may rely on.
  void settle(Conditional &graph);
  /// Moves a graph's nodes in front of the node that holds it, whose results become what the graph yields.
  void inlineGraph(onnx::NodeOp node, mlir::Block &graph);
  mlir::LogicalResult visitIf(onnx::NodeOp node, mlir::Block::iterator &next);
  mlir::LogicalResult visitLoop(onnx::NodeOp node);
  /// The facts of an If's result from those of its branches; `condition` is its value where that follows from sizes.
  /// A size that is right in both branches may look simpler in one, which knows more.
  Facts merge(const Conditional &first, const Conditional &second, unsigned result,
              const std::optional<SymbolicExpr> &condition);

  mlir::func::FuncOp func;
  Solutions solved;
  struct Guard {
    SymbolicExpr a, b;
    mlir::Location loc;
    std::string op, message;
    mlir::Block *scope; // where it is checked; null: when the function starts
  };
  std::vector<Guard> guards;
  mlir::Block *scope = nullptr;
  int freshCount = 0;
};

/// Whether the expression can be computed before anything runs: it has no symbol that only the data decides.
bool followsFromSizes(const SymbolicExpr &e);
bool isIf(onnx::NodeOp node);
bool isLoop(onnx::NodeOp node);
/// The graph of that name; the verifier of the importer's ops doesn't know which graphs an operator has.
mlir::Block *graph(onnx::NodeOp node, llvm::StringRef name);

} // namespace mxn

#endif
