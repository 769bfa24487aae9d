//===- Pooling.cpp - Extremes and means of windows ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "passes/Import/Loops.h"
#include "passes/Import/Reduction.h"
#include "passes/Import/Window.h"

using namespace mlir;

namespace mxn {

//===----------------------------------------------------------------------===//
// Over the whole image
//===----------------------------------------------------------------------===//

static SmallVector<int64_t> imageAxes(int64_t rank) { return llvm::to_vector(llvm::seq<int64_t>(2, rank)); }

static LogicalResult inferGlobalPool(InferContext &c) {
  Dims dims = c.dims(0);
  if (dims.size() < 3)
    return c.error() << "its input must have at least three dimensions";
  c.setDims(0, withoutAxes(dims, imageAxes(dims.size()), /*keep=*/true));
  return success();
}

static FailureOr<SmallVector<Value>> lowerGlobalPool(LowerContext &c, Reduce kind) {
  Dims dims = c.dims(0);
  SmallVector<int64_t> axes = imageAxes(dims.size());
  Value v = reduceAxes(c, kind, c.input(0), dims, c.inputElement(0), axes);
  return SmallVector<Value>{c.reshape(v, withoutAxes(dims, axes, /*keep=*/false), c.outputDims())};
}

void addPoolingHandlers(HandlerRegistry &r) {
  auto global = [](Reduce kind) -> Handler {
    return {inferGlobalPool, [kind](LowerContext &c) { return lowerGlobalPool(c, kind); }};
  };
  r.add("", "GlobalAveragePool", 1, global(Reduce::Mean));
  r.add("", "GlobalMaxPool", 1, global(Reduce::Max));
}

} // namespace mxn
