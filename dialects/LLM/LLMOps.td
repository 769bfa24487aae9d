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

def LLM_PagedAttentionOp : LLM_Op<"paged_attention", [Pure]> {
  let summary = "Causal attention of any number of sequences over a paged cache";
  let description = [{
    T tokens of N sequences, those of one sequence next to one another: sequence n has the rows `starts[n]` to
    `starts[n + 1]`. With c = `context[n]` tokens of it already in the cache, its i-th new token has position c + i. Its
    key and value are written to the cache, and its query attends to the positions 0 to c + i, or to those of them that
    the template keeps: the first `sink` and the last `window` (0: all).

    Position p of sequence n lies in block `table[n, p / K]`, slot p mod K of a cache `[blocks, L, 2, KV, K, D]`, where
    the 2 are keys and values. Query head h reads key-value head h / (H / KV). Scores are scaled by `scale`; sums are
    float32.

    q: [1, T, H*D], k and v: [1, T, KV*D], table: [N, C], starts: [N + 1], context: [N]. The results are y: [1, T, H*D]
    and the cache.

    Rules:
    - R1: `q_heads` is a positive multiple of `kv_heads`.
    - R2: q has `q_heads`, k and v have `kv_heads` heads of the cache's head size.
    - R3: `layer` is one of the cache's layers.
    - R4: the results have the types of q and of the cache, apart from their encodings.

    Example:

    ```mlir
    %y, %c = llm.paged_attention %q, %k, %v cache %cache table %table starts %starts context %context
        {layer = 0 : i64, q_heads = 9 : i64, kv_heads = 3 : i64, scale = 0.125 : f32}
        : tensor<1x?x576xf32>, tensor<1x?x192xf32>, tensor<1x?x192xf32>, tensor<?x30x2x3x16x64xf32>, tensor<?x?xi32>,
          tensor<?xi32>, tensor<?xi32> -> tensor<1x?x576xf32>, tensor<?x30x2x3x16x64xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$q, AnyRankedTensor:$k, AnyRankedTensor:$v, AnyRankedTensor:$cache,
                       AnyRankedTensor:$table, AnyRankedTensor:$starts, AnyRankedTensor:$lengths, I64Attr:$layer,
                       I64Attr:$q_heads, I64Attr:$kv_heads, F32Attr:$scale, DefaultValuedAttr<I64Attr, "0">:$sink,
                       DefaultValuedAttr<I64Attr, "0">:$window);
  let results = (outs AnyRankedTensor:$y, AnyRankedTensor:$updated);
  let assemblyFormat = [{
    $q `,` $k `,` $v `cache` $cache `table` $table `starts` $starts `context` $lengths attr-dict
    `:` type($q) `,` type($k) `,` type($v) `,` type($cache) `,` type($table) `,` type($starts) `,` type($lengths)
    `->` type($y) `,` type($updated)
  }];
  let hasVerifier = 1;
}

#endif
