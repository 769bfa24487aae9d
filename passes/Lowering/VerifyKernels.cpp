//===- VerifyKernels.cpp - A kernel has only what it is given -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/Lowering/Passes.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_VERIFYKERNELSPASS
#include "passes/Lowering/Passes.h.inc"

namespace {
struct VerifyKernels : impl::VerifyKernelsPassBase<VerifyKernels> {
  void runOnOperation() override {
    bool ok = true;
    getOperation()->walk([&](Operation *op) {
      if (auto alloc = dyn_cast<memref::AllocOp>(op)) {
        op->emitError() << "this needs a temporary of type " << alloc.getType()
                        << " inside a kernel, which isn't supported";
        ok = false;
      } else if (isa<func::CallOp>(op)) {
        op->emitError() << "a kernel can't call a function";
        ok = false;
      }
    });
    if (!ok)
      signalPassFailure();
  }
};
} // namespace
} // namespace mxn
