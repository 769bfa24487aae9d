//===- ProgramOps.cpp - Verifying the host schedule -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Program/ProgramDialect.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mxn::program;

#define GET_OP_CLASSES
#include "dialects/Program/ProgramOps.cpp.inc"

LogicalResult RegionOp::verifyRegions() {
  auto yield = dyn_cast<YieldOp>(getBody().front().getTerminator());
  if (!yield || yield.getValues().getTypes() != getResultTypes())
    return emitOpError() << "R1: the body must end in program.yield with the result types";
  if (getUpdates() && (getNumResults() == 0 || getUpdates().getType() != getResult(0).getType()))
    return emitOpError() << "R2: the tensor that is updated must have the first result's type";
  return success();
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

LogicalResult ReadOp::verify() {
  auto element = dyn_cast<IntegerType>(getElement());
  if (!element || (element.getWidth() != 1 && (element.getWidth() < 8 || element.getWidth() > 64)))
    return emitOpError() << "R1: reads a boolean or an integer of 8 to 64 bits, not a " << getElement();
  if (auto tensor = dyn_cast<RankedTensorType>(getSource().getType()))
    if (tensor.getElementTypeBitWidth() != element.getWidth() || !tensor.hasStaticShape() ||
        tensor.getNumElements() != 1)
      return emitOpError() << "R2: can't read one " << element << " from a " << tensor;
  int64_t minimum = getMinimum(), maximum = getMaximum(); // signed, which the accessors aren't
  if (minimum > maximum)
    return emitOpError() << "R3: the minimum " << minimum << " is above the maximum " << maximum;
  return success();
}

static size_t dynamicDims(TypeRange types) {
  size_t count = 0;
  for (Type type : types)
    count += cast<RankedTensorType>(type).getNumDynamicDims();
  return count;
}

LogicalResult IfOp::verifyRegions() {
  for (Region *branch : {&getThenBranch(), &getElseBranch()}) {
    auto yield = branch->empty() || branch->front().empty() ? nullptr : dyn_cast<YieldOp>(branch->front().back());
    if (!yield || yield.getValues().getTypes() != getResultTypes())
      return emitOpError() << "R1: each branch must end in program.yield with the result types";
  }
  if (getSizes().size() != dynamicDims(getResultTypes()))
    return emitOpError() << "R2: there are " << getSizes().size() << " sizes and " << dynamicDims(getResultTypes())
                         << " dynamic dimensions";
  return success();
}

LogicalResult LoopOp::verifyRegions() {
  Block &body = getBody().front();
  TypeRange carried = getInit().getTypes();
  if (body.getNumArguments() != carried.size() + 1 || !body.getArgument(0).getType().isIndex() ||
      TypeRange(body.getArgumentTypes()).drop_front() != carried)
    return emitOpError() << "R1: the body's arguments must be an index and the carried tensors";
  if (getNumResults() < carried.size() || TypeRange(getResultTypes()).take_front(carried.size()) != carried)
    return emitOpError() << "R2: the first results must be of the types of 'init'";
  auto yield = body.empty() ? nullptr : dyn_cast<YieldOp>(body.back());
  if (!yield)
    return emitOpError() << "R3: the body must end in program.yield";
  bool onBuffers = getCondition() && isa<BufferType>(getCondition().getType());
  auto boolean = RankedTensorType::get({}, IntegerType::get(getContext(), 1));
  SmallVector<Type> want(carried);
  if (getCondition() && !onBuffers)
    want.push_back(boolean);
  for (Type type : TypeRange(getResultTypes()).drop_front(carried.size())) {
    auto stacked = cast<RankedTensorType>(type);
    if (stacked.getRank() == 0)
      return emitOpError() << "R3: a stacked result has at least one dimension";
    want.push_back(RankedTensorType::get(stacked.getShape().drop_front(), stacked.getElementType()));
  }
  if (yield.getValues().getTypes() != TypeRange(want))
    return emitOpError() << "R3: the body must yield the carried tensors, the condition and one part of each other "
                            "result";
  if (getCondition() && getNumResults() > carried.size())
    return emitOpError() << "R4: a loop with a condition can't stack results";
  if (getSizes().size() != dynamicDims(getResultTypes()))
    return emitOpError() << "R5: there are " << getSizes().size() << " sizes and " << dynamicDims(getResultTypes())
                         << " dynamic dimensions";
  if (getCondition() && (onBuffers ? getNumResults() != 0 : getCondition().getType() != boolean))
    return emitOpError() << "R6: the condition must be a tensor<i1>, or a buffer where nothing is carried";
  return success();
}

//===----------------------------------------------------------------------===//
// On buffers
//===----------------------------------------------------------------------===//

LogicalResult FunctionOp::verify() {
  for (ArrayAttr list : {getInputs(), getOutputs()})
    for (Attribute tensor : list)
      if (!isa<TensorAttr>(tensor))
        return emitOpError() << "R1: inputs and outputs must be #program.tensor attributes";
  if (getCacheGroupsAttr() &&
      !llvm::all_of(getCacheGroupsAttr(), [](Attribute group) { return isa<CacheGroupAttr>(group); }))
    return emitOpError() << "R3: caches must be #program.cache_group attributes";
  bool working = false;
  for (Operation &op : getBody().front()) {
    if (isa<DispatchOp, CopyOp, ReadOp, IfOp, LoopOp>(op))
      working = true;
    else if (working && isa<InputDimOp, CheckEqualOp, CheckAtLeastOp, OutputShapeOp>(op))
      return op.emitOpError() << "R2: stands behind an op that does work";
  }
  return success();
}

LogicalResult DispatchOp::verify() {
  if (getGrid().size() != 3)
    return emitOpError() << "R1: a grid has three sizes, this one has " << getGrid().size();
  if (getWrites().size() != getBindings().size() || getSizes().size() != getBindings().size())
    return emitOpError() << "R2: there are " << getBindings().size() << " bindings, " << getSizes().size()
                         << " sizes and " << getWrites().size() << " write flags";
  return success();
}
