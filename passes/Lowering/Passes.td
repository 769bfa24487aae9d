//===- Passes.td - Inside a kernel ----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_LOWERING_PASSES_TD
#define MXN_PASSES_LOWERING_PASSES_TD

include "mlir/Pass/PassBase.td"

def BufferizeKernelsPass : Pass<"mxn-bufferize-kernels", "::mlir::ModuleOp"> {
  let summary = "Turns the tensors inside kernels into memory.";
  let description = [{
    One-shot bufferization that writes results straight into the kernel's bindings, and that copies with `linalg.copy`,
    since a kernel can't call a library.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect"];
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
