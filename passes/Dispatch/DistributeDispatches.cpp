//===- DistributeDispatches.cpp - Work cut into tiles for many threads ----===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "passes/Dispatch/Passes.h"
#include "passes/Dispatch/TensorSizes.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_DISTRIBUTEDISPATCHESPASS
#include "passes/Dispatch/Passes.h.inc"

namespace {

/// What a size that is only known at run time is taken for.
constexpr int64_t kGuess = 64;
/// Scalar steps that are worth a call of a kernel, and the most that a tile takes to reuse what it has read.
constexpr int64_t kEnough = 1 << 15, kMost = 1 << 23;
/// Innermost tiles are whole cache lines of the smallest elements.
constexpr int64_t kLine = 64;
/// Tiles of rows are whole blocks of what a target computes together.
constexpr int64_t kRows = 8;

int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// The tile of each loop, 0 for loops that stay whole.
SmallVector<int64_t> tileSizes(linalg::LinalgOp op) {
  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  auto iterators = op.getIteratorTypesArray();
  auto guess = [&](unsigned loop) { return ShapedType::isDynamic(extents[loop]) ? kGuess : extents[loop]; };
  int64_t work = 1;
  bool reduces = false;
  for (unsigned loop = 0; loop < extents.size(); ++loop)
    if (iterators[loop] == utils::IteratorType::reduction) {
      work *= std::max<int64_t>(1, guess(loop));
      reduces = true;
    }
  // From the innermost dimension of the result outwards.
  SmallVector<unsigned> loops;
  for (AffineExpr e : op.getMatchingIndexingMap(op.getDpsInitOperand(0)).getResults())
    if (auto d = dyn_cast<AffineDimExpr>(e))
      loops.push_back(d.getPosition());
  SmallVector<int64_t> tiles(extents.size(), 0);
  SmallVector<unsigned> tiled; // innermost first
  bool innermost = true;
  for (unsigned loop : llvm::reverse(loops)) {
    if (extents[loop] == 1)
      continue;
    int64_t tile = divideUp(kEnough, work);
    if (std::exchange(innermost, false))
      tile = divideUp(tile, kLine) * kLine * (reduces && guess(loop) >= 16 * kLine ? 2 : 1);
    else if (reduces && tile < kGuess)
      tile = std::clamp<int64_t>(kMost / work / kRows * kRows, kRows, kGuess);
    if (!ShapedType::isDynamic(extents[loop]) && tile >= extents[loop]) {
      work *= extents[loop];
      continue;
    }
    work *= std::min(tile, guess(loop));
    tiles[loop] = tile;
    tiled.push_back(loop);
  }
  // A grid has three dimensions; the outermost tend to be batches of one.
  for (unsigned loop : ArrayRef(tiled).drop_front(std::min<size_t>(3, tiled.size())))
    tiles[loop] = 0;
  return tiles;
}

/// The op that makes the region's only result, if the rest only prepares for it.
linalg::LinalgOp findRoot(program::RegionOp region) {
  // What is written over memory that is read has an order.
  if (region.getTakesOver() || region.getUpdates())
    return nullptr;
  Block &body = region.getBody().front();
  auto yield = cast<program::YieldOp>(body.getTerminator());
  if (yield.getValues().empty())
    return nullptr;
  auto root = yield.getValues()[0].getDefiningOp<linalg::LinalgOp>();
  if (!root || root->getBlock() != &body || !llvm::equal(root->getResults(), yield.getValues()) || !root->hasOneUse())
    return nullptr;
  auto iterators = root.getIteratorTypesArray();
  for (OpOperand &init : root.getDpsInitsMutable()) {
    AffineMap map = root.getMatchingIndexingMap(&init);
    // Each element of the result belongs to one step of the parallel loops.
    if (!map.isProjectedPermutation() || map.getNumResults() != llvm::count(iterators, utils::IteratorType::parallel))
      return nullptr;
  }
  bool simple = llvm::all_of(body.without_terminator(), [&](Operation &op) {
    return isa<tensor::EmptyOp, linalg::LinalgOp>(op) || op.hasTrait<OpTrait::ConstantLike>();
  });
  return simple ? root : nullptr;
}

class DistributeDispatches : public impl::DistributeDispatchesPassBase<DistributeDispatches> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<program::RegionOp> regions; // those in branches and loops too
    getOperation().walk([&](program::RegionOp region) { regions.push_back(region); });
    for (program::RegionOp region : regions)
      if (failed(distribute(rewriter, region)))
        return signalPassFailure();
  }

  LogicalResult distribute(IRRewriter &rewriter, program::RegionOp region) {
    linalg::LinalgOp root = findRoot(region);
    if (!root)
      return success();
    SmallVector<int64_t> tiles = tileSizes(root);
    auto sizes = tensorSizes(root.getDpsInits()[0]);
    if (!sizes || llvm::all_of(tiles, [](int64_t t) { return t == 0; }))
      return success();
    AffineMap map = root.getMatchingIndexingMap(root.getDpsInitOperand(0));
    SmallVector<Value> bounds;
    for (auto [loop, tile] : llvm::enumerate(tiles))
      if (tile)
        if (auto v = dyn_cast<Value>((*sizes)[*map.getResultPosition(rewriter.getAffineDimExpr(loop))])) {
          if (region.getBody().isAncestor(v.getParentRegion()))
            return success(); // the host can't tell the size of the grid
          bounds.push_back(v);
        }

    scf::SCFTileAndFuseOptions options;
    options.tilingOptions.setLoopType(scf::SCFTilingOptions::LoopType::ForallOp);
    options.tilingOptions.setTileSizes(getAsIndexOpFoldResult(rewriter.getContext(), tiles));
    // What other regions make stays where it is.
    Block *body = &region.getBody().front();
    options.setFusionControlFn([&](tensor::ExtractSliceOp, OpResult producer, bool) {
      using Result = scf::SCFTileAndFuseOptions::ControlFnResult;
      return producer.getOwner()->getBlock() == body ? std::optional<Result>(Result{}) : std::nullopt;
    });
    rewriter.setInsertionPoint(root);
    auto result =
        scf::tileConsumerAndFuseProducersUsingSCF(rewriter, cast<TilingInterface>(root.getOperation()), options);
    if (failed(result) || result->loops.size() != 1)
      return root->emitError() << "internal error: this can't be cut into tiles";
    auto forall = cast<scf::ForallOp>(result->loops[0].getOperation());
    if (forall.getDynamicUpperBound().size() != bounds.size())
      return root->emitError() << "internal error: the tiles don't have the bounds of the result";
    // The bounds as the host knows them: it computes the grid from them.
    forall.getDynamicUpperBoundMutable().assign(bounds);
    for (OpResult value : root->getResults())
      rewriter.replaceAllUsesWith(value, result->replacements.lookup(value));
    rewriter.eraseOp(root); // a check in its body would keep it
    // Sizes that tiling read from tensors would keep those alive.
    region.walk([&](tensor::DimOp dim) {
      auto known = tensorSizes(dim.getSource());
      auto axis = dim.getConstantIndex();
      if (known && axis) {
        rewriter.setInsertionPoint(dim);
        rewriter.replaceOp(dim, getValueOrCreateConstantIndexOp(rewriter, dim.getLoc(), (*known)[*axis]));
      }
    });
    for (Block *block : {forall.getBody(), body})
      for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*block)))
        if (isOpTriviallyDead(&op))
          rewriter.eraseOp(&op);
    return success();
  }
};

} // namespace
} // namespace mxn
