//===- LLMDialect.td - What language models are made of -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LLM_DIALECT_TD
#define MXN_LLM_DIALECT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"

def LLM_Dialect : Dialect {
  let name = "llm";
  let cppNamespace = "::mxn::llm";
  let summary = "Weights, and the ops that language models are made of";
  let description = [{
    Weights never enter the IR. An `llm.weight` names a run of bytes in a file; `llm.constant` is the tensor that an
    `#llm.weight` refers to.
  }];
  let useDefaultAttributePrinterParser = 1;
}

#endif
