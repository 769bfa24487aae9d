//===- ProgramAttributes.td - Signatures ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PROGRAM_ATTRIBUTES_TD
#define MXN_PROGRAM_ATTRIBUTES_TD

include "dialects/Program/ProgramDialect.td"

def Program_TensorAttr : AttrDef<Program_Dialect, "Tensor"> {
  let mnemonic = "tensor";
  let summary = "Name, type and symbolic shape of a model's input or output";
  let description = [{
    `element` is the type as the model declares it (with signedness, as in the `onnx` dialect); `dims` are expressions
    over the model's symbols; `labels` are the dimensions as the file spells them, for messages. On a function's
    argument or result it stands under the name `program.tensor`.

    Example: `#program.tensor<"input_ids", i64, dims ["batch", "seq"], labels ["batch", "seq"]>`
  }];
  let parameters = (ins StringRefParameter<>:$name, "::mlir::Type":$element,
                        OptionalArrayRefParameter<"::mlir::StringAttr">:$dims, OptionalArrayRefParameter<"::mlir::StringAttr">:$labels);
  let assemblyFormat = "`<` $name `,` $element `,` `dims` `[` (`]`) : ($dims^ `]`)? `,` `labels` `[` (`]`) : ($labels^ `]`)? `>`";
  let genVerifyDecl = 1;
}

#endif
