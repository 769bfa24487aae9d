//===- Passes.td - The ragged entry of language models --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_STEP_PASSES_TD
#define MXN_PASSES_STEP_PASSES_TD

include "mlir/Pass/PassBase.td"

def DeriveStepPass : Pass<"mxn-derive-step", "::mlir::ModuleOp"> {
  let summary = "Derives the ragged entry `step` of a decoder from its `main`.";
  let description = [{
    `step` takes T tokens of any number of sequences and gives the logits of the rows asked for. For a sequence with n
    tokens in the cache and t new ones its rows equal those of `main` for batch 1, t tokens, n past tokens, a mask of ones
    and the positions n to n + t - 1. The pass proves that, from the graph's data flow and never from names:

    - S1: past keys and values are read by attention alone (and by Shape), and its presents are outputs of the model. All
      layers have the same batch, sequence and past.
    - S2: every other op between the token ids and the logits works on each row of (batch, sequence) by itself: a value has
      one dimension of rows, or none.
    - S3: the mask, as a function of (query, key), is the causal one or a window of it, once the attention mask is all ones.
    - S4: token ids select rows of a table, and apart from that only their shape is used. Positions are the other input of
      that shape; where they only select rows, too, the ids' table is the one with a row for each logit. Sizes of the call
      give tensors their shape and nothing else.
    - S5: the logits are rows of one output.

    A rule that fails is a remark that names the node; the model keeps its `main`, and the module carries the reason
    as `program.step_refused`. With `require`, it is an error.
  }];
  let options = [
    Option<"blockTokens", "block-tokens", "int64_t", "16", "Tokens in one block of the cache">,
    Option<"require", "require", "bool", "false", "Fail where a model with a cache gets no step">,
  ];
  let dependentDialects = ["::mxn::llm::LLMDialect", "::mxn::program::ProgramDialect"];
}

def RaiseAttentionPass : Pass<"mxn-raise-attention", "::mlir::func::FuncOp"> {
  let summary = "Finds attention with a cache in graphs of small ops.";
  let description = [{
    Two products with a softmax between them, where keys and values are concatenated to their pasts, become one ONNX
    `Attention` node. Scales on queries, keys or scores, boolean masks that are added as 0 and minus infinity, heads that
    share keys through Expand and Reshape, and transposed keys in any order of views are part of it. It means the same
    except for rows without any allowed key, so it is run on the copy that `mxn-derive-step` reads.

    Before (shortened): `%y = MatMul(Softmax(Add(MatMul(%q, Transpose(Concat(%past, %k))), %mask)), Concat(%past2, %v))`

    After: `%y, %present, %present2 = Attention(%q, %k, %v, %mask, %past, %past2)`
  }];
}

def LowerPagedAttentionPass : Pass<"mxn-lower-paged-attention", "::mlir::func::FuncOp"> {
  let summary = "Turns llm.paged_attention into loops over tokens, heads and positions.";
  let description = [{
    The plain road: one region writes the new keys and values into the cache, in place; a second one computes each row's
    attention in two walks over its positions, the first for the greatest score. With `parallel`, rows and heads are the
    steps of an `scf.forall`, and a head's columns are one vector.
  }];
  let options = [Option<"parallel", "parallel", "bool", /*default=*/"false",
                        "All rows and heads at once, and vectors for the columns of a head">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect", "::mlir::vector::VectorDialect",
                           "::mxn::kernel::KernelDialect", "::mxn::program::ProgramDialect"];
}

#endif
