//===- Rotary.h - Rotary embedding ----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_IMPORT_ROTARY_H
#define MXN_PASSES_IMPORT_ROTARY_H

#include "passes/Import/AttentionCore.h"

namespace mxn {

/// Turns the first `rotary` numbers of each head, pair by pair.
struct Rotation {
  int64_t rotary;
  bool interleaved;           // pairs are (2j, 2j + 1) rather than (j, j + rotary / 2)
  mlir::Value cosines, sines; // [rows, rotary / 2], or [B, S, rotary / 2] where there are no positions
  SymbolicExpr rows;
  /// Which row of the tables: [B, S]; or [B] or [1], the position of the first of S rows that follow each other.
  mlir::Value positions;
};

/// `heads` heads of `x`, [batch, sequence, heads, size] or [batch, heads, sequence, size], turned.
mlir::Value rotate(LowerContext &c, const Rotation &r, const HeadRows &x, llvm::ArrayRef<SymbolicExpr> dims,
                   mlir::Type element);

} // namespace mxn

#endif
