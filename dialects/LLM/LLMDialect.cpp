//===- LLMDialect.cpp - Weights -------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/LLM/LLMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mxn::llm;

#include "dialects/LLM/LLMDialect.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/LLM/LLMAttributes.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/LLM/LLMOps.cpp.inc"

void LLMDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/LLM/LLMAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/LLM/LLMOps.cpp.inc"
      >();
}

int64_t mxn::llm::packedBytes(ShapedType type) {
  Type element = type.getElementType();
  if (auto complex = dyn_cast<ComplexType>(element))
    return type.getNumElements() * 2 * complex.getElementType().getIntOrFloatBitWidth() / 8;
  int64_t bits = element.isInteger(1) ? 8 : element.getIntOrFloatBitWidth();
  return (type.getNumElements() * bits + 7) / 8;
}

LogicalResult WeightOp::verify() {
  auto type = dyn_cast<RankedTensorType>(getType());
  if (!type || !type.hasStaticShape() || static_cast<int64_t>(getLength()) != packedBytes(type))
    return emitOpError() << "R1: length " << getLength() << " isn't what " << getType() << " needs";
  if (static_cast<int64_t>(getOffset()) < 0)
    return emitOpError() << "R2: the offset is negative";
  return success();
}

LogicalResult ConstantOp::verify() {
  RankedTensorType weight = getValue().getType(), type = cast<RankedTensorType>(getResult().getType());
  auto width = [](Type t) { return t.isIntOrFloat() ? t.getIntOrFloatBitWidth() : 0; };
  if (weight.getShape() != type.getShape() || width(weight.getElementType()) != width(type.getElementType()))
    return emitOpError() << "R1: the weight is a " << weight << ", the result a " << type;
  return success();
}
