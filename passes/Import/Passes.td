//===- Passes.td - From the onnx carrier to linalg ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_IMPORT_PASSES_TD
#define MXN_PASSES_IMPORT_PASSES_TD

include "mlir/Pass/PassBase.td"

def InferShapesPass : Pass<"mxn-infer-shapes", "::mlir::func::FuncOp"> {
  let summary = "Finds the symbolic shape of every tensor and the value of every size.";
  let description = [{
    One forward walk in which every dimension, and every element of a small integer tensor, is a polynomial over the
    model's symbols (`lib/Support/SymbolicExpr.h`). Equalities that the operators imply (the inner dimensions of a
    MatMul) are solved and substituted everywhere; those that only a broadcast suggests become `program.guard`s.

    Comparisons of sizes are expressions too, 0 or 1. An If whose condition is a constant then is replaced by the branch
    that it takes. Otherwise both branches are visited: what both imply holds everywhere, what one implies is checked
    where that branch runs. Where the branches' results differ in shape, the result's shape is chosen by the condition,
    if that follows from sizes; where they differ in rank, which no compiled tensor can, the first branch is taken and a
    guard refuses calls for which the model would take the other (remark `TakeThenBranch`). A Loop carries tensors of
    fixed shapes.

    Before:

    ```mlir
    %s = onnx.node "Shape" version 17 (%x) : (tensor<?x8xf32, #onnx.dims<"b", "8">>) -> tensor<2xi64>
    ```

    After:

    ```mlir
    %s = onnx.node "Shape" version 17 (%x) known [#onnx.values<"b", "8">]
        : (tensor<?x8xf32, #onnx.dims<"b", "8">>) -> tensor<2xi64, #onnx.dims<"2">>
    ```
  }];
  let dependentDialects = ["::mxn::program::ProgramDialect"];
}

def ConvertONNXToLinalgPass : Pass<"convert-onnx-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "Turns onnx nodes into linalg and tensor ops.";
  let description = [{
    Each node is given to the handler of its operator (`passes/Import/Handlers.h`). Nodes whose values are known as sizes
    become `tensor.from_elements`. If and Loop become `program.if` and `program.loop`; a condition or trip count that
    doesn't follow from sizes is read back by the host (`program.read`). RNN, GRU and LSTM become one product for the
    inputs of all times and a `program.loop` over time. All operators without a handler are reported together, and the pass fails.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect", "::mxn::kernel::KernelDialect",
                           "::mxn::llm::LLMDialect", "::mxn::program::ProgramDialect"];
}

def VerifyImportedPass : Pass<"verify-imported", "::mlir::ModuleOp"> {
  let summary = "Fails, naming the node, when a part of the onnx dialect is left.";
  let description = "Changes nothing. Stands between import and everything that works on linalg.";
}

#endif
