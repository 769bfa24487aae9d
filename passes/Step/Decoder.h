//===- Decoder.h - A decoder, as the rules of its step see it -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_STEP_DECODER_H
#define MXN_PASSES_STEP_DECODER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Step/Graph.h"
#include "llvm/ADT/SetVector.h"

namespace mxn {

/// Why there is no step: the rule, what is wrong, and where.
struct Refusal {
  std::string text;
  mlir::Location loc;
};

/// One attention node with its cache pair: ONNX's Attention or com.microsoft's GroupQueryAttention.
struct CachedAttention {
  onnx::NodeOp node;
  bool grouped; // GroupQueryAttention: causal by definition, the rotation inside, often packed
  unsigned pastKey() const { return grouped ? 3 : 4; }
  bool packed() { return !node.hasInput(1); }
  /// The inputs that rows flow through or that hold tables; the others say which tokens are there.
  llvm::SmallVector<unsigned> followed() const {
    return grouped ? llvm::SmallVector<unsigned>{0, 1, 2, 7, 8} : llvm::SmallVector<unsigned>{0, 1, 2};
  }
  int64_t qHeads, kvHeads, headSize;
  float scale;
  MaskTemplate mask;
};

/// What a proof finds out, and what a step is built from.
struct Decoder {
  explicit Decoder(mlir::func::FuncOp main) : main(main) {}
  mlir::func::FuncOp main;
  StepFrame frame;
  llvm::SmallVector<CachedAttention> attentions;
  /// The ops between token ids and logits.
  llvm::SetVector<mlir::Operation *> slice;
  mlir::Value logits;
  onnx::NodeOp logitsNode;
};

/// Finds the attention nodes that keep a cache. A model without any isn't a decoder.
void collectAttentions(Decoder &decoder);
/// Proves the rules S1 to S5 and fills in the decoder; otherwise says which one fails.
std::optional<Refusal> proveDecoder(Decoder &decoder);
/// Builds `step` behind `main`; its shapes are still to be inferred.
mlir::func::FuncOp buildStep(Decoder decoder, int64_t blockTokens);

/// Whether shape inference knows all that the node computes, as sizes.
bool areSizes(onnx::NodeOp node);
/// A size for batch 1: a constant, or that many times the number of tokens.
struct StepSize {
  int64_t factor;
  bool tokens;
};
/// The sizes that a node computes; none where one is something else.
std::optional<llvm::SmallVector<StepSize>> sizesOfStep(onnx::NodeOp node, const StepFrame &frame);

} // namespace mxn

#endif
