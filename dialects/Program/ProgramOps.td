//===- ProgramOps.td - The host schedule ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PROGRAM_OPS_TD
#define MXN_PROGRAM_OPS_TD

include "dialects/Program/ProgramDialect.td"
include "dialects/Program/ProgramAttributes.td"
include "dialects/Program/ProgramTypes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Program_Op<string mnemonic, list<Trait> traits = []> : Op<Program_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// On tensors
//===----------------------------------------------------------------------===//

def Program_SymbolOp : Program_Op<"symbol", [Pure]> {
  let summary = "The value of one of the model's symbolic sizes";
  let description = "Example: `%b = program.symbol \"batch_size\"`";
  let arguments = (ins StrAttr:$name);
  let results = (outs Index:$value);
  let assemblyFormat = "$name attr-dict";
}

def Program_GuardOp : Program_Op<"guard"> {
  let summary = "A condition on the model's symbolic sizes that a call must meet";
  let description = [{
    Shape inference took two sizes as equal where the operator allows other cases too (a broadcast); a call for which
    they differ is refused with `message`.

    Example: `program.guard "batch" equals "mask_batch" message "..."`
  }];
  let arguments = (ins StrAttr:$lhs, StrAttr:$rhs, StrAttr:$message);
  let assemblyFormat = "$lhs `equals` $rhs `message` $message attr-dict";
}

def Program_RegionOp : Program_Op<"region", [AttrSizedOperandSegments, RecursiveMemoryEffects, SingleBlock]> {
  let summary = "Work that becomes one dispatch";
  let description = [{
    The body may use tensors and sizes from outside; its results are the tensors that it yields.

    `takes_over` names a tensor whose memory the first result may take over: the body writes every element of the result
    and reads each element of that tensor before its place is written. `updates` names a tensor that the body changes
    into the first result, in the same memory; nothing may use the tensor afterwards.

    Rules:
    - R1: the yielded types are the result types.
    - R2: a tensor that is updated has the first result's type.

    Example:

    ```mlir
    %y = program.region -> tensor<?xf32> {
      %e = tensor.empty(%n) : tensor<?xf32>
      %r = linalg.exp ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
      program.yield %r : tensor<?xf32>
    }
    ```
  }];
  let arguments = (ins Optional<AnyRankedTensor>:$takes_over, Optional<AnyRankedTensor>:$updates);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let builders = [OpBuilder<(ins "::mlir::TypeRange":$types), [{
    build($_builder, $_state, types, ::mlir::Value(), ::mlir::Value());
  }]>];
  let assemblyFormat = [{
    (`takes_over` `(` $takes_over^ `:` type($takes_over) `)`)? (`updates` `(` $updates^ `:` type($updates) `)`)?
    `->` type($results) $body attr-dict
  }];
  let hasRegionVerifier = 1;
}

def Program_YieldOp : Program_Op<"yield", [Pure, Terminator, ParentOneOf<["RegionOp", "IfOp", "LoopOp"]>]> {
  let summary = "Ends the body of a region, a branch or a loop and gives its results";
  let description = "Example: `program.yield %r : tensor<?xf32>`";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

//===----------------------------------------------------------------------===//
// On tensors and on buffers: what runs is decided during the call
//===----------------------------------------------------------------------===//

def Program_ReadOp : Program_Op<"read"> {
  let summary = "A number of the model's data that the host needs";
  let description = [{
    The first element of a tensor, or of a buffer of `element`s, once all work before it is done. A call in which it
    isn't between `minimum` and `maximum` is refused with `message`.

    Rules:
    - R1: `element` is a boolean or an integer of 8 to 64 bits.
    - R2: a tensor has the element type `element` and one element.
    - R3: `minimum` isn't above `maximum`.

    Example: `%c = program.read %t : tensor<i1> as i1 between 0 and 1 message "..."`
  }];
  let arguments = (ins AnyTypeOf<[AnyRankedTensor, Program_BufferType]>:$source, TypeAttr:$element, I64Attr:$minimum,
                       I64Attr:$maximum, StrAttr:$message);
  let results = (outs Index:$value);
  let assemblyFormat = [{
    $source `:` type($source) `as` $element `between` $minimum `and` $maximum `message` $message attr-dict
  }];
  let hasVerifier = 1;
}

def Program_IfOp : Program_Op<"if", [RecursiveMemoryEffects, SingleBlock, NoRegionArguments]> {
  let summary = "Runs one of two branches";
  let description = [{
    The first branch runs where `condition` isn't 0, the second where it is. On tensors, the results are what the branch
    that runs yields; both yield tensors of the same shapes, whose dynamic dimensions are `sizes`, result after result.
    On buffers there are no results: both branches write to memory from outside.

    Rules:
    - R1: each branch ends in `program.yield` with the result types.
    - R2: `sizes` has one entry for each dynamic dimension of the results.

    Example:

    ```mlir
    %y = program.if %c sizes(%n) -> tensor<?xf32> {
      program.yield %a : tensor<?xf32>
    } else {
      program.yield %b : tensor<?xf32>
    }
    ```
  }];
  let arguments = (ins Index:$condition, Variadic<Index>:$sizes);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$then_branch, SizedRegion<1>:$else_branch);
  let assemblyFormat = [{
    $condition (`sizes` `(` $sizes^ `)`)? (`->` type($results)^)? $then_branch `else` $else_branch attr-dict
  }];
  let hasRegionVerifier = 1;
}

def Program_LoopOp : Program_Op<"loop", [RecursiveMemoryEffects, SingleBlock, AttrSizedOperandSegments]> {
  let summary = "Runs its body again and again";
  let description = [{
    The body runs `trips` times at most; its first argument counts from 0. `condition`, when there, is looked at before
    each time, and ends the loop where it is false.

    On tensors, the body's other arguments are the carried tensors: `init` at first, then what the time before yielded.
    The body yields the carried tensors; then, for a loop with a condition, the next condition (a `tensor<i1>`); then
    one part for each result behind the carried ones, which stacks these parts along a new first dimension of `trips`.
    The results' dynamic dimensions are `sizes`, result after result.

    On buffers, `condition` is a buffer that the body writes, and there are neither `init` nor results.

    Rules:
    - R1: the body's arguments are an index and the carried tensors.
    - R2: the first results are of the types of `init`.
    - R3: the body yields the carried tensors, the next condition where there is one, and the parts of the other results.
    - R4: a loop with a condition has no results but the carried tensors, as their first dimension would depend on data.
    - R5: `sizes` has one entry for each dynamic dimension of the results.
    - R6: `condition` is a `tensor<i1>`, or a buffer where there are neither `init` nor results.

    Example:

    ```mlir
    %h, %y = program.loop %n init(%h0) : tensor<8xf32> sizes(%n) -> tensor<8xf32>, tensor<?x8xf32> {
    ^bb0(%t: index, %h1: tensor<8xf32>):
      %h2 = program.region -> tensor<8xf32> { ... }
      program.yield %h2, %h2 : tensor<8xf32>, tensor<8xf32>
    }
    ```
  }];
  let arguments = (ins Index:$trips, Optional<AnyTypeOf<[AnyRankedTensor, Program_BufferType]>>:$condition,
                       Variadic<AnyRankedTensor>:$init, Variadic<Index>:$sizes);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $trips (`while` $condition^ `:` type($condition))? (`init` `(` $init^ `)` `:` type($init))?
    (`sizes` `(` $sizes^ `)`)? (`->` type($results)^)? $body attr-dict
  }];
  let hasRegionVerifier = 1;
}

//===----------------------------------------------------------------------===//
// On buffers
//===----------------------------------------------------------------------===//

def Program_FunctionOp : Program_Op<"function", [Symbol, IsolatedFromAbove, SingleBlock, NoTerminator]> {
  let summary = "An entry point of a bundle";
  let description = [{
    Rules:
    - R1: `inputs` and `outputs` are `#program.tensor` attributes.
    - R2: an op of the prologue (`input_dim`, `check_*`, `output_shape`) stands before the first op that does work.
    - R3: `caches` are `#program.cache_group` attributes.

    Example: `program.function @main inputs [#program.tensor<...>] outputs [#program.tensor<...>] { ... }`
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, ArrayAttr:$inputs, ArrayAttr:$outputs,
                       OptionalAttr<ArrayAttr>:$cache_groups);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `inputs` $inputs `outputs` $outputs (`caches` $cache_groups^)? $body attr-dict
  }];
  let hasVerifier = 1;
}

def Program_InputDimOp : Program_Op<"input_dim", [Pure]> {
  let summary = "A dimension of an input as the caller gives it";
  let description = "Example: `%b = program.input_dim 0, 1`";
  let arguments = (ins I64Attr:$input, I64Attr:$axis);
  let results = (outs Index:$value);
  let assemblyFormat = "$input `,` $axis attr-dict";
}

def Program_CheckEqualOp : Program_Op<"check_equal"> {
  let summary = "Refuses a call unless two sizes are equal";
  let description = "Example: `program.check_equal %a, %b, \"the lengths of \\\"ids\\\" and \\\"mask\\\" differ\"`";
  let arguments = (ins Index:$lhs, Index:$rhs, StrAttr:$message);
  let assemblyFormat = "$lhs `,` $rhs `,` $message attr-dict";
}

def Program_CheckAtLeastOp : Program_Op<"check_at_least"> {
  let summary = "Refuses a call unless one size is at least another";
  let description = "Example: `program.check_at_least %n, %zero, \"the window is larger than the image\"`";
  let arguments = (ins Index:$lhs, Index:$rhs, StrAttr:$message);
  let assemblyFormat = "$lhs `,` $rhs `,` $message attr-dict";
}

def Program_OutputShapeOp : Program_Op<"output_shape"> {
  let summary = "The sizes of an output";
  let description = "Example: `program.output_shape 0 [%b, %s]`";
  let arguments = (ins I64Attr:$output, Variadic<Index>:$dims);
  let assemblyFormat = "$output `[` $dims `]` attr-dict";
}

def Program_InputOp : Program_Op<"input", [Pure]> {
  let summary = "The caller's memory of an input";
  let description = "Example: `%x = program.input 0 size %n`";
  let arguments = (ins I64Attr:$input, Index:$size);
  let results = (outs Program_BufferType:$buffer);
  let assemblyFormat = "$input `size` $size attr-dict";
}

def Program_OutputOp : Program_Op<"output"> {
  let summary = "The memory of an output";
  let description = [{
    `donated` names an input whose memory the output may take over when the caller donates it.

    Example: `%y = program.output 1 size %n donated 3`
  }];
  let arguments = (ins I64Attr:$output, Index:$size, OptionalAttr<I64Attr>:$donated);
  let results = (outs Program_BufferType:$buffer);
  let assemblyFormat = "$output `size` $size (`donated` $donated^)? attr-dict";
}

def Program_ConstantOp : Program_Op<"constant", [Pure]> {
  let summary = "A constant of the bundle";
  let description = [{
    Refers to an `llm.weight` or to a `program.blob`.

    Example: `%w = program.constant @w`
  }];
  let arguments = (ins FlatSymbolRefAttr:$symbol);
  let results = (outs Program_BufferType:$buffer);
  let assemblyFormat = "$symbol attr-dict";
}

def Program_BlobOp : Program_Op<"blob", [Symbol]> {
  let summary = "A small constant whose values the IR holds";
  let description = "Example: `program.blob @c dense<[1.0, 2.0]> : tensor<2xf32>`";
  let arguments = (ins SymbolNameAttr:$sym_name, ElementsAttr:$value);
  let assemblyFormat = "$sym_name $value attr-dict";
}

def Program_TransientOp : Program_Op<"transient"> {
  let summary = "Memory that lives for a part of the call";
  let description = [{
    From the first op that uses it to the last one; the runtime lets buffers whose lives don't meet share memory.

    Example: `%t = program.transient %bytes`
  }];
  let arguments = (ins Index:$size);
  let results = (outs Program_BufferType:$buffer);
  let assemblyFormat = "$size attr-dict";
}

def Program_DispatchOp : Program_Op<"dispatch", [AttrSizedOperandSegments]> {
  let summary = "Runs a kernel over a grid";
  let description = [{
    Each binding is a whole buffer of `sizes` bytes from its start.

    Rules:
    - R1: there are three grid sizes.
    - R2: `writes` and `sizes` have one entry for each binding.

    Example:

    ```mlir
    program.dispatch @exp_0 grid [%c1, %c1, %c1] bindings [%x, %y] sizes [%n, %n] writes [false, true] constants [%m]
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<Index>:$grid, Variadic<Program_BufferType>:$bindings,
                       Variadic<Index>:$sizes, DenseBoolArrayAttr:$writes, Variadic<Index>:$constants);
  let assemblyFormat = [{
    $kernel `grid` `[` $grid `]` `bindings` `[` $bindings `]` `sizes` `[` $sizes `]` `writes` $writes
    `constants` `[` $constants `]` attr-dict
  }];
  let hasVerifier = 1;
}

def Program_CopyOp : Program_Op<"copy"> {
  let summary = "Copies bytes from one buffer to another";
  let description = [{
    `size` bytes from the start of `source` to byte `offset` of `target`, which is 0 where it isn't given.

    Example: `program.copy %a to %b at %o size %n`
  }];
  let arguments = (ins Program_BufferType:$source, Program_BufferType:$target, Index:$size, Optional<Index>:$offset);
  let assemblyFormat = "$source `to` $target (`at` $offset^)? `size` $size attr-dict";
}

#endif
