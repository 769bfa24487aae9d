//===- Handlers.cpp - The registry of ONNX operators ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Handlers.h"

using namespace mlir;

namespace mxn {

void HandlerRegistry::add(StringRef domain, StringRef op, int64_t since, Handler handler) {
  handlers[{domain.str(), op.str()}][since] = std::move(handler);
}

const Handler *HandlerRegistry::find(StringRef domain, StringRef op, int64_t version) const {
  auto versions = handlers.find({domain.str(), op.str()});
  if (versions == handlers.end())
    return nullptr;
  auto it = versions->second.upper_bound(version);
  return it == versions->second.begin() ? nullptr : &std::prev(it)->second;
}

const HandlerRegistry &HandlerRegistry::instance() {
  static const HandlerRegistry registry = [] {
    HandlerRegistry r;
    addActivationHandlers(r);
    addAttentionHandlers(r);
    addBlockQuantizedHandlers(r);
    addCastHandlers(r);
    addChannelNormalizationHandlers(r);
    addConvolutionHandlers(r);
    addDataMovementHandlers(r);
    addEinsumHandlers(r);
    addElementwiseHandlers(r);
    addGatherHandlers(r);
    addMatrixHandlers(r);
    addNormalizationHandlers(r);
    addPoolingHandlers(r);
    addPowerHandlers(r);
    addQuantizeHandlers(r);
    addRecurrentHandlers(r);
    addReductionHandlers(r);
    addResizeHandlers(r);
    addShapeHandlers(r);
    return r;
  }();
  return registry;
}

std::optional<int64_t> normalizeAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return std::nullopt;
  return axis < 0 ? axis + rank : axis;
}

LogicalResult refuseOtherAttributes(onnx::NodeOp node, ArrayRef<StringRef> known) {
  for (NamedAttribute attribute : node.getParams())
    if (!llvm::is_contained(known, attribute.getName().getValue()))
      return node.emitError() << node.qualifiedName() << ": its attribute " << attribute.getName()
                              << " isn't supported";
  return success();
}

SymbolicExpr product(ArrayRef<SymbolicExpr> dims) {
  SymbolicExpr count(1);
  for (const SymbolicExpr &d : dims)
    count = count * d;
  return count;
}

} // namespace mxn
