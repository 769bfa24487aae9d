//===- PlainModel.cpp - From protobuf's classes to plain data -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/OnnxModel.h"
#include "onnx/defs/data_type_utils.h"
#include <cstring>

using namespace mxn::import;

/// Appends the low `bytes` bytes of each number, which is how ONNX's typed fields hold narrower types.
template <typename List> static void append(const List &list, size_t bytes, std::string &out) {
  for (auto value : list)
    out.append(reinterpret_cast<const char *>(&value), bytes);
}

TensorData mxn::import::toPlain(const onnx::TensorProto &tensor) {
  TensorData data;
  data.name = tensor.name();
  data.elementType = tensor.data_type();
  data.dims.assign(tensor.dims().begin(), tensor.dims().end());
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    data.weight = std::stoi(tensor.external_data(0).value().substr(1));
    return data;
  }
  if (tensor.data_type() == onnx::TensorProto::STRING) {
    data.strings.assign(tensor.string_data().begin(), tensor.string_data().end());
    uint64_t count = 1;
    for (int64_t dim : data.dims)
      if (dim < 0 || __builtin_mul_overflow(count, static_cast<uint64_t>(dim), &count))
        throw Failure("the shape of a string tensor is too large", tensor.name());
    if (data.strings.size() != count)
      throw Failure("the tensor has " + std::to_string(data.strings.size()) + " strings, its shape needs " +
                        std::to_string(count),
                    tensor.name());
    return data;
  }
  uint64_t needed;
  if (!packedBytes(tensor.data_type(), data.dims, needed))
    throw Failure("the tensor's element type (" + std::to_string(tensor.data_type()) + ") or shape isn't one of ONNX's",
                  tensor.name());
  if (!tensor.raw_data().empty()) {
    data.bytes = tensor.raw_data();
  } else {
    // ONNX's int32_data holds an element each, or the byte of packed elements.
    size_t element = std::max<size_t>(1, elementBits(tensor.data_type()) / 8);
    append(tensor.int32_data(), std::min<size_t>(4, element), data.bytes);
    append(tensor.int64_data(), 8, data.bytes);
    append(tensor.uint64_data(), std::min<size_t>(8, element), data.bytes);
    append(tensor.float_data(), 4, data.bytes);
    append(tensor.double_data(), 8, data.bytes);
  }
  if (data.bytes.size() < needed)
    throw Failure("the tensor has " + std::to_string(data.bytes.size()) + " bytes of data, its shape and type need " +
                      std::to_string(needed),
                  tensor.name());
  data.bytes.resize(needed);
  return data;
}

Type mxn::import::toPlain(const onnx::TypeProto &proto) {
  Type type;
  if (proto.value_case() == onnx::TypeProto::VALUE_NOT_SET)
    return type;
  if (!proto.has_tensor_type()) {
    type.kind = Type::Kind::Other;
    type.spelling = *onnx::Utils::DataTypeUtils::ToType(proto);
    return type;
  }
  type.elementType = proto.tensor_type().elem_type();
  if (type.elementType == onnx::TensorProto::UNDEFINED)
    return type;
  type.kind = Type::Kind::Tensor;
  type.ranked = proto.tensor_type().has_shape();
  for (const auto &dim : proto.tensor_type().shape().dim()) {
    Dim plain;
    if (dim.has_dim_value())
      plain.value = dim.dim_value() < 0 ? -1 : dim.dim_value();
    plain.name = dim.dim_param();
    type.dims.push_back(std::move(plain));
  }
  return type;
}

namespace {

class Converter {
public:
  explicit Converter(const onnx::ModelProto &model) {
    for (const auto &import : model.opset_import())
      versions[canonicalDomain(import.domain())] = import.version();
  }

  Graph graph(const onnx::GraphProto &proto) {
    Graph graph;
    graph.name = proto.name();
    for (const auto &value : proto.input())
      graph.inputs.push_back({value.name(), toPlain(value.type())});
    for (const auto &value : proto.output()) {
      graph.outputs.push_back({value.name(), toPlain(value.type())});
      graph.types[value.name()] = graph.outputs.back().type;
    }
    for (const auto &tensor : proto.initializer())
      graph.initializers.push_back(toPlain(tensor));
    for (const auto &value : proto.value_info())
      graph.types[value.name()] = toPlain(value.type());
    for (const auto &node : proto.node())
      graph.nodes.push_back(this->node(node));
    return graph;
  }

private:
  Node node(const onnx::NodeProto &proto) {
    Node node;
    node.op = proto.op_type();
    node.domain = canonicalDomain(proto.domain());
    node.name = nodeName(proto);
    if (node.name.empty())
      node.name = node.op + "_" + std::to_string(index);
    ++index;
    auto version = versions.find(node.domain);
    if (version == versions.end())
      throw Failure("the model imports no operator set for the domain '" + node.domain + "' of " + node.op, node.name);
    node.version = version->second;
    node.inputs.assign(proto.input().begin(), proto.input().end());
    node.outputs.assign(proto.output().begin(), proto.output().end());
    for (const auto &value : proto.attribute())
      node.attributes.push_back(attribute(value, node.name));
    return node;
  }

  Attribute attribute(const onnx::AttributeProto &proto, const std::string &user) {
    Attribute result;
    result.name = proto.name();
    using Kind = Attribute::Kind;
    using Proto = onnx::AttributeProto;
    auto is = [&](Kind kind) { result.kind = kind; };
    switch (proto.type()) {
    case Proto::INT:
      is(Kind::Int);
      result.ints = {proto.i()};
      break;
    case Proto::FLOAT:
      is(Kind::Float);
      result.floats = {proto.f()};
      break;
    case Proto::STRING:
      is(Kind::String);
      result.strings = {proto.s()};
      break;
    case Proto::TENSOR:
      is(Kind::Tensor);
      result.tensors.push_back(toPlain(proto.t()));
      break;
    case Proto::GRAPH:
      is(Kind::Graph);
      result.graphs.push_back(graph(proto.g()));
      break;
    case Proto::TYPE_PROTO:
      is(Kind::Type);
      result.types.push_back(toPlain(proto.tp()));
      break;
    case Proto::INTS:
      is(Kind::Ints);
      result.ints.assign(proto.ints().begin(), proto.ints().end());
      break;
    case Proto::FLOATS:
      is(Kind::Floats);
      result.floats.assign(proto.floats().begin(), proto.floats().end());
      break;
    case Proto::STRINGS:
      is(Kind::Strings);
      result.strings.assign(proto.strings().begin(), proto.strings().end());
      break;
    case Proto::TENSORS:
      is(Kind::Tensors);
      for (const auto &tensor : proto.tensors())
        result.tensors.push_back(toPlain(tensor));
      break;
    case Proto::GRAPHS:
      is(Kind::Graphs);
      for (const auto &inner : proto.graphs())
        result.graphs.push_back(graph(inner));
      break;
    case Proto::TYPE_PROTOS:
      is(Kind::Types);
      for (const auto &type : proto.type_protos())
        result.types.push_back(toPlain(type));
      break;
    default:
      throw Failure("the attribute '" + proto.name() + "' has a type that can't be imported (" +
                        std::to_string(proto.type()) + ")",
                    user);
    }
    return result;
  }

  std::map<std::string, int64_t> versions;
  int64_t index = 0;
};

} // namespace

void mxn::import::toPlain(onnx::ModelProto &proto, Model &model) {
  model.irVersion = proto.ir_version();
  model.modelVersion = proto.model_version();
  model.producer = proto.producer_name();
  model.producerVersion = proto.producer_version();
  model.domain = proto.domain();
  for (const auto &import : proto.opset_import())
    model.opsets.emplace_back(canonicalDomain(import.domain()).empty() ? "ai.onnx" : import.domain(), import.version());
  for (const auto &entry : proto.metadata_props())
    model.metadata.emplace_back(entry.key(), entry.value());
  model.graph = Converter(proto).graph(proto.graph());
}
