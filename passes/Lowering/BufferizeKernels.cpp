//===- BufferizeKernels.cpp - From tensors to memory inside kernels -------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Lowering/Passes.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_BUFFERIZEKERNELSPASS
#include "passes/Lowering/Passes.h.inc"

namespace {
/// Temporaries up to this many bytes go on the stack.
constexpr int64_t kStackBytes = 16384;

struct BufferizeKernels : impl::BufferizeKernelsPassBase<BufferizeKernels> {
  void runOnOperation() override {
    bufferization::OneShotBufferizationOptions options;
    options.allocationFn = [](OpBuilder &b, Location loc, MemRefType type, ValueRange sizes, unsigned alignment) {
      auto align = b.getI64IntegerAttr(alignment);
      if (type.hasStaticShape() && type.getNumElements() * type.getElementTypeBitWidth() / 8 <= kStackBytes)
        return FailureOr<Value>(memref::AllocaOp::create(b, loc, type, sizes, align).getResult());
      return FailureOr<Value>(memref::AllocOp::create(b, loc, type, sizes, align).getResult());
    };
    options.memCpyFn = [](OpBuilder &b, Location loc, Value from, Value to) {
      linalg::CopyOp::create(b, loc, from, to);
      return success();
    };
    IRRewriter rewriter(&getContext());
    bufferization::OneShotAnalysisState state(getOperation(), options);
    bufferization::BufferizationState buffers;
    if (failed(bufferization::analyzeOp(getOperation(), state)) ||
        failed(bufferization::eliminateEmptyTensors(rewriter, getOperation(), state)) ||
        failed(bufferization::runOneShotBufferize(getOperation(), options, buffers)))
      return signalPassFailure();
    // Vectors that were read from and written to tensors are loaded and stored.
    RewritePatternSet transfers(&getContext());
    vector::populateVectorTransferLoweringPatterns(transfers, /*maxTransferRank=*/1);
    if (failed(applyPatternsGreedily(getOperation(), std::move(transfers))))
      signalPassFailure();
  }
};
} // namespace
} // namespace mxn
