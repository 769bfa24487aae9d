//===- ExpandFloatRemainder.cpp - arith.remf without the C library --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Lowering/Passes.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_EXPANDFLOATREMAINDERPASS
#include "passes/Lowering/Passes.h.inc"

namespace {
struct ExpandRemainder : OpRewritePattern<arith::RemFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::RemFOp op, PatternRewriter &b) const override {
    Location loc = op.getLoc();
    Type type = op.getType(), wide = b.getF64Type();
    if (auto vector = dyn_cast<VectorType>(type))
      wide = vector.clone(wide);
    auto widen = [&](Value v) { return type == wide ? v : arith::ExtFOp::create(b, loc, wide, v).getResult(); };
    Value x = widen(op.getLhs()), y = widen(op.getRhs());
    Value quotient = math::TruncOp::create(b, loc, arith::DivFOp::create(b, loc, x, y));
    Value rest = math::FmaOp::create(b, loc, arith::NegFOp::create(b, loc, quotient), y, x);
    rest = math::CopySignOp::create(b, loc, rest, x);
    b.replaceOp(op, type == wide ? rest : arith::TruncFOp::create(b, loc, type, rest).getResult());
    return success();
  }
};

struct ExpandFloatRemainder : impl::ExpandFloatRemainderPassBase<ExpandFloatRemainder> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandRemainder>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
} // namespace mxn
