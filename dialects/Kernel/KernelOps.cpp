//===- KernelOps.cpp - Verifying the kernel ops ---------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Kernel/KernelDialect.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mxn::kernel;

#define GET_OP_CLASSES
#include "dialects/Kernel/KernelOps.cpp.inc"

LogicalResult BindingOp::verify() {
  auto type = cast<MemRefType>(getMemref().getType());
  if (static_cast<int64_t>(getSizes().size()) != type.getNumDynamicDims())
    return emitOpError() << "R1: " << type << " has " << type.getNumDynamicDims() << " dynamic dimensions, there are "
                         << getSizes().size() << " sizes";
  if (!type.getLayout().isIdentity())
    return emitOpError() << "R2: the layout must be the identity";
  return success();
}

LogicalResult GridIdOp::verify() {
  if (getAxis() > 2)
    return emitOpError() << "R1: the axis must be 0, 1 or 2, it is " << getAxis();
  return success();
}

LogicalResult CheckOp::verify() {
  if (getCode() != 1 && getCode() != 2)
    return emitOpError() << "R1: the code must be 1 or 2, it is " << getCode();
  return success();
}
