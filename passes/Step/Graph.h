//===- Graph.h - Facts about a graph whose shapes are known ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_STEP_GRAPH_H
#define MXN_PASSES_STEP_GRAPH_H

#include "dialects/ONNX/ONNXDialect.h"
#include "lib/Support/SymbolicExpr.h"
#include <optional>

namespace mxn {

/// The symbolic dimensions that shape inference wrote into a value's type; none for other values.
std::optional<llvm::SmallVector<SymbolicExpr>> symbolicDims(mlir::Value v);
/// The elements of a small integer or boolean tensor, from a constant or from shape inference.
std::optional<llvm::SmallVector<SymbolicExpr>> symbolicValues(mlir::Value v);

/// What is fixed in the contract of `step`.
struct StepFrame {
  SymbolicExpr batch, sequence; // dimensions of the token ids
  SymbolicExpr past;            // length of the past keys
  mlir::Value ids, positions;   // inputs; no positions where the model has none
};

/// Whether a value, or any value that a node takes or gives, has a dimension of rows (of the batch or the sequence).
bool hasRows(mlir::Value v, const StepFrame &frame);
bool hasRows(onnx::NodeOp node, const StepFrame &frame);

/// Whether each row (b, s) of the node's results depends on row (b, s) of its inputs alone; otherwise why not.
std::optional<std::string> whyNotRowWise(onnx::NodeOp node, const StepFrame &frame);

/// Which keys a query may see.
struct MaskTemplate {
  bool causal = false;
  int64_t window = 0; // keys up to this many positions back, the query's own included; 0: all
};
/// The template that the mask operand of an attention node is, once every attention mask is ones; otherwise why not.
struct LiftedMask {
  std::optional<MaskTemplate> mask;
  std::string reason;
};
/// The one number that an integer tensor holds in every element, once every attention mask is ones.
std::optional<SymbolicExpr> liftNumber(mlir::Value v, const StepFrame &frame);
LiftedMask liftMask(mlir::Value mask, bool causalAttribute, const StepFrame &frame);

} // namespace mxn

#endif
