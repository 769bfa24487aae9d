//===- FuseOps.cpp - Fewer passes over memory -----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "passes/Dispatch/Passes.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_FUSEOPSPASS
#include "passes/Dispatch/Passes.h.inc"

namespace {

/// Operands that one kernel may have: many more would compete for registers.
constexpr unsigned kMostOperands = 12;

bool isFused(linalg::GenericOp producer, OpOperand &use) {
  auto consumer = dyn_cast<linalg::GenericOp>(use.getOwner());
  if (!consumer || consumer->getBlock() != producer->getBlock() || !producer->hasOneUse() ||
      !consumer.isDpsInput(&use) || producer->getNumOperands() + consumer->getNumOperands() > kMostOperands)
    return false;
  // Every element is used once, so nothing is computed again.
  AffineMap map = consumer.getMatchingIndexingMap(&use);
  bool onlyValues =
      llvm::all_of(producer.getBody()->without_terminator(), [](Operation &op) { return isMemoryEffectFree(&op); });
  return map.isPermutation() && onlyValues && linalg::areElementwiseOpsFusable(&use);
}

/// Whether `loop` moves through the last dimension alone of every input that it moves through.
bool isInnermost(linalg::LinalgOp op, unsigned loop, OpOperand *but) {
  return llvm::all_of(op.getDpsInputOperands(), [&](OpOperand *input) {
    AffineMap map = op.getMatchingIndexingMap(input);
    return input == but || !map.isFunctionOfDim(loop) ||
           map.getResults().back() == getAffineDimExpr(loop, op.getContext());
  });
}

class FuseOps : public impl::FuseOpsPassBase<FuseOps> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::TransposeOp> transposes;
    collect(transposes);
    for (linalg::TransposeOp op : transposes)
      foldTranspose(rewriter, op);
    SmallVector<linalg::GenericOp> producers;
    collect(producers);
    // From the first on: what a producer is fused into is the next producer of the chain.
    for (auto it = producers.begin(); it != producers.end(); ++it) {
      linalg::GenericOp producer = *it;
      if (producer->use_empty())
        continue;
      OpOperand &use = *producer->use_begin();
      if (!isFused(producer, use))
        continue;
      Operation *consumer = use.getOwner();
      rewriter.setInsertionPoint(consumer);
      auto fused = linalg::fuseElementwiseOps(rewriter, &use);
      if (failed(fused))
        continue;
      for (auto [from, to] : fused->replacements)
        rewriter.replaceUsesWithIf(from, to, [&](OpOperand &other) { return other.getOwner() != producer; });
      auto place = llvm::find_if(producers, [&](linalg::GenericOp op) { return op == consumer; });
      if (place != producers.end())
        *place = cast<linalg::GenericOp>(fused->fusedOp);
      rewriter.eraseOp(consumer);
      rewriter.eraseOp(producer);
      *it = nullptr;
    }
  }

  /// Ops of the function, its branches and loops; what a handler has put into a region already stays as it is.
  template <typename OpType> void collect(SmallVectorImpl<OpType> &ops) {
    getOperation().walk([&](OpType op) {
      if (!op->template getParentOfType<program::RegionOp>())
        ops.push_back(op);
    });
  }

  /// A product reads what was transposed as it stands, where its rows stay contiguous.
  void foldTranspose(IRRewriter &rewriter, linalg::TransposeOp transpose) {
    while (llvm::any_of(transpose->getUses(), [&](OpOperand &use) { return foldInto(rewriter, transpose, use); }))
      ;
    if (transpose->use_empty())
      rewriter.eraseOp(transpose);
  }

  bool foldInto(IRRewriter &rewriter, linalg::TransposeOp transpose, OpOperand &use) {
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    auto op = dyn_cast<linalg::LinalgOp>(use.getOwner());
    if (!op || op->getParentOfType<program::RegionOp>() || op.getNumReductionLoops() == 0 || !op.isDpsInput(&use) ||
        op.getNumDpsInits() != 1)
      return false;
    AffineMap map = op.getMatchingIndexingMap(&use);
    if (permutation.empty() || !map.isProjectedPermutation() || map.getNumResults() != permutation.size())
      return false;
    SmallVector<AffineExpr> results(permutation.size());
    for (auto [to, from] : llvm::enumerate(permutation))
      results[from] = map.getResult(to);
    unsigned last = cast<AffineDimExpr>(results.back()).getPosition();
    bool sameRows = results.back() == map.getResults().back();
    bool sumsRows = op.getIteratorTypesArray()[last] == utils::IteratorType::reduction && isInnermost(op, last, &use);
    if (!sameRows && !sumsRows)
      return false;
    unsigned number = use.getOperandNumber();
    auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
    if (!generic) {
      rewriter.setInsertionPoint(op);
      auto made = linalg::generalizeNamedOp(rewriter, op);
      if (failed(made))
        return false;
      generic = *made;
    }
    SmallVector<AffineMap> maps = generic.getIndexingMapsArray();
    maps[number] = AffineMap::get(map.getNumDims(), 0, results, rewriter.getContext());
    generic->setOperand(number, transpose.getInput());
    generic.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
    return true;
  }
};

} // namespace
} // namespace mxn
