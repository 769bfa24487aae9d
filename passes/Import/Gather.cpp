//===- Gather.cpp - Elements read where other elements say ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Import/Indexing.h"

using namespace mlir;

namespace mxn {
namespace {

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

LogicalResult inferGather(InferContext &c) {
  Dims dims = c.dims(0), places = c.dims(1);
  auto axis = axisAttr(c, 0, dims.size());
  if (failed(axis))
    return failure();
  int64_t outer = *axis, inner = places.size();
  Dims to(ArrayRef<SymbolicExpr>(dims).take_front(outer));
  llvm::append_range(to, places);
  llvm::append_range(to, ArrayRef<SymbolicExpr>(dims).drop_front(outer + 1));
  c.setDims(0, to);
  auto indices = c.constants(1);
  SymbolicExpr size = dims[outer];
  SymbolicExpr needed(1);
  if (indices) {
    for (int64_t i : *indices) {
      if (size.constant() && (i < -*size.constant() || i >= *size.constant()))
        return c.error() << "index " << i << " is outside of a dimension of " << *size.constant();
      needed = SymbolicExpr::max(needed, i < 0 ? SymbolicExpr(0) - SymbolicExpr(i) : SymbolicExpr(i) + 1);
    }
  }
  auto values = c.input(0).values;
  auto shape = constantDims(dims);
  if (indices && values && shape) {
    SmallVector<int64_t> indexShape = *constantDims(places);
    trackElements(c, 0, to, [&](ArrayRef<int64_t> at) {
      int64_t i = (*indices)[linearize(at.slice(outer, inner), indexShape)];
      SmallVector<int64_t> source(at.take_front(outer));
      source.push_back(i < 0 ? i + (*shape)[outer] : i);
      llvm::append_range(source, at.drop_front(outer + inner));
      return (*values)[linearize(source, *shape)];
    });
    return success();
  }
  return requireAtLeast(c, size, needed, "the dimension that is read from");
}

/// One constant index picks a slice; more are read in the body of a linalg.generic.
Lowered lowerGather(LowerContext &c) {
  Dims dims = c.dims(0), to = c.outputDims();
  auto axis = axisAttr(c, 0, dims.size());
  if (failed(axis))
    return failure();
  int64_t outer = *axis, inner = c.dims(1).size(), rank = to.size();
  if (auto index = c.constants(1); index && index->size() == 1) {
    SmallVector<SymbolicExpr> from(dims.size(), SymbolicExpr(0));
    from[outer] = index->front() < 0 ? dims[outer] + SymbolicExpr(index->front()) : SymbolicExpr(index->front());
    Dims one(dims);
    one[outer] = 1;
    return SmallVector<Value>{c.reshape(extractSlice(c, c.input(0), from, one), one, to)};
  }
  SmallVector<AffineExpr> place;
  for (int64_t i = 0; i < inner; ++i)
    place.push_back(getAffineDimExpr(outer + i, c.b.getContext()));
  Value size = c.size(dims[outer]);
  Value v = generate(c, to, LowerContext::lowered(c.outputElement()),
                     {{c.input(1), AffineMap::get(rank, 0, place, c.b.getContext())}},
                     [&](OpBuilder &b, Location loc, ValueRange at, ValueRange read) {
                       SmallVector<Value> source(at.take_front(outer));
                       source.push_back(checkedIndex(b, loc, read[0], size));
                       llvm::append_range(source, at.drop_front(outer + inner));
                       return tensor::ExtractOp::create(b, loc, c.input(0), source).getResult();
                     });
  return SmallVector<Value>{v};
}

//===----------------------------------------------------------------------===//
// GatherElements
//===----------------------------------------------------------------------===//

LogicalResult inferGatherElements(InferContext &c) {
  Dims dims = c.dims(0), to = c.dims(1);
  if (dims.size() != to.size())
    return c.error() << "its indices have " << to.size() << " dimensions, its data " << dims.size();
  auto axis = axisAttr(c, 0, dims.size());
  if (failed(axis))
    return failure();
  for (int64_t i = 0; i < static_cast<int64_t>(dims.size()); ++i)
    if (failed(requireAtLeast(c, dims[i], i == *axis ? SymbolicExpr(1) : to[i],
                              "dimension " + Twine(i) + " of the data beside that of the indices")))
      return failure();
  c.setDims(0, to);
  return success();
}

Lowered lowerGatherElements(LowerContext &c) {
  Dims dims = c.dims(0), to = c.outputDims();
  auto axis = axisAttr(c, 0, dims.size());
  if (failed(axis))
    return failure();
  Value size = c.size(dims[*axis]);
  Value v = generate(c, to, LowerContext::lowered(c.outputElement()),
                     {{c.input(1), AffineMap::getMultiDimIdentityMap(to.size(), c.b.getContext())}},
                     [&](OpBuilder &b, Location loc, ValueRange at, ValueRange read) {
                       SmallVector<Value> source(at);
                       source[*axis] = checkedIndex(b, loc, read[0], size);
                       return tensor::ExtractOp::create(b, loc, c.input(0), source).getResult();
                     });
  return SmallVector<Value>{v};
}

//===----------------------------------------------------------------------===//
// GatherND
//===----------------------------------------------------------------------===//

LogicalResult inferGatherND(InferContext &c) {
  Dims dims = c.dims(0), places = c.dims(1);
  int64_t batch = c.node.intAttr("batch_dims", 0), rank = dims.size();
  auto parts = places.empty() ? std::nullopt : places.back().constant();
  if (!parts)
    return c.error() << "the last dimension of its indices must be constant";
  if (batch < 0 || batch >= static_cast<int64_t>(places.size()) || *parts < 1 || batch + *parts > rank)
    return c.error() << "indices of " << *parts << " parts behind " << batch << " batch dimensions don't fit data with "
                     << rank << " dimensions";
  for (int64_t i = 0; i < batch; ++i)
    if (failed(c.equate(dims[i], places[i], "batch dimension " + Twine(i) + " of the data and of the indices")))
      return failure();
  for (int64_t i = batch; i < batch + *parts; ++i)
    if (failed(requireAtLeast(c, dims[i], 1, "a dimension that is read from")))
      return failure();
  Dims to(ArrayRef<SymbolicExpr>(places).drop_back());
  llvm::append_range(to, ArrayRef<SymbolicExpr>(dims).drop_front(batch + *parts));
  c.setDims(0, to);
  return success();
}

Lowered lowerGatherND(LowerContext &c) {
  Dims dims = c.dims(0), places = c.dims(1), to = c.outputDims();
  int64_t batch = c.node.intAttr("batch_dims", 0), outer = places.size() - 1, parts = *places.back().constant();
  SmallVector<Value> sizes = sizeValues(c, ArrayRef<SymbolicExpr>(dims).slice(batch, parts));
  Value v = generate(c, to, LowerContext::lowered(c.outputElement()), {},
                     [&](OpBuilder &b, Location loc, ValueRange at, ValueRange) {
                       SmallVector<Value> source(at.take_front(batch));
                       for (int64_t i = 0; i < parts; ++i) {
                         SmallVector<Value> place(at.take_front(outer));
                         place.push_back(arith::ConstantIndexOp::create(b, loc, i));
                         Value index = tensor::ExtractOp::create(b, loc, c.input(1), place);
                         source.push_back(checkedIndex(b, loc, index, sizes[i]));
                       }
                       llvm::append_range(source, at.drop_front(outer));
                       return tensor::ExtractOp::create(b, loc, c.input(0), source).getResult();
                     });
  return SmallVector<Value>{v};
}

//===----------------------------------------------------------------------===//
// OneHot
//===----------------------------------------------------------------------===//

/// The number of classes, which may be given in any numeric type.
template <typename Values> std::optional<SymbolicExpr> depthOf(onnx::NodeOp node, Values values) {
  if (auto known = values(1); known && known->size() == 1)
    return known->front();
  auto constant = node.getInputs()[1].getDefiningOp<onnx::ConstantOp>();
  auto dense = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : DenseElementsAttr();
  if (!dense || !isa<FloatType>(dense.getElementType()) || dense.getNumElements() != 1)
    return std::nullopt;
  APSInt depth(64, /*isUnsigned=*/false);
  bool exact;
  (*dense.getValues<APFloat>().begin()).convertToInteger(depth, APFloat::rmTowardZero, &exact);
  return SymbolicExpr(depth.getSExtValue());
}

LogicalResult inferOneHot(InferContext &c) {
  Dims to = c.dims(0);
  auto axis = axisAttr(c, -1, to.size() + 1);
  auto depth = depthOf(c.node, [&](unsigned i) { return c.input(i).values; });
  if (failed(axis))
    return failure();
  if (!depth)
    return inferDeclared(c);
  to.insert(to.begin() + *axis, *depth);
  c.setDims(0, to);
  return success();
}

Lowered lowerOneHot(LowerContext &c) {
  Dims to = c.outputDims();
  int64_t rank = to.size();
  auto axis = axisAttr(c, -1, rank);
  if (failed(axis))
    return failure();
  if (!depthOf(c.node, [&](unsigned i) { return c.values(i); }) && !to[*axis].constant())
    return c.error() << "its depth must be constant or computed from sizes of the inputs";
  MLIRContext *context = c.b.getContext();
  SmallVector<AffineExpr> place;
  for (int64_t i = 0; i < rank; ++i)
    if (i != *axis)
      place.push_back(getAffineDimExpr(i, context));
  Type from = c.inputElement(0), i64 = IntegerType::get(context, 64, IntegerType::Signed);
  Value depth = c.size(to[*axis]);
  Value v =
      generate(c, to, LowerContext::lowered(c.outputElement()), {{c.input(0), AffineMap::get(rank, 0, place, context)}},
               [&](OpBuilder &b, Location loc, ValueRange at, ValueRange read) {
                 Value index = LowerContext::cast(b, loc, read[0], from, i64);
                 index = arith::IndexCastOp::create(b, loc, b.getIndexType(), index);
                 Value zero = arith::ConstantIndexOp::create(b, loc, 0),
                       one = arith::ConstantIndexOp::create(b, loc, 1);
                 // Indices out of range are allowed here: all of their classes are off.
                 Value negative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, index, zero);
                 index = arith::SelectOp::create(b, loc, negative, arith::AddIOp::create(b, loc, index, depth), index);
                 Value on = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, index, at[*axis]);
                 Value offValue = tensor::ExtractOp::create(b, loc, c.input(2), zero);
                 Value onValue = tensor::ExtractOp::create(b, loc, c.input(2), one);
                 return arith::SelectOp::create(b, loc, on, onValue, offValue).getResult();
               });
  return SmallVector<Value>{v};
}

} // namespace

void addGatherHandlers(HandlerRegistry &r) {
  r.add("", "Gather", 1, movement(inferGather, lowerGather));
  r.add("", "GatherElements", 11, movement(inferGatherElements, lowerGatherElements));
  r.add("", "GatherND", 11, movement(inferGatherND, lowerGatherND));
  r.add("", "OneHot", 9, movement(inferOneHot, lowerOneHot));
  addScatterHandlers(r);
  addSelectionHandlers(r);
}

} // namespace mxn
