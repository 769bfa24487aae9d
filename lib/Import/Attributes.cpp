//===- Attributes.cpp - Values of tensors and of attributes ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/LLM/LLMDialect.h"
#include "dialects/ONNX/ONNXDialect.h"
#include "lib/Import/Convert.h"
#include "llvm/Support/Endian.h"

using namespace mlir;
using namespace mxn;

/// Element `index` of a run of elements of `width` bits, the first one in the lowest bits.
static APInt element(StringRef bytes, uint64_t index, unsigned width) {
  APInt value(width, 0);
  for (unsigned done = 0; done < width;) {
    uint64_t bit = index * width + done;
    unsigned count = std::min<unsigned>(8 - bit % 8, width - done);
    uint64_t byte = static_cast<uint8_t>(bytes[bit / 8]);
    value.insertBits(byte >> (bit % 8) & ((1u << count) - 1), done, count);
    done += count;
  }
  return value;
}

/// The values of types that MLIR keeps in another way than ONNX does: bool and those that share bytes.
static mlir::Attribute unpack(RankedTensorType type, StringRef bytes) {
  mlir::Type elementType = type.getElementType();
  uint64_t count = type.getNumElements();
  if (elementType.isInteger(1)) {
    SmallVector<bool> values;
    for (char byte : bytes.take_front(count))
      values.push_back(byte != 0);
    return DenseElementsAttr::get(type, values);
  }
  unsigned width = elementType.getIntOrFloatBitWidth();
  SmallVector<APInt> values;
  for (uint64_t i = 0; i < count; ++i)
    values.push_back(element(bytes, i, width));
  auto floating = dyn_cast<FloatType>(elementType);
  if (!floating)
    return DenseElementsAttr::get(type, values);
  SmallVector<APFloat> floats;
  for (const APInt &value : values)
    floats.emplace_back(floating.getFloatSemantics(), value);
  return DenseElementsAttr::get(type, floats);
}

mlir::Attribute import::AttributeBuilder::weight(const plain::TensorData &tensor) {
  RankedTensorType type = tensorType(module.getContext(), tensor);
  const plain::WeightRange &range = model.weights[tensor.weight];
  auto [entry, isNew] = weights.try_emplace({range.file, range.offset, type.getAsOpaquePointer()});
  if (isNew) {
    entry->second = "w" + std::to_string(weights.size() - 1);
    OpBuilder builder(module.getContext());
    builder.setInsertionPointToStart(module.getBody());
    if (last)
      builder.setInsertionPointAfter(last);
    Location loc = NameLoc::get(builder.getStringAttr(tensor.name.empty() ? entry->second : tensor.name));
    last = llm::WeightOp::create(builder, loc, entry->second, range.file, range.offset, range.length, type);
  }
  return llm::WeightAttr::get(module.getContext(), FlatSymbolRefAttr::get(module.getContext(), entry->second), type);
}

mlir::Attribute import::AttributeBuilder::tensor(const plain::TensorData &tensor) {
  RankedTensorType type = tensorType(module.getContext(), tensor);
  if (!type)
    return {};
  if (tensor.weight >= 0)
    return weight(tensor);
  if (isa<onnx::StringType>(type.getElementType())) {
    SmallVector<StringRef> strings(tensor.strings.begin(), tensor.strings.end());
    return DenseStringElementsAttr::get(type, strings);
  }
  mlir::Type elementType = type.getElementType();
  if (!isa<ComplexType>(elementType) && (elementType.isInteger(1) || elementType.getIntOrFloatBitWidth() % 8))
    return unpack(type, tensor.bytes);
  return DenseElementsAttr::getFromRawBuffer(type, ArrayRef(tensor.bytes.data(), tensor.bytes.size()));
}

mlir::Attribute import::AttributeBuilder::attribute(const plain::Attribute &attribute) {
  Builder builder(module.getContext());
  using Kind = plain::Attribute::Kind;
  SmallVector<mlir::Attribute> list;
  switch (attribute.kind) {
  case Kind::Int:
    return builder.getI64IntegerAttr(attribute.ints[0]);
  case Kind::Float:
    return builder.getF32FloatAttr(attribute.floats[0]);
  case Kind::String:
    return builder.getStringAttr(attribute.strings[0]);
  case Kind::Tensor:
    return tensor(attribute.tensors[0]);
  case Kind::Type:
    return TypeAttr::get(convertType(module.getContext(), attribute.types[0]));
  case Kind::Ints:
    return builder.getDenseI64ArrayAttr(attribute.ints);
  case Kind::Floats:
    return builder.getDenseF32ArrayAttr(attribute.floats);
  case Kind::Strings:
    for (const std::string &text : attribute.strings)
      list.push_back(builder.getStringAttr(text));
    break;
  case Kind::Tensors:
    for (const plain::TensorData &data : attribute.tensors)
      if (mlir::Attribute value = tensor(data))
        list.push_back(value);
      else
        return {};
    break;
  case Kind::Types:
    for (const plain::Type &type : attribute.types)
      list.push_back(TypeAttr::get(convertType(module.getContext(), type)));
    break;
  case Kind::Graph:
  case Kind::Graphs:
    return {};
  }
  return builder.getArrayAttr(list);
}
