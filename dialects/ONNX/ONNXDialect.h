//===- ONNXDialect.h - The carrier of an ONNX graph -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_DIALECTS_ONNX_ONNXDIALECT_H
#define MXN_DIALECTS_ONNX_ONNXDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/ONNX/ONNXDialect.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/ONNX/ONNXAttributes.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/ONNX/ONNXTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/ONNX/ONNXOps.h.inc"

#endif
