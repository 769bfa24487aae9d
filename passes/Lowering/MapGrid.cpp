//===- MapGrid.cpp - Tiles become points of the grid ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Kernel/KernelDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/Lowering/Passes.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_MAPGRIDPASS
#include "passes/Lowering/Passes.h.inc"

namespace {
struct MapGrid : impl::MapGridPassBase<MapGrid> {
  void runOnOperation() override {
    auto kernel = cast<func::FuncOp>(getOperation());
    SmallVector<scf::ForallOp> loops(kernel.getBody().getOps<scf::ForallOp>());
    if (loops.empty())
      return;
    if (loops.size() > 1 || loops[0].getRank() > 3) {
      kernel.emitError() << "internal error: a kernel has one grid of up to three dimensions";
      return signalPassFailure();
    }
    // What the tiles have written stands in its place already.
    for (auto copy : llvm::make_early_inc_range(kernel.getBody().getOps<linalg::CopyOp>()))
      if (copy.getInputs()[0] == copy.getOutputs()[0])
        copy.erase();
    // Whatever else writes memory would be done by every point.
    for (Operation &op : kernel.getBody().front())
      if (&op != loops[0] && !isMemoryEffectFree(&op) && !isa<memref::AllocaOp>(op) &&
          !op.hasTrait<OpTrait::IsTerminator>()) {
        op.emitError() << "internal error: this stands outside of the tiles of a kernel";
        return signalPassFailure();
      }
    map(loops[0]);
  }

  void map(scf::ForallOp forall) {
    IRRewriter b(forall);
    Location loc = forall.getLoc();
    SmallVector<Value> at;
    for (auto [axis, bounds] : llvm::enumerate(llvm::zip(forall.getMixedLowerBound(), forall.getMixedStep()))) {
      auto [begin, step] = bounds;
      Value point = kernel::GridIdOp::create(b, loc, b.getIndexType(), axis);
      Value offset = arith::MulIOp::create(b, loc, point, getValueOrCreateConstantIndexOp(b, loc, step));
      at.push_back(arith::AddIOp::create(b, loc, offset, getValueOrCreateConstantIndexOp(b, loc, begin)));
    }
    b.eraseOp(forall.getTerminator());
    b.inlineBlockBefore(forall.getBody(), forall, at);
    b.eraseOp(forall);
  }
};
} // namespace
} // namespace mxn
