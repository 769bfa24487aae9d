//===- Reduction.cpp - Sums, means and extremes along axes ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Reduction.h"
#include "passes/Import/Loops.h"

using namespace mlir;

namespace mxn {

/// Where the elements are integers and the result isn't a sum or an extreme of them, f64 holds what is computed.
static Type reductionType(Reduce kind, Type element) {
  Type type = LowerContext::lowered(element);
  bool root = kind == Reduce::L2 || kind == Reduce::LogSum || kind == Reduce::LogSumExp;
  if (isa<IntegerType>(type) && root)
    return Float64Type::get(type.getContext());
  return kind == Reduce::Max || kind == Reduce::Min ? type : accumulatorType(type);
}

TypedAttr reductionIdentity(Builder &b, Reduce kind, Type type, bool isUnsigned) {
  bool max = kind == Reduce::Max;
  if (max || kind == Reduce::Min) {
    if (auto f = dyn_cast<FloatType>(type))
      return b.getFloatAttr(type, APFloat::getInf(f.getFloatSemantics(), /*Negative=*/max));
    unsigned width = type.getIntOrFloatBitWidth();
    APInt value = isUnsigned ? (max ? APInt::getMinValue(width) : APInt::getMaxValue(width))
                             : (max ? APInt::getSignedMinValue(width) : APInt::getSignedMaxValue(width));
    return b.getIntegerAttr(type, value);
  }
  double value = kind == Reduce::Prod ? 1 : 0;
  return isa<FloatType>(type) ? TypedAttr(b.getFloatAttr(type, value))
                              : TypedAttr(b.getIntegerAttr(type, static_cast<int64_t>(value)));
}

Value reduceAxes(LowerContext &c, Reduce kind, Value tensor, ArrayRef<SymbolicExpr> dims, Type element,
                 ArrayRef<int64_t> axes) {
  int64_t rank = dims.size();
  bool isUnsigned = LowerContext::isUnsigned(element);
  Type type = reductionType(kind, element), result = LowerContext::lowered(element);
  SmallVector<int64_t> kept = loopsWithout(rank, axes);
  Dims to = withoutAxes(dims, axes, /*keep=*/false);
  auto start = [&](Reduce of) {
    return c.filled(to, arith::ConstantOp::create(c.b, c.loc, reductionIdentity(c.b, of, type, isUnsigned)));
  };
  SmallVector<LoopOperand> operands = {{tensor, allLoops(rank)}};

  // LogSumExp takes the largest element out, so that exp doesn't overflow; infinite ones stay.
  Value largest;
  if (kind == Reduce::LogSumExp) {
    largest = loopNest(c, rank, operands, start(Reduce::Max), kept, [&](ScalarBuilder &s, ValueRange v) {
      s.isUnsigned = isUnsigned;
      return s.max(s.convert(v[0], type), v[1]);
    });
    largest = compute(c, {{largest, allLoops(to.size())}}, to, type, [&](ScalarBuilder &s, ValueRange v) {
      Value finite = s.less(s.abs(v[0]), s.number(type, INFINITY));
      return s.select(finite, v[0], s.number(type, 0));
    });
    operands.push_back({largest, kept});
  }

  Value total = loopNest(c, rank, operands, start(kind), kept, [&](ScalarBuilder &s, ValueRange v) -> Value {
    s.isUnsigned = isUnsigned;
    Value x = s.convert(v[0], type), sum = v.back();
    switch (kind) {
    case Reduce::Max:
      return s.max(x, sum);
    case Reduce::Min:
      return s.min(x, sum);
    case Reduce::Prod:
      return s.mul(sum, x);
    case Reduce::L1:
      return s.add(sum, s.abs(x));
    case Reduce::L2:
    case Reduce::SumSquare:
      return s.add(sum, s.mul(x, x));
    case Reduce::LogSumExp:
      return s.add(sum, s.exp(s.sub(x, v[1])));
    case Reduce::Sum:
    case Reduce::Mean:
    case Reduce::LogSum:
      return s.add(sum, x);
    }
    return Value();
  });

  bool finished = kind != Reduce::Mean && kind != Reduce::L2 && kind != Reduce::LogSum && kind != Reduce::LogSumExp;
  if (finished && type == result)
    return total;
  SymbolicExpr count(1);
  for (int64_t axis : axes)
    count = count * dims[axis];
  SmallVector<LoopOperand> last = {{total, allLoops(to.size())}};
  if (largest)
    last.push_back({largest, allLoops(to.size())});
  return compute(c, last, to, result, [&](ScalarBuilder &s, ValueRange v) -> Value {
    s.isUnsigned = isUnsigned;
    Value x = v[0];
    if (kind == Reduce::Mean && isa<FloatType>(type))
      x = s.div(x, sizeAsFloat(c, s, count, type));
    else if (kind == Reduce::Mean) // the mean of nothing has no integer value
      x = s.div(x, s.max(arith::IndexCastOp::create(s.b, s.loc, type, c.size(count)), s.number(type, 1)));
    else if (kind == Reduce::L2)
      x = s.sqrt(x);
    else if (kind == Reduce::LogSum)
      x = s.log(x);
    else if (kind == Reduce::LogSumExp)
      x = s.add(s.log(x), v[1]);
    return s.convert(x, result);
  });
}

/// The axes to reduce; none where an input holds them and isn't known.
template <typename Context> static std::optional<SmallVector<int64_t>> reducedAxes(Context &c, int64_t rank) {
  auto given = c.constantsOrAttr("axes", 1);
  if (!given && !c.node.has("axes") && c.hasInput(1))
    return std::nullopt;
  if (!given || given->empty()) {
    if (c.node.intAttr("noop_with_empty_axes", 0))
      return SmallVector<int64_t>{};
    return allLoops(rank);
  }
  SmallVector<int64_t> axes;
  for (int64_t axis : *given)
    axes.push_back(normalizeAxis(axis, rank).value_or(rank));
  return axes;
}

static LogicalResult inferReduce(InferContext &c, Reduce kind) {
  Dims dims = c.dims(0);
  int64_t rank = dims.size();
  auto axes = reducedAxes(c, rank);
  if (!axes)
    return c.error() << "the axes (input 1) must be constant or follow from the shapes of the inputs";
  if (llvm::is_contained(*axes, rank))
    return c.error() << "an axis is outside of the " << rank << " dimensions of its input";
  c.setDims(0, withoutAxes(dims, *axes, c.node.intAttr("keepdims", 1)));
  // The number of elements, from a shape.
  if (auto values = c.input(0).values; values && rank == 1 && axes->size() == 1) {
    if (kind == Reduce::Prod)
      c.setValues(0, {product(*values)});
    if (kind == Reduce::Sum) {
      SymbolicExpr sum;
      for (const SymbolicExpr &v : *values)
        sum = sum + v;
      c.setValues(0, {sum});
    }
  }
  return success();
}

static FailureOr<SmallVector<Value>> lowerReduce(LowerContext &c, Reduce kind) {
  Dims dims = c.dims(0);
  auto axes = reducedAxes(c, dims.size());
  if (!axes)
    return failure(); // the inference has said so
  Value v = reduceAxes(c, kind, c.input(0), dims, c.inputElement(0), *axes);
  return SmallVector<Value>{c.reshape(v, withoutAxes(dims, *axes, /*keep=*/false), c.outputDims())};
}

void addReductionHandlers(HandlerRegistry &r) {
  for (auto [name, kind] :
       {std::pair("ReduceSum", Reduce::Sum), std::pair("ReduceMean", Reduce::Mean), std::pair("ReduceMax", Reduce::Max),
        std::pair("ReduceMin", Reduce::Min), std::pair("ReduceProd", Reduce::Prod), std::pair("ReduceL1", Reduce::L1),
        std::pair("ReduceL2", Reduce::L2), std::pair("ReduceLogSum", Reduce::LogSum),
        std::pair("ReduceLogSumExp", Reduce::LogSumExp), std::pair("ReduceSumSquare", Reduce::SumSquare)}) {
    Reduce of = kind;
    r.add("", name, 1,
          {[of](InferContext &c) { return inferReduce(c, of); }, [of](LowerContext &c) { return lowerReduce(c, of); }});
  }
}

} // namespace mxn
