//===- ONNXOps.cpp - Parsing, printing and verifying the carrier's ops ----===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/LLM/LLMDialect.h"
#include "dialects/ONNX/ONNXDialect.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mxn::onnx;

#define GET_OP_CLASSES
#include "dialects/ONNX/ONNXOps.cpp.inc"

//===----------------------------------------------------------------------===//
// NodeOp
//===----------------------------------------------------------------------===//

// onnx.node "Op" [domain "d"] version N (%inputs) [attributes {...}] [known [...]] : (types) -> types
//   ["name" region]...
ParseResult NodeOp::parse(OpAsmParser &parser, OperationState &state) {
  Builder &builder = parser.getBuilder();
  StringAttr op, domain = builder.getStringAttr("");
  int64_t version;
  SmallVector<OpAsmParser::UnresolvedOperand> inputs;
  DictionaryAttr attributes = builder.getDictionaryAttr({});
  if (parser.parseAttribute(op))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("domain")) && parser.parseAttribute(domain))
    return failure();
  if (parser.parseKeyword("version") || parser.parseInteger(version) ||
      parser.parseOperandList(inputs, OpAsmParser::Delimiter::Paren))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("attributes")) && parser.parseAttribute(attributes))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("known"))) {
    ArrayAttr known;
    if (parser.parseAttribute(known))
      return failure();
    state.addAttribute("known", known);
  }
  FunctionType type;
  SMLoc typeLoc = parser.getCurrentLocation();
  if (parser.parseColonType(type) || parser.resolveOperands(inputs, type.getInputs(), typeLoc, state.operands))
    return failure();
  SmallVector<Attribute> names;
  std::string name;
  while (succeeded(parser.parseOptionalString(&name))) {
    names.push_back(builder.getStringAttr(name));
    if (parser.parseRegion(*state.addRegion()))
      return failure();
  }
  state.addTypes(type.getResults());
  state.addAttribute("op", op);
  state.addAttribute("domain", domain);
  state.addAttribute("version", builder.getI64IntegerAttr(version));
  state.addAttribute("params", attributes);
  state.addAttribute("region_names", builder.getArrayAttr(names));
  return parser.parseOptionalAttrDict(state.attributes);
}

void NodeOp::print(OpAsmPrinter &p) {
  p << ' ' << getOpAttr();
  if (!getDomain().empty())
    p << " domain " << getDomainAttr();
  p << " version " << getVersion() << " (" << getInputs() << ")";
  if (!getParams().empty())
    p << " attributes " << getParams();
  if (getKnownAttr())
    p << " known " << getKnownAttr();
  p << " : ";
  p.printFunctionalType(getOperation());
  for (auto [name, region] : llvm::zip(getRegionNames(), getGraphs())) {
    p << ' ' << name << ' ';
    p.printRegion(region, /*printEntryBlockArgs=*/true);
  }
  p.printOptionalAttrDict((*this)->getAttrs(), {"op", "domain", "version", "params", "region_names", "known"});
}

LogicalResult NodeOp::verify() {
  if (getVersion() < 1)
    return emitOpError() << "R1: the version must be positive, it is " << getVersion();
  if (getRegionNames().size() != getGraphs().size())
    return emitOpError() << "R2: there are " << getGraphs().size() << " regions and " << getRegionNames().size()
                         << " region names";
  for (Region &region : getGraphs())
    if (!region.hasOneBlock() || region.front().empty() || !isa<YieldOp>(region.front().back()))
      return emitOpError() << "R3: a region must be one block that ends in onnx.yield";
  if (getKnownAttr() && getKnownAttr().size() != getNumResults())
    return emitOpError() << "R4: 'known' has " << getKnownAttr().size() << " entries for " << getNumResults()
                         << " results";
  return success();
}

std::string NodeOp::qualifiedName() {
  return getDomain().empty() ? getOp().str() : (getDomain() + "." + getOp()).str();
}

int64_t NodeOp::intAttr(StringRef name, int64_t absent) {
  auto value = dyn_cast_if_present<IntegerAttr>(attr(name));
  return value ? value.getInt() : absent;
}

float NodeOp::floatAttr(StringRef name, float absent) {
  auto value = dyn_cast_if_present<FloatAttr>(attr(name));
  return value ? value.getValue().convertToFloat() : absent;
}

StringRef NodeOp::stringAttr(StringRef name, StringRef absent) {
  auto value = dyn_cast_if_present<StringAttr>(attr(name));
  return value ? value.getValue() : absent;
}

SmallVector<int64_t> NodeOp::intsAttr(StringRef name, ArrayRef<int64_t> absent) {
  auto value = dyn_cast_if_present<DenseI64ArrayAttr>(attr(name));
  return SmallVector<int64_t>(value ? value.asArrayRef() : absent);
}

bool NodeOp::hasInput(unsigned i) { return i < getInputs().size() && !isa<NoneType>(getInputs()[i].getType()); }

//===----------------------------------------------------------------------===//
// ConstantOp
//===----------------------------------------------------------------------===//

LogicalResult ConstantOp::verify() {
  auto type = getResult().getType();
  auto same = [&](ShapedType value) {
    return value.getShape() == type.getShape() && value.getElementType() == type.getElementType();
  };
  if (auto dense = dyn_cast<ElementsAttr>(getValue())) {
    if (!same(dense.getShapedType()))
      return emitOpError() << "R1: the value is a " << dense.getShapedType() << ", the result a " << type;
    return success();
  }
  auto weight = dyn_cast<mxn::llm::WeightAttr>(getValue());
  if (!weight || !same(weight.getType()))
    return emitOpError() << "R1: the value must be an elements attribute or an #llm.weight of type " << type;
  return success();
}
