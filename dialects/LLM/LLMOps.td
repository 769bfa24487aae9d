//===- LLMOps.td - Weights ------------------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LLM_OPS_TD
#define MXN_LLM_OPS_TD

include "dialects/LLM/LLMDialect.td"
include "dialects/LLM/LLMAttributes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class LLM_Op<string mnemonic, list<Trait> traits = []> : Op<LLM_Dialect, mnemonic, traits>;

def LLM_WeightOp : LLM_Op<"weight", [Symbol]> {
  let summary = "Where the bytes of a weight lie";
  let description = [{
    `length` bytes at `offset` of `file`, row-major, little-endian, in ONNX's packing. `file` is a path as the compiler
    opens it. The bytes are read when the bundle is written, not before.

    Rules:
    - R1: `length` is what the type needs.
    - R2: `offset` isn't negative.

    Example: `llm.weight @w from "weights.data" offset 4096 length 16 : tensor<4xf32>`
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$file, I64Attr:$offset, I64Attr:$length, TypeAttr:$type);
  let assemblyFormat = "$sym_name `from` $file `offset` $offset `length` $length `:` $type attr-dict";
  let hasVerifier = 1;
}

def LLM_ConstantOp : LLM_Op<"constant", [Pure]> {
  let summary = "The tensor that a weight holds";
  let description = [{
    Rules:
    - R1: the result's shape and element width are the weight's (unsigned elements become signless).

    Example: `%w = llm.constant #llm.weight<@w : tensor<4xf32>> -> tensor<4xf32>`
  }];
  let arguments = (ins LLM_WeightAttr:$value);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$value attr-dict `->` type($result)";
  let hasVerifier = 1;
}

#endif
