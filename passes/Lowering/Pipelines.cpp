//===- Pipelines.cpp - The roads through a kernel -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Lowering/Passes.h"

using namespace mlir;

static void prepare(OpPassManager &pm) {
  pm.addPass(mxn::createBufferizeKernelsPass());
  pm.addNestedPass<func::FuncOp>(mxn::createMapGridPass());
  pm.addPass(createCSEPass()); // views that bufferization made twice; copies between them go away
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(mxn::createVerifyKernelsPass());
}

static void finish(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  pm.addNestedPass<func::FuncOp>(mxn::createExpandFloatRemainderPass());
  pm.addNestedPass<func::FuncOp>(mxn::createExpandMathPass());
}

void mxn::buildKernelLoopsPipeline(OpPassManager &pm) {
  prepare(pm);
  finish(pm);
}

void mxn::buildKernelVectorPipeline(OpPassManager &pm, unsigned vectorBits) {
  prepare(pm);
  VectorizeReductionsPassOptions vectors;
  vectors.vectorBits = vectorBits;
  pm.addNestedPass<func::FuncOp>(createVectorizeReductionsPass(vectors));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  finish(pm);
}
