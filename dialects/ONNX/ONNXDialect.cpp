//===- ONNXDialect.cpp - Attributes and types of the carrier --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/ONNX/ONNXDialect.h"
#include "lib/Support/SymbolicExpr.h"
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
