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

LogicalResult FunctionOp::verify() {
  for (ArrayAttr list : {getInputs(), getOutputs()})
    for (Attribute tensor : list)
      if (!isa<TensorAttr>(tensor))
        return emitOpError() << "R1: inputs and outputs must be #program.tensor attributes";
  if (getCacheGroups() && !llvm::all_of(*getCacheGroups(), llvm::IsaPred<CacheGroupAttr>))
    return emitOpError() << "R3: caches must be #program.cache_group attributes";
  bool working = false;
  for (Operation &op : getBody().front()) {
    if (isa<DispatchOp, CopyOp>(op))
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
