//===- Graph.cpp - The function that a graph becomes ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/Graph.h"
#include "dialects/LLM/LLMDialect.h"
#include "dialects/ONNX/ONNXDialect.h"
#include "dialects/Program/ProgramDialect.h"
#include "lib/Import/Convert.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mxn;
namespace plain = mxn::import::plain;

namespace {

class GraphBuilder {
public:
  GraphBuilder(ModuleOp module, const plain::Model &model)
      : module(module), model(model), context(module.getContext()), attributes(module, model), builder(context) {}

  LogicalResult buildMain();

private:
  using Scope = llvm::StringMap<mlir::Value>;
  using Dimensions = import::Dimensions;

  LogicalResult buildBody(const plain::Graph &graph, SmallVectorImpl<mlir::Value> &outputs);
  LogicalResult buildNode(const plain::Graph &graph, const plain::Node &node);
  FailureOr<mlir::Attribute> constantValue(const plain::Node &node);
  LogicalResult addConstant(StringRef name, StringRef location, mlir::Attribute value);
  LogicalResult buildRegions(const plain::Node &node, OperationState &state);

  mlir::Value lookup(StringRef name) {
    for (Scope &scope : llvm::reverse(scopes))
      if (mlir::Value value = scope.lookup(name))
        return value;
    return {};
  }

  /// One `onnx.none` serves all nodes.
  mlir::Value absent() {
    if (!none) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(entry);
      none = onnx::AbsentOp::create(builder, module.getLoc(), onnx::NoneType::get(context));
    }
    return none;
  }

  Location nameLoc(StringRef name) {
    return name.empty() ? module.getLoc() : Location(NameLoc::get(builder.getStringAttr(name)));
  }
  InFlightDiagnostic error(StringRef name) {
    return emitError(name.empty() ? module.getLoc() : NameLoc::get(builder.getStringAttr(name), module.getLoc()));
  }
  program::TensorAttr signature(const plain::Value &value, Dimensions &dimensions, SmallVectorImpl<StringAttr> &exprs);

  ModuleOp module;
  const plain::Model &model;
  MLIRContext *context;
  import::AttributeBuilder attributes;
  OpBuilder builder;
  SmallVector<Scope> scopes;
  Block *entry = nullptr;
  mlir::Value none;
};

/// The names that a graph reads, those of graphs inside too. Initializers that nobody reads are left in the file.
void collectUses(const plain::Graph &graph, llvm::StringSet<> &uses) {
  for (const plain::Value &output : graph.outputs)
    uses.insert(output.name);
  for (const plain::Node &node : graph.nodes) {
    for (const std::string &input : node.inputs)
      uses.insert(input);
    for (const plain::Attribute &attribute : node.attributes)
      for (const plain::Graph &inner : attribute.graphs)
        collectUses(inner, uses);
  }
}

} // namespace

program::TensorAttr GraphBuilder::signature(const plain::Value &value, Dimensions &dimensions,
                                            SmallVectorImpl<StringAttr> &exprs) {
  SmallVector<StringAttr> labels;
  for (const std::string &expr : dimensions.expressions(value.name, value.type))
    exprs.push_back(builder.getStringAttr(expr));
  for (const plain::Dim &dim : value.type.dims)
    labels.push_back(builder.getStringAttr(dim.value < 0 ? dim.name : std::to_string(dim.value)));
  mlir::Type element = import::convertElementType(context, value.type.elementType);
  if (!element)
    element = import::convertType(context, value.type);
  return program::TensorAttr::get(context, value.name, element, exprs, labels);
}

LogicalResult GraphBuilder::buildMain() {
  llvm::StringSet<> constants;
  for (const plain::TensorData &tensor : model.graph.initializers)
    constants.insert(tensor.name);
  SmallVector<const plain::Value *> inputs;
  for (const plain::Value &input : model.graph.inputs)
    if (!constants.contains(input.name))
      inputs.push_back(&input);
  Dimensions dimensions;
  for (const plain::Value *input : inputs)
    dimensions.learn(input->type);
  for (const plain::Value &output : model.graph.outputs)
    dimensions.learn(output.type);

  SmallVector<mlir::Type> types;
  SmallVector<DictionaryAttr> argAttrs, resultAttrs;
  auto dictionary = [&](program::TensorAttr tensor) {
    return builder.getDictionaryAttr(builder.getNamedAttr(program::kTensorAttrName, tensor));
  };
  for (const plain::Value *input : inputs) {
    SmallVector<StringAttr> exprs;
    argAttrs.push_back(dictionary(signature(*input, dimensions, exprs)));
    mlir::Type type = import::convertType(context, input->type);
    if (auto tensor = dyn_cast<RankedTensorType>(type)) {
      SmallVector<int64_t> shape;
      for (StringAttr expr : exprs) {
        int64_t size;
        shape.push_back(expr.getValue().getAsInteger(10, size) ? ShapedType::kDynamic : size);
      }
      type = RankedTensorType::get(shape, tensor.getElementType(), onnx::DimsAttr::get(context, exprs));
    }
    types.push_back(type);
  }
  for (const plain::Value &output : model.graph.outputs) {
    SmallVector<StringAttr> exprs;
    resultAttrs.push_back(dictionary(signature(output, dimensions, exprs)));
  }

  builder.setInsertionPointToEnd(module.getBody());
  auto func = func::FuncOp::create(builder, module.getLoc(), "main", builder.getFunctionType(types, {}));
  entry = func.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  scopes.emplace_back();
  for (auto [input, argument] : llvm::zip(inputs, entry->getArguments())) {
    argument.setLoc(nameLoc(input->name));
    scopes.back()[input->name] = argument;
  }
  SmallVector<mlir::Value> outputs;
  if (failed(buildBody(model.graph, outputs)))
    return failure();
  func::ReturnOp::create(builder, module.getLoc(), outputs);
  func.setType(builder.getFunctionType(types, ValueRange(outputs).getTypes()));
  func.setAllArgAttrs(argAttrs);
  func.setAllResultAttrs(resultAttrs);
  return success();
}

LogicalResult GraphBuilder::buildBody(const plain::Graph &graph, SmallVectorImpl<mlir::Value> &outputs) {
  llvm::StringSet<> uses;
  collectUses(graph, uses);
  for (const plain::TensorData &tensor : graph.initializers)
    if (uses.contains(tensor.name) && failed(addConstant(tensor.name, tensor.name, attributes.tensor(tensor))))
      return failure();
  for (const plain::Node &node : graph.nodes)
    if (failed(buildNode(graph, node)))
      return failure();
  for (const plain::Value &output : graph.outputs) {
    outputs.push_back(lookup(output.name));
    if (!outputs.back())
      return error(output.name) << "nothing computes this output of the graph '" << graph.name << "'";
  }
  return success();
}

LogicalResult GraphBuilder::addConstant(StringRef name, StringRef location, mlir::Attribute value) {
  auto type = [&]() -> RankedTensorType {
    if (auto weight = dyn_cast_if_present<llm::WeightAttr>(value))
      return weight.getType();
    if (auto elements = dyn_cast_if_present<ElementsAttr>(value))
      return dyn_cast<RankedTensorType>(elements.getShapedType());
    return {};
  }();
  if (!type)
    return error(location) << "this constant isn't a tensor of a type that can be imported";
  scopes.back()[name] = onnx::ConstantOp::create(builder, nameLoc(location), type, value);
  return success();
}

/// The tensor that a Constant holds in one of its many attributes; null: it isn't one.
FailureOr<mlir::Attribute> GraphBuilder::constantValue(const plain::Node &node) {
  if (node.op != "Constant" || !node.domain.empty() || node.outputs.size() != 1 || node.attributes.size() != 1)
    return mlir::Attribute();
  const plain::Attribute &attribute = node.attributes[0];
  using Kind = plain::Attribute::Kind;
  auto type = [&](mlir::Type element, size_t count, bool list) {
    SmallVector<int64_t> shape;
    if (list)
      shape.push_back(static_cast<int64_t>(count));
    return RankedTensorType::get(shape, element);
  };
  switch (attribute.kind) {
  case Kind::Tensor:
    return attributes.tensor(attribute.tensors[0]);
  case Kind::Int:
  case Kind::Ints:
    return mlir::Attribute(DenseElementsAttr::get(
        type(builder.getI64Type(), attribute.ints.size(), attribute.kind == Kind::Ints), ArrayRef(attribute.ints)));
  case Kind::Float:
  case Kind::Floats:
    return mlir::Attribute(
        DenseElementsAttr::get(type(builder.getF32Type(), attribute.floats.size(), attribute.kind == Kind::Floats),
                               ArrayRef(attribute.floats)));
  case Kind::String:
  case Kind::Strings: {
    SmallVector<StringRef> strings(attribute.strings.begin(), attribute.strings.end());
    return mlir::Attribute(DenseStringElementsAttr::get(
        type(onnx::StringType::get(context), strings.size(), attribute.kind == Kind::Strings), strings));
  }
  default:
    return mlir::Attribute();
  }
}

LogicalResult GraphBuilder::buildNode(const plain::Graph &graph, const plain::Node &node) {
  auto constant = constantValue(node);
  if (failed(constant))
    return failure();
  if (*constant)
    return addConstant(node.outputs[0], node.name, *constant);
  if (node.op == "Constant" && node.domain.empty())
    return error(node.name) << "Constant must have one result and one attribute, which is a tensor, numbers or strings";

  OperationState state(nameLoc(node.name), onnx::NodeOp::getOperationName());
  for (const std::string &input : node.inputs) {
    mlir::Value value = input.empty() ? absent() : lookup(input);
    if (!value)
      return error(node.name) << node.op << " reads '" << input << "', which nothing computes";
    state.operands.push_back(value);
  }
  for (const std::string &output : node.outputs) {
    auto found = graph.types.find(output);
    if (output.empty())
      state.types.push_back(onnx::NoneType::get(context));
    else
      state.types.push_back(import::convertType(context, found == graph.types.end() ? plain::Type() : found->second));
  }
  NamedAttrList params;
  for (const plain::Attribute &attribute : node.attributes) {
    if (!attribute.graphs.empty())
      continue;
    mlir::Attribute value = attributes.attribute(attribute);
    if (!value || attribute.name.empty())
      return error(node.name) << "the attribute '" << attribute.name << "' of " << node.op << " can't be imported";
    if (params.set(attribute.name, value))
      return error(node.name) << node.op << " has the attribute '" << attribute.name << "' twice";
  }
  if (failed(buildRegions(node, state)))
    return failure();
  state.addAttribute("op", builder.getStringAttr(node.op));
  state.addAttribute("domain", builder.getStringAttr(node.domain));
  state.addAttribute("version", builder.getI64IntegerAttr(node.version));
  state.addAttribute("params", params.getDictionary(context));
  Operation *op = builder.create(state);
  for (auto [name, result] : llvm::zip(node.outputs, op->getResults()))
    if (!name.empty())
      scopes.back()[name] = result;
  return success();
}

LogicalResult GraphBuilder::buildRegions(const plain::Node &node, OperationState &state) {
  SmallVector<mlir::Attribute> names;
  for (const plain::Attribute &attribute : node.attributes)
    for (const plain::Graph &inner : attribute.graphs) {
      names.push_back(builder.getStringAttr(attribute.name));
      OpBuilder::InsertionGuard guard(builder);
      auto *block = new Block;
      state.addRegion()->push_back(block);
      builder.setInsertionPointToStart(block);
      llvm::StringSet<> constants;
      for (const plain::TensorData &tensor : inner.initializers)
        constants.insert(tensor.name);
      scopes.emplace_back();
      for (const plain::Value &input : inner.inputs)
        if (!constants.contains(input.name))
          scopes.back()[input.name] = block->addArgument(import::convertType(context, input.type), nameLoc(input.name));
      SmallVector<mlir::Value> outputs;
      if (failed(buildBody(inner, outputs)))
        return failure();
      onnx::YieldOp::create(builder, nameLoc(node.name), outputs);
      scopes.pop_back();
    }
  state.addAttribute("region_names", builder.getArrayAttr(names));
  return success();
}

LogicalResult import::buildMain(ModuleOp module, const plain::Model &model) {
  return GraphBuilder(module, model).buildMain();
}
