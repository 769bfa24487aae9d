//===- Passes.h - Inside a kernel -----------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_LOWERING_PASSES_H
#define MXN_PASSES_LOWERING_PASSES_H

#include "dialects/Kernel/KernelDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

namespace mxn {
#define GEN_PASS_DECL
#include "passes/Lowering/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/Lowering/Passes.h.inc"

/// From kernels on tensors to loops over memory: the plain road that every op can take and that is the measure of the
/// fast ones. Runs on the module `@kernels`.
void buildKernelLoopsPipeline(mlir::OpPassManager &pm);

/// The fast road: tiles on the grid and vector code where it pays, plain loops for the rest.
void buildKernelVectorPipeline(mlir::OpPassManager &pm, unsigned vectorBits);
} // namespace mxn

#endif
