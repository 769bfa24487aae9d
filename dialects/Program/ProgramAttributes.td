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

def Program_CacheGroupAttr : AttrDef<Program_Dialect, "CacheGroup"> {
  let mnemonic = "cache_group";
  let summary = "A paged key-value cache that a ragged entry keeps";
  let description = [{
    The function has inputs `cache.NAME` (which it changes in place) and `blocks.NAME` (the block tables), and an output
    `cache.NAME`. `sink` and `window` are the template: 0, 0 keeps everything. A function lists its groups in the array
    attribute `program.cache_groups`.

    Sizes are positive, a template isn't negative, and one with a `sink` has a `window`.

    Example: `#program.cache_group<"0", 30 layers, 3 heads, 64 wide, 16 tokens a block, sink 0, window 0>`
  }];
  let parameters = (ins StringRefParameter<>:$name, "int64_t":$layers, "int64_t":$heads, "int64_t":$head_size,
                        "int64_t":$block_tokens, "int64_t":$sink, "int64_t":$window);
  let assemblyFormat = [{
    `<` $name `,` $layers `layers` `,` $heads `heads` `,` $head_size `wide` `,` $block_tokens `tokens` `a` `block` `,`
    `sink` $sink `,` `window` $window `>`
  }];
  let genVerifyDecl = 1;
}

#endif
