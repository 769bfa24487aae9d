//===- Types.cpp - Types of tensors and of what isn't one -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/ONNX/ONNXDialect.h"
#include "lib/Import/Convert.h"

using namespace mlir;
using namespace mxn;

mlir::Type import::convertElementType(MLIRContext *context, int elementType) {
  auto integer = [&](unsigned width) { return IntegerType::get(context, width); };
  auto natural = [&](unsigned width) { return IntegerType::get(context, width, IntegerType::Unsigned); };
  // The numbers of TensorProto.DataType, which are part of the format.
  switch (elementType) {
  case 1:
    return Float32Type::get(context);
  case 2:
    return natural(8);
  case 3:
    return integer(8);
  case 4:
    return natural(16);
  case 5:
    return integer(16);
  case 6:
    return integer(32);
  case 7:
    return integer(64);
  case 8:
    return onnx::StringType::get(context);
  case 9:
    return integer(1);
  case 10:
    return Float16Type::get(context);
  case 11:
    return Float64Type::get(context);
  case 12:
    return natural(32);
  case 13:
    return natural(64);
  case 14:
    return ComplexType::get(Float32Type::get(context));
  case 15:
    return ComplexType::get(Float64Type::get(context));
  case 16:
    return BFloat16Type::get(context);
  case 17:
    return Float8E4M3FNType::get(context);
  case 18:
    return Float8E4M3FNUZType::get(context);
  case 19:
    return Float8E5M2Type::get(context);
  case 20:
    return Float8E5M2FNUZType::get(context);
  case 21:
    return natural(4);
  case 22:
    return integer(4);
  case 23:
    return Float4E2M1FNType::get(context);
  case 24:
    return Float8E8M0FNUType::get(context);
  case 25:
    return natural(2);
  case 26:
    return integer(2);
  case 27:
    return Float6E2M3FNType::get(context);
  case 28:
    return Float6E3M2FNType::get(context);
  default:
    return {};
  }
}

mlir::Type import::convertType(MLIRContext *context, const plain::Type &type) {
  mlir::Type element;
  if (type.kind == plain::Type::Kind::Tensor)
    element = convertElementType(context, type.elementType);
  if (!element)
    return onnx::OpaqueType::get(context, type.kind == plain::Type::Kind::Other ? type.spelling : "unknown");
  if (!type.ranked)
    return UnrankedTensorType::get(element);
  SmallVector<int64_t> shape;
  for (const plain::Dim &dim : type.dims)
    shape.push_back(dim.value < 0 ? ShapedType::kDynamic : dim.value);
  return RankedTensorType::get(shape, element);
}

RankedTensorType import::tensorType(MLIRContext *context, const plain::TensorData &tensor) {
  mlir::Type element = convertElementType(context, tensor.elementType);
  return element ? RankedTensorType::get(tensor.dims, element) : RankedTensorType();
}
