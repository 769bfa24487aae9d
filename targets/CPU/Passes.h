//===- Passes.h - Kernels for CPUs ----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_TARGETS_CPU_PASSES_H
#define MXN_TARGETS_CPU_PASSES_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mxn::cpu {
#define GEN_PASS_DECL
#include "targets/CPU/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "targets/CPU/Passes.h.inc"
} // namespace mxn::cpu

#endif
