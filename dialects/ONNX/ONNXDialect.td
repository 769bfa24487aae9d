//===- ONNXDialect.td - The carrier of an ONNX graph ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_ONNX_DIALECT_TD
#define MXN_ONNX_DIALECT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"

def ONNX_Dialect : Dialect {
  let name = "onnx";
  let cppNamespace = "::mxn::onnx";
  let summary = "An ONNX graph as it stands in the file";
  let description = [{
    The importer writes this dialect mechanically: one `onnx.node` for each node, whatever its operator, so that no node
    is lost and every later rule works on IR that can be printed, read and tested. Nothing here knows what an operator
    means; that is the work of the handlers in `passes/Import`.

    A graph is a `func.func`. Its arguments and results carry `program.tensor` attributes that hold the names of the
    model's inputs and outputs. Tensor types carry `#onnx.dims` as their encoding once shapes have been inferred.

    The module carries an `onnx.model` attribute, an `#onnx.model`.

    ONNX's signed integers are MLIR's signless ones, its unsigned integers are `ui8` to `ui64`.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasOperationAttrVerify = 1;
}

#endif
