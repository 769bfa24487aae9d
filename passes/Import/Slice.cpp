//===- Slice.cpp - Parts of tensors, and tensors put together -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Import/Indexing.h"

using namespace mlir;

namespace mxn {
namespace {

//===----------------------------------------------------------------------===//
// Slice
//===----------------------------------------------------------------------===//

/// One axis of a Slice: `count` elements from `start` on, `step` apart.
struct SlicedAxis {
  int64_t axis;
  SymbolicExpr start, count;
  int64_t step;
};

/// Exporters write "to the end" as the largest number of 32 or 64 bits.
constexpr int64_t kUnbounded = std::numeric_limits<int32_t>::max();

/// A bound counted from the front: negative ones count from the end. Where the sign of a symbolic bound isn't known,
/// the expression decides it: min(max(b + 1, 0), 1) is 0 where b is negative, and 1 elsewhere.
SymbolicExpr fromFront(const SymbolicExpr &bound, const SymbolicExpr &size) {
  if (auto low = bound.lowerBound(); low && *low >= 0)
    return bound;
  if (auto low = (SymbolicExpr(-1) - bound).lowerBound(); low && *low >= 0)
    return size + bound;
  SymbolicExpr front = SymbolicExpr::min(SymbolicExpr::max(bound + 1, 0), 1);
  return bound + size * (SymbolicExpr(1) - front);
}

SlicedAxis sliceForward(int64_t axis, const SymbolicExpr &size, const SymbolicExpr &from, const SymbolicExpr &to,
                        int64_t step) {
  bool toEnd =
      to.constant() && *to.constant() >= kUnbounded && (!size.constant() || *to.constant() >= *size.constant());
  SymbolicExpr start(0), end = size;
  if (from.constant() && *from.constant() <= -kUnbounded && !size.constant())
    start = 0;
  else if (from.constant() && *from.constant() >= kUnbounded && !size.constant())
    start = size;
  else
    start = SymbolicExpr::max(fromFront(from, size), 0);
  if (!toEnd) {
    if (to.constant() && *to.constant() <= -kUnbounded && !size.constant())
      end = 0;
    else
      end = SymbolicExpr::min(SymbolicExpr::max(fromFront(to, size), 0), size);
  }
  // The last n of fewer elements are all of them: size - max(size - n, 0) = min(n, size).
  SymbolicExpr length = end - start;
  if (auto n = (SymbolicExpr(0) - from).lowerBound(); end == size && n && *n > 0 && !start.isConstant(0))
    length = SymbolicExpr::min(SymbolicExpr(0) - from, size);
  SymbolicExpr count = SymbolicExpr::max(SymbolicExpr::ceilDiv(length, step), 0);
  // A start behind the end gives no elements; it still has to be inside, where that can be told.
  if (start.constant() && size.constant())
    start = std::min(*start.constant(), *size.constant());
  return {axis, start, count, step};
}

SlicedAxis sliceBackward(int64_t axis, const SymbolicExpr &size, const SymbolicExpr &from, const SymbolicExpr &to,
                         int64_t step) {
  SymbolicExpr last = size - 1, start = last, end(-1);
  bool fromEnd = from.isConstant(-1) || (from.constant() && *from.constant() >= kUnbounded && !size.constant());
  if (!fromEnd) {
    if (from.constant() && *from.constant() <= -kUnbounded && !size.constant())
      start = SymbolicExpr::min(0, last);
    else
      start = SymbolicExpr::min(SymbolicExpr::max(fromFront(from, size), 0), last);
  }
  if (!(to.constant() && *to.constant() <= -kUnbounded && (!size.constant() || *to.constant() < -*size.constant()))) {
    if (to.constant() && *to.constant() >= kUnbounded && !size.constant())
      end = last;
    else
      end = SymbolicExpr::min(SymbolicExpr::max(fromFront(to, size), -1), last);
  }
  return {axis, start, SymbolicExpr::max(SymbolicExpr::ceilDiv(start - end, -step), 0), step};
}

/// The sliced axes, from what is known of the operands: `values(i)` and `attr` give those of the input and of the old
/// attribute. Nothing where one isn't known.
template <typename Context, typename Values>
FailureOr<std::optional<SmallVector<SlicedAxis>>> slicedAxes(Context &c, ArrayRef<SymbolicExpr> dims, Values values) {
  auto unknown = std::optional<SmallVector<SlicedAxis>>();
  auto operand = [&](StringRef attr, unsigned i) -> std::optional<Dims> {
    if (!c.node.has(attr))
      return c.hasInput(i) ? values(i) : std::nullopt;
    Dims out;
    for (int64_t v : c.node.intsAttr(attr))
      out.push_back(v);
    return out;
  };
  auto starts = operand("starts", 1), ends = operand("ends", 2), axes = operand("axes", 3), steps = operand("steps", 4);
  if (!starts || !ends || (!axes && c.hasInput(3)) || (!steps && c.hasInput(4)))
    return unknown;
  size_t count = starts->size();
  if (ends->size() != count || (axes && axes->size() != count) || (steps && steps->size() != count))
    return c.error() << "its starts, ends, axes and steps have different lengths";
  int64_t rank = dims.size();
  SmallVector<int64_t> given;
  for (size_t i = 0; i < count; ++i) {
    auto axis = axes ? (*axes)[i].constant() : std::optional<int64_t>(i);
    if (!axis)
      return unknown;
    given.push_back(*axis);
  }
  auto normalized = normalizeAxes(c, given, rank);
  if (failed(normalized))
    return failure();
  SmallVector<SlicedAxis> out;
  for (size_t i = 0; i < count; ++i) {
    auto step = steps ? (*steps)[i].constant() : std::optional<int64_t>(1);
    if (!step)
      return unknown;
    if (*step == 0)
      return c.error() << "the step can't be 0";
    // A step larger than every tensor takes one element; bounded, so that it can be negated.
    step = std::clamp<int64_t>(*step, -(int64_t(1) << 40), int64_t(1) << 40);
    int64_t axis = (*normalized)[i];
    out.push_back(*step > 0 ? sliceForward(axis, dims[axis], (*starts)[i], (*ends)[i], *step)
                            : sliceBackward(axis, dims[axis], (*starts)[i], (*ends)[i], *step));
  }
  return std::optional(out);
}

LogicalResult inferSlice(InferContext &c) {
  Dims dims = c.dims(0), to = dims;
  auto slices = slicedAxes(c, dims, [&](unsigned i) { return c.input(i).values; });
  if (failed(slices))
    return failure();
  if (!*slices)
    return success();
  for (const SlicedAxis &s : **slices)
    to[s.axis] = s.count;
  c.setDims(0, to);
  auto values = c.input(0).values;
  auto shape = constantDims(dims);
  if (!values || !shape || llvm::any_of(**slices, [](const SlicedAxis &s) { return !s.start.constant(); }))
    return success();
  trackElements(c, 0, to, [&](ArrayRef<int64_t> at) {
    SmallVector<int64_t> source(at);
    for (const SlicedAxis &s : **slices)
      source[s.axis] = *s.start.constant() + at[s.axis] * s.step;
    return (*values)[linearize(source, *shape)];
  });
  return success();
}

Lowered lowerSlice(LowerContext &c) {
  Dims dims = c.dims(0), to = c.outputDims();
  auto slices = slicedAxes(c, dims, [&](unsigned i) { return c.values(i); });
  if (failed(slices))
    return failure();
  if (!*slices)
    return c.error()
           << "its starts, ends, axes and steps must be constant or computed from sizes of the inputs, and its "
              "axes and steps constant";
  int64_t rank = dims.size();
  SmallVector<SymbolicExpr> starts(rank, SymbolicExpr(0));
  SmallVector<int64_t> steps(rank, 1);
  for (const SlicedAxis &s : **slices) {
    starts[s.axis] = s.start;
    steps[s.axis] = s.step;
  }
  if (to == dims && llvm::all_of(steps, [](int64_t s) { return s == 1; }))
    return SmallVector<Value>{c.input(0)};
  if (llvm::all_of(steps, [](int64_t s) { return s > 0; }))
    return SmallVector<Value>{extractSlice(c, c.input(0), starts, to, steps)};
  Value v = generate(c, to, LowerContext::lowered(c.outputElement()), {},
                     [&](OpBuilder &b, Location loc, ValueRange at, ValueRange) {
                       SmallVector<Value> source;
                       for (int64_t i = 0; i < rank; ++i) {
                         Value step = arith::ConstantIndexOp::create(b, loc, steps[i]);
                         source.push_back(arith::AddIOp::create(b, loc, c.size(starts[i]),
                                                                arith::MulIOp::create(b, loc, at[i], step)));
                       }
                       return tensor::ExtractOp::create(b, loc, c.input(0), source).getResult();
                     });
  return SmallVector<Value>{v};
}

//===----------------------------------------------------------------------===//
// Split
//===----------------------------------------------------------------------===//

/// The sizes of the parts; nothing where they aren't known.
template <typename Context, typename Values>
FailureOr<std::optional<Dims>> splitSizes(Context &c, const SymbolicExpr &size, Values values) {
  size_t parts = c.node.getOutputs().size();
  Dims out;
  if (c.node.has("split") || c.hasInput(1)) {
    if (c.node.has("split")) {
      for (int64_t v : c.node.intsAttr("split"))
        out.push_back(v);
    } else {
      auto known = values(1);
      if (!known)
        return std::optional<Dims>();
      out = *known;
    }
    if (out.size() != parts)
      return c.error() << "splits into " << out.size() << " parts and has " << parts << " outputs";
    return std::optional(out);
  }
  int64_t count = c.node.intAttr("num_outputs", parts);
  if (count != static_cast<int64_t>(parts))
    return c.error() << "splits into " << count << " parts and has " << parts << " outputs";
  // Parts of equal size; only the last one may be smaller.
  SymbolicExpr part = SymbolicExpr::ceilDiv(size, count);
  bool even = part * SymbolicExpr(count) == size;
  for (int64_t i = 0; i < count; ++i)
    out.push_back(even ? part : SymbolicExpr::max(SymbolicExpr::min(part, size - part * SymbolicExpr(i)), 0));
  return std::optional(out);
}

LogicalResult inferSplit(InferContext &c) {
  Dims dims = c.dims(0);
  auto axis = axisAttr(c, 0, dims.size());
  if (failed(axis))
    return failure();
  auto sizes = splitSizes(c, dims[*axis], [&](unsigned i) { return c.input(i).values; });
  if (failed(sizes))
    return failure();
  if (!*sizes)
    return inferDeclared(c);
  SymbolicExpr sum(0);
  for (const SymbolicExpr &s : **sizes)
    sum = sum + s;
  bool given = c.node.has("split") || c.hasInput(1);
  if (given && failed(c.equate(sum, dims[*axis], "the sum of the parts and the dimension that is split")))
    return failure();
  if (!given && !c.node.has("num_outputs")) // up to version 13 all parts have the same size
    for (const SymbolicExpr &s : **sizes)
      if (failed(c.equate(s * SymbolicExpr(static_cast<int64_t>((*sizes)->size())), dims[*axis],
                          "all parts together and the dimension that is split")))
        return failure();
  auto values = c.input(0).values;
  auto shape = constantDims(dims);
  SymbolicExpr offset(0);
  for (auto [i, s] : llvm::enumerate(**sizes)) {
    Dims to(dims);
    to[*axis] = s;
    c.setDims(i, to);
    if (values && shape && offset.constant())
      trackElements(c, i, to, [&](ArrayRef<int64_t> at) {
        SmallVector<int64_t> source(at);
        source[*axis] += *offset.constant();
        return (*values)[linearize(source, *shape)];
      });
    offset = offset + s;
  }
  return success();
}

Lowered lowerSplit(LowerContext &c) {
  Dims dims = c.dims(0);
  auto axis = axisAttr(c, 0, dims.size());
  if (failed(axis))
    return failure();
  auto sizes = splitSizes(c, dims[*axis], [&](unsigned i) { return c.values(i); });
  if (failed(sizes))
    return failure();
  SmallVector<Value> results;
  SmallVector<SymbolicExpr> offsets(dims.size(), SymbolicExpr(0));
  for (auto [i, output] : llvm::enumerate(c.node.getOutputs())) {
    // Where the sizes of the parts are a runtime input, only those that the model states are left.
    if (!*sizes && !constantDims(c.outputDims(i)))
      return c.error() << "the sizes of its parts must be constant or computed from sizes of the inputs";
    Dims to = c.outputDims(i);
    results.push_back(output.use_empty() ? Value()
                      : to == dims       ? c.input(0)
                                         : extractSlice(c, c.input(0), offsets, to));
    offsets[*axis] = offsets[*axis] + to[*axis];
  }
  return results;
}

//===----------------------------------------------------------------------===//
// Concat
//===----------------------------------------------------------------------===//

LogicalResult inferConcat(InferContext &c) {
  unsigned count = c.node.getInputs().size();
  Dims to = c.dims(0);
  auto axis = axisAttr(c, 1, to.size());
  if (failed(axis))
    return failure();
  bool known = c.input(0).values.has_value();
  for (unsigned i = 1; i < count; ++i) {
    Dims dims = c.dims(i);
    if (dims.size() != to.size())
      return c.error() << "input " << i << " has " << dims.size() << " dimensions, the first one has " << to.size();
    for (int64_t d = 0; d < static_cast<int64_t>(to.size()); ++d)
      if (d != *axis &&
          failed(c.equate(dims[d], to[d], "dimension " + Twine(d) + " of input " + Twine(i) + " and of the first one")))
        return failure();
    to[*axis] = to[*axis] + dims[*axis];
    known &= c.input(i).values.has_value();
  }
  c.setDims(0, to);
  if (!known)
    return success();
  SmallVector<SmallVector<int64_t>> shapes;
  for (unsigned i = 0; i < count; ++i) {
    auto shape = constantDims(c.dims(i));
    if (!shape)
      return success();
    shapes.push_back(*shape);
  }
  trackElements(c, 0, to, [&](ArrayRef<int64_t> at) {
    SmallVector<int64_t> source(at);
    unsigned i = 0;
    for (; source[*axis] >= shapes[i][*axis]; ++i)
      source[*axis] -= shapes[i][*axis];
    return (*c.input(i).values)[linearize(source, shapes[i])];
  });
  return success();
}

Lowered lowerConcat(LowerContext &c) {
  Dims to = c.outputDims();
  auto axis = axisAttr(c, 1, to.size());
  if (failed(axis))
    return failure();
  SmallVector<unsigned> inputs;
  for (unsigned i = 0; i < c.numInputs(); ++i)
    if (!c.dims(i)[*axis].isConstant(0))
      inputs.push_back(i);
  if (inputs.size() == 1)
    return SmallVector<Value>{c.input(inputs.front())};
  // IR: the parts are written into the result where they belong, so that nothing is copied twice.
  //   %r = program.region -> tensor<?x8xf32> {
  //     %e = tensor.empty(%n) : tensor<?x8xf32>
  //     %0 = tensor.insert_slice %a into %e[0, 0] ...
  //     %1 = tensor.insert_slice %b into %0[%m, 0] ...
  //     program.yield %1
  return buildRegion(c, c.outputType(), [&]() -> SmallVector<Value> {
    Value result = c.empty();
    SmallVector<SymbolicExpr> offsets(to.size(), SymbolicExpr(0));
    for (unsigned i : inputs) {
      result = insertSlice(c, c.input(i), result, offsets, c.dims(i));
      offsets[*axis] = offsets[*axis] + c.dims(i)[*axis];
    }
    return {result};
  });
}

} // namespace

void addSliceHandlers(HandlerRegistry &r) {
  r.add("", "Slice", 1, movement(inferSlice, lowerSlice));
  r.add("", "Split", 1, movement(inferSplit, lowerSplit));
  r.add("", "Concat", 1, movement(inferConcat, lowerConcat));
}

} // namespace mxn
