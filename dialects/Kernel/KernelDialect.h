//===- KernelDialect.h - Between tensors and a chip -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_DIALECTS_KERNEL_KERNELDIALECT_H
#define MXN_DIALECTS_KERNEL_KERNELDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/Kernel/KernelDialect.h.inc"
#define GET_OP_CLASSES
#include "dialects/Kernel/KernelOps.h.inc"

namespace mxn::kernel {
/// The module that holds a plan's kernels.
inline constexpr llvm::StringLiteral kModuleName = "kernels";
} // namespace mxn::kernel

#endif
