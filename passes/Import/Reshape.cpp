//===- Reshape.cpp - The same elements in another shape -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Indexing.h"
#include <numeric>

using namespace mlir;

namespace mxn {
namespace {

/// The result holds the input's elements in the same order, so known values stay known.
void setReshaped(InferContext &c, Dims dims) {
  c.setDims(0, std::move(dims));
  if (auto values = c.input(0).values)
    c.setValues(0, *values);
}

Lowered lowerReshape(LowerContext &c) { return SmallVector<Value>{c.reshape(c.input(0), c.dims(0), c.outputDims())}; }

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

/// The product of `dims` over the product of `others`. Equal factors are cancelled first: x [B, S, 64] reshaped to
/// [B, S, -1, 16] has 64 / 16 there, also where B is 0.
SymbolicExpr quotient(Dims dims, Dims others) {
  for (SymbolicExpr &other : others) {
    auto same = llvm::find(dims, other);
    if (same == dims.end() || other.constant())
      continue;
    dims.erase(same);
    other = SymbolicExpr(1);
  }
  SymbolicExpr count = product(dims), by = product(others);
  if (by.isConstant(0))
    return count; // an error, which the caller finds
  SymbolicExpr q = SymbolicExpr::floorDiv(count, by);
  if (q * by == count)
    return q;
  return SymbolicExpr::floorDiv(count, SymbolicExpr::max(by, 1));
}

LogicalResult inferReshape(InferContext &c) {
  Dims from = c.dims(0);
  Facts shape = c.input(1);
  if (!shape.values) {
    // The shape that the model states must still have as many elements.
    auto declared = declaredDims(c.node, 0);
    if (!declared)
      return success();
    c.setDims(0, *declared);
    return c.equate(product(from), product(*declared), "the numbers of elements before and after");
  }
  bool allowZero = c.node.intAttr("allowzero", 0);
  Dims to(*shape.values), others;
  std::optional<size_t> open;
  for (size_t i = 0; i < to.size(); ++i) {
    auto constant = to[i].constant();
    if (constant == -1) {
      if (open)
        return c.error() << "more than one dimension is -1";
      open = i;
      continue;
    }
    if (constant && *constant < 0)
      return c.error() << "a dimension can't be " << *constant;
    if (constant == 0 && !allowZero) {
      if (i >= from.size())
        return c.error() << "dimension " << i << " is copied from an input with " << from.size() << " dimensions";
      to[i] = from[i];
    }
    others.push_back(to[i]);
  }
  if (open) {
    if (product(others).isConstant(0))
      return c.error() << "dimension " << *open << " is -1 beside a dimension of 0";
    to[*open] = quotient(from, others);
  }
  // What both sides share says nothing, and may be 0.
  Dims left(from), right(to);
  for (SymbolicExpr &d : right)
    if (auto same = llvm::find(left, d); same != left.end() && !d.isConstant(0)) {
      left.erase(same);
      d = SymbolicExpr(1);
    }
  // A common constant factor is cancelled, so that 8*n = 48 can be solved for n.
  auto constantFactor = [](const Dims &dims) {
    int64_t factor = 1;
    for (const SymbolicExpr &d : dims)
      if (d.constant() && *d.constant() > 0 && factor < (int64_t(1) << 31) && *d.constant() < (int64_t(1) << 31))
        factor *= *d.constant();
    return factor;
  };
  SymbolicExpr before = product(left), after = product(right);
  bool numbers = before.constant() && after.constant();
  int64_t common = numbers ? 1 : std::gcd(constantFactor(left), constantFactor(right));
  if (failed(c.equate(SymbolicExpr::floorDiv(before, common), SymbolicExpr::floorDiv(after, common),
                      "the numbers of elements before and after")))
    return failure();
  setReshaped(c, to);
  return success();
}

Lowered lowerReshapeToShape(LowerContext &c) {
  if (!c.values(1) && failed(requireStaticOutput(c, "shape")))
    return failure();
  return lowerReshape(c);
}

//===----------------------------------------------------------------------===//
// Flatten, Squeeze, Unsqueeze
//===----------------------------------------------------------------------===//

LogicalResult inferFlatten(InferContext &c) {
  Dims from = c.dims(0);
  int64_t rank = from.size(), axis = c.node.intAttr("axis", 1);
  if (axis < -rank || axis > rank)
    return c.error() << "axis " << axis << " is outside of a tensor with " << rank << " dimensions";
  axis += axis < 0 ? rank : 0;
  setReshaped(c, {product(ArrayRef<SymbolicExpr>(from).take_front(axis)),
                  product(ArrayRef<SymbolicExpr>(from).drop_front(axis))});
  return success();
}

LogicalResult inferSqueeze(InferContext &c) {
  Dims from = c.dims(0);
  int64_t rank = from.size();
  bool unknown;
  auto given = c.constantsOrAttr("axes", 1, &unknown);
  if (unknown)
    return inferDeclared(c);
  SmallVector<int64_t> axes;
  if (given) {
    auto normalized = normalizeAxes(c, *given, rank);
    if (failed(normalized))
      return failure();
    axes = *normalized;
    for (int64_t a : axes)
      if (failed(c.equate(from[a], 1, "a dimension that is squeezed")))
        return failure();
  } else {
    // All dimensions of 1: which ones those are must not depend on the call.
    bool symbolic = false;
    for (int64_t a = 0; a < rank; ++a) {
      if (from[a].isConstant(1))
        axes.push_back(a);
      symbolic |= !from[a].constant();
    }
    auto declared = dyn_cast<RankedTensorType>(c.node.getOutputs()[0].getType());
    if (symbolic && (!declared || declared.getRank() != rank - static_cast<int64_t>(axes.size())))
      return c.error() << "has no axes, and a dimension of its input isn't known when compiling";
  }
  Dims to;
  for (int64_t i = 0; i < rank; ++i)
    if (!llvm::is_contained(axes, i))
      to.push_back(from[i]);
  setReshaped(c, to);
  return success();
}

LogicalResult inferUnsqueeze(InferContext &c) {
  Dims from = c.dims(0);
  bool unknown;
  auto given = c.constantsOrAttr("axes", 1, &unknown);
  if (!given)
    return unknown ? inferDeclared(c) : LogicalResult(c.error() << "has no axes");
  int64_t rank = from.size() + given->size();
  auto axes = normalizeAxes(c, *given, rank);
  if (failed(axes))
    return failure();
  Dims to;
  const SymbolicExpr *next = from.begin();
  for (int64_t i = 0; i < rank; ++i)
    to.push_back(llvm::is_contained(*axes, i) ? SymbolicExpr(1) : *next++);
  setReshaped(c, to);
  return success();
}

Lowered lowerWithAxes(LowerContext &c) {
  if (!c.node.has("axes") && c.hasInput(1) && !c.constants(1) && failed(requireStaticOutput(c, "axes")))
    return failure();
  return lowerReshape(c);
}

} // namespace

void addReshapeHandlers(HandlerRegistry &r) {
  r.add("", "Reshape", 5, movement(inferReshape, lowerReshapeToShape));
  r.add("", "Flatten", 1, movement(inferFlatten, lowerReshape));
  r.add("", "Squeeze", 1, movement(inferSqueeze, lowerWithAxes));
  r.add("", "Unsqueeze", 1, movement(inferUnsqueeze, lowerWithAxes));
}

} // namespace mxn
