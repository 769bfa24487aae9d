//===- Registry.cpp - Everything that the compiler's tools know -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Compiler/Registry.h"
#include "dialects/Kernel/KernelDialect.h"
#include "dialects/LLM/LLMDialect.h"
#include "dialects/ONNX/ONNXDialect.h"
#include "dialects/Program/ProgramDialect.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "passes/Dispatch/Passes.h"
#include "passes/Import/Passes.h"
#include "passes/Lowering/Passes.h"
#include "passes/Step/Passes.h"
#include "targets/CPU/Passes.h"

void mxn::registerDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<onnx::ONNXDialect, llm::LLMDialect, program::ProgramDialect, kernel::KernelDialect>();
}

void mxn::registerPasses() {
  mlir::registerAllPasses();
  registerMxNImportPasses();
  registerMxNDispatchPasses();
  registerMxNLoweringPasses();
  registerMxNStepPasses();
  cpu::registerMxNCPUPasses();
}
