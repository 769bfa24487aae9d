//===- KernelOps.td - Bindings, constants, grid, checks -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_KERNEL_OPS_TD
#define MXN_KERNEL_OPS_TD

include "dialects/Kernel/KernelDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Kernel_Op<string mnemonic, list<Trait> traits = []> : Op<Kernel_Dialect, mnemonic, traits>;

def Kernel_BindingOp : Kernel_Op<"binding", [Pure]> {
  let summary = "One of the buffers that a dispatch binds, as a memref";
  let description = [{
    Row-major from the buffer's first byte; one size for each dynamic dimension. `apart` says that no memory which is
    written through this binding or through another one is reached through both.

    Rules:
    - R1: there is one size for each dynamic dimension.
    - R2: the layout is the identity.

    Example: `%x = kernel.binding 0 [%n] apart : memref<?x384xf32>`
  }];
  let arguments = (ins I64Attr:$index, Variadic<Index>:$sizes, UnitAttr:$apart);
  let results = (outs AnyMemRef:$memref);
  let assemblyFormat = "$index `[` $sizes `]` (`apart` $apart^)? attr-dict `:` type($memref)";
  let hasVerifier = 1;
}

def Kernel_ConstantOp : Kernel_Op<"constant", [Pure]> {
  let summary = "One of the registers that a dispatch passes";
  let description = "Example: `%n = kernel.constant 0`";
  let arguments = (ins I64Attr:$index);
  let results = (outs Index:$value);
  let assemblyFormat = "$index attr-dict";
}

def Kernel_GridIdOp : Kernel_Op<"grid_id", [Pure]> {
  let summary = "The place of this call in the grid";
  let description = [{
    `axis` is 0 for x, 1 for y, 2 for z.

    Rules:
    - R1: `axis` is 0, 1 or 2.

    Example: `%x = kernel.grid_id 0`
  }];
  let arguments = (ins I64Attr:$axis);
  let results = (outs Index:$value);
  let assemblyFormat = "$axis attr-dict";
  let hasVerifier = 1;
}

def Kernel_CheckOp : Kernel_Op<"check"> {
  let summary = "Makes the call fail unless a condition holds";
  let description = [{
    The kernel goes on (whoever checks also clamps, so that nothing is read or written out of bounds) and returns `code`
    at its end: 1 for an index out of range, 2 for a value that the op forbids (`include/mxn/Driver/CPUKernel.h`).

    Rules:
    - R1: `code` is 1 or 2.

    Example: `kernel.check %inside code 1`
  }];
  let arguments = (ins I1:$condition, I64Attr:$code);
  let assemblyFormat = "$condition `code` $code attr-dict";
  let hasVerifier = 1;
}

#endif
