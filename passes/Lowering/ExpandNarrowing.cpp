//===- ExpandNarrowing.cpp - f64 to 16 bits without the C library ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Lowering/Passes.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_EXPANDNARROWINGPASS
#include "passes/Lowering/Passes.h.inc"

namespace {
/// Rounding to f32 and then to 16 bits could round the same half twice. Rounding to odd in between can't: an inexact
/// f32 gets its last bit set, which says on which side of every 16-bit tie the number lies.
struct ExpandTruncation : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &b) const override {
    if (!op.getIn().getType().isF64() || op.getType().getIntOrFloatBitWidth() != 16)
      return failure();
    Location loc = op.getLoc();
    Type f32 = b.getF32Type(), f64 = b.getF64Type(), i32 = b.getI32Type();
    Value x = op.getIn(), nearest = arith::TruncFOp::create(b, loc, f32, x);
    Value back = arith::ExtFOp::create(b, loc, f64, nearest);
    Value bits = arith::BitcastOp::create(b, loc, i32, nearest);
    auto integer = [&](int64_t v) -> Value { return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(v)); };
    Value magnitude = math::AbsFOp::create(b, loc, x), reached = math::AbsFOp::create(b, loc, back);
    Value inexact = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ONE, magnitude, reached);
    Value isEven = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                         arith::AndIOp::create(b, loc, bits, integer(1)), integer(0));
    Value beyond = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, reached, magnitude);
    // The neighbour on the other side of the number has the other last bit.
    Value step = arith::SelectOp::create(b, loc, beyond, integer(-1), integer(1));
    Value adjust = arith::AndIOp::create(b, loc, inexact, isEven);
    Value odd = arith::SelectOp::create(b, loc, adjust, arith::AddIOp::create(b, loc, bits, step), bits);
    b.replaceOpWithNewOp<arith::TruncFOp>(op, op.getType(), arith::BitcastOp::create(b, loc, f32, odd));
    return success();
  }
};

struct ExpandNarrowing : impl::ExpandNarrowingPassBase<ExpandNarrowing> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandTruncation>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
} // namespace mxn
