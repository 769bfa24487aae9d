//===- ONNXDialect.cpp - Attributes and types of the carrier --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/ONNX/ONNXDialect.h"
#include "lib/Support/SymbolicExpr.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mxn::onnx;

#include "dialects/ONNX/ONNXDialect.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/ONNX/ONNXAttributes.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/ONNX/ONNXTypes.cpp.inc"

void ONNXDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/ONNX/ONNXAttributes.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/ONNX/ONNXTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/ONNX/ONNXOps.cpp.inc"
      >();
}

static LogicalResult verifyExprs(function_ref<InFlightDiagnostic()> emitError, ArrayRef<StringAttr> exprs) {
  for (StringAttr text : exprs) {
    auto expr = mxn::SymbolicExpr::parse(text.getValue());
    if (!expr)
      return emitError() << "'" << text.getValue() << "' isn't an expression over symbols";
    if (expr->str() != text.getValue())
      return emitError() << "'" << text.getValue() << "' isn't in canonical form; write '" << expr->str() << "'";
  }
  return success();
}

LogicalResult DimsAttr::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<StringAttr> exprs) {
  return verifyExprs(emitError, exprs);
}

LogicalResult ValuesAttr::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<StringAttr> exprs) {
  return verifyExprs(emitError, exprs);
}

LogicalResult ModelAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t, StringRef, StringRef, StringRef,
                                int64_t, StringRef, DictionaryAttr opsets, DictionaryAttr metadata) {
  for (NamedAttribute entry : opsets) {
    auto version = dyn_cast<IntegerAttr>(entry.getValue());
    if (!version || !version.getType().isSignlessInteger(64) || version.getInt() < 1)
      return emitError() << "R1: the version of the operator set " << entry.getName() << " must be a positive i64";
  }
  for (NamedAttribute entry : metadata)
    if (!isa<StringAttr>(entry.getValue()))
      return emitError() << "R2: the metadata " << entry.getName() << " must be a string";
  return success();
}

LogicalResult ONNXDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() != "onnx.model")
    return op->emitError() << "the onnx dialect has no attribute " << attribute.getName();
  if (!isa<ModuleOp>(op) || !isa<ModelAttr>(attribute.getValue()))
    return op->emitError() << "'onnx.model' must be an #onnx.model on a module";
  return success();
}
