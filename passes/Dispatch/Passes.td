//===- Passes.td - From tensors to a host schedule and kernels ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_DISPATCH_PASSES_TD
#define MXN_PASSES_DISPATCH_PASSES_TD

include "mlir/Pass/PassBase.td"

def FuseOpsPass : Pass<"mxn-fuse-ops", "::mlir::func::FuncOp"> {
  let summary = "Joins linalg ops so that fewer tensors go through memory.";
  let description = [{
    An elementwise op whose only user is a `linalg.generic` that uses each element once becomes a part of it; nothing is
    computed twice. A `linalg.transpose` goes into the products and reductions that read it, where what they read stays
    contiguous: rows stay rows, or rows are summed up. What transposes a weight is then never run.

    Before:

    ```mlir
    %t = linalg.transpose ins(%w : tensor<49152x576xf32>) outs(%e) permutation = [1, 0]
    %y = linalg.matmul ins(%x, %t) outs(%f)
    ```

    After: `%y = linalg.generic {indexing_maps = [(m, n, k) -> (m, k), (m, n, k) -> (n, k), ...]} ins(%x, %w) outs(%f)`
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::affine::AffineDialect"];
}

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

def DistributeDispatchesPass : Pass<"mxn-distribute-dispatches", "::mlir::func::FuncOp"> {
  let summary = "Cuts the work of a program.region into tiles that may run at the same time.";
  let description = [{
    Tiles the parallel loops of the linalg op that makes a region's result, never those of a reduction, and puts what
    prepares for it into the tiles: the result's bits don't depend on who computes which tile. Tiles of up to three
    loops hold enough work for a call; small work, and regions that read memory which they write, stay as they are. The
    `scf.forall` becomes the grid of the dispatch.

    Before:

    ```mlir
    %y = program.region -> tensor<?x576xf32> {
      %e = tensor.empty(%n) : tensor<?x576xf32>
      %r = linalg.exp ins(%x) outs(%e) -> tensor<?x576xf32>
      program.yield %r : tensor<?x576xf32>
    }
    ```

    After:

    ```mlir
    %y = program.region -> tensor<?x576xf32> {
      %e = tensor.empty(%n) : tensor<?x576xf32>
      %r = scf.forall (%i) = (0) to (%n) step (57) shared_outs(%o = %e) -> tensor<?x576xf32> {
        %rows = affine.min affine_map<(d0)[s0] -> (57, s0 - d0)>(%i)[%n]
        %a = tensor.extract_slice %x[%i, 0] [%rows, 576] [1, 1]
        %b = tensor.extract_slice %o[%i, 0] [%rows, 576] [1, 1]
        %t = linalg.exp ins(%a) outs(%b) -> tensor<?x576xf32>
        scf.forall.in_parallel { tensor.parallel_insert_slice %t into %o[%i, 0] [%rows, 576] [1, 1] }
      }
      program.yield %r : tensor<?x576xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def OutlineDispatchesPass : Pass<"mxn-outline-dispatches", "::mlir::ModuleOp"> {
  let summary = "Turns functions on tensors into host schedules on buffers, and regions into kernels.";
  let description = [{
    Every `program.region` becomes a function of the module `@kernels` (equal ones are shared) and a `program.dispatch`;
    reshapes become other views of the same buffer; what a function returns is written straight into its outputs where
    that is possible. A branch writes its results to memory that the If's results have outside; a loop's carried tensor
    has one buffer, which its body writes again when all else is done. An `scf.forall` in a region gives the size of the
    dispatch's grid: one point for each of its steps; the kernel keeps it. The function becomes a `program.function` whose
    prologue computes the symbolic sizes from the inputs' dimensions and checks what the model demands of them.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect",
                           "::mxn::kernel::KernelDialect", "::mxn::program::ProgramDialect"];
}

#endif
