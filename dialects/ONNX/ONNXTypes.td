//===- ONNXTypes.td - Types of the carrier --------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_ONNX_TYPES_TD
#define MXN_ONNX_TYPES_TD

include "dialects/ONNX/ONNXDialect.td"

def ONNX_NoneType : TypeDef<ONNX_Dialect, "None"> {
  let mnemonic = "none";
  let summary = "The type of an input that a node leaves out";
}

def ONNX_StringType : TypeDef<ONNX_Dialect, "String"> {
  let mnemonic = "string";
  let summary = "The type of an element of a string tensor";
  let description = "Carried so that a graph with strings can be reported; nothing computes on it yet.";
}

def ONNX_OpaqueType : TypeDef<ONNX_Dialect, "Opaque"> {
  let mnemonic = "opaque";
  let summary = "A value that isn't a tensor: a sequence, an optional, a map";
  let parameters = (ins StringRefParameter<"ONNX's spelling of the type">:$spelling);
  let assemblyFormat = "`<` $spelling `>`";
}

#endif
