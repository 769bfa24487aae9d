//===- Selection.cpp - The largest, the smallest, running sums ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Import/Indexing.h"

using namespace mlir;

namespace mxn {
namespace {

/// Which of two elements comes first. As in numpy, argmax and argmin find NaN before every number, and sorting puts it
/// behind the largest number.
struct Order {
  Type element;
  bool largest, nanFirst;
};

Value ranksBefore(OpBuilder &b, Location loc, const Order &order, Value x, Value y) {
  auto [element, largest, nanFirst] = order;
  if (!isa<FloatType>(element)) {
    bool isUnsigned = LowerContext::isUnsigned(element);
    auto predicate = largest ? (isUnsigned ? arith::CmpIPredicate::ugt : arith::CmpIPredicate::sgt)
                             : (isUnsigned ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt);
    return arith::CmpIOp::create(b, loc, predicate, x, y);
  }
  auto predicate = largest ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OLT;
  Value before = arith::CmpFOp::create(b, loc, predicate, x, y);
  Value nan = nanFirst ? x : y, number = nanFirst ? y : x;
  Value isNaN = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, nan, nan);
  Value isNumber = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, number, number);
  return arith::OrIOp::create(b, loc, before, arith::AndIOp::create(b, loc, isNaN, isNumber));
}

Value notValue(OpBuilder &b, Location loc, Value v) {
  return arith::XOrIOp::create(b, loc, v, arith::ConstantOp::create(b, loc, b.getBoolAttr(true)));
}

//===----------------------------------------------------------------------===//
// ArgMax, ArgMin, Hardmax
//===----------------------------------------------------------------------===//

/// The place along `axis` of the element that ranks first. Each element of the result, of shape `dims` less the axis,
/// is found by a loop in the body of a linalg.generic, which needs no memory for the values.
Value firstInOrder(LowerContext &c, Value input, Dims dims, int64_t axis, bool largest, bool takeLast) {
  Value size = c.size(dims[axis]);
  Order order{c.inputElement(0), largest, /*nanFirst=*/true};
  Type lowered = LowerContext::lowered(order.element);
  dims.erase(dims.begin() + axis);
  return generate(c, dims, c.b.getI64Type(), {}, [&](OpBuilder &b, Location loc, ValueRange at, ValueRange) {
    Value zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
    Value none = arith::ConstantOp::create(b, loc, b.getZeroAttr(lowered));
    auto loop = scf::ForOp::create(
        b, loc, zero, size, one, ValueRange{none, zero}, [&](OpBuilder &b, Location loc, Value i, ValueRange best) {
          SmallVector<Value> place(at);
          place.insert(place.begin() + axis, i);
          Value v = tensor::ExtractOp::create(b, loc, input, place);
          Value better = takeLast ? notValue(b, loc, ranksBefore(b, loc, order, best[0], v))
                                  : ranksBefore(b, loc, order, v, best[0]);
          Value first = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, i, zero);
          better = arith::OrIOp::create(b, loc, better, first);
          scf::YieldOp::create(b, loc,
                               ValueRange{arith::SelectOp::create(b, loc, better, v, best[0]),
                                          arith::SelectOp::create(b, loc, better, i, best[1])});
        });
    return arith::IndexCastOp::create(b, loc, b.getI64Type(), loop.getResult(1)).getResult();
  });
}

LogicalResult inferArgReduce(InferContext &c) {
  Dims dims = c.dims(0);
  auto axis = axisAttr(c, 0, dims.size());
  if (failed(axis) || failed(requireAtLeast(c, dims[*axis], 1, "the dimension that is searched")))
    return failure();
  if (c.node.intAttr("keepdims", 1))
    dims[*axis] = 1;
  else
    dims.erase(dims.begin() + *axis);
  c.setDims(0, dims);
  return success();
}

Lowered lowerArgReduce(LowerContext &c) {
  Dims dims = c.dims(0), reduced(dims);
  auto axis = axisAttr(c, 0, dims.size());
  if (failed(axis))
    return failure();
  reduced.erase(reduced.begin() + *axis);
  Value v =
      firstInOrder(c, c.input(0), dims, *axis, c.node.getOp() == "ArgMax", c.node.intAttr("select_last_index", 0));
  return SmallVector<Value>{c.reshape(v, reduced, c.outputDims())};
}

LogicalResult inferHardmax(InferContext &c) {
  Dims dims = c.dims(0);
  if (failed(axisAttr(c, c.node.getVersion() < 13 ? 1 : -1, dims.size())))
    return failure();
  c.setDims(0, dims);
  return success();
}

/// 1 at the first of the largest elements. Before version 13 all dimensions from the axis on count as one.
Lowered lowerHardmax(LowerContext &c) {
  Dims given = c.dims(0), dims(given);
  bool flat = c.node.getVersion() < 13;
  auto axis = axisAttr(c, flat ? 1 : -1, dims.size());
  if (failed(axis))
    return failure();
  int64_t at = *axis;
  if (flat) {
    dims = {product(ArrayRef<SymbolicExpr>(given).take_front(at)),
            product(ArrayRef<SymbolicExpr>(given).drop_front(at))};
    at = 1;
  }
  int64_t rank = dims.size();
  Value input = c.reshape(c.input(0), given, dims);
  Type element = LowerContext::lowered(c.outputElement());
  Value best = firstInOrder(c, input, dims, at, /*largest=*/true, /*takeLast=*/false);
  SmallVector<AffineExpr> place;
  for (int64_t i = 0; i < rank; ++i)
    if (i != at)
      place.push_back(getAffineDimExpr(i, c.b.getContext()));
  Value v = generate(c, dims, element, {{best, AffineMap::get(rank, 0, place, c.b.getContext())}},
                     [&](OpBuilder &b, Location loc, ValueRange index, ValueRange read) {
                       Value i = arith::IndexCastOp::create(b, loc, b.getI64Type(), index[at]);
                       Value on = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, i, read[0]);
                       Value one = arith::ConstantOp::create(b, loc, b.getFloatAttr(element, 1));
                       Value zero = arith::ConstantOp::create(b, loc, b.getFloatAttr(element, 0));
                       return arith::SelectOp::create(b, loc, on, one, zero).getResult();
                     });
  return SmallVector<Value>{c.reshape(v, dims, given)};
}

//===----------------------------------------------------------------------===//
// TopK
//===----------------------------------------------------------------------===//

/// The number of elements that are kept: an attribute in version 1.
template <typename Values> std::optional<SymbolicExpr> keptCount(onnx::NodeOp node, Values values) {
  if (node.has("k"))
    return SymbolicExpr(node.intAttr("k", 0));
  auto known = values(1);
  return known && known->size() == 1 ? std::optional(known->front()) : std::nullopt;
}

LogicalResult inferTopK(InferContext &c) {
  Dims dims = c.dims(0);
  auto axis = axisAttr(c, -1, dims.size());
  if (failed(axis))
    return failure();
  auto k = keptCount(c.node, [&](unsigned i) { return c.input(i).values; });
  if (!k) {
    auto declared = declaredDims(c.node, 0);
    if (!declared || declared->size() != dims.size())
      return success();
    k = (*declared)[*axis];
  }
  if (failed(requireAtLeast(c, dims[*axis], *k, "the dimension that k elements are taken from")))
    return failure();
  dims[*axis] = *k;
  c.setDims(0, dims);
  c.setDims(1, dims);
  return success();
}

/// Finds for each place the next element in order behind the one before: by value, and by index where values are equal.
/// This takes k passes over the dimension and no memory.
Lowered lowerTopK(LowerContext &c) {
  Dims dims = c.dims(0), to = c.outputDims(0);
  auto axis = axisAttr(c, -1, dims.size());
  if (failed(axis))
    return failure();
  if (!keptCount(c.node, [&](unsigned i) { return c.values(i); }) && !to[*axis].constant())
    return c.error() << "its k must be constant or computed from sizes of the inputs";
  bool largest = c.node.intAttr("largest", 1);
  Order order{c.inputElement(0), largest, /*nanFirst=*/largest};
  Type lowered = LowerContext::lowered(order.element);
  Dims outer(dims);
  outer.erase(outer.begin() + *axis);
  SmallVector<Value> outerSizes = sizeValues(c, outer);
  Value size = c.size(dims[*axis]), count = c.size(to[*axis]);
  return buildRegion(c, {c.outputType(0), c.type(to, c.b.getI64Type())}, [&]() -> SmallVector<Value> {
    SmallVector<Value> results{c.empty(to, lowered), c.empty(to, c.b.getI64Type())};
    return buildLoops(c.b, c.loc, outerSizes, results, [&](OpBuilder &b, Location loc, ValueRange at, ValueRange out) {
      Value zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
      Value none = arith::ConstantIndexOp::create(b, loc, -1);
      Value start = arith::ConstantOp::create(b, loc, b.getZeroAttr(lowered));
      auto placeAt = [&](Value i) {
        SmallVector<Value> place(at);
        place.insert(place.begin() + *axis, i);
        return place;
      };
      // Whether element (v, i) stands behind element (u, j).
      auto behind = [&](OpBuilder &b, Location loc, Value v, Value i, Value u, Value j) -> Value {
        Value later = ranksBefore(b, loc, order, u, v);
        Value equal = notValue(b, loc, ranksBefore(b, loc, order, v, u));
        Value higher = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, i, j);
        return arith::OrIOp::create(b, loc, later, arith::AndIOp::create(b, loc, equal, higher));
      };
      auto places = scf::ForOp::create(
          b, loc, zero, count, one, ValueRange{start, none, out[0], out[1]},
          [&](OpBuilder &b, Location loc, Value n, ValueRange last) {
            Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, last[1], zero);
            auto search = scf::ForOp::create(
                b, loc, zero, size, one, ValueRange{start, none},
                [&](OpBuilder &b, Location loc, Value i, ValueRange best) {
                  Value v = tensor::ExtractOp::create(b, loc, c.input(0), placeAt(i));
                  Value open = arith::OrIOp::create(b, loc, isFirst, behind(b, loc, v, i, last[0], last[1]));
                  Value isOnly = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, best[1], zero);
                  Value better = arith::OrIOp::create(b, loc, isOnly, ranksBefore(b, loc, order, v, best[0]));
                  Value take = arith::AndIOp::create(b, loc, open, better);
                  scf::YieldOp::create(b, loc,
                                       ValueRange{arith::SelectOp::create(b, loc, take, v, best[0]),
                                                  arith::SelectOp::create(b, loc, take, i, best[1])});
                });
            Value v = search.getResult(0), i = search.getResult(1);
            Value index = arith::IndexCastOp::create(b, loc, b.getI64Type(), i);
            Value values = tensor::InsertOp::create(b, loc, v, last[2], placeAt(n));
            Value indices = tensor::InsertOp::create(b, loc, index, last[3], placeAt(n));
            scf::YieldOp::create(b, loc, ValueRange{v, i, values, indices});
          });
      return SmallVector<Value>{places.getResult(2), places.getResult(3)};
    });
  });
}

//===----------------------------------------------------------------------===//
// CumSum, CumProd
//===----------------------------------------------------------------------===//

/// A vector has one axis only.
template <typename Context> FailureOr<int64_t> runningAxis(Context &c, int64_t rank) {
  if (rank == 1)
    return 0;
  auto known = c.constants(1);
  if (!known || known->size() != 1)
    return c.error() << "its axis must be constant";
  if (auto axis = normalizeAxis(known->front(), rank))
    return *axis;
  return c.error() << "axis " << known->front() << " is outside of a tensor with " << rank << " dimensions";
}

LogicalResult inferRunning(InferContext &c) {
  c.setDims(0, c.dims(0));
  return success();
}

Lowered lowerRunning(LowerContext &c) {
  Dims dims = c.dims(0);
  auto axis = runningAxis(c, dims.size());
  if (failed(axis))
    return failure();
  bool isProduct = c.node.getOp() == "CumProd", exclusive = c.node.intAttr("exclusive", 0);
  bool reverse = c.node.intAttr("reverse", 0);
  Type element = LowerContext::lowered(c.outputElement());
  bool isFloat = isa<FloatType>(element);
  // Short floats are summed in single precision.
  Type wide = isFloat && element.getIntOrFloatBitWidth() < 32 ? c.b.getF32Type() : element;
  Dims outer(dims);
  outer.erase(outer.begin() + *axis);
  SmallVector<Value> outerSizes = sizeValues(c, outer);
  Value size = c.size(dims[*axis]), start = c.constant(wide, isProduct ? 1 : 0);
  return buildRegion(c, c.outputType(), [&]() -> SmallVector<Value> {
    return buildLoops(
        c.b, c.loc, outerSizes, c.empty(), [&](OpBuilder &b, Location loc, ValueRange at, ValueRange out) {
          Value zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
          auto loop =
              scf::ForOp::create(b, loc, zero, size, one, ValueRange{start, out[0]},
                                 [&](OpBuilder &b, Location loc, Value i, ValueRange carried) {
                                   SmallVector<Value> place(at);
                                   if (reverse)
                                     i = arith::SubIOp::create(b, loc, arith::SubIOp::create(b, loc, size, one), i);
                                   place.insert(place.begin() + *axis, i);
                                   Value v = tensor::ExtractOp::create(b, loc, c.input(0), place);
                                   if (wide != element)
                                     v = arith::ExtFOp::create(b, loc, wide, v);
                                   Value next;
                                   if (isFloat)
                                     next = isProduct ? arith::MulFOp::create(b, loc, carried[0], v).getResult()
                                                      : arith::AddFOp::create(b, loc, carried[0], v).getResult();
                                   else
                                     next = isProduct ? arith::MulIOp::create(b, loc, carried[0], v).getResult()
                                                      : arith::AddIOp::create(b, loc, carried[0], v).getResult();
                                   Value written = exclusive ? carried[0] : next;
                                   if (wide != element)
                                     written = arith::TruncFOp::create(b, loc, element, written);
                                   Value filled = tensor::InsertOp::create(b, loc, written, carried[1], place);
                                   scf::YieldOp::create(b, loc, ValueRange{next, filled});
                                 });
          return SmallVector<Value>{loop.getResult(1)};
        });
  });
}

} // namespace

void addSelectionHandlers(HandlerRegistry &r) {
  r.add("", "ArgMax", 1, movement(inferArgReduce, lowerArgReduce));
  r.add("", "ArgMin", 1, movement(inferArgReduce, lowerArgReduce));
  r.add("", "Hardmax", 1, movement(inferHardmax, lowerHardmax));
  r.add("", "TopK", 1, movement(inferTopK, lowerTopK));
  r.add("", "CumSum", 11, movement(inferRunning, lowerRunning));
  r.add("", "CumProd", 26, movement(inferRunning, lowerRunning));
}

} // namespace mxn
