//===- LLMAttributes.td - References to weights ---------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LLM_ATTRIBUTES_TD
#define MXN_LLM_ATTRIBUTES_TD

include "dialects/LLM/LLMDialect.td"

def LLM_WeightAttr : AttrDef<LLM_Dialect, "Weight"> {
  let mnemonic = "weight";
  let summary = "A tensor that stays in its file";
  let description = [{
    Refers to an `llm.weight` of the module by name.

    Example: `#llm.weight<@encoder_weight> : tensor<384x384xf32>` as the value of an `llm.constant`.
  }];
  let parameters = (ins "::mlir::FlatSymbolRefAttr":$symbol, "::mlir::RankedTensorType":$type);
  let assemblyFormat = "`<` $symbol `:` $type `>`";
}

#endif
