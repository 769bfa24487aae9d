//===- ProgramDialect.cpp - Attributes and types of the host schedule -----===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Program/ProgramDialect.h"
#include "lib/Support/SymbolicExpr.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mxn::program;

#include "dialects/Program/ProgramDialect.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Program/ProgramAttributes.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Program/ProgramTypes.cpp.inc"

void ProgramDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Program/ProgramAttributes.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Program/ProgramTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Program/ProgramOps.cpp.inc"
      >();
}

static LogicalResult verifyTensorAttr(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() != kTensorAttrName)
    return op->emitError() << "the program dialect has no attribute '" << attribute.getName().getValue()
                           << "' for arguments and results";
  if (!isa<TensorAttr>(attribute.getValue()))
    return op->emitError() << "'program.tensor' must be a #program.tensor";
  return success();
}

LogicalResult ProgramDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() == kCacheGroupsAttrName) {
    auto groups = dyn_cast<ArrayAttr>(attribute.getValue());
    if (groups && llvm::all_of(groups, [](Attribute group) { return isa<CacheGroupAttr>(group); }))
      return success();
    return op->emitError() << "'program.cache_groups' must be an array of #program.cache_group";
  }
  if (attribute.getName() == kStepRefusedAttrName && isa<StringAttr>(attribute.getValue()))
    return success();
  return op->emitError() << "the program dialect has no attribute '" << attribute.getName().getValue() << "' for "
                         << op->getName();
}

LogicalResult ProgramDialect::verifyRegionArgAttribute(Operation *op, unsigned, unsigned, NamedAttribute attribute) {
  return verifyTensorAttr(op, attribute);
}

LogicalResult ProgramDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned, NamedAttribute attribute) {
  return verifyTensorAttr(op, attribute);
}

LogicalResult TensorAttr::verify(function_ref<InFlightDiagnostic()> emitError, StringRef name, Type element,
                                 ArrayRef<StringAttr> dims, ArrayRef<StringAttr> labels) {
  if (dims.size() != labels.size())
    return emitError() << "'" << name << "' has " << dims.size() << " dims and " << labels.size() << " labels";
  for (StringAttr dim : dims)
    if (!mxn::SymbolicExpr::parse(dim.getValue()))
      return emitError() << "'" << dim.getValue() << "' isn't an expression over symbols";
  return success();
}

LogicalResult CacheGroupAttr::verify(function_ref<InFlightDiagnostic()> emitError, StringRef name, int64_t layers,
                                     int64_t heads, int64_t headSize, int64_t blockTokens, int64_t sink,
                                     int64_t window) {
  if (name.empty())
    return emitError() << "a cache group needs a name";
  if (layers < 1 || heads < 1 || headSize < 1 || blockTokens < 1)
    return emitError() << "the sizes of cache group '" << name << "' must be positive";
  if (sink < 0 || window < 0 || (sink && !window))
    return emitError() << "cache group '" << name << "' can't keep a sink of " << sink << " and a window of " << window;
  return success();
}
