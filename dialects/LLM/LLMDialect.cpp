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

LogicalResult PagedAttentionOp::verify() {
  int64_t heads = getQHeads(), shared = getKvHeads();
  if (heads < 1 || shared < 1 || heads % shared)
    return emitOpError() << "R1: q_heads (" << heads << ") must be a positive multiple of kv_heads (" << shared << ")";
  auto type = [](Value v) { return cast<RankedTensorType>(v.getType()); };
  RankedTensorType cache = type(getCache());
  if (cache.getRank() != 6 || cache.isDynamicDim(1) || cache.isDynamicDim(5) || type(getQ()).getRank() != 3 ||
      type(getQ()).getDimSize(2) != heads * cache.getDimSize(5))
    return emitOpError() << "R2: q must be [1, T, " << heads << " * head size] for a cache of rank 6";
  for (Value v : {getK(), getV()})
    if (type(v).getRank() != 3 || type(v).getDimSize(2) != shared * cache.getDimSize(5) ||
        cache.getDimSize(3) != shared)
      return emitOpError() << "R2: k and v must be [1, T, " << shared << " * head size], as many heads as the cache";
  if (static_cast<int64_t>(getLayer()) < 0 || static_cast<int64_t>(getLayer()) >= cache.getDimSize(1))
    return emitOpError() << "R3: the cache has " << cache.getDimSize(1) << " layers, there is no layer " << getLayer();
  auto same = [](RankedTensorType a, RankedTensorType b) {
    return a.getShape() == b.getShape() && a.getElementType() == b.getElementType();
  };
  if (!same(type(getY()), type(getQ())) || !same(type(getUpdated()), cache))
    return emitOpError() << "R4: the results must have the types of q and of the cache";
  return success();
}

LogicalResult ConstantOp::verify() {
  RankedTensorType weight = getValue().getType(), type = cast<RankedTensorType>(getResult().getType());
  auto width = [](Type t) { return t.isIntOrFloat() ? t.getIntOrFloatBitWidth() : 0; };
  if (weight.getShape() != type.getShape() || width(weight.getElementType()) != width(type.getElementType()))
    return emitOpError() << "R1: the weight is a " << weight << ", the result a " << type;
  return success();
}
