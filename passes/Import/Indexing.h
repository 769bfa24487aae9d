//===- Indexing.h - What the operators that move elements share -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Private to passes/Import. The data movement families are spread over several files; each has one function that adds
// its handlers, which addDataMovementHandlers and addGatherHandlers call.
//
#ifndef MXN_PASSES_IMPORT_INDEXING_H
#define MXN_PASSES_IMPORT_INDEXING_H

#include "passes/Import/Handlers.h"

namespace mxn {

using Lowered = mlir::FailureOr<llvm::SmallVector<mlir::Value>>;

/// A handler whose lowering refuses nodes with elements that have no lowered form (strings, 4-bit types).
Handler movement(std::function<mlir::LogicalResult(InferContext &)> infer,
                 std::function<Lowered(LowerContext &)> lower);

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

std::optional<llvm::SmallVector<int64_t>> constantDims(llvm::ArrayRef<SymbolicExpr> dims);
/// The node's axis attribute counted from the front; an error where it is outside of [-rank, rank).
template <typename Context> mlir::FailureOr<int64_t> axisAttr(Context &c, int64_t absent, int64_t rank) {
  int64_t given = c.node.intAttr("axis", absent);
  if (auto axis = normalizeAxis(given, rank))
    return *axis;
  return c.error() << "axis " << given << " is outside of a tensor with " << rank << " dimensions";
}
/// Axes counted from the front; an error where one is out of range or comes twice.
template <typename Context>
mlir::FailureOr<llvm::SmallVector<int64_t>> normalizeAxes(Context &c, llvm::ArrayRef<int64_t> given, int64_t rank) {
  llvm::SmallVector<int64_t> out;
  for (int64_t a : given) {
    auto axis = normalizeAxis(a, rank);
    if (!axis)
      return c.error() << "axis " << a << " is outside of a tensor with " << rank << " dimensions";
    if (llvm::is_contained(out, *axis))
      return c.error() << "axis " << a << " is given twice";
    out.push_back(*axis);
  }
  return out;
}
/// States that a size is at least `least`; where that isn't certain, a guard checks it at call time.
mlir::LogicalResult requireAtLeast(InferContext &c, const SymbolicExpr &size, const SymbolicExpr &least,
                                   const llvm::Twine &what);
/// Sets the values of a result of constant shape `dims`, whose element at an index is at(index).
void trackElements(InferContext &c, unsigned result, llvm::ArrayRef<SymbolicExpr> dims,
                   llvm::function_ref<SymbolicExpr(llvm::ArrayRef<int64_t>)> at);
/// The row-major position of `index` in a tensor of shape `dims`.
int64_t linearize(llvm::ArrayRef<int64_t> index, llvm::ArrayRef<int64_t> dims);
/// The shape that the model states for a result, in its types or as an output of the graph; only where all of it is
/// constant. It is what is left where an operand that decides the shape isn't known when compiling.
std::optional<Dims> declaredDims(onnx::NodeOp node, unsigned result);
/// Takes the shapes that the model states; results without stay unknown, which the lowering refuses.
mlir::LogicalResult inferDeclared(InferContext &c);
/// Fails unless every dimension of the output is constant, as it is where it comes from declaredDims.
mlir::LogicalResult requireStaticOutput(LowerContext &c, llvm::StringRef operand);

//===----------------------------------------------------------------------===//
// Lowering
//===----------------------------------------------------------------------===//

/// A tensor that a linalg.generic reads, and where.
struct Read {
  mlir::Value tensor;
  mlir::AffineMap map;
};
using IndexBody = llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange indices,
                                                 mlir::ValueRange elements)>;
/// A tensor of shape `dims` whose element at `indices` is what `body` computes; `elements` are those of `reads`.
mlir::Value generate(LowerContext &c, llvm::ArrayRef<SymbolicExpr> dims, mlir::Type element, llvm::ArrayRef<Read> reads,
                     IndexBody body);
/// An index of type i32 or i64 that may count from the end, as an index into a dimension of `size` elements. One out of
/// range fails the call and becomes one in range. The result has type index.
mlir::Value checkedIndex(mlir::OpBuilder &b, mlir::Location loc, mlir::Value index, mlir::Value size,
                         bool fromEnd = true);
/// `index` forced into [0, size).
mlir::Value clampIndex(mlir::OpBuilder &b, mlir::Location loc, mlir::Value index, mlir::Value size);
/// One dispatch whose body is built at `c.b`.
llvm::SmallVector<mlir::Value> buildRegion(LowerContext &c, mlir::TypeRange types,
                                           llvm::function_ref<llvm::SmallVector<mlir::Value>()> body);
using TensorLoopBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    mlir::OpBuilder &, mlir::Location, mlir::ValueRange indices, mlir::ValueRange carried)>;
/// Loops over all indices of `dims`, the last one fastest, that carry `init`.
llvm::SmallVector<mlir::Value> buildLoops(mlir::OpBuilder &b, mlir::Location loc, mlir::ValueRange sizes,
                                          mlir::ValueRange init, TensorLoopBody body);
llvm::SmallVector<mlir::Value> sizeValues(LowerContext &c, llvm::ArrayRef<SymbolicExpr> dims);

/// Part of a tensor: `sizes` elements from `offsets` on, every `strides`-th.
mlir::Value extractSlice(LowerContext &c, mlir::Value tensor, llvm::ArrayRef<SymbolicExpr> offsets,
                         llvm::ArrayRef<SymbolicExpr> sizes, llvm::ArrayRef<int64_t> strides = {});
mlir::Value insertSlice(LowerContext &c, mlir::Value part, mlir::Value into, llvm::ArrayRef<SymbolicExpr> offsets,
                        llvm::ArrayRef<SymbolicExpr> sizes);

//===----------------------------------------------------------------------===//
// The families, by file
//===----------------------------------------------------------------------===//

void addReshapeHandlers(HandlerRegistry &);
void addSliceHandlers(HandlerRegistry &);
void addPadHandlers(HandlerRegistry &);
void addScatterHandlers(HandlerRegistry &);
void addSelectionHandlers(HandlerRegistry &);

} // namespace mxn

#endif
