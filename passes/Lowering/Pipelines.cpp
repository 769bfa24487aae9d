//===- Pipelines.cpp - The roads through a kernel -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Lowering/Passes.h"

using namespace mlir;

void mxn::buildKernelLoopsPipeline(OpPassManager &pm) {
  pm.addPass(createBufferizeKernelsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createVerifyKernelsPass());
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  pm.addNestedPass<func::FuncOp>(createExpandFloatRemainderPass());
  pm.addNestedPass<func::FuncOp>(createExpandMathPass());
}
