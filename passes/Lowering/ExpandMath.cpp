//===- ExpandMath.cpp - Functions become arithmetic -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Lowering/Passes.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_EXPANDMATHPASS
#include "passes/Lowering/Passes.h.inc"

namespace {
/// What every CPU and GPU that we make code for computes by itself.
bool isNative(Operation *op) {
  return isa<math::SqrtOp, math::AbsFOp, math::AbsIOp, math::FloorOp, math::CeilOp, math::TruncOp, math::RoundEvenOp,
             math::FmaOp, math::CopySignOp, math::CountLeadingZerosOp, math::CountTrailingZerosOp, math::CtPopOp,
             math::IsNaNOp, math::IsInfOp, math::IsFiniteOp>(op);
}

struct ExpandMath : impl::ExpandMathPassBase<ExpandMath> {
  void runOnOperation() override {
    // Identities first, then polynomials for what they use: one greedy run may take them in any order.
    RewritePatternSet identities(&getContext());
    math::populateExpansionPatterns(identities, {"sinh", "cosh", "tan", "asinh", "acosh", "atanh", "powf", "fpowi",
                                                 "ipowi", "exp2", "rsqrt", "round", "clampf"});
    RewritePatternSet polynomials(&getContext());
    auto all = [](StringRef) { return true; };
    populateMathF32ExpansionPatterns(polynomials, all);
    populateMathPolynomialApproximationPatterns(polynomials, all);
    if (failed(applyPatternsGreedily(getOperation(), std::move(identities))) ||
        failed(applyPatternsGreedily(getOperation(), std::move(polynomials))))
      return signalPassFailure();
    bool ok = true;
    getOperation()->walk([&](Operation *op) {
      if (!isa<math::MathDialect>(op->getDialect()) || isNative(op))
        return;
      op->emitError() << op->getName().stripDialect() << " of " << op->getResult(0).getType()
                      << " isn't supported yet; use float32";
      ok = false;
    });
    if (!ok)
      signalPassFailure();
  }
};
} // namespace
} // namespace mxn
