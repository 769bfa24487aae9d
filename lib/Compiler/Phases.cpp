//===- Phases.cpp - The flow from a model to a bundle ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Compiler/Phases.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Dispatch/Passes.h"
#include "passes/Import/Passes.h"
#include "passes/Step/Passes.h"

using namespace mlir;

namespace mxn {

llvm::ArrayRef<PhaseInfo> phases() {
  static const PhaseInfo all[] = {
      {Phase::Import, "import", "the graph as the file has it (dialect onnx)"},
      {Phase::Shapes, "shapes", "with symbolic shapes"},
      {Phase::Step, "step", "with the ragged entry of a language model"},
      {Phase::Tensors, "tensors", "operators as linalg and tensor ops"},
      {Phase::Dispatch, "dispatch", "cut into dispatches (program.region)"},
      {Phase::Program, "program", "a host schedule and kernels"},
      {Phase::Bundle, "bundle", "the .mxn file"},
  };
  return all;
}

void buildPhases(OpPassManager &pm, Phase from, Phase to, const PhaseOptions &options) {
  auto includes = [&](Phase phase) { return from < phase && phase <= to; };
  if (includes(Phase::Shapes))
    pm.addNestedPass<func::FuncOp>(createInferShapesPass());
  if (includes(Phase::Step))
    pm.addPass(createDeriveStepPass({options.blockTokens, options.requireStep}));
  if (includes(Phase::Tensors)) {
    pm.addNestedPass<func::FuncOp>(createConvertONNXToLinalgPass());
    pm.addPass(createVerifyImportedPass());
    pm.addNestedPass<func::FuncOp>(createCSEPass());
    pm.addNestedPass<func::FuncOp>(createLowerPagedAttentionPass({options.optLevel > 0}));
  }
  if (includes(Phase::Dispatch)) {
    if (options.optLevel)
      pm.addNestedPass<func::FuncOp>(createFuseOpsPass());
    pm.addNestedPass<func::FuncOp>(createFormDispatchesPass());
    if (options.optLevel)
      pm.addNestedPass<func::FuncOp>(createDistributeDispatchesPass());
  }
  if (includes(Phase::Program))
    pm.addPass(createOutlineDispatchesPass());
}

} // namespace mxn
