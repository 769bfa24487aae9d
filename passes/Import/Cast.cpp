//===- Cast.cpp - Conversions between element types -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Handlers.h"

using namespace mlir;

namespace mxn {

static LogicalResult inferCast(InferContext &c) {
  c.setDims(0, c.dims(0));
  Facts in = c.input(0);
  // Sizes stay what they are in every type wide enough for them.
  auto to = cast<TensorType>(c.node.getOutputs()[0].getType()).getElementType();
  if (!in.values || !to.isIntOrIndex())
    return success();
  if (to.getIntOrFloatBitWidth() >= 32 || (in.element && in.element.isInteger(1)))
    c.setValues(0, *in.values);
  if (to.isInteger(1) && !in.element.isInteger(1)) {
    Dims out;
    for (const SymbolicExpr &v : *in.values) {
      // What isn't negative is true where it is at least 1.
      auto low = v.lowerBound();
      if (v.constant())
        out.push_back(*v.constant() != 0);
      else if (low && *low >= 0)
        out.push_back(SymbolicExpr::min(v, 1));
      else
        return success();
    }
    c.setValues(0, out);
  }
  return success();
}

static FailureOr<SmallVector<Value>> lowerCast(LowerContext &c) {
  Type from = c.inputElement(0), to = c.outputElement();
  if (!LowerContext::lowered(from) || !LowerContext::lowered(to))
    return c.error() << "the conversion from " << from << " to " << to << " isn't supported";
  auto narrow = [](Type t) { return isa<FloatType>(t) && t.getIntOrFloatBitWidth() < 16; };
  if (narrow(from) || narrow(to))
    return c.error() << "the conversion from " << from << " to " << to << " isn't supported";
  Value v = c.elementwise(
      {c.input(0)}, c.outputDims(), LowerContext::lowered(to),
      [&](OpBuilder &b, Location loc, ValueRange args) { return LowerContext::cast(b, loc, args[0], from, to); });
  return SmallVector<Value>{v};
}

void addCastHandlers(HandlerRegistry &r) {
  r.add("", "Cast", 6, {inferCast, lowerCast});
  r.add("", "CastLike", 15, {inferCast, lowerCast});
}

} // namespace mxn
