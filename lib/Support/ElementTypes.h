//===- ElementTypes.h - ONNX's numbers for MLIR's element types -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_SUPPORT_ELEMENTTYPES_H
#define MXN_LIB_SUPPORT_ELEMENTTYPES_H

#include "mlir/IR/Types.h"

namespace mxn {
/// TensorProto.DataType of an element type of the onnx dialect; 0 where ONNX has no such type.
int onnxElementType(mlir::Type type);
} // namespace mxn

#endif
