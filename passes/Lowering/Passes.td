//===- Passes.td - Inside a kernel ----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_LOWERING_PASSES_TD
#define MXN_PASSES_LOWERING_PASSES_TD

include "mlir/Pass/PassBase.td"

def BufferizeKernelsPass : Pass<"mxn-bufferize-kernels", "::mlir::ModuleOp"> {
  let summary = "Turns the tensors inside kernels into memory.";
  let description = [{
    One-shot bufferization that writes results straight into the kernel's bindings, and that copies with `linalg.copy`,
    since a kernel can't call a library. Reads and writes of vectors become loads and stores.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect"];
}

def MapGridPass : Pass<"mxn-map-grid", "::mlir::func::FuncOp"> {
  let summary = "Turns the parallel loops of a kernel into its place in the grid.";
  let description = [{
    Each step of the kernel's `scf.forall` is one point of the dispatch's grid; dimension i is the grid's axis i. Fails
    where something outside of the loops writes memory, which every point would do again.

    Before: `scf.forall (%i) = (0) to (%n) step (57) { ... }`

    After: `%x = kernel.grid_id 0`, `%i = %x * 57`, and the body once.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mxn::kernel::KernelDialect"];
}

def VectorizeReductionsPass : Pass<"mxn-vectorize-reductions", "::mlir::func::FuncOp"> {
  let summary = "Turns linalg ops that sum up (products, convolutions, reductions) into vector code.";
  let description = [{
    Works on memory. The innermost dimension of the result is computed a vector at a time, and rows of the result that
    read the same vectors together, so that a block of sums stays in registers while the reduction runs. Where the
    innermost dimension of what is read is the reduced one, each lane of a vector sums up every n-th element and the lanes
    are added at the end, in an order that the vector's width alone decides. What is left at an edge is read and written
    under a mask. Products that are added become fused multiply-adds.

    Left to plain loops: ops without a reduction, elements below eight bits, bodies that read memory, several results.

    Before: `linalg.matmul ins(%a, %b) outs(%c)`

    After (8 rows, two vectors of 16):

    ```mlir
    scf.for %m = %c0 to %rows step %c8 {
      scf.for %n = %c0 to %columns step %c32 {
        %sum:16 = scf.for %k = %c0 to %depth step %c1 iter_args(...) {
          %b0 = vector.load %b[%k, %n]
          %a0 = memref.load %a[%m, %k]
          %s0 = math.fma (splat %a0), %b0, %sum0
          ...
    ```
  }];
  let options = [Option<"vectorBits", "vector-bits", "unsigned", /*default=*/"256", "Bits of a vector register">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def ExpandFloatRemainderPass : Pass<"mxn-expand-float-remainder"> {
  let summary = "Computes arith.remf without the C library.";
  let description = [{
    `x - trunc(x / y) * y` with one rounding, in f64 for narrower types; the sign is the dividend's. Exact while the
    quotient is below 2^29 for f32 and what f64 allows for f64.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def ExpandNarrowingPass : Pass<"mxn-expand-narrowing"> {
  let summary = "Rounds f64 to f16 and bf16 without the C library.";
  let description = [{
    Through f32, rounded to odd, so that the second rounding decides as if it were the only one.

    Before: `%y = arith.truncf %x : f64 to f16`

    After: `arith.truncf %x : f64 to f32`, the last bit set where that wasn't exact, and `arith.truncf` to f16.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def ExpandMathPass : Pass<"mxn-expand-math"> {
  let summary = "Computes exp, log, tanh, erf, pow and their kin with arithmetic.";
  let description = [{
    A kernel can't call the C library, and a polynomial can be vectorised. Square roots, roundings and fused
    multiply-adds stay, since chips have them. Fails, naming the node, on a function that has no polynomial for its type.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

def VerifyKernelsPass : Pass<"verify-kernels", "::mlir::ModuleOp"> {
  let summary = "Fails when a kernel needs memory or functions that it can't have.";
  let description = [{
    Changes nothing. A kernel has its bindings and a small stack; it may not allocate, and it may not call anything.
  }];
}

#endif
