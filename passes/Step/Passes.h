//===- Passes.h - The ragged entry of language models ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_STEP_PASSES_H
#define MXN_PASSES_STEP_PASSES_H

#include "dialects/Kernel/KernelDialect.h"
#include "dialects/LLM/LLMDialect.h"
#include "dialects/Program/ProgramDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

namespace mxn {
#define GEN_PASS_DECL
#include "passes/Step/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/Step/Passes.h.inc"
} // namespace mxn

#endif
