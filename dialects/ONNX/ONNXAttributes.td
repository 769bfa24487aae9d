//===- ONNXAttributes.td - Symbolic dimensions and values -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_ONNX_ATTRIBUTES_TD
#define MXN_ONNX_ATTRIBUTES_TD

include "dialects/ONNX/ONNXDialect.td"

def ONNX_DimsAttr : AttrDef<ONNX_Dialect, "Dims"> {
  let mnemonic = "dims";
  let summary = "The dimensions of a tensor as expressions over the model's symbols";
  let description = [{
    One expression for each dimension, in the canonical form of `lib/Support/SymbolicExpr.h`: constants, symbols, sums,
    products, `floordiv`, `mod`, `min` and `max`. Used as the encoding of a tensor type.

    Example: `tensor<?x?x384xf32, #onnx.dims<"batch", "past + 1", "384">>`
  }];
  let parameters = (ins OptionalArrayRefParameter<"::mlir::StringAttr">:$exprs);
  let assemblyFormat = "`<` (`>`) : ($exprs^ `>`)?";
  let genVerifyDecl = 1;
}

def ONNX_ValuesAttr : AttrDef<ONNX_Dialect, "Values"> {
  let mnemonic = "values";
  let summary = "The elements of a small integer tensor as expressions over the model's symbols";
  let description = [{
    What shape inference found out about a tensor that holds sizes: one expression for each element, in row-major order.

    Example: `#onnx.values<"batch", "-1", "768">`
  }];
  let parameters = (ins OptionalArrayRefParameter<"::mlir::StringAttr">:$exprs);
  let assemblyFormat = "`<` (`>`) : ($exprs^ `>`)?";
  let genVerifyDecl = 1;
}

def ONNX_ModelAttr : AttrDef<ONNX_Dialect, "Model"> {
  let mnemonic = "model";
  let summary = "What a file says about its model besides the graph";
  let description = [{
    Stands on the module under the name `onnx.model`. `opsets` holds the version of each operator set that the model
    imports (`"ai.onnx"` is ONNX's own), `metadata` the strings that the exporter added, by key.

    Rules:
    - R1: each entry of `opsets` is a positive `i64`.
    - R2: each entry of `metadata` is a string.

    Example:

    ```mlir
    #onnx.model<ir_version = 8, producer = "pytorch", producer_version = "2.1", domain = "", model_version = 0,
                graph = "main_graph", opsets = {"ai.onnx" = 17 : i64}, metadata = {license = "MIT"}>
    ```
  }];
  let parameters = (ins "int64_t":$ir_version, StringRefParameter<>:$producer, StringRefParameter<>:$producer_version,
                        StringRefParameter<>:$domain, "int64_t":$model_version, StringRefParameter<>:$graph,
                        "::mlir::DictionaryAttr":$opsets, "::mlir::DictionaryAttr":$metadata);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif
