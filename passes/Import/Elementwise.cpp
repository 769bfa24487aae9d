//===- Elementwise.cpp - One element in, one element out ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Import/Handlers.h"

using namespace mlir;

namespace mxn {
namespace {

/// Computes one element; `element` is the ONNX type of the first input.
using Scalar = std::function<Value(OpBuilder &, Location, ValueRange, Type element)>;

Value number(OpBuilder &b, Location loc, Type type, double value) {
  if (isa<FloatType>(type))
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, static_cast<int64_t>(value)));
}

LogicalResult inferBroadcast(InferContext &c) {
  Dims dims;
  for (unsigned i = 0; i < c.node.getInputs().size(); ++i)
    dims = i ? c.broadcast(dims, c.dims(i)) : c.dims(i);
  c.setDims(0, dims);
  return success();
}

LogicalResult inferSame(InferContext &c) {
  c.setDims(0, c.dims(0));
  if (c.node.getOp() == "Identity" && c.input(0).values)
    c.setValues(0, *c.input(0).values);
  return success();
}

/// Values of sizes through an operator with two inputs: [n] op [n], or either side a single element.
using SizeOp = std::function<std::optional<SymbolicExpr>(const SymbolicExpr &, const SymbolicExpr &)>;

LogicalResult inferSizes(InferContext &c, const SizeOp &op) {
  if (failed(inferBroadcast(c)))
    return failure();
  Facts a = c.input(0), b = c.input(1);
  if (!a.values || !b.values || a.rank() > 1 || b.rank() > 1)
    return success();
  size_t n = std::max(a.values->size(), b.values->size());
  if ((a.values->size() != n && a.values->size() != 1) || (b.values->size() != n && b.values->size() != 1))
    return success();
  Dims out;
  for (size_t i = 0; i < n; ++i) {
    auto v = op((*a.values)[a.values->size() == 1 ? 0 : i], (*b.values)[b.values->size() == 1 ? 0 : i]);
    if (!v)
      return success();
    out.push_back(*v);
  }
  c.setValues(0, out);
  return success();
}

FailureOr<SmallVector<Value>> lowerWith(LowerContext &c, const Scalar &scalar) {
  Type element = c.inputElement(0);
  SmallVector<Value> inputs;
  for (unsigned i = 0; i < c.numInputs(); ++i)
    inputs.push_back(c.input(i));
  Value v = c.elementwise(inputs, c.outputDims(), LowerContext::lowered(c.outputElement()),
                          [&](OpBuilder &b, Location loc, ValueRange args) { return scalar(b, loc, args, element); });
  return SmallVector<Value>{v};
}

Handler unary(Scalar scalar, std::function<std::optional<SymbolicExpr>(const SymbolicExpr &)> size = nullptr) {
  auto infer = [size](InferContext &c) -> LogicalResult {
    auto values = c.input(0).values;
    Dims out;
    if (failed(inferSame(c)) || !size || !values)
      return success();
    for (const SymbolicExpr &v : *values) {
      auto known = size(v);
      if (!known)
        return success();
      out.push_back(*known);
    }
    c.setValues(0, out);
    return success();
  };
  return {infer, [scalar](LowerContext &c) { return lowerWith(c, scalar); }};
}

Handler binary(Scalar scalar, SizeOp sizes = nullptr) {
  return {sizes
              ? std::function<LogicalResult(InferContext &)>([sizes](InferContext &c) { return inferSizes(c, sizes); })
              : inferBroadcast,
          [scalar](LowerContext &c) { return lowerWith(c, scalar); }};
}

/// Max, Min, Sum, Mean: any number of inputs, folded from the left.
Handler variadic(Scalar two, bool mean = false, SizeOp sizes = nullptr) {
  auto infer = [sizes](InferContext &c) {
    return sizes && c.node.getInputs().size() == 2 ? inferSizes(c, sizes) : inferBroadcast(c);
  };
  return {infer, [two, mean](LowerContext &c) {
            return lowerWith(c, [&](OpBuilder &b, Location loc, ValueRange args, Type element) {
              Value v = args[0];
              for (Value next : args.drop_front())
                v = two(b, loc, {v, next}, element);
              if (mean)
                v = arith::DivFOp::create(b, loc, v, number(b, loc, v.getType(), args.size()));
              return v;
            });
          }};
}

template <typename FloatOp, typename IntOp> Scalar arithmetic() {
  return [](OpBuilder &b, Location loc, ValueRange v, Type element) -> Value {
    if (isa<FloatType>(element))
      return FloatOp::create(b, loc, v[0], v[1]);
    return IntOp::create(b, loc, v[0], v[1]);
  };
}

template <typename Op> Scalar floating() {
  return [](OpBuilder &b, Location loc, ValueRange v, Type) -> Value { return Op::create(b, loc, v[0]); };
}

/// Integer division by zero traps on some chips and is reported on all: the divisor is replaced by 1.
Value safeDivisor(OpBuilder &b, Location loc, Value divisor) {
  Value zero = number(b, loc, divisor.getType(), 0);
  Value bad = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, divisor, zero);
  return arith::SelectOp::create(b, loc, bad, number(b, loc, divisor.getType(), 1), divisor);
}

Value divide(OpBuilder &b, Location loc, ValueRange v, Type element) {
  if (isa<FloatType>(element))
    return arith::DivFOp::create(b, loc, v[0], v[1]);
  Value by = safeDivisor(b, loc, v[1]); // towards zero
  if (LowerContext::isUnsigned(element))
    return arith::DivUIOp::create(b, loc, v[0], by);
  return arith::DivSIOp::create(b, loc, v[0], by);
}

Value maximum(OpBuilder &b, Location loc, ValueRange v, Type element) {
  if (isa<FloatType>(element))
    return arith::MaximumFOp::create(b, loc, v[0], v[1]);
  if (LowerContext::isUnsigned(element))
    return arith::MaxUIOp::create(b, loc, v[0], v[1]);
  return arith::MaxSIOp::create(b, loc, v[0], v[1]);
}

Value minimum(OpBuilder &b, Location loc, ValueRange v, Type element) {
  if (isa<FloatType>(element))
    return arith::MinimumFOp::create(b, loc, v[0], v[1]);
  if (LowerContext::isUnsigned(element))
    return arith::MinUIOp::create(b, loc, v[0], v[1]);
  return arith::MinSIOp::create(b, loc, v[0], v[1]);
}

Value add(OpBuilder &b, Location loc, ValueRange v, Type element) {
  return arithmetic<arith::AddFOp, arith::AddIOp>()(b, loc, v, element);
}

Scalar compare(arith::CmpFPredicate f, arith::CmpIPredicate s, arith::CmpIPredicate u) {
  return [=](OpBuilder &b, Location loc, ValueRange v, Type element) -> Value {
    if (isa<FloatType>(element))
      return arith::CmpFOp::create(b, loc, f, v[0], v[1]);
    return arith::CmpIOp::create(b, loc, LowerContext::isUnsigned(element) ? u : s, v[0], v[1]);
  };
}

/// Mod: the sign follows the divisor (fmod = 0, integers) or the dividend (fmod = 1).
FailureOr<SmallVector<Value>> lowerMod(LowerContext &c) {
  bool fmod = c.node.intAttr("fmod", 0);
  if (isa<FloatType>(c.inputElement(0)) && !fmod)
    return c.error() << "needs fmod = 1 for floating-point inputs";
  return lowerWith(c, [&](OpBuilder &b, Location loc, ValueRange v, Type element) -> Value {
    if (isa<FloatType>(element))
      return arith::RemFOp::create(b, loc, v[0], v[1]);
    Value by = safeDivisor(b, loc, v[1]);
    if (LowerContext::isUnsigned(element))
      return arith::RemUIOp::create(b, loc, v[0], by);
    Value r = arith::RemSIOp::create(b, loc, v[0], by);
    if (fmod)
      return r;
    Value zero = number(b, loc, r.getType(), 0);
    Value rNegative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, r, zero);
    Value byNegative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, by, zero);
    Value differ = arith::XOrIOp::create(b, loc, rNegative, byNegative);
    Value rest = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, r, zero);
    Value shift = arith::AndIOp::create(b, loc, differ, rest);
    return arith::SelectOp::create(b, loc, shift, arith::AddIOp::create(b, loc, r, by), r);
  });
}

LogicalResult inferWhere(InferContext &c) {
  if (failed(inferBroadcast(c)))
    return failure();
  auto condition = c.constants(0);
  Facts a = c.input(1), b = c.input(2);
  if (!condition || !a.values || !b.values)
    return success();
  Dims out;
  size_t n = std::max({condition->size(), a.values->size(), b.values->size()});
  for (size_t i = 0; i < n; ++i) {
    auto at = [&](auto &list) { return list[list.size() == 1 ? 0 : i]; };
    if ((condition->size() != 1 && condition->size() != n) || (a.values->size() != 1 && a.values->size() != n) ||
        (b.values->size() != 1 && b.values->size() != n))
      return success();
    out.push_back(at(*condition) ? at(*a.values) : at(*b.values));
  }
  c.setValues(0, out);
  return success();
}

// Comparisons of sizes are expressions that are 0 or 1, so that a branch may be chosen by them: while compiling where
// they are constant, else by the host.

/// Extreme constants stand for "no limit" in ONNX; the host's checked arithmetic can't subtract them.
bool isModerate(const SymbolicExpr &e) {
  auto constant = e.substitute([](StringRef) { return std::optional(SymbolicExpr(0)); }).constant();
  return constant && *constant > -(int64_t(1) << 48) && *constant < (int64_t(1) << 48);
}

/// Whether two sizes are equal; by their difference, of which 1 minus the absolute value is positive only for 0.
std::optional<SymbolicExpr> sizesEqual(const SymbolicExpr &a, const SymbolicExpr &b) {
  if (a.constant() && b.constant())
    return SymbolicExpr(*a.constant() == *b.constant());
  if (!isModerate(a) || !isModerate(b))
    return std::nullopt;
  SymbolicExpr d = a - b, opposite = b - a;
  if (d.constant())
    return SymbolicExpr(d.isConstant(0));
  auto above = d.lowerBound(), below = opposite.lowerBound();
  if ((above && *above > 0) || (below && *below > 0))
    return SymbolicExpr(0);
  return SymbolicExpr::max(SymbolicExpr(1) - SymbolicExpr::max(d, opposite), 0);
}

/// Whether b - a is at least `least`, which is 0 or 1.
std::optional<SymbolicExpr> sizesLess(const SymbolicExpr &a, const SymbolicExpr &b, int64_t least) {
  if (a.constant() && b.constant())
    return SymbolicExpr(least ? *a.constant() < *b.constant() : *a.constant() <= *b.constant());
  if (!isModerate(a) || !isModerate(b))
    return std::nullopt;
  return SymbolicExpr::min(SymbolicExpr::max(b - a + SymbolicExpr(1 - least), 0), 1);
}

} // namespace

void addElementwiseHandlers(HandlerRegistry &r) {
  using P = arith::CmpFPredicate;
  using I = arith::CmpIPredicate;
  r.add("", "Add", 7, binary(add, [](auto &a, auto &b) { return std::optional(a + b); }));
  r.add("", "Sub", 7,
        binary(arithmetic<arith::SubFOp, arith::SubIOp>(), [](auto &a, auto &b) { return std::optional(a - b); }));
  r.add("", "Mul", 7,
        binary(arithmetic<arith::MulFOp, arith::MulIOp>(), [](auto &a, auto &b) { return std::optional(a * b); }));
  r.add("", "Div", 7, binary(divide, [](auto &a, auto &b) -> std::optional<SymbolicExpr> {
          // Division of integers goes towards zero, which is floordiv where nothing is negative.
          auto low = a.lowerBound(), by = b.lowerBound();
          if (low && *low >= 0 && by && *by > 0)
            return SymbolicExpr::floorDiv(a, b);
          if (a.constant() && b.constant() && *b.constant() != 0 && *b.constant() != -1)
            return SymbolicExpr(*a.constant() / *b.constant());
          return std::nullopt;
        }));
  r.add("", "Mod", 10,
        {[](InferContext &c) {
           return inferSizes(c, [](auto &a, auto &b) -> std::optional<SymbolicExpr> {
             auto low = a.lowerBound(), by = b.lowerBound();
             if (low && *low >= 0 && by && *by > 0)
               return SymbolicExpr::mod(a, b);
             return std::nullopt;
           });
         },
         lowerMod});
  r.add("", "Max", 8,
        variadic(maximum, /*mean=*/false, [](auto &a, auto &b) { return std::optional(SymbolicExpr::max(a, b)); }));
  r.add("", "Min", 8,
        variadic(minimum, /*mean=*/false, [](auto &a, auto &b) { return std::optional(SymbolicExpr::min(a, b)); }));
  r.add("", "Sum", 8, variadic(add));
  r.add("", "Mean", 8, variadic(add, /*mean=*/true));
  r.add("", "And", 7,
        binary([](OpBuilder &b, Location loc, ValueRange v,
                  Type) -> Value { return arith::AndIOp::create(b, loc, v[0], v[1]); },
               [](auto &a, auto &b) { return std::optional(a * b); }));
  r.add("", "Or", 7,
        binary([](OpBuilder &b, Location loc, ValueRange v,
                  Type) -> Value { return arith::OrIOp::create(b, loc, v[0], v[1]); },
               [](auto &a, auto &b) { return std::optional(SymbolicExpr::max(a, b)); }));
  r.add("", "Xor", 7,
        binary([](OpBuilder &b, Location loc, ValueRange v,
                  Type) -> Value { return arith::XOrIOp::create(b, loc, v[0], v[1]); },
               [](auto &a, auto &b) { return std::optional(a + b - SymbolicExpr(2) * a * b); }));
  for (auto [name, version] : {std::pair("Equal", 7), std::pair("Less", 7), std::pair("LessOrEqual", 12),
                               std::pair("Greater", 7), std::pair("GreaterOrEqual", 12)}) {
    StringRef n(name);
    Scalar scalar = n == "Equal"         ? compare(P::OEQ, I::eq, I::eq)
                    : n == "Less"        ? compare(P::OLT, I::slt, I::ult)
                    : n == "LessOrEqual" ? compare(P::OLE, I::sle, I::ule)
                    : n == "Greater"     ? compare(P::OGT, I::sgt, I::ugt)
                                         : compare(P::OGE, I::sge, I::uge);
    SizeOp sizes = n == "Equal"         ? SizeOp(sizesEqual)
                   : n == "Less"        ? SizeOp([](auto &a, auto &b) { return sizesLess(a, b, 1); })
                   : n == "LessOrEqual" ? SizeOp([](auto &a, auto &b) { return sizesLess(a, b, 0); })
                   : n == "Greater"     ? SizeOp([](auto &a, auto &b) { return sizesLess(b, a, 1); })
                                        : SizeOp([](auto &a, auto &b) { return sizesLess(b, a, 0); });
    r.add("", name, version, binary(scalar, sizes));
  }
  r.add("", "Where", 9, {inferWhere, [](LowerContext &c) {
                           return lowerWith(c, [](OpBuilder &b, Location loc, ValueRange v, Type) -> Value {
                             return arith::SelectOp::create(b, loc, v[0], v[1], v[2]);
                           });
                         }});

  r.add("", "Identity", 1,
        {inferSame, [](LowerContext &c) -> FailureOr<SmallVector<Value>> { return SmallVector<Value>{c.input(0)}; }});
  r.add("", "Exp", 6, unary(floating<math::ExpOp>()));
  r.add("", "Log", 6, unary(floating<math::LogOp>()));
  r.add("", "Sqrt", 6, unary(floating<math::SqrtOp>()));
  r.add("", "Tanh", 6, unary(floating<math::TanhOp>()));
  r.add("", "Erf", 9, unary(floating<math::ErfOp>()));
  r.add("", "Sin", 7, unary(floating<math::SinOp>()));
  r.add("", "Cos", 7, unary(floating<math::CosOp>()));
  r.add("", "Floor", 6, unary(floating<math::FloorOp>()));
  r.add("", "Ceil", 6, unary(floating<math::CeilOp>()));
  r.add("", "Round", 11, unary(floating<math::RoundEvenOp>()));
  r.add("", "Not", 1,
        unary(
            [](OpBuilder &b, Location loc, ValueRange v, Type) -> Value {
              return arith::XOrIOp::create(b, loc, v[0], arith::ConstantOp::create(b, loc, b.getBoolAttr(true)));
            },
            [](const SymbolicExpr &v) { return std::optional(SymbolicExpr(1) - v); }));
  r.add("", "Neg", 6,
        unary(
            [](OpBuilder &b, Location loc, ValueRange v, Type element) -> Value {
              if (isa<FloatType>(element))
                return arith::NegFOp::create(b, loc, v[0]);
              return arith::SubIOp::create(b, loc, number(b, loc, v[0].getType(), 0), v[0]);
            },
            [](const SymbolicExpr &v) { return std::optional(SymbolicExpr(0) - v); }));
  r.add("", "Abs", 6, unary([](OpBuilder &b, Location loc, ValueRange v, Type element) -> Value {
          if (isa<FloatType>(element))
            return math::AbsFOp::create(b, loc, v[0]);
          if (LowerContext::isUnsigned(element))
            return v[0];
          return math::AbsIOp::create(b, loc, v[0]);
        }));
  r.add("", "Reciprocal", 6, unary([](OpBuilder &b, Location loc, ValueRange v, Type) -> Value {
          return arith::DivFOp::create(b, loc, number(b, loc, v[0].getType(), 1), v[0]);
        }));
  r.add("", "Relu", 6, unary([](OpBuilder &b, Location loc, ValueRange v, Type element) -> Value {
          return maximum(b, loc, {v[0], number(b, loc, v[0].getType(), 0)}, element);
        }));
  auto sigmoid = [](OpBuilder &b, Location loc, Value x) -> Value {
    Value one = number(b, loc, x.getType(), 1);
    Value e = math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, x));
    return arith::DivFOp::create(b, loc, one, arith::AddFOp::create(b, loc, one, e));
  };
  r.add("", "Sigmoid", 6,
        unary([sigmoid](OpBuilder &b, Location loc, ValueRange v, Type) { return sigmoid(b, loc, v[0]); }));
  r.add("", "IsNaN", 9, unary([](OpBuilder &b, Location loc, ValueRange v, Type) -> Value {
          return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, v[0], v[0]);
        }));
}

} // namespace mxn
