//===- TensorSizes.cpp - The sizes of tensors as host values --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Dispatch/TensorSizes.h"
#include "dialects/Program/ProgramDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace mxn {

/// The sizes of result `index` of an op that lists those of its results' dynamic dimensions.
template <typename Op> static SmallVector<OpFoldResult> listedSizes(Op op, unsigned index) {
  ValueRange sizes = op.getSizes();
  for (Type before : TypeRange(op.getResultTypes()).take_front(index))
    sizes = sizes.drop_front(cast<RankedTensorType>(before).getNumDynamicDims());
  SmallVector<OpFoldResult> out;
  for (int64_t d : cast<RankedTensorType>(op.getResultTypes()[index]).getShape()) {
    if (!ShapedType::isDynamic(d)) {
      out.push_back(Builder(op.getContext()).getIndexAttr(d));
      continue;
    }
    out.push_back(sizes.front());
    sizes = sizes.drop_front();
  }
  return out;
}

static std::optional<SmallVector<OpFoldResult>> unrefined(Value tensor) {
  Operation *op = tensor.getDefiningOp();
  if (auto arg = dyn_cast<BlockArgument>(tensor))
    if (auto loop = dyn_cast<program::LoopOp>(arg.getOwner()->getParentOp()))
      return listedSizes(loop, arg.getArgNumber() - 1);
  if (!op)
    return std::nullopt;
  if (auto branches = dyn_cast<program::IfOp>(op))
    return listedSizes(branches, cast<OpResult>(tensor).getResultNumber());
  if (auto loop = dyn_cast<program::LoopOp>(op))
    return listedSizes(loop, cast<OpResult>(tensor).getResultNumber());
  if (auto empty = dyn_cast<tensor::EmptyOp>(op))
    return empty.getMixedSizes();
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return expand.getMixedOutputShape();
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    SmallVector<OpFoldResult> sizes;
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    for (auto [i, size] : llvm::enumerate(slice.getMixedSizes()))
      if (!dropped.test(i))
        sizes.push_back(size);
    return sizes;
  }
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
    return tensorSizes(insert.getDest());
  if (auto insert = dyn_cast<tensor::InsertOp>(op))
    return tensorSizes(insert.getDest());
  if (auto cast = dyn_cast<tensor::CastOp>(op))
    return tensorSizes(cast.getSource());
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return tensorSizes(linalgOp.getDpsInitOperand(cast<OpResult>(tensor).getResultNumber())->get());
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return tensorSizes(loop.getInitArgs()[cast<OpResult>(tensor).getResultNumber()]);
  if (auto loops = dyn_cast<scf::ForallOp>(op))
    return tensorSizes(loops.getOutputs()[cast<OpResult>(tensor).getResultNumber()]);
  if (auto region = dyn_cast<program::RegionOp>(op)) {
    auto yield = cast<program::YieldOp>(region.getBody().front().getTerminator());
    auto sizes = tensorSizes(yield.getValues()[cast<OpResult>(tensor).getResultNumber()]);
    if (!sizes)
      return std::nullopt;
    for (OpFoldResult size : *sizes) // a size that is computed inside isn't known outside
      if (auto v = dyn_cast<Value>(size); v && region.getBody().isAncestor(v.getParentRegion()))
        return std::nullopt;
    return sizes;
  }
  return std::nullopt;
}

std::optional<SmallVector<OpFoldResult>> tensorSizes(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  Builder b(tensor.getContext());
  SmallVector<OpFoldResult> sizes;
  if (type.hasStaticShape()) {
    for (int64_t d : type.getShape())
      sizes.push_back(b.getIndexAttr(d));
    return sizes;
  }
  auto found = unrefined(tensor);
  if (!found)
    return std::nullopt;
  for (auto [i, size] : llvm::enumerate(*found))
    if (!type.isDynamicDim(i))
      size = b.getIndexAttr(type.getDimSize(i));
  return found;
}

int64_t elementBytes(Type element) { return element.isInteger(1) ? 1 : element.getIntOrFloatBitWidth() / 8; }

} // namespace mxn
