//===- Passes.td - From tensors to a host schedule and kernels ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_DISPATCH_PASSES_TD
#define MXN_PASSES_DISPATCH_PASSES_TD

include "mlir/Pass/PassBase.td"

def FormDispatchesPass : Pass<"mxn-form-dispatches", "::mlir::func::FuncOp"> {
  let summary = "Puts each piece of work into a program.region of its own.";
  let description = [{
    Each linalg op, slice and gathering of elements becomes one region. The `tensor.empty` and `linalg.fill` that only
    prepare its result are copied into the region; an op that updates a tensor in place works on a copy of it.

    Before: `%r = linalg.exp ins(%x) outs(%e) -> tensor<?xf32>`

    After:

    ```mlir
    %r = program.region -> tensor<?xf32> {
      %e = tensor.empty(%n) : tensor<?xf32>
      %v = linalg.exp ins(%x) outs(%e) -> tensor<?xf32>
      program.yield %v : tensor<?xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mxn::program::ProgramDialect"];
}

def OutlineDispatchesPass : Pass<"mxn-outline-dispatches", "::mlir::ModuleOp"> {
  let summary = "Turns functions on tensors into host schedules on buffers, and regions into kernels.";
  let description = [{
    Every `program.region` becomes a function of the module `@kernels` (equal ones are shared) and a `program.dispatch`;
    reshapes become other views of the same buffer; what a function returns is written straight into its outputs where
    that is possible. A branch writes its results to memory that the If's results have outside; a loop's carried tensor
    has one buffer, which its body writes again when all else is done. The function becomes a `program.function` whose prologue computes the symbolic sizes from the
    inputs' dimensions and checks what the model demands of them.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect",
                           "::mxn::kernel::KernelDialect", "::mxn::program::ProgramDialect"];
}

#endif
