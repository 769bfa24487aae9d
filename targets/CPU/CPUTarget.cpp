//===- CPUTarget.cpp - Code for CPUs --------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "targets/CPU/CPUTarget.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Lowering/Passes.h"
#include "targets/CPU/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"

using namespace mlir;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using llvm::is_contained;
using llvm::none_of;

namespace mxn::cpu {
namespace {

/// The levels, best first: so they stand in a bundle, and the runtime takes the first that the machine has.
const plugin::Level kLevels[] = {
    {"x86-64-v4", {}, {512, 64, 32 << 10, 1 << 20}},
    {"x86-64-v3", {}, {256, 64, 32 << 10, 256 << 10}},
};

class CPUTarget : public plugin::Target {
public:
  StringRef name() const override { return "cpu"; }
  StringRef driver() const override { return "cpu"; }

  Expected<std::vector<plugin::Level>> levels(StringRef request) const override {
    SmallVector<StringRef> wanted;
    request.split(wanted, '+', -1, /*KeepEmpty=*/false);
    std::vector<plugin::Level> found;
    for (StringRef name : wanted)
      if (none_of(kLevels, [&](const plugin::Level &level) { return level.name == name; }))
        return createStringError("the target 'cpu' has no level '" + name + "'; it has x86-64-v3 and x86-64-v4");
    for (const plugin::Level &level : kLevels)
      if (wanted.empty() ? level.name == "x86-64-v3" : is_contained(wanted, level.name))
        found.push_back(level);
    return found;
  }

  void buildPipeline(OpPassManager &pm, const plugin::CodegenOptions &options) const override {
    if (options.optLevel)
      buildKernelVectorPipeline(pm, options.level.info.vectorBits);
    else
      buildKernelLoopsPipeline(pm);
    OpPassManager &kernel = pm.nest<func::FuncOp>();
    kernel.addPass(createLowerAffinePass());
    kernel.addPass(createSCFToControlFlowPass());
    // CPUs convert bf16 and compute in float32.
    kernel.addPass(math::createMathExtendToSupportedTypes());
    arith::ArithEmulateUnsupportedFloatsOptions emulated;
    emulated.sourceTypeStrs = {"bf16"};
    kernel.addPass(arith::createArithEmulateUnsupportedFloats(emulated));
    kernel.addPass(createExpandNarrowingPass());
    arith::ArithExpandOpsPassOptions bf16;
    bf16.includeBf16 = true;
    kernel.addPass(arith::createArithExpandOpsPass(bf16));
    pm.addPass(memref::createExpandStridedMetadataPass());
    pm.addPass(createLowerAffinePass());
    pm.addPass(createConvertKernelToLLVMPass());
    pm.addPass(createCanonicalizerPass());
    pm.addPass(createCSEPass());
    pm.addPass(createReconcileUnrealizedCastsPass());
  }

  Error emit(ModuleOp kernels, const plugin::CodegenOptions &options, SmallVectorImpl<char> &object) const override {
    return emitObject(kernels, options, object);
  }

  Error link(ArrayRef<std::string> objectFiles, StringRef outputFile) const override {
    return linkObjects(objectFiles, outputFile);
  }
};

Error registerTargets(plugin::TargetRegistry &registry) { return registry.add(std::make_unique<CPUTarget>()); }

} // namespace

plugin::Plugin getPlugin() { return {plugin::kApiVersion, LLVM_VERSION_STRING, "cpu", registerTargets}; }

} // namespace mxn::cpu
