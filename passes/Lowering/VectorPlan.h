//===- VectorPlan.h - How a reduction becomes vector code -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_PASSES_LOWERING_VECTORPLAN_H
#define MXN_PASSES_LOWERING_VECTORPLAN_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mxn {

/// The decisions for one linalg op; `vectorize-reductions` carries them out.
struct VectorPlan {
  enum class Access {
    Same,    // one element for all lanes
    Next,    // neighbours in memory
    Strided, // every n-th element
  };
  struct Input {
    Access access = Access::Same;
    int64_t stride = 1;
  };

  /// The loop that the lanes of a vector run over: a dimension of the result, or a reduction (`sumsInLanes`).
  unsigned vectorLoop = 0;
  bool sumsInLanes = false;
  int64_t lanes = 0;
  /// How many steps of each loop are done together; for the vector loop, how many vectors.
  llvm::SmallVector<int64_t> together;
  /// The same for the vector loop at an edge where other loops do one step at a time.
  int64_t vectorsAlone = 1;
  llvm::SmallVector<Input> inputs;
  /// What adds to the result, where lanes have to be added.
  mlir::Operation *combiner = nullptr;
  std::optional<mlir::vector::CombiningKind> kind;
};

/// A plan for an op on memory, or nothing where plain loops are the way.
std::optional<VectorPlan> planVectors(mlir::linalg::LinalgOp op, unsigned vectorBits);

} // namespace mxn

#endif
