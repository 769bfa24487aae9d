//===- AttentionCore.h - What the attention operators share ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Letters: B batch, S queries, P past keys, T = P + keys, H query heads, KV key-value heads, G = H / KV queries that
// share a key, D size of a query and a key, E size of a value.
//
#ifndef MXN_PASSES_IMPORT_ATTENTIONCORE_H
#define MXN_PASSES_IMPORT_ATTENTIONCORE_H

#include "passes/Import/Loops.h"

namespace mxn {

/// The sizes of one attention; heads and head sizes are known when compiling.
struct AttentionShape {
  SymbolicExpr batch, queries, keys, past, total;
  int64_t heads, kvHeads, group, size, valueSize;
};

/// Numbers for each row and head: [B, rows, heads, size] (flat, as [B, rows, heads * size] holds them) or
/// [B, heads, rows, size].
struct HeadRows {
  mlir::Value tensor;
  bool flat;
  int64_t firstHead = 0; // the heads before it belong to something else
};

/// How scores are made, and which keys a query sees.
struct AttentionRules {
  float scale = 0; // 0: 1 / sqrt(D)
  float cap = 0;   // above 0: scores pass through cap * tanh(score / cap)
  bool causal = false;
  int64_t window = 0;              // above 0: of the keys that it may see, a query sees the last `window` ones
  std::optional<LoopOperand> mask; // bool, or a number that is added; follows the loops B, KV, G, S, T
  /// [B] of i64: how many keys stand before the first query, for causal attention. Null: P in every batch.
  mlir::Value pastLengths;
};

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// States the dimensions of past keys or values: [B, KV, P, size].
mlir::LogicalResult equatePast(InferContext &c, const AttentionShape &s, unsigned input, int64_t size);
/// States what can be said of a mask, of 2 to 4 dimensions that are broadcast to [B, H, S, T].
mlir::LogicalResult equateMask(InferContext &c, const AttentionShape &s, unsigned input);
/// Sets the result [B, S, H * E] (flat) or [B, H, S, E] and the presents [B, KV, T, ...].
void setAttentionDims(InferContext &c, const AttentionShape &s, bool flat);

//===----------------------------------------------------------------------===//
// Lowering
//===----------------------------------------------------------------------===//

/// The mask in `input` as the rules hold it.
mlir::FailureOr<LoopOperand> maskOperand(LowerContext &c, const AttentionShape &s, unsigned input);

/// Past and new keys (or values), one behind the other: [B, KV, P + S, size]. With `pastLengths` ([B] of i64), batch b
/// has its new rows behind pastLengths[b] past ones, and zeros behind both. The result may stand where the past stood.
mlir::Value appendToPast(LowerContext &c, const AttentionShape &s, mlir::Value past, const HeadRows &fresh,
                         int64_t size, mlir::Value pastLengths = {});

/// Whether somebody reads the present keys or values, results 1 and 2.
bool hasPresents(LowerContext &c);

/// The attention's result, of the dimensions and type of the node's output 0. `query` has the dimensions `queryDims`,
/// which are [B, S, ...] where `flat` and [B, H, S, D] otherwise; keys and values start at head 0.
mlir::Value attend(LowerContext &c, const AttentionShape &s, const AttentionRules &rules, mlir::Value query,
                   llvm::ArrayRef<SymbolicExpr> queryDims, bool flat, const HeadRows &keys, const HeadRows &values);

} // namespace mxn

#endif
