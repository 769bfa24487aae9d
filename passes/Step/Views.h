//===- Views.h - Composing ops that only move elements --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_STEP_VIEWS_H
#define MXN_PASSES_STEP_VIEWS_H

#include "dialects/ONNX/ONNXDialect.h"
#include "lib/Support/SymbolicExpr.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <map>

namespace mxn {

/// The index of an element of keys or values, followed from a result back to its source. Each dimension's index is a
/// number in mixed radix: its digits, the most significant first, are batch, head, key and number, or parts of a head.
/// Merging dimensions puts digits together, splitting one takes them apart, and a broadcast drops them.
class Views {
public:
  /// An index of a tensor whose dimension i has the size and meaning `order[i]` of (batch, head, key, number).
  Views turned(llvm::ArrayRef<SymbolicExpr> sizes, llvm::ArrayRef<unsigned> order) const;
  /// From the result of a view to its source. False: the op isn't a view, or takes a digit apart that is no head.
  bool push(onnx::NodeOp node);
  /// Whether the index is [batch, head / G, key, number] for some G.
  bool isHeadsKeysNumbers() const;

  /// Goes back through one-input ops that `pass` accepts.
  static void skip(mlir::Value &v, llvm::function_ref<bool(onnx::NodeOp)> pass);

private:
  enum Meaning { Batch, Head, Key, Number, HighHead, LowHead };
  struct Digit {
    Meaning meaning;
    SymbolicExpr size;
  };
  using Component = llvm::SmallVector<Digit>;

  bool reshape(llvm::ArrayRef<SymbolicExpr> from, llvm::ArrayRef<SymbolicExpr> to);
  llvm::SmallVector<Component> index;
};

} // namespace mxn

#endif
