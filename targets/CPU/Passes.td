//===- Passes.td - Kernels for CPUs ---------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_TARGETS_CPU_PASSES_TD
#define MXN_TARGETS_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertKernelToLLVMPass : Pass<"mxn-cpu-convert-kernel-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Gives kernels the CPU's calling convention and lowers them to the LLVM dialect.";
  let description = [{
    A kernel becomes `i32 @k(ptr bindings, ptr lengths, ptr constants, i64 x, i64 y, i64 z)`, as
    `include/mxn/Driver/CPUKernel.h` says. Bindings are row-major, so their strides follow from their sizes.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif
