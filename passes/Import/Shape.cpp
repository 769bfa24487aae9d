//===- Shape.cpp - Sizes as tensors, and tensors made from sizes ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "passes/Import/Indexing.h"
#include <cmath>

using namespace mlir;

namespace mxn {
namespace {

//===----------------------------------------------------------------------===//
// Shape, Size
//===----------------------------------------------------------------------===//

LogicalResult inferShape(InferContext &c) {
  Dims dims = c.dims(0);
  int64_t rank = dims.size();
  auto clamp = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
  int64_t start = clamp(c.node.intAttr("start", 0)), end = clamp(c.node.intAttr("end", rank));
  Dims values(ArrayRef<SymbolicExpr>(dims).slice(start, std::max<int64_t>(end - start, 0)));
  c.setDims(0, {SymbolicExpr(static_cast<int64_t>(values.size()))});
  c.setValues(0, values);
  return success();
}

LogicalResult inferSize(InferContext &c) {
  c.setDims(0, {});
  c.setValues(0, {product(c.dims(0))});
  return success();
}

/// The results of Shape and Size are known wherever the rank of the input is, and known results aren't lowered.
Lowered lowerUnknownShape(LowerContext &c) { return c.error() << "the rank of its input isn't known when compiling"; }

//===----------------------------------------------------------------------===//
// ConstantOfShape, EyeLike
//===----------------------------------------------------------------------===//

LogicalResult inferConstantOfShape(InferContext &c) {
  Facts shape = c.input(0);
  if (!shape.values)
    return inferDeclared(c);
  for (const SymbolicExpr &d : *shape.values)
    if (d.constant() && *d.constant() < 0)
      return c.error() << "a dimension can't be " << *d.constant();
  c.setDims(0, *shape.values);
  auto value = dyn_cast_if_present<DenseElementsAttr>(c.node.attr("value"));
  if (!value || !isa<IntegerType>(value.getElementType()) || value.getNumElements() != 1)
    return success();
  APInt number = *value.getValues<APInt>().begin();
  bool isUnsigned = LowerContext::isUnsigned(value.getElementType());
  SymbolicExpr element(isUnsigned ? static_cast<int64_t>(number.getLimitedValue(INT64_MAX)) : number.getSExtValue());
  trackElements(c, 0, *shape.values, [&](ArrayRef<int64_t>) { return element; });
  return success();
}

Lowered lowerConstantOfShape(LowerContext &c) {
  if (!c.values(0) && failed(requireStaticOutput(c, "shape")))
    return failure();
  Type element = LowerContext::lowered(c.outputElement());
  Value scalar = c.constant(element, 0);
  if (auto value = dyn_cast_if_present<DenseElementsAttr>(c.node.attr("value"))) {
    if (value.getNumElements() != 1)
      return c.error() << "its 'value' must have one element";
    TypedAttr number = isa<FloatType>(element)
                           ? TypedAttr(c.b.getFloatAttr(element, *value.getValues<APFloat>().begin()))
                           : TypedAttr(c.b.getIntegerAttr(element, *value.getValues<APInt>().begin()));
    scalar = arith::ConstantOp::create(c.b, c.loc, number);
  }
  return SmallVector<Value>{c.filled(c.outputDims(), scalar)};
}

LogicalResult inferEyeLike(InferContext &c) {
  Dims dims = c.dims(0);
  if (dims.size() != 2)
    return c.error() << "needs an input with 2 dimensions, it has " << dims.size();
  c.setDims(0, dims);
  return success();
}

Lowered lowerEyeLike(LowerContext &c) {
  int64_t diagonal = c.node.intAttr("k", 0);
  Type element = LowerContext::lowered(c.outputElement());
  Value v = generate(c, c.outputDims(), element, {}, [&](OpBuilder &b, Location loc, ValueRange at, ValueRange) {
    auto scalar = [&](int64_t n) -> Value {
      if (isa<FloatType>(element))
        return arith::ConstantOp::create(b, loc, b.getFloatAttr(element, n));
      return arith::ConstantOp::create(b, loc, b.getIntegerAttr(element, n));
    };
    Value column = arith::AddIOp::create(b, loc, at[0], arith::ConstantIndexOp::create(b, loc, diagonal));
    Value on = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, column, at[1]);
    return arith::SelectOp::create(b, loc, on, scalar(1), scalar(0)).getResult();
  });
  return SmallVector<Value>{v};
}

//===----------------------------------------------------------------------===//
// Range
//===----------------------------------------------------------------------===//

/// The constant floating-point scalar that the model holds for input `i`.
std::optional<double> floatScalar(onnx::NodeOp node, unsigned i) {
  auto constant = node.getInputs()[i].getDefiningOp<onnx::ConstantOp>();
  auto dense = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : DenseElementsAttr();
  if (!dense || !isa<FloatType>(dense.getElementType()) || dense.getNumElements() != 1)
    return std::nullopt;
  APFloat value = *dense.getValues<APFloat>().begin();
  bool losesInfo;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
  return value.convertToDouble();
}

/// The number of elements is max(ceil((limit - start) / delta), 0).
LogicalResult inferRange(InferContext &c) {
  auto start = floatScalar(c.node, 0), limit = floatScalar(c.node, 1), delta = floatScalar(c.node, 2);
  if (start && limit && delta) {
    if (*delta == 0)
      return c.error() << "the step can't be 0";
    double count = std::max(std::ceil((*limit - *start) / *delta), 0.0);
    if (!(count < 9e15))
      return c.error() << "has more elements than can be counted";
    c.setDims(0, {SymbolicExpr(static_cast<int64_t>(count))});
    return success();
  }
  Facts from = c.input(0), to = c.input(1), by = c.input(2);
  auto scalar = [](const Facts &f) { return f.values && f.values->size() == 1; };
  if (!scalar(from) || !scalar(to) || !scalar(by))
    return inferDeclared(c);
  SymbolicExpr first = from.values->front(), step = by.values->front(), distance = to.values->front() - first;
  if (step.isConstant(0))
    return c.error() << "the step can't be 0";
  bool down = step.constant() && *step.constant() < 0;
  SymbolicExpr count = down ? SymbolicExpr::ceilDiv(SymbolicExpr(0) - distance, SymbolicExpr(0) - step)
                            : SymbolicExpr::ceilDiv(distance, step);
  count = SymbolicExpr::max(count, 0);
  c.setDims(0, {count});
  trackElements(c, 0, {count}, [&](ArrayRef<int64_t> at) { return first + step * SymbolicExpr(at[0]); });
  return success();
}

Lowered lowerRange(LowerContext &c) {
  bool known = c.values(0) && c.values(1) && c.values(2);
  bool constants = floatScalar(c.node, 0) && floatScalar(c.node, 1) && floatScalar(c.node, 2);
  if (!known && !constants && failed(requireStaticOutput(c, "start, limit and delta")))
    return failure();
  Type onnxElement = c.outputElement(), element = LowerContext::lowered(onnxElement);
  SmallVector<Read> reads;
  auto operand = [&](unsigned i) {
    if (c.values(i))
      return;
    auto type = cast<RankedTensorType>(c.input(i).getType()); // a scalar, or one element
    SmallVector<AffineExpr> first(type.getRank(), getAffineConstantExpr(0, c.b.getContext()));
    reads.push_back({c.input(i), AffineMap::get(1, 0, first, c.b.getContext())});
  };
  operand(0);
  operand(2);
  // Sizes are read as such, so that what comes later sees on what the elements depend.
  SmallVector<Value> sizes(3);
  for (unsigned i : {0u, 2u})
    if (auto v = c.values(i))
      sizes[i] = c.size(v->front());
  Value v =
      generate(c, c.outputDims(), element, reads, [&](OpBuilder &b, Location loc, ValueRange at, ValueRange read) {
        unsigned next = 0;
        auto scalar = [&](unsigned i) -> Value {
          return sizes[i] ? arith::IndexCastOp::create(b, loc, element, sizes[i]).getResult() : read[next++];
        };
        Value start = scalar(0), delta = scalar(2);
        if (!isa<FloatType>(element)) {
          Value i = arith::IndexCastOp::create(b, loc, element, at[0]);
          return arith::AddIOp::create(b, loc, start, arith::MulIOp::create(b, loc, i, delta)).getResult();
        }
        // The element's type may not hold the position exactly.
        Type wide = element.getIntOrFloatBitWidth() < 32 ? b.getF32Type() : element;
        auto widen = [&](Value x) { return wide == element ? x : arith::ExtFOp::create(b, loc, wide, x).getResult(); };
        Value i = arith::IndexCastOp::create(b, loc, b.getI64Type(), at[0]);
        i = arith::SIToFPOp::create(b, loc, wide, i);
        Value sum = arith::AddFOp::create(b, loc, widen(start), arith::MulFOp::create(b, loc, i, widen(delta)));
        return wide == element ? sum : arith::TruncFOp::create(b, loc, element, sum).getResult();
      });
  return SmallVector<Value>{v};
}

} // namespace

void addShapeHandlers(HandlerRegistry &r) {
  r.add("", "Shape", 1, {inferShape, lowerUnknownShape});
  r.add("", "Size", 1, {inferSize, lowerUnknownShape});
  r.add("", "ConstantOfShape", 9, movement(inferConstantOfShape, lowerConstantOfShape));
  r.add("", "EyeLike", 9, movement(inferEyeLike, lowerEyeLike));
  r.add("", "Range", 11, movement(inferRange, lowerRange));
}

} // namespace mxn
