//===- FormDispatches.cpp - One region for each piece of work -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Transforms/RegionUtils.h"
#include "passes/Dispatch/Passes.h"
#include "passes/Dispatch/TensorSizes.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_FORMDISPATCHESPASS
#include "passes/Dispatch/Passes.h.inc"

namespace {

/// Ops that cost nothing by themselves: they prepare the memory of whoever uses them.
bool isPreparation(Operation *op) {
  return isa_and_present<tensor::EmptyOp>(op) ||
         (isa_and_present<linalg::FillOp>(op) &&
          isPreparation(cast<linalg::FillOp>(op).getOutputs()[0].getDefiningOp()));
}

bool isWork(Operation *op) {
  if (isa<linalg::FillOp>(op)) {
    // A fill that only initialises other work goes into its users' regions.
    auto initialises = [](OpOperand &use) {
      auto user = dyn_cast<linalg::LinalgOp>(use.getOwner());
      return user && user.isDpsInit(&use);
    };
    return !isPreparation(op) || !llvm::all_of(op->getUses(), initialises);
  }
  return isa<linalg::LinalgOp, tensor::ExtractSliceOp, tensor::InsertSliceOp, tensor::FromElementsOp>(op);
}

class FormDispatches : public impl::FormDispatchesPassBase<FormDispatches> {
  void runOnOperation() override {
    SmallVector<Operation *> work, all;
    collect(getOperation().getBody().front(), [&](Operation *op) {
      if (isWork(op))
        work.push_back(op);
      else if (auto region = dyn_cast<program::RegionOp>(op))
        sinkPreparation(region);
    });
    for (Operation *op : work)
      if (failed(wrap(op)))
        return signalPassFailure();
    collect(getOperation().getBody().front(), [&](Operation *op) { all.push_back(op); });
    for (Operation *op : llvm::reverse(all))
      if (op->use_empty() && isMemoryEffectFree(op) && !op->hasTrait<OpTrait::IsTerminator>())
        op->erase();
  }

  /// The ops of the host: those of a block, and behind each If or Loop those inside it.
  static void collect(Block &block, function_ref<void(Operation *)> visit) {
    for (Operation &op : block) {
      visit(&op);
      if (isa<program::IfOp, program::LoopOp>(op))
        for (Region &region : op.getRegions())
          collect(region.front(), visit);
    }
  }

  /// Regions that stand there already get their own copies of what prepares memory for them.
  void sinkPreparation(program::RegionOp region) {
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(region.getBody(), captured);
    OpBuilder b = OpBuilder::atBlockBegin(&region.getBody().front());
    for (Value value : captured)
      if (isPreparation(value.getDefiningOp()))
        replaceAllUsesInRegionWith(value, prepare(b, value), region.getBody());
  }

  /// Copies what prepares `value` into the region; other values are read from outside.
  Value prepare(OpBuilder &b, Value value) {
    Operation *op = value.getDefiningOp();
    if (!op || !isPreparation(op))
      return value;
    IRMapping mapping;
    for (Value operand : op->getOperands())
      mapping.map(operand, prepare(b, operand));
    return b.clone(*op, mapping)->getResult(0);
  }

  /// Memory that the op may write: prepared inside, or a copy of a tensor from outside.
  FailureOr<Value> destination(OpBuilder &b, Location loc, Value value) {
    if (Operation *op = value.getDefiningOp(); op && isPreparation(op))
      return prepare(b, value);
    auto sizes = sizesOf(value);
    if (failed(sizes))
      return failure();
    Value copy = tensor::EmptyOp::create(b, loc, *sizes, cast<RankedTensorType>(value.getType()).getElementType());
    return linalg::CopyOp::create(b, loc, value, copy).getResult(0);
  }

  FailureOr<SmallVector<OpFoldResult>> sizesOf(Value value) {
    if (auto sizes = tensorSizes(value))
      return *sizes;
    return emitError(value.getLoc()) << "internal error: the size of this tensor isn't known on the host";
  }

  LogicalResult wrap(Operation *op) {
    OpBuilder b(op);
    Location loc = op->getLoc();
    auto region = program::RegionOp::create(b, loc, op->getResultTypes());
    Block &body = region.getBody().emplaceBlock();
    b.setInsertionPointToStart(&body);
    IRMapping mapping;
    auto insert = dyn_cast<tensor::InsertSliceOp>(op);
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isa<TensorType>(operand.get().getType()))
        continue;
      bool written = insert ? operand.getOperandNumber() == 1 : linalgOp && linalgOp.isDpsInit(&operand);
      // An operand may be read and written at once; reading the copy is then as good as reading the original.
      if (!written) {
        if (!mapping.contains(operand.get()))
          mapping.map(operand.get(), prepare(b, operand.get()));
        continue;
      }
      FailureOr<Value> target = destination(b, loc, operand.get());
      if (failed(target))
        return failure();
      mapping.map(operand.get(), *target);
    }
    Operation *inside = b.clone(*op, mapping);
    SmallVector<Value> results(inside->getResults());
    if (isa<tensor::ExtractSliceOp>(op)) {
      // A region yields memory of its own: copy the slice out.
      auto sizes = sizesOf(op->getResult(0));
      if (failed(sizes))
        return failure();
      Value target =
          tensor::EmptyOp::create(b, loc, *sizes, cast<RankedTensorType>(op->getResult(0).getType()).getElementType());
      results = {linalg::CopyOp::create(b, loc, results[0], target).getResult(0)};
    }
    program::YieldOp::create(b, loc, results);
    op->replaceAllUsesWith(region.getResults());
    op->erase();
    return success();
  }
};

} // namespace
} // namespace mxn
