//===- DeriveStep.cpp - The ragged entry, by proof ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/IR/Remarks.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Import/Passes.h"
#include "passes/Step/Decoder.h"
#include "passes/Step/Passes.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_DERIVESTEPPASS
#include "passes/Step/Passes.h.inc"

namespace {

constexpr int64_t kMaxBlockTokens = 1024;

struct DeriveStep : impl::DeriveStepPassBase<DeriveStep> {
  using DeriveStepPassBase::DeriveStepPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (blockTokens < 1 || blockTokens > kMaxBlockTokens || !llvm::isPowerOf2_64(blockTokens)) {
      emitError(module.getLoc()) << "block-tokens is " << blockTokens.getValue() << ", expected a power of two up to "
                                 << kMaxBlockTokens;
      return signalPassFailure();
    }
    auto main = module.lookupSymbol<func::FuncOp>("main");
    if (!main || module.lookupSymbol("step"))
      return;
    // The proof reads a copy in which attention is one node, whatever the exporter wrote; `main` stays as it is.
    func::FuncOp copy = main.clone();
    copy.setName("main.raised");
    module.push_back(copy);
    auto forget = llvm::make_scope_exit([&] { copy.erase(); });
    OpPassManager raise(func::FuncOp::getOperationName());
    raise.addPass(createRaiseAttentionPass());
    if (failed(runPipeline(raise, copy)))
      return signalPassFailure();
    Decoder decoder(copy);
    collectAttentions(decoder);
    if (decoder.attentions.empty()) {
      if (require) {
        main.emitError() << "no attention of the model keeps a cache, so it has no step";
        signalPassFailure();
      }
      return;
    }
    if (std::optional<Refusal> refusal = proveDecoder(decoder)) {
      remark::missed(refusal->loc, remark::RemarkOpts::name("no-step").category("mxn-derive-step"))
          << remark::reason("{0}", refusal->text);
      module->setAttr(program::kStepRefusedAttrName, StringAttr::get(&getContext(), refusal->text));
      if (require) {
        emitError(refusal->loc) << "no step could be derived: " << refusal->text;
        signalPassFailure();
      }
      return;
    }
    func::FuncOp step = buildStep(std::move(decoder), blockTokens);
    remark::passed(main.getLoc(), remark::RemarkOpts::name("step").category("mxn-derive-step"))
        << "derived step from main";
    OpPassManager infer(func::FuncOp::getOperationName());
    infer.addPass(createInferShapesPass());
    if (failed(runPipeline(infer, step)))
      signalPassFailure();
  }
};

} // namespace
} // namespace mxn
