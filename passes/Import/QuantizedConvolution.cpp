//===- QuantizedConvolution.cpp - Convolutions of integers ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Convolution.h"

using namespace mlir;

namespace mxn {

/// The operand for one value, or for one of each element of dimension `axis`.
static LoopOperand perChannel(Value tensor, int64_t axis) {
  auto type = cast<RankedTensorType>(tensor.getType());
  LoopOperand operand{tensor, SmallVector<int64_t>(type.getRank(), -1)};
  if (type.getRank() == 1 && type.getDimSize(0) != 1)
    operand.loops = {axis};
  return operand;
}

/// An input as i32 without its zero point (input `zero`, which may be absent), so that padding is 0.
static Value centred(LowerContext &c, unsigned input, unsigned zero) {
  Type i32 = c.b.getI32Type();
  Dims dims = c.dims(input);
  bool has = c.hasInput(zero), isUnsigned = LowerContext::isUnsigned(c.inputElement(input));
  SmallVector<LoopOperand> operands = {{c.input(input), allLoops(dims.size())}};
  if (has)
    operands.push_back(perChannel(c.input(zero), 0));
  return compute(c, operands, dims, i32, [&](ScalarBuilder &s, ValueRange v) {
    ScalarBuilder wide(s.b, s.loc, isUnsigned);
    Value x = wide.convert(v[0], i32);
    return has ? s.sub(x, wide.convert(v[1], i32)) : x;
  });
}

static Value integerConvolution(LowerContext &c, unsigned x, unsigned w, unsigned xZero, unsigned wZero) {
  Dims xDims = c.dims(x), wDims = c.dims(w);
  Window window =
      *Window::of(c.node, ArrayRef<SymbolicExpr>(xDims).drop_front(2), ArrayRef<SymbolicExpr>(wDims).drop_front(2));
  Value image = window.pad(c, centred(c, x, xZero), xDims, c.b.getI32IntegerAttr(0));
  return convolve(c, window, image, window.padDims(xDims), centred(c, w, wZero), wDims, c.outputDims(),
                  c.node.intAttr("group", 1));
}

static FailureOr<SmallVector<Value>> lowerConvInteger(LowerContext &c) {
  return SmallVector<Value>{integerConvolution(c, 0, 1, 2, 3)};
}

// Inputs: x, its scale and zero point, w, its scale and zero point, the result's scale and zero point, bias.
static FailureOr<SmallVector<Value>> lowerQLinearConv(LowerContext &c) {
  Type to = c.outputElement(), i32 = c.b.getI32Type(), f32 = c.b.getF32Type();
  if (!isa<IntegerType>(to) || to.getIntOrFloatBitWidth() != 8)
    return c.error() << "results of type " << to << " aren't supported";
  Dims dims = c.outputDims();
  SmallVector<LoopOperand> operands = {{integerConvolution(c, 0, 3, 2, 5), allLoops(dims.size())}};
  for (unsigned i : {1u, 4u, 6u, 7u})
    operands.push_back(perChannel(c.input(i), 1));
  bool bias = c.hasInput(8);
  if (bias)
    operands.push_back({c.input(8), {1}});
  Value y = compute(c, operands, dims, LowerContext::lowered(to), [&](ScalarBuilder &s, ValueRange v) {
    Value sum = bias ? s.add(v[0], v[5]) : v[0];
    Value scaled = s.mul(s.convert(sum, f32), s.div(s.mul(v[1], v[2]), v[3]));
    Value zero = ScalarBuilder(s.b, s.loc, LowerContext::isUnsigned(to)).convert(v[4], i32);
    return s.quantize(s.add(math::RoundEvenOp::create(s.b, s.loc, scaled), s.convert(zero, f32)), to);
  });
  return SmallVector<Value>{y};
}

void addQuantizedConvolutionHandlers(HandlerRegistry &r) {
  r.add("", "ConvInteger", 10, {[](InferContext &c) { return inferConvolution(c, 0, 1, 0); }, lowerConvInteger});
  r.add("", "QLinearConv", 10, {[](InferContext &c) { return inferConvolution(c, 0, 3, 8); }, lowerQLinearConv});
}

} // namespace mxn
