//===- ONNXOps.td - Four ops that carry any graph -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_ONNX_OPS_TD
#define MXN_ONNX_OPS_TD

include "dialects/ONNX/ONNXDialect.td"
include "dialects/ONNX/ONNXAttributes.td"
include "dialects/ONNX/ONNXTypes.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class ONNX_Op<string mnemonic, list<Trait> traits = []> : Op<ONNX_Dialect, mnemonic, traits>;

def ONNX_NodeOp : ONNX_Op<"node", [Pure]> {
  let summary = "One node of the graph, of any operator";
  let description = [{
    `op` is the operator's name, `domain` its domain (empty: ONNX's own) and `version` the operator set's version that
    the model imports for that domain. Attributes stand in `params` (printed as `attributes`) by their ONNX names: ints as `i64`, floats as
    `f32`, strings, tensors as `dense<>`, lists as arrays. Attributes that hold graphs are the op's regions, named in
    `region_names` in the same order. An absent optional input is an `onnx.none`;
    a result that the graph doesn't name, so that nothing reads it, has the type `!onnx.none`.

    `known` holds, for each result, the values that shape inference found (`#onnx.values`), or unit.

    Rules:
    - R1: `version` is positive.
    - R2: there is one region name for each region.
    - R3: each region has one block that ends in `onnx.yield`.
    - R4: `known`, when present, has one entry for each result.

    Example:

    ```mlir
    %y = onnx.node "Gemm" version 13 (%a, %b) attributes {transB = 1 : i64}
        : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
    ```
  }];
  let arguments = (ins StrAttr:$op, DefaultValuedStrAttr<StrAttr, "">:$domain, I64Attr:$version,
                       Variadic<AnyType>:$inputs, DictionaryAttr:$params, StrArrayAttr:$region_names,
                       OptionalAttr<ArrayAttr>:$known);
  let results = (outs Variadic<AnyType>:$outputs);
  let regions = (region VariadicRegion<AnyRegion>:$graphs);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The operator as messages spell it: "Gemm", "com.microsoft.MatMulNBits".
    std::string qualifiedName();
    /// The attribute of that ONNX name, or null.
    ::mlir::Attribute attr(::llvm::StringRef name) { return getParams().get(name); }
    /// Attributes by type, with the default that ONNX gives them.
    int64_t intAttr(::llvm::StringRef name, int64_t absent);
    float floatAttr(::llvm::StringRef name, float absent);
    ::llvm::StringRef stringAttr(::llvm::StringRef name, ::llvm::StringRef absent);
    ::llvm::SmallVector<int64_t> intsAttr(::llvm::StringRef name, ::llvm::ArrayRef<int64_t> absent = {});
    bool has(::llvm::StringRef name) { return static_cast<bool>(attr(name)); }
    /// Whether input `i` is there.
    bool hasInput(unsigned i);
  }];
}

def ONNX_ConstantOp : ONNX_Op<"constant", [Pure]> {
  let summary = "A tensor whose values the model holds";
  let description = [{
    `value` is a `dense<>` for small tensors and an `#llm.weight` for those that stay in their file.

    Rules:
    - R1: `value` is an elements attribute or an `#llm.weight`, of the result's shape and element type.

    Example: `%axes = onnx.constant dense<[0, 2]> : tensor<2xi64> -> tensor<2xi64>`
  }];
  let arguments = (ins AnyAttr:$value);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$value attr-dict `->` type($result)";
  let hasVerifier = 1;
}

def ONNX_AbsentOp : ONNX_Op<"none", [Pure]> {
  let summary = "Stands for an input that a node leaves out";
  let description = "Example: `%none = onnx.none`";
  let results = (outs ONNX_NoneType:$result);
  let assemblyFormat = "attr-dict";
}

def ONNX_YieldOp : ONNX_Op<"yield", [Pure, Terminator]> {
  let summary = "Ends a graph inside a node and gives its outputs";
  let description = "Example: `onnx.yield %a : tensor<4xf32>`";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

#endif
