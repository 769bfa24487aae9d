//===- VerifyImported.cpp - Nothing of the carrier may be left ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/ONNX/ONNXDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/Import/Passes.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_VERIFYIMPORTEDPASS
#include "passes/Import/Passes.h.inc"

namespace {
struct VerifyImported : impl::VerifyImportedPassBase<VerifyImported> {
  void runOnOperation() override {
    bool ok = true;
    getOperation()->walk([&](Operation *op) {
      if (!isa_and_present<onnx::ONNXDialect>(op->getDialect()))
        return;
      auto node = dyn_cast<onnx::NodeOp>(op);
      op->emitError() << (node ? node.qualifiedName() : op->getName().getStringRef().str())
                      << " is left after import; run convert-onnx-to-linalg first";
      ok = false;
    });
    if (!ok)
      signalPassFailure();
  }
};
} // namespace
} // namespace mxn
