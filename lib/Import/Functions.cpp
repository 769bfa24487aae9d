//===- Functions.cpp - Inference, and bodies in place of calls ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/OnnxModel.h"
#include "onnx/defs/schema.h"
#include "onnx/inliner/inliner.h"
#include "onnx/shape_inference/implementation.h"
#include <map>
#include <tuple>

using namespace mxn::import;

const char *const mxn::import::kLocationKey = "mxn.location";

void mxn::import::forEachGraph(onnx::GraphProto &graph, const std::function<void(onnx::GraphProto &)> &visit) {
  visit(graph);
  for (auto &node : *graph.mutable_node())
    for (auto &attribute : *node.mutable_attribute()) {
      if (attribute.has_g())
        forEachGraph(*attribute.mutable_g(), visit);
      for (auto &inner : *attribute.mutable_graphs())
        forEachGraph(inner, visit);
    }
}

std::string mxn::import::nodeName(const onnx::NodeProto &node) {
  for (const auto &entry : node.metadata_props())
    if (entry.key() == kLocationKey)
      return entry.value();
  if (!node.name().empty())
    return node.name();
  for (const auto &output : node.output())
    if (!output.empty())
      return output;
  return {};
}

void mxn::import::collectTypes(const onnx::GraphProto &graph, TypeMap &types) {
  for (const auto &value : graph.value_info())
    types[value.name()] = value.type();
  for (const auto &value : graph.output())
    types[value.name()] = value.type();
  for (const auto &value : graph.input())
    types[value.name()] = value.type();
  for (const auto &tensor : graph.initializer()) {
    onnx::TypeProto type;
    type.mutable_tensor_type()->set_elem_type(tensor.data_type());
    auto *shape = type.mutable_tensor_type()->mutable_shape();
    for (int64_t dim : tensor.dims())
      shape->add_dim()->set_dim_value(dim);
    types[tensor.name()] = type;
  }
}

void mxn::import::inferTypes(onnx::ModelProto &model, bool strict) {
  forEachGraph(*model.mutable_graph(), [](onnx::GraphProto &graph) {
    graph.clear_value_info();
    for (auto &output : *graph.mutable_output())
      if (output.type().has_tensor_type())
        output.mutable_type()->mutable_tensor_type()->clear_shape();
  });
  onnx::shape_inference::DataValueMap values;
  onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(),
                                     onnx::ShapeInferenceOptions(/*check_type=*/strict, /*strict_mode=*/strict,
                                                                 /*data_prop=*/true),
                                     &values);
}

/// Writes the defaults of a function's attributes to its calls: the inliner leaves them out.
static void addDefaults(onnx::ModelProto &model) {
  using Key = std::tuple<std::string, std::string, std::string>;
  std::map<Key, const onnx::FunctionProto *> functions;
  for (const auto &function : model.functions())
    functions[{function.domain(), function.name(), function.overload()}] = &function;
  std::function<void(onnx::NodeProto &)> visit = [&](onnx::NodeProto &node) {
    for (auto &attribute : *node.mutable_attribute())
      if (attribute.has_g())
        for (auto &inner : *attribute.mutable_g()->mutable_node())
          visit(inner);
    auto function = functions.find({node.domain(), node.op_type(), node.overload()});
    if (function == functions.end())
      return;
    for (const auto &value : function->second->attribute_proto()) {
      bool set = false;
      for (const auto &present : node.attribute())
        set |= present.name() == value.name();
      if (!set)
        *node.add_attribute() = value;
    }
  };
  for (auto &node : *model.mutable_graph()->mutable_node())
    visit(node);
  for (auto &function : *model.mutable_functions())
    for (auto &node : *function.mutable_node())
      visit(node);
}

void mxn::import::inlineFunctions(onnx::ModelProto &model) {
  addDefaults(model);
  // The inliner doesn't bring a function's operator sets along.
  std::map<std::string, int64_t> imports;
  for (const auto &import : model.opset_import())
    imports[canonicalDomain(import.domain())] = import.version();
  for (const auto &function : model.functions())
    for (const auto &import : function.opset_import())
      if (imports.emplace(canonicalDomain(import.domain()), import.version()).second)
        *model.add_opset_import() = import;
  onnx::inliner::InlineLocalFunctions(model, /*convert_version=*/true);
  if (!model.functions_size())
    return;
  const auto &left = model.functions(0);
  std::string needs;
  for (const auto &import : left.opset_import())
    if (imports[canonicalDomain(import.domain())] != import.version())
      needs = ": it needs version " + std::to_string(import.version()) + " of '" + import.domain() +
              "', the model imports version " + std::to_string(imports[canonicalDomain(import.domain())]);
  throw Failure("the model's function '" + left.domain() + "." + left.name() + "' can't be inlined" + needs);
}

namespace {

constexpr const char *kBodyDomain = "mxn.body";
// Bodies hold ops that have bodies themselves; ONNX's deepest chain has four.
constexpr int kMaxRounds = 8;

class Expander {
public:
  Expander(onnx::ModelProto &model, const LoadOptions &options) : model(model), options(options) {
    for (const auto &import : model.opset_import())
      imports[canonicalDomain(import.domain())] = static_cast<int>(import.version());
  }

  /// One round; whether anything changed.
  bool expand() {
    graph(*model.mutable_graph(), {});
    if (!count)
      return false;
    auto *import = model.add_opset_import();
    import->set_domain(kBodyDomain);
    import->set_version(1);
    onnx::inliner::InlineLocalFunctions(model, /*convert_version=*/false);
    if (model.functions_size())
      throw Failure("the function body of '" + model.functions(0).name() + "' can't be inlined");
    model.mutable_opset_import()->RemoveLast();
    inferTypes(model, /*strict=*/false);
    return true;
  }

private:
  void graph(onnx::GraphProto &graph, TypeMap types) {
    collectTypes(graph, types);
    for (auto &node : *graph.mutable_node()) {
      for (auto &attribute : *node.mutable_attribute()) {
        if (attribute.has_g())
          this->graph(*attribute.mutable_g(), types);
        for (auto &inner : *attribute.mutable_graphs())
          this->graph(inner, types);
      }
      expand(node, types);
    }
  }

  void expand(onnx::NodeProto &node, const TypeMap &types) {
    std::string domain = canonicalDomain(node.domain());
    auto version = imports.find(domain);
    // Range's body is a Loop, which is worse than Range.
    if (version == imports.end() || (domain.empty() && node.op_type() == "Range") ||
        options.isNative(domain, node.op_type(), version->second))
      return;
    const auto *schema = onnx::OpSchemaRegistry::Schema(node.op_type(), version->second, domain);
    onnx::FunctionProto body;
    if (!schema || !build(*schema, node, types, version->second, body))
      return;
    if (!body.output_size())
      schema->BuildFunction(body);
    // The inliner knows no defaults of attributes.
    for (const auto &[name, attribute] : schema->attributes()) {
      bool set = false;
      for (const auto &present : node.attribute())
        set |= present.name() == name;
      if (!set && !attribute.required && attribute.default_value.has_name())
        *node.add_attribute() = attribute.default_value;
    }
    std::string name = nodeName(node);
    for (auto &inner : *body.mutable_node()) {
      auto *location = inner.add_metadata_props();
      location->set_key(kLocationKey);
      location->set_value(name.empty() ? node.op_type() + "/" + inner.op_type() : name + "/" + inner.op_type());
    }
    body.set_domain(kBodyDomain);
    body.set_name(node.op_type() + "_" + std::to_string(count++));
    bool found = false;
    for (auto &import : *body.mutable_opset_import())
      if (canonicalDomain(import.domain()).empty()) {
        import.set_version(imports[""]);
        found = true;
      }
    if (!found) {
      auto *import = body.add_opset_import();
      import->set_domain("");
      import->set_version(imports[""]);
    }
    node.set_domain(kBodyDomain);
    node.set_op_type(body.name());
    node.clear_overload();
    *model.add_functions() = std::move(body);
  }

  static bool build(const onnx::OpSchema &schema, const onnx::NodeProto &node, const TypeMap &types, int version,
                    onnx::FunctionProto &body) {
    if (schema.HasContextDependentFunction()) {
      std::vector<onnx::TypeProto> inputs;
      for (const auto &input : node.input()) {
        auto found = types.find(input);
        inputs.push_back(input.empty() || found == types.end() ? onnx::TypeProto() : found->second);
      }
      onnx::FunctionBodyBuildContextImpl context(node, inputs);
      if (schema.BuildContextDependentFunction(context, body, version))
        return true;
      body.Clear();
    }
    if (!schema.HasFunction())
      return false;
    // Validation would refuse a body when any op in it has a newer version than the body has.
    const auto *fixed = schema.GetFunction(version, /*validate=*/false);
    if (!fixed)
      return false;
    body = *fixed;
    return true;
  }

  onnx::ModelProto &model;
  const LoadOptions &options;
  std::map<std::string, int> imports;
  int count = 0;
};

} // namespace

void mxn::import::expandFunctions(onnx::ModelProto &model, const LoadOptions &options) {
  if (!options.isNative)
    return;
  for (int round = 0; round < kMaxRounds; ++round)
    if (!Expander(model, options).expand())
      return;
  throw Failure("the function bodies of the model's ops are nested more than " + std::to_string(kMaxRounds) + " deep");
}
