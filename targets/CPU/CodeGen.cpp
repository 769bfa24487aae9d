//===- CodeGen.cpp - From the LLVM dialect to an object file --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "targets/CPU/CPUTarget.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include <mutex>

using namespace llvm;

namespace mxn::cpu {

static void initializeBackends() {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeAllTargetInfos();
    InitializeAllTargets();
    InitializeAllTargetMCs();
    InitializeAllAsmPrinters();
  });
}

static Expected<std::unique_ptr<TargetMachine>> createMachine(const plugin::CodegenOptions &options) {
  initializeBackends();
  Triple triple("x86_64-unknown-linux-gnu");
  std::string message;
  const llvm::Target *target = TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return createStringError("this LLVM can't make code for " + triple.str() + ": " + message);
  std::unique_ptr<TargetMachine> machine(target->createTargetMachine(
      triple, options.level.name, /*Features=*/"", TargetOptions(), Reloc::PIC_, CodeModel::Small,
      options.optLevel ? CodeGenOptLevel::Aggressive : CodeGenOptLevel::Default));
  if (!machine)
    return createStringError("LLVM made no code generator for " + triple.str());
  return machine;
}

Error emitObject(mlir::ModuleOp kernels, const plugin::CodegenOptions &options, SmallVectorImpl<char> &object) {
  auto machine = createMachine(options);
  if (!machine)
    return machine.takeError();
  mlir::DialectRegistry registry;
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  kernels.getContext()->appendDialectRegistry(registry);
  LLVMContext context;
  std::unique_ptr<Module> module = mlir::translateModuleToLLVMIR(kernels, context, "kernels");
  if (!module)
    return createStringError("internal error: the kernels couldn't be translated to LLVM IR");
  module->setTargetTriple((*machine)->getTargetTriple());
  module->setDataLayout((*machine)->createDataLayout());
  for (Function &f : *module) {
    if (f.isDeclaration())
      continue;
    // No C library stands behind a kernel: loops must not become calls of memset or memcpy.
    f.addFnAttr("no-builtins");
    f.addFnAttr(Attribute::NoUnwind);
    f.addFnAttr("target-cpu", options.level.name);
    if (options.level.info.vectorBits)
      f.addFnAttr("prefer-vector-width", std::to_string(options.level.info.vectorBits));
  }

  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager cgscc;
  ModuleAnalysisManager modules;
  PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = options.optLevel > 0;
  PassBuilder builder(machine->get(), tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(cgscc);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, cgscc, modules);
  builder.buildPerModuleDefaultPipeline(options.optLevel ? OptimizationLevel::O3 : OptimizationLevel::O2)
      .run(*module, modules);

  raw_svector_ostream stream(object);
  legacy::PassManager emission;
  if ((*machine)->addPassesToEmitFile(emission, stream, nullptr, CodeGenFileType::ObjectFile))
    return createStringError("LLVM can't write object files for this target");
  emission.run(*module);
  return Error::success();
}

} // namespace mxn::cpu
