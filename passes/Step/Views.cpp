//===- Views.cpp - Composing ops that only move elements ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Step/Views.h"
#include "passes/Step/Graph.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;

namespace mxn {

Views Views::turned(ArrayRef<SymbolicExpr> sizes, ArrayRef<unsigned> order) const {
  Views views;
  for (unsigned meaning : order)
    views.index.push_back({Digit{static_cast<Meaning>(meaning), sizes[meaning]}});
  return views;
}

void Views::skip(Value &v, llvm::function_ref<bool(onnx::NodeOp)> pass) {
  while (auto node = v.getDefiningOp<onnx::NodeOp>()) {
    if (!pass(node))
      return;
    v = node.getInputs()[0];
  }
}

bool Views::isHeadsKeysNumbers() const {
  auto is = [&](const Component &c, Meaning meaning) { return c.size() == 1 && c[0].meaning == meaning; };
  return index.size() == 4 && is(index[0], Batch) && (is(index[1], Head) || is(index[1], HighHead)) &&
         is(index[2], Key) && is(index[3], Number);
}

bool Views::push(onnx::NodeOp node) {
  if (node.getInputs().empty() || node.getNumResults() != 1)
    return false;
  auto from = symbolicDims(node.getInputs()[0]), to = symbolicDims(node.getResult(0));
  if (!from || !to || to->size() != index.size())
    return false;
  StringRef op = node.getOp();
  if (op == "Identity" || op == "Cast")
    return true;
  if (op == "Transpose") {
    SmallVector<int64_t> permutation = node.intsAttr("perm");
    SmallVector<Component> moved(index.size());
    for (size_t i = 0; i < index.size(); ++i)
      moved[permutation.empty() ? index.size() - 1 - i : permutation[i]] = index[i];
    index = moved;
    return true;
  }
  if (op == "Expand") {
    if (from->size() != to->size())
      return false;
    for (size_t i = 0; i < index.size(); ++i)
      if ((*from)[i].isConstant(1) && !(*to)[i].isConstant(1))
        index[i].clear(); // every element is the same: the index is 0
    return true;
  }
  if (op == "Reshape" || op == "Unsqueeze" || op == "Squeeze")
    return reshape(*from, *to);
  return false;
}

/// Writes the index of a tensor of shape `to` as one of the same elements in shape `from`.
bool Views::reshape(ArrayRef<SymbolicExpr> from, ArrayRef<SymbolicExpr> to) {
  // All digits in row-major order; dimensions of 1 have none.
  SmallVector<Digit> digits;
  for (auto [i, component] : llvm::enumerate(index)) {
    if (component.empty() && !to[i].isConstant(1))
      return false; // a broadcast dimension has no digit to follow
    digits.append(component.begin(), component.end());
  }
  SmallVector<Component> result;
  size_t next = 0;
  for (const SymbolicExpr &size : from) {
    result.emplace_back();
    SymbolicExpr have(1);
    while (have != size) {
      if (next == digits.size())
        return false;
      Digit digit = digits[next];
      SymbolicExpr with = have * digit.size;
      if (with == size || !with.constant() || !size.constant() || *with.constant() < *size.constant()) {
        have = with;
        result.back().push_back(digit);
        ++next;
        // A product that has gone past the size without meeting it never will.
        if (have.constant() && size.constant() && *have.constant() > *size.constant())
          return false;
        continue;
      }
      // Only part of the digit belongs here: heads split into those of keys and the queries that share one.
      if (digit.meaning != Head || !have.isConstant(1) || *digit.size.constant() % *size.constant())
        return false;
      result.back().push_back({HighHead, size});
      digits[next] = {LowHead, SymbolicExpr(*digit.size.constant() / *size.constant())};
      have = size;
    }
  }
  while (next < digits.size() && digits[next].size.isConstant(1))
    ++next;
  if (next != digits.size())
    return false;
  index = result;
  return true;
}

} // namespace mxn
