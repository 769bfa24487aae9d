//===- RaiseAttention.cpp - Attention in graphs of small ops --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exporters of small ops write attention as two products with a softmax between them, with keys and values that are
// concatenated to their pasts, repeated for the heads that share them and turned over by any number of views. The views
// are composed into one index map; what it says is matched, never the chain of ops.
//
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Step/Graph.h"
#include "passes/Step/Passes.h"
#include "passes/Step/Views.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_RAISEATTENTIONPASS
#include "passes/Step/Passes.h.inc"

namespace {

onnx::NodeOp producer(Value v, StringRef op) {
  auto node = v ? v.getDefiningOp<onnx::NodeOp>() : nullptr;
  return node && node.getDomain().empty() && node.getOp() == op ? node : nullptr;
}

/// The one number that every element of a constant has.
std::optional<double> splat(Value v) {
  auto constant = v.getDefiningOp<onnx::ConstantOp>();
  auto dense = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : nullptr;
  if (!dense || !dense.isSplat() || !isa<FloatType>(dense.getElementType()))
    return std::nullopt;
  return dense.getSplatValue<APFloat>().convertToDouble();
}

/// Takes factors off a product or quotient with constants; `scale` collects them.
Value withoutScale(Value v, double &scale) {
  while (true) {
    if (auto mul = producer(v, "Mul")) {
      auto a = splat(mul.getInputs()[0]), b = splat(mul.getInputs()[1]);
      if (!a && !b)
        return v;
      scale *= b ? *b : *a;
      v = mul.getInputs()[b ? 0 : 1];
    } else if (auto div = producer(v, "Div"); div && splat(div.getInputs()[1])) {
      scale /= *splat(div.getInputs()[1]);
      v = div.getInputs()[0];
    } else {
      return v;
    }
  }
}

/// Keys or values: the concatenation of a past and new rows, [B, KV, T, D].
struct Cached {
  onnx::NodeOp concat;
  Value past, fresh;
};

class Match {
public:
  explicit Match(onnx::NodeOp product) : product(product) {}

  bool run() {
    if (!probabilities(product.getInputs()[0]))
      return false;
    auto q = symbolicDims(query), s = symbolicDims(product.getResult(0));
    if (!q || q->size() != 4 || !s || s->size() != 4)
      return false;
    // Indices: batch, head, key, number.
    Views views;
    SmallVector<SymbolicExpr> sizes = {(*q)[0], (*q)[1], symbolicDims(scores)->back(), (*q)[3]};
    double ofValues = 1; // isn't one of the scores
    auto k = trace(views.turned(sizes, {0, 1, 3, 2}), key, scale),
         v = trace(views.turned(sizes, {0, 1, 2, 3}), product.getInputs()[1], ofValues);
    if (!k || !v || ofValues != 1)
      return false;
    keys = *k;
    values = *v;
    return true;
  }

  void replace() {
    OpBuilder b(product);
    Location loc = product.getLoc();
    SmallVector<Value> inputs = {query, keys.fresh, values.fresh, Value(), keys.past, values.past};
    inputs[3] = mask ? mask : onnx::AbsentOp::create(b, loc, onnx::NoneType::get(b.getContext())).getResult();
    auto attributes = b.getDictionaryAttr(b.getNamedAttr("scale", b.getF32FloatAttr(scale)));
    auto node = onnx::NodeOp::create(b, loc,
                                     TypeRange{product.getResult(0).getType(), keys.concat.getResult(0).getType(),
                                               values.concat.getResult(0).getType()},
                                     b.getStringAttr("Attention"), b.getStringAttr(""), b.getI64IntegerAttr(24), inputs,
                                     attributes, b.getArrayAttr({}), ArrayAttr(), 0);
    product.getResult(0).replaceAllUsesWith(node.getResult(0));
    Operation *end = node->getBlock()->getTerminator();
    for (auto [present, concat] :
         {std::pair(node.getResult(1), keys.concat), std::pair(node.getResult(2), values.concat)})
      for (OpOperand &use : llvm::make_early_inc_range(concat.getResult(0).getUses()))
        if (use.getOwner() == end)
          use.set(present);
  }

private:
  /// Softmax over keys, perhaps with empty rows made zeros, of scaled and masked scores.
  bool probabilities(Value v) {
    if (auto where = producer(v, "Where")) {
      auto isNaN = producer(where.getInputs()[0], "IsNaN");
      if (!isNaN || isNaN.getInputs()[0] != where.getInputs()[2] || splat(where.getInputs()[1]) != 0)
        return false;
      v = where.getInputs()[2];
    }
    auto softmax = producer(v, "Softmax");
    auto dims = symbolicDims(v);
    if (!softmax || !dims || dims->size() != 4)
      return false;
    // Of old models the default is 1, and means all dimensions behind it.
    int64_t axis = softmax.intAttr("axis", softmax.getVersion() < 13 ? 1 : -1);
    if (axis != -1 && axis != 3)
      return false;
    scale = 1;
    scores = v;
    Value x = softmax.getInputs()[0];
    if (auto add = producer(x, "Add")) {
      // One side is the product of queries and keys, the other the mask.
      for (unsigned side : {0, 1}) {
        double factor = 1;
        Value candidate = withoutScale(add.getInputs()[side], factor);
        if (!producer(candidate, "MatMul"))
          continue;
        if (!additiveMask(add.getInputs()[1 - side]))
          return false;
        scale = factor;
        x = candidate;
        break;
      }
    } else {
      x = withoutScale(x, scale);
    }
    auto matmul = producer(x, "MatMul");
    if (!matmul)
      return false;
    query = withoutScale(matmul.getInputs()[0], scale);
    key = matmul.getInputs()[1];
    return true;
  }

  /// Where(condition, 0, -inf): a boolean mask. The lowest float means the same unless a row is empty, and the rows of
  /// a causal mask aren't.
  bool additiveMask(Value v) {
    Views::skip(v, [](onnx::NodeOp node) { return node.getOp() == "Cast" || node.getOp() == "Identity"; });
    auto where = producer(v, "Where");
    if (!where) {
      mask = v; // any other mask is left to the rules of the step
      return true;
    }
    auto yes = splat(where.getInputs()[1]), no = splat(where.getInputs()[2]);
    if (!yes || !no || *yes != 0 || *no > -1e30)
      return false;
    mask = where.getInputs()[0];
    return true;
  }

  static std::optional<Cached> trace(Views views, Value v, double &factor) {
    while (true) {
      v = withoutScale(v, factor);
      auto node = v.getDefiningOp<onnx::NodeOp>();
      if (!node)
        return std::nullopt;
      if (node.getOp() == "Concat")
        break;
      if (!views.push(node))
        return std::nullopt;
      v = node.getInputs()[0];
    }
    // What is left must be [batch, head / G, key, number].
    auto concat = v.getDefiningOp<onnx::NodeOp>();
    auto dims = symbolicDims(v);
    int64_t axis = concat.intAttr("axis", 0);
    if (concat.getInputs().size() != 2 || !dims || dims->size() != 4 || (axis != 2 && axis != -2) ||
        !views.isHeadsKeysNumbers())
      return std::nullopt;
    return Cached{concat, concat.getInputs()[0], concat.getInputs()[1]};
  }

  onnx::NodeOp product;
  Value query, key, mask, scores;
  Cached keys, values;
  double scale = 1;
};

struct RaiseAttention : impl::RaiseAttentionPassBase<RaiseAttention> {
  void runOnOperation() override {
    SmallVector<onnx::NodeOp> products;
    for (auto node : getOperation().getBody().front().getOps<onnx::NodeOp>())
      if (node.getDomain().empty() && node.getOp() == "MatMul")
        products.push_back(node);
    bool raised = false;
    for (onnx::NodeOp product : products) {
      Match match(product);
      if (!match.run())
        continue;
      match.replace();
      raised = true;
    }
    if (!raised)
      return;
    // What attention has taken over is dead now.
    SmallVector<Operation *> all;
    for (Operation &op : getOperation().getBody().front())
      all.push_back(&op);
    for (Operation *op : llvm::reverse(all))
      if (isa<onnx::NodeOp>(op) && op->use_empty())
        op->erase();
  }
};

} // namespace
} // namespace mxn
