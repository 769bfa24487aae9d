//===- Scatter.cpp - Elements written where other elements say ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each becomes one region that copies the data and then loops over the updates, in order, so that several updates of
// one place have a defined result:
//   %r = program.region -> tensor<?xf32> {
//     %e = tensor.empty(%n) : tensor<?xf32>
//     %0 = linalg.copy ins(%data) outs(%e)
//     %1 = scf.for %i = %c0 to %m step %c1 iter_args(%t = %0) {
//       ... %v = tensor.insert %u into %t[%place] ...
//     }
//     program.yield %1
//
#include "dialects/Kernel/KernelDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Import/Indexing.h"

using namespace mlir;

namespace mxn {
namespace {

/// What an update does to the element that is there: attribute `reduction`.
LogicalResult checkReduction(InferContext &c) {
  StringRef reduction = c.node.stringAttr("reduction", "none");
  for (StringRef known : {"none", "add", "mul", "max", "min"})
    if (reduction == known)
      return success();
  return c.error() << "reduction \"" << reduction << "\" isn't supported";
}

Value combineUpdate(OpBuilder &b, Location loc, StringRef reduction, Type element, Value old, Value update) {
  bool isFloat = isa<FloatType>(element), isUnsigned = LowerContext::isUnsigned(element);
  if (reduction == "add") {
    if (isFloat)
      return arith::AddFOp::create(b, loc, old, update);
    if (element.isInteger(1))
      return arith::OrIOp::create(b, loc, old, update);
    return arith::AddIOp::create(b, loc, old, update);
  }
  if (reduction == "mul") {
    if (isFloat)
      return arith::MulFOp::create(b, loc, old, update);
    return arith::MulIOp::create(b, loc, old, update);
  }
  if (reduction == "max") {
    if (isFloat)
      return arith::MaximumFOp::create(b, loc, old, update);
    if (isUnsigned)
      return arith::MaxUIOp::create(b, loc, old, update);
    return arith::MaxSIOp::create(b, loc, old, update);
  }
  if (reduction == "min") {
    if (isFloat)
      return arith::MinimumFOp::create(b, loc, old, update);
    if (isUnsigned)
      return arith::MinUIOp::create(b, loc, old, update);
    return arith::MinSIOp::create(b, loc, old, update);
  }
  return update;
}

/// Copies input 0 and gives each element of `updates` a place in the copy.
Lowered scatter(LowerContext &c, Value updates, ArrayRef<SymbolicExpr> updateDims,
                function_ref<SmallVector<Value>(OpBuilder &, Location, ValueRange at)> place) {
  StringRef reduction = c.node.stringAttr("reduction", "none");
  Type element = c.outputElement();
  SmallVector<Value> sizes = sizeValues(c, updateDims);
  return buildRegion(c, c.outputType(), [&]() -> SmallVector<Value> {
    Value copy = linalg::CopyOp::create(c.b, c.loc, c.input(0), c.empty()).getResult(0);
    return buildLoops(c.b, c.loc, sizes, copy,
                      [&](OpBuilder &b, Location loc, ValueRange at, ValueRange carried) -> SmallVector<Value> {
                        Value update = tensor::ExtractOp::create(b, loc, updates, at);
                        SmallVector<Value> target = place(b, loc, at);
                        if (reduction != "none") {
                          Value old = tensor::ExtractOp::create(b, loc, carried[0], target);
                          update = combineUpdate(b, loc, reduction, element, old, update);
                        }
                        return {tensor::InsertOp::create(b, loc, update, carried[0], target)};
                      });
  });
}

//===----------------------------------------------------------------------===//
// ScatterElements, ScatterND
//===----------------------------------------------------------------------===//

LogicalResult inferScatterElements(InferContext &c) {
  Dims dims = c.dims(0), places = c.dims(1), updates = c.dims(2);
  auto axis = axisAttr(c, 0, dims.size());
  if (failed(axis) || failed(checkReduction(c)))
    return failure();
  if (places.size() != dims.size() || updates.size() != dims.size())
    return c.error() << "its data, indices and updates must have the same number of dimensions";
  for (int64_t i = 0; i < static_cast<int64_t>(dims.size()); ++i)
    if (failed(c.equate(places[i], updates[i], "dimension " + Twine(i) + " of the indices and of the updates")) ||
        failed(requireAtLeast(c, dims[i], i == *axis ? SymbolicExpr(1) : places[i],
                              "dimension " + Twine(i) + " of the data beside that of the indices")))
      return failure();
  c.setDims(0, dims);
  return success();
}

Lowered lowerScatterElements(LowerContext &c) {
  Dims dims = c.dims(0);
  auto axis = axisAttr(c, 0, dims.size());
  if (failed(axis))
    return failure();
  Value size = c.size(dims[*axis]);
  return scatter(c, c.input(2), c.dims(2), [&](OpBuilder &b, Location loc, ValueRange at) {
    SmallVector<Value> target(at);
    target[*axis] = checkedIndex(b, loc, tensor::ExtractOp::create(b, loc, c.input(1), at), size);
    return target;
  });
}

LogicalResult inferScatterND(InferContext &c) {
  Dims dims = c.dims(0), places = c.dims(1), updates = c.dims(2);
  if (failed(checkReduction(c)))
    return failure();
  auto parts = places.empty() ? std::nullopt : places.back().constant();
  if (!parts)
    return c.error() << "the last dimension of its indices must be constant";
  int64_t rank = dims.size();
  if (*parts < 1 || *parts > rank)
    return c.error() << "indices of " << *parts << " parts don't fit data with " << rank << " dimensions";
  Dims expected(ArrayRef<SymbolicExpr>(places).drop_back());
  llvm::append_range(expected, ArrayRef<SymbolicExpr>(dims).drop_front(*parts));
  if (updates.size() != expected.size())
    return c.error() << "its updates have " << updates.size() << " dimensions, they need " << expected.size();
  for (auto [i, u, e] : llvm::enumerate(updates, expected))
    if (failed(c.equate(u, e, "dimension " + Twine(i) + " of the updates and what the data and indices give")))
      return failure();
  for (int64_t i = 0; i < *parts; ++i)
    if (failed(requireAtLeast(c, dims[i], 1, "a dimension that is written to")))
      return failure();
  c.setDims(0, dims);
  return success();
}

Lowered lowerScatterND(LowerContext &c) {
  Dims dims = c.dims(0), places = c.dims(1);
  int64_t outer = places.size() - 1, parts = *places.back().constant();
  SmallVector<Value> sizes = sizeValues(c, ArrayRef<SymbolicExpr>(dims).take_front(parts));
  return scatter(c, c.input(2), c.dims(2), [&](OpBuilder &b, Location loc, ValueRange at) {
    SmallVector<Value> target;
    for (int64_t i = 0; i < parts; ++i) {
      SmallVector<Value> place(at.take_front(outer));
      place.push_back(arith::ConstantIndexOp::create(b, loc, i));
      Value index = tensor::ExtractOp::create(b, loc, c.input(1), place);
      target.push_back(checkedIndex(b, loc, index, sizes[i]));
    }
    llvm::append_range(target, at.drop_front(outer));
    return target;
  });
}

//===----------------------------------------------------------------------===//
// TensorScatter
//===----------------------------------------------------------------------===//

LogicalResult inferTensorScatter(InferContext &c) {
  Dims dims = c.dims(0), updates = c.dims(1);
  int64_t rank = dims.size();
  auto axis = axisAttr(c, -2, rank);
  if (failed(axis))
    return failure();
  StringRef mode = c.node.stringAttr("mode", "linear");
  if (mode != "linear" && mode != "circular")
    return c.error() << "mode \"" << mode << "\" isn't supported";
  if (*axis == 0 || static_cast<int64_t>(updates.size()) != rank)
    return c.error() << "needs an axis behind the batch, and updates with as many dimensions as the cache";
  for (int64_t i = 0; i < rank; ++i) {
    if (i != *axis &&
        failed(c.equate(dims[i], updates[i], "dimension " + Twine(i) + " of the cache and of the update")))
      return failure();
    if (i == *axis && failed(requireAtLeast(c, dims[i], updates[i], "the cache's length beside that of the update")))
      return failure();
  }
  if (c.hasInput(2)) {
    Dims places = c.dims(2);
    if (places.size() != 1)
      return c.error() << "its write_indices must be a vector";
    if (failed(c.equate(places[0], dims[0], "the number of write_indices and the batch")))
      return failure();
  }
  c.setDims(0, dims);
  return success();
}

Lowered lowerTensorScatter(LowerContext &c) {
  Dims dims = c.dims(0);
  auto axis = axisAttr(c, -2, dims.size());
  if (failed(axis))
    return failure();
  bool circular = c.node.stringAttr("mode", "linear") == "circular";
  Value size = c.size(dims[*axis]);
  return scatter(c, c.input(1), c.dims(1), [&](OpBuilder &b, Location loc, ValueRange at) {
    SmallVector<Value> target(at);
    if (!c.hasInput(2))
      return target;
    Value start = tensor::ExtractOp::create(b, loc, c.input(2), at.front());
    start = arith::IndexCastOp::create(b, loc, b.getIndexType(), start);
    Value position = arith::AddIOp::create(b, loc, start, at[*axis]);
    if (circular) {
      Value one = arith::ConstantIndexOp::create(b, loc, 1), zero = arith::ConstantIndexOp::create(b, loc, 0);
      Value period = arith::MaxSIOp::create(b, loc, size, one);
      position = arith::RemSIOp::create(b, loc, position, period);
      Value negative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, position, zero);
      position = arith::SelectOp::create(b, loc, negative, arith::AddIOp::create(b, loc, position, period), position);
      target[*axis] = position;
      return target;
    }
    target[*axis] = checkedIndex(b, loc, position, size, /*fromEnd=*/false);
    return target;
  });
}

} // namespace

void addScatterHandlers(HandlerRegistry &r) {
  r.add("", "Scatter", 9, movement(inferScatterElements, lowerScatterElements));
  r.add("", "ScatterElements", 11, movement(inferScatterElements, lowerScatterElements));
  r.add("", "ScatterND", 11, movement(inferScatterND, lowerScatterND));
  r.add("", "TensorScatter", 24, movement(inferTensorScatter, lowerTensorScatter));
}

} // namespace mxn
