//===- KernelDialect.td - Between tensors and a chip ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_KERNEL_DIALECT_TD
#define MXN_KERNEL_DIALECT_TD

include "mlir/IR/OpBase.td"

def Kernel_Dialect : Dialect {
  let name = "kernel";
  let cppNamespace = "::mxn::kernel";
  let summary = "How a kernel reaches its operands, on any chip";
  let description = [{
    A kernel is a `func.func` without arguments in the module `@kernels`. It reaches its operands through
    `kernel.binding` and `kernel.constant` and learns its place in the grid from `kernel.grid_id`; a target turns these
    into its own calling convention.
  }];
}

#endif
