//===- Passes.h - From tensors to a host schedule and kernels -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_DISPATCH_PASSES_H
#define MXN_PASSES_DISPATCH_PASSES_H

#include "dialects/Kernel/KernelDialect.h"
#include "dialects/Program/ProgramDialect.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"

namespace mxn {
#define GEN_PASS_DECL
#include "passes/Dispatch/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/Dispatch/Passes.h.inc"
} // namespace mxn

#endif
