//===- Pad.cpp - Elements added around a tensor ---------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Import/Indexing.h"

using namespace mlir;

namespace mxn {
namespace {

/// Elements before and behind each dimension; negative ones are taken away.
struct Padding {
  Dims before, behind;
};

/// Nothing where it isn't known.
template <typename Context, typename Values>
FailureOr<std::optional<Padding>> paddingOf(Context &c, int64_t rank, Values values) {
  Dims given;
  if (c.node.has("pads")) {
    for (int64_t p : c.node.intsAttr("pads"))
      given.push_back(p);
  } else {
    auto known = values(1);
    if (!known)
      return std::optional<Padding>();
    given = *known;
  }
  SmallVector<int64_t> axes;
  if (c.hasInput(3)) {
    auto known = values(3);
    if (!known)
      return std::optional<Padding>();
    for (const SymbolicExpr &a : *known) {
      if (!a.constant())
        return std::optional<Padding>();
      axes.push_back(*a.constant());
    }
    auto normalized = normalizeAxes(c, axes, rank);
    if (failed(normalized))
      return failure();
    axes = *normalized;
  } else {
    for (int64_t i = 0; i < rank; ++i)
      axes.push_back(i);
  }
  size_t count = axes.size();
  if (given.size() != 2 * count)
    return c.error() << "has " << given.size() << " pads for " << count << " dimensions";
  Padding padding{Dims(rank, SymbolicExpr(0)), Dims(rank, SymbolicExpr(0))};
  for (auto [i, axis] : llvm::enumerate(axes)) {
    padding.before[axis] = given[i];
    padding.behind[axis] = given[count + i];
  }
  return std::optional(padding);
}

LogicalResult inferPad(InferContext &c) {
  Dims dims = c.dims(0), to;
  StringRef mode = c.node.stringAttr("mode", "constant");
  if (mode != "constant" && mode != "reflect" && mode != "edge" && mode != "wrap")
    return c.error() << "mode \"" << mode << "\" isn't supported";
  auto padding = paddingOf(c, dims.size(), [&](unsigned i) { return c.input(i).values; });
  if (failed(padding))
    return failure();
  if (!*padding)
    return success();
  for (auto [d, before, behind] : llvm::zip(dims, (*padding)->before, (*padding)->behind)) {
    SymbolicExpr size = d + before + behind;
    if (size.constant() && *size.constant() < 0)
      return c.error() << "takes more elements away than a dimension of " << d.str() << " has";
    to.push_back(size);
    // There is nothing to repeat in an empty tensor.
    if (mode != "constant" && size != d && failed(requireAtLeast(c, d, 1, "a dimension in mode " + mode)))
      return failure();
  }
  c.setDims(0, to);
  return success();
}

/// Mode "constant". The input, less what is taken away from it, is put into a tensor of the pad value:
///   %r = program.region -> tensor<?xf32> {
///     %e = tensor.empty(%n) : tensor<?xf32>
///     %f = linalg.fill ins(%value : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
///     %0 = tensor.insert_slice %x into %f[%before] ...
///     program.yield %0
Lowered padWithConstant(LowerContext &c, const Padding &padding) {
  Dims dims = c.dims(0), to = c.outputDims(), offsets, starts, kept;
  Type element = LowerContext::lowered(c.outputElement());
  bool pads = false;
  for (auto [d, before, behind] : llvm::zip(dims, padding.before, padding.behind)) {
    SymbolicExpr taken = SymbolicExpr::max(SymbolicExpr(0) - before, 0);
    offsets.push_back(SymbolicExpr::max(before, 0));
    starts.push_back(taken);
    kept.push_back(d - taken - SymbolicExpr::max(SymbolicExpr(0) - behind, 0));
    pads |= kept.back() != d + before + behind;
    // More may be taken away from one side than there is, while the other side grows.
    if (kept.back().constant() && *kept.back().constant() < 0)
      return c.error() << "takes more elements away than a dimension of " << d.str() << " has";
  }
  if (!pads)
    return SmallVector<Value>{kept == dims ? c.input(0) : extractSlice(c, c.input(0), starts, kept)};
  return buildRegion(c, c.outputType(), [&]() -> SmallVector<Value> {
    Value scalar;
    if (c.hasInput(2)) {
      auto type = cast<RankedTensorType>(c.input(2).getType()); // a scalar, or one element
      SmallVector<Value> first(type.getRank(), c.index(0));
      scalar = tensor::ExtractOp::create(c.b, c.loc, c.input(2), first);
    } else {
      scalar = c.constant(element, c.node.floatAttr("value", 0));
    }
    Value part = kept == dims ? c.input(0) : extractSlice(c, c.input(0), starts, kept);
    return {insertSlice(c, part, c.filled(to, scalar), offsets, kept)};
  });
}

/// The element of the input that stands at `index`, which may be outside of [0, size).
Value paddedIndex(OpBuilder &b, Location loc, StringRef mode, Value index, Value size) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
  auto wrap = [&](Value i, Value period) -> Value {
    Value r = arith::RemSIOp::create(b, loc, i, period);
    Value negative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, r, zero);
    return arith::SelectOp::create(b, loc, negative, arith::AddIOp::create(b, loc, r, period), r);
  };
  if (mode == "wrap")
    return wrap(index, arith::MaxSIOp::create(b, loc, size, one));
  if (mode == "reflect") {
    // 0 1 2 1 0 1 2 ...: the way there and back, without the ends twice.
    Value last = arith::SubIOp::create(b, loc, size, one);
    Value period = arith::AddIOp::create(b, loc, last, last);
    index = wrap(index, arith::MaxSIOp::create(b, loc, period, one));
    index = arith::MinSIOp::create(b, loc, index, arith::SubIOp::create(b, loc, period, index));
  }
  return clampIndex(b, loc, index, size);
}

Lowered lowerPad(LowerContext &c) {
  Dims dims = c.dims(0);
  StringRef mode = c.node.stringAttr("mode", "constant");
  auto padding = paddingOf(c, dims.size(), [&](unsigned i) { return c.values(i); });
  if (failed(padding))
    return failure();
  if (!*padding)
    return c.error() << "its pads must be constant or computed from sizes of the inputs, and its axes constant";
  if (mode == "constant")
    return padWithConstant(c, **padding);
  Value v = generate(c, c.outputDims(), LowerContext::lowered(c.outputElement()), {},
                     [&](OpBuilder &b, Location loc, ValueRange at, ValueRange) {
                       SmallVector<Value> source;
                       for (auto [i, d] : llvm::enumerate(dims)) {
                         const SymbolicExpr &before = (*padding)->before[i];
                         if (before.isConstant(0) && (*padding)->behind[i].isConstant(0)) {
                           source.push_back(at[i]);
                           continue;
                         }
                         Value index = arith::SubIOp::create(b, loc, at[i], c.size(before));
                         source.push_back(paddedIndex(b, loc, mode, index, c.size(d)));
                       }
                       return tensor::ExtractOp::create(b, loc, c.input(0), source).getResult();
                     });
  return SmallVector<Value>{v};
}

} // namespace

void addPadHandlers(HandlerRegistry &r) { r.add("", "Pad", 2, movement(inferPad, lowerPad)); }

} // namespace mxn
