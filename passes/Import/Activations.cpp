//===- Activations.cpp - Activation functions and further scalar operators ===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Loops.h"

using namespace mlir;

namespace mxn {

/// Computes one element from those of the inputs; 16-bit floating-point elements come and go as f32.
using Activation = std::function<Value(ScalarBuilder &, ValueRange, onnx::NodeOp)>;

static LogicalResult inferActivation(InferContext &c) {
  c.setDims(0, c.dims(0));
  // Slopes, biases and bounds follow the first input.
  for (unsigned i = 1; i < c.node.getInputs().size(); ++i)
    if (c.hasInput(i)) {
      if (c.input(i).rank() > c.input(0).rank() && c.constants(i) == std::nullopt)
        return c.error() << "input " << i << " has more dimensions than the first";
      (void)c.broadcast(c.dims(0), c.dims(i));
    }
  return success();
}

static LogicalResult inferNumpyBroadcast(InferContext &c) {
  c.setDims(0, c.broadcast(c.dims(0), c.dims(1)));
  return success();
}

static FailureOr<SmallVector<Value>> lowerActivation(LowerContext &c, const Activation &f) {
  Dims dims = c.outputDims();
  Type element = LowerContext::lowered(c.outputElement());
  SmallVector<LoopOperand> operands;
  for (unsigned i = 0; i < c.numInputs(); ++i)
    if (c.hasInput(i))
      operands.push_back(trailing(c.input(i), dims, dims.size()));
  bool isUnsigned = LowerContext::isUnsigned(c.inputElement(0));
  Value y = compute(c, operands, dims, element, [&](ScalarBuilder &s, ValueRange v) {
    s.isUnsigned = isUnsigned;
    SmallVector<Value> wide;
    for (Value x : v.drop_back())
      wide.push_back(s.convert(x, accumulatorType(x.getType())));
    Value r = f(s, wide, c.node);
    return r.getType().isInteger(1) ? r : s.convert(r, element);
  });
  return SmallVector<Value>{y};
}

static Handler activation(Activation f) {
  return {inferActivation, [f](LowerContext &c) { return lowerActivation(c, f); }};
}

static Handler broadcasting(Activation f) {
  return {inferNumpyBroadcast, [f](LowerContext &c) { return lowerActivation(c, f); }};
}

//===----------------------------------------------------------------------===//
// Formulas
//===----------------------------------------------------------------------===//

static double attribute(onnx::NodeOp node, StringRef name, double absent) {
  return node.floatAttr(name, static_cast<float>(absent));
}

/// log(1 + e^x) without overflow.
static Value softplus(ScalarBuilder &s, Value x) {
  Value power = s.exp(s.neg(s.abs(x)));
  return s.add(s.max(x, s.number(x, 0)), s.log1p(power));
}

static Value gelu(ScalarBuilder &s, Value x) {
  Value half = s.mul(x, s.number(x, 0.5));
  return s.mul(half, s.add(s.number(x, 1), s.erf(s.mul(x, s.number(x, M_SQRT1_2)))));
}

static Value tanhGelu(ScalarBuilder &s, Value x) {
  Value cube = s.mul(s.mul(x, x), x);
  Value inner = s.mul(s.number(x, std::sqrt(2 / M_PI)), s.add(x, s.mul(s.number(x, 0.044715), cube)));
  return s.mul(s.mul(x, s.number(x, 0.5)), s.add(s.number(x, 1), s.tanh(inner)));
}

static Value swish(ScalarBuilder &s, Value x, double alpha) {
  Value scaled = alpha == 1 ? x : s.mul(x, s.number(x, alpha));
  return s.mul(x, s.sigmoid(scaled));
}

/// `scale * (e^x - 1)` below 0, x elsewhere.
static Value exponentialBelowZero(ScalarBuilder &s, Value x, double scale) {
  Value below = s.mul(s.number(x, scale), s.sub(s.exp(x), s.number(x, 1)));
  return s.select(s.less(x, s.number(x, 0)), below, x);
}

static Value ramp(ScalarBuilder &s, Value x, double alpha, double beta) {
  Value y = s.add(s.mul(x, s.number(x, alpha)), s.number(x, beta));
  return s.max(s.min(y, s.number(x, 1)), s.number(x, 0));
}

static Value shrink(ScalarBuilder &s, ValueRange v, onnx::NodeOp node) {
  double lambd = attribute(node, "lambd", 0.5), bias = attribute(node, "bias", 0);
  Value x = isa<FloatType>(v[0].getType()) ? v[0] : s.convert(v[0], s.b.getF64Type());
  Value low = s.add(x, s.number(x, bias)), high = s.sub(x, s.number(x, bias));
  Value y = s.select(s.less(s.number(x, lambd), x), high, s.number(x, 0));
  return s.convert(s.select(s.less(x, s.number(x, -lambd)), low, y), v[0].getType());
}

static Value sign(ScalarBuilder &s, ValueRange v, onnx::NodeOp) {
  Value x = v[0], zero = s.number(x, 0), one = s.number(x, 1);
  Value positive = s.less(zero, x);
  if (s.isUnsigned)
    return s.select(positive, one, zero);
  // What is neither above nor below 0 stays: 0 and NaN.
  return s.select(positive, one, s.select(s.less(x, zero), s.number(x, -1), x));
}

static Value isInfinite(ScalarBuilder &s, ValueRange v, onnx::NodeOp node) {
  Value found = s.number(s.b.getI1Type(), 0);
  auto look = [&](double what) {
    Value same = arith::CmpFOp::create(s.b, s.loc, arith::CmpFPredicate::OEQ, v[0], s.number(v[0], what));
    found = arith::OrIOp::create(s.b, s.loc, found, same);
  };
  if (node.intAttr("detect_positive", 1))
    look(INFINITY);
  if (node.intAttr("detect_negative", 1))
    look(-INFINITY);
  return found;
}

/// Shifts by the width and more leave what sign extension leaves.
static Value bitShift(ScalarBuilder &s, ValueRange v, onnx::NodeOp node) {
  Value x = v[0], by = v[1];
  int64_t width = x.getType().getIntOrFloatBitWidth();
  Value inside = arith::CmpIOp::create(s.b, s.loc, arith::CmpIPredicate::ult, by, s.number(by, width));
  Value safe = s.select(inside, by, s.number(by, width - 1));
  bool right = node.stringAttr("direction", "") == "RIGHT";
  if (right && !s.isUnsigned)
    return arith::ShRSIOp::create(s.b, s.loc, x, safe);
  Value shifted = right ? arith::ShRUIOp::create(s.b, s.loc, x, safe).getResult()
                        : arith::ShLIOp::create(s.b, s.loc, x, safe).getResult();
  return s.select(inside, shifted, s.number(x, 0));
}

//===----------------------------------------------------------------------===//
// Clip
//===----------------------------------------------------------------------===//

/// Bounds are attributes before version 11, and then scalar inputs; either may be absent.
static FailureOr<SmallVector<Value>> lowerClip(LowerContext &c) {
  Activation clip = [&](ScalarBuilder &s, ValueRange v, onnx::NodeOp node) {
    Value x = v[0];
    unsigned next = 1;
    auto bound = [&](StringRef name, unsigned input) -> Value {
      if (node.has(name))
        return s.number(x, node.floatAttr(name, 0));
      return c.hasInput(input) ? v[next++] : Value();
    };
    Value low = bound("min", 1), high = bound("max", 2);
    if (low)
      x = s.max(x, low);
    return high ? s.min(x, high) : x;
  };
  return lowerActivation(c, clip);
}

//===----------------------------------------------------------------------===//
// PRelu before version 7
//===----------------------------------------------------------------------===//

/// The slope is one number or one for each channel (dimension 1).
static LogicalResult inferChannelSlope(InferContext &c) {
  Dims slope = c.dims(1);
  if (slope.size() == 1 && !slope[0].isConstant(1) &&
      (c.dims(0).size() < 2 || failed(c.equate(slope[0], c.dims(0)[1], "the slopes and the channels"))))
    return c.error() << "needs one slope, or one for each channel";
  c.setDims(0, c.dims(0));
  return success();
}

static FailureOr<SmallVector<Value>> lowerChannelSlope(LowerContext &c) {
  Dims dims = c.dims(0), slope = c.dims(1);
  SmallVector<int64_t> channel(slope.size(), slope.size() == 1 && !slope[0].isConstant(1) ? 1 : -1);
  Type element = LowerContext::lowered(c.outputElement());
  Value y = compute(c, {{c.input(0), allLoops(dims.size())}, {c.input(1), channel}}, dims, element,
                    [](ScalarBuilder &s, ValueRange v) {
                      return s.select(s.less(v[0], s.number(v[0], 0)), s.mul(v[0], v[1]), v[0]);
                    });
  return SmallVector<Value>{y};
}

static void addActivations(HandlerRegistry &r) {
  using S = ScalarBuilder;
  using N = onnx::NodeOp;
  r.add("", "Elu", 6,
        activation([](S &s, ValueRange v, N n) { return exponentialBelowZero(s, v[0], attribute(n, "alpha", 1)); }));
  r.add("", "Selu", 6, activation([](S &s, ValueRange v, N n) {
          Value y = exponentialBelowZero(s, v[0], attribute(n, "alpha", 1.67326319217681884765625));
          return s.mul(y, s.number(y, attribute(n, "gamma", 1.05070102214813232421875)));
        }));
  r.add("", "Celu", 12, activation([](S &s, ValueRange v, N n) {
          double alpha = attribute(n, "alpha", 1);
          Value x = v[0], power = s.exp(s.div(x, s.number(x, alpha)));
          Value below = s.mul(s.number(x, alpha), s.sub(power, s.number(x, 1)));
          return s.add(s.max(x, s.number(x, 0)), s.min(below, s.number(x, 0)));
        }));
  r.add("", "LeakyRelu", 6, activation([](S &s, ValueRange v, N n) {
          Value x = v[0];
          return s.select(s.less(x, s.number(x, 0)), s.mul(x, s.number(x, attribute(n, "alpha", 0.01))), x);
        }));
  Handler prelu = activation(
      [](S &s, ValueRange v, N) { return s.select(s.less(v[0], s.number(v[0], 0)), s.mul(v[0], v[1]), v[0]); });
  r.add("", "PRelu", 7, prelu);
  r.add("", "PRelu", 6, {inferChannelSlope, lowerChannelSlope});
  r.add("", "ThresholdedRelu", 10, activation([](S &s, ValueRange v, N n) {
          return s.select(s.less(s.number(v[0], attribute(n, "alpha", 1)), v[0]), v[0], s.number(v[0], 0));
        }));
  r.add("", "HardSigmoid", 6, activation([](S &s, ValueRange v, N n) {
          return ramp(s, v[0], attribute(n, "alpha", 0.2), attribute(n, "beta", 0.5));
        }));
  r.add("", "HardSwish", 14,
        activation([](S &s, ValueRange v, N) { return s.mul(v[0], ramp(s, v[0], 1.0 / 6, 0.5)); }));
  r.add("", "Softplus", 1, activation([](S &s, ValueRange v, N) { return softplus(s, v[0]); }));
  r.add("", "Softsign", 1,
        activation([](S &s, ValueRange v, N) { return s.div(v[0], s.add(s.number(v[0], 1), s.abs(v[0]))); }));
  r.add("", "Mish", 18, activation([](S &s, ValueRange v, N) { return s.mul(v[0], s.tanh(softplus(s, v[0]))); }));
  r.add("", "Gelu", 20, activation([](S &s, ValueRange v, N n) {
          return n.stringAttr("approximate", "none") == "tanh" ? tanhGelu(s, v[0]) : gelu(s, v[0]);
        }));
  r.add("", "Swish", 24, activation([](S &s, ValueRange v, N n) { return swish(s, v[0], attribute(n, "alpha", 1)); }));
  r.add("", "SwiGLU", 28,
        activation([](S &s, ValueRange v, N n) { return s.mul(swish(s, v[0], attribute(n, "alpha", 1)), v[1]); }));
  r.add("", "Shrink", 9, activation(shrink));
  r.add("", "Clip", 6, {inferActivation, lowerClip});

  r.add("com.microsoft", "Gelu", 1, activation([](S &s, ValueRange v, N) { return gelu(s, v[0]); }));
  r.add("com.microsoft", "BiasGelu", 1, activation([](S &s, ValueRange v, N) { return gelu(s, s.add(v[0], v[1])); }));
  r.add("com.microsoft", "FastGelu", 1,
        activation([](S &s, ValueRange v, N) { return tanhGelu(s, v.size() > 1 ? s.add(v[0], v[1]) : v[0]); }));
  r.add("com.microsoft", "QuickGelu", 1,
        activation([](S &s, ValueRange v, N n) { return swish(s, v[0], attribute(n, "alpha", 1.702)); }));
}

template <typename Op> static Handler mathFunction() {
  return activation([](ScalarBuilder &s, ValueRange v, onnx::NodeOp) -> Value { return Op::create(s.b, s.loc, v[0]); });
}

template <typename Op> static Handler bitwise() {
  return broadcasting(
      [](ScalarBuilder &s, ValueRange v, onnx::NodeOp) -> Value { return Op::create(s.b, s.loc, v[0], v[1]); });
}

void addActivationHandlers(HandlerRegistry &r) {
  addActivations(r);
  r.add("", "Sign", 9, activation(sign));
  r.add("", "IsInf", 10, activation(isInfinite));
  r.add("", "Tan", 7, mathFunction<math::TanOp>());
  r.add("", "Asin", 7, mathFunction<math::AsinOp>());
  r.add("", "Acos", 7, mathFunction<math::AcosOp>());
  r.add("", "Atan", 7, mathFunction<math::AtanOp>());
  r.add("", "Sinh", 9, mathFunction<math::SinhOp>());
  r.add("", "Cosh", 9, mathFunction<math::CoshOp>());
  r.add("", "Asinh", 9, mathFunction<math::AsinhOp>());
  r.add("", "Acosh", 9, mathFunction<math::AcoshOp>());
  r.add("", "Atanh", 9, mathFunction<math::AtanhOp>());
  r.add("", "BitShift", 11, broadcasting(bitShift));
  r.add("", "BitwiseAnd", 18, bitwise<arith::AndIOp>());
  r.add("", "BitwiseOr", 18, bitwise<arith::OrIOp>());
  r.add("", "BitwiseXor", 18, bitwise<arith::XOrIOp>());
  r.add("", "BitwiseNot", 18, activation([](ScalarBuilder &s, ValueRange v, onnx::NodeOp) -> Value {
          return arith::XOrIOp::create(s.b, s.loc, v[0], s.number(v[0], -1));
        }));
}

} // namespace mxn
