//===- Loops.cpp - linalg ops over tensors with loops named by number -----===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Loops.h"
#include "dialects/Program/ProgramDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace mxn {

LoopOperand trailing(Value tensor, ArrayRef<SymbolicExpr> bounds, int64_t end) {
  auto type = cast<RankedTensorType>(tensor.getType());
  LoopOperand operand{tensor, {}};
  for (int64_t i = 0; i < type.getRank(); ++i) {
    int64_t loop = end - type.getRank() + i;
    operand.loops.push_back(type.getDimSize(i) == 1 && !bounds[loop].isConstant(1) ? -1 : loop);
  }
  return operand;
}

SmallVector<int64_t> allLoops(int64_t n) { return llvm::to_vector(llvm::seq<int64_t>(0, n)); }

SmallVector<int64_t> loopsWithout(int64_t n, ArrayRef<int64_t> axes) {
  SmallVector<int64_t> loops;
  for (int64_t i = 0; i < n; ++i)
    if (!llvm::is_contained(axes, i))
      loops.push_back(i);
  return loops;
}

Value loopNest(LowerContext &c, int64_t loops, ArrayRef<LoopOperand> operands, Value init, ArrayRef<int64_t> initLoops,
               const LoopBody &body) {
  MLIRContext *context = c.b.getContext();
  auto map = [&](ArrayRef<int64_t> at) {
    SmallVector<AffineExpr> exprs;
    for (int64_t loop : at)
      exprs.push_back(loop < 0 ? getAffineConstantExpr(0, context) : getAffineDimExpr(loop, context));
    return AffineMap::get(loops, 0, exprs, context);
  };
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (const LoopOperand &o : operands) {
    inputs.push_back(o.tensor);
    maps.push_back(map(o.loops));
  }
  maps.push_back(map(initLoops));
  SmallVector<utils::IteratorType> iterators(loops, utils::IteratorType::reduction);
  for (int64_t loop : initLoops)
    iterators[loop] = utils::IteratorType::parallel;
  return linalg::GenericOp::create(c.b, c.loc, init.getType(), inputs, init, maps, iterators,
                                   [&](OpBuilder &nested, Location at, ValueRange args) {
                                     ScalarBuilder s(nested, at);
                                     linalg::YieldOp::create(nested, at, body(s, args));
                                   })
      .getResult(0);
}

Value compute(LowerContext &c, ArrayRef<LoopOperand> operands, ArrayRef<SymbolicExpr> dims, Type element,
              const LoopBody &body) {
  SmallVector<int64_t> loops = allLoops(dims.size());
  return loopNest(c, dims.size(), operands, c.empty(dims, element), loops, body);
}

Value convertTensor(LowerContext &c, Value tensor, ArrayRef<SymbolicExpr> dims, Type element) {
  if (cast<RankedTensorType>(tensor.getType()).getElementType() == element)
    return tensor;
  return compute(c, {{tensor, allLoops(dims.size())}}, dims, element,
                 [&](ScalarBuilder &s, ValueRange v) { return s.convert(v[0], element); });
}

Value padded(LowerContext &c, Value tensor, ArrayRef<SymbolicExpr> from, ArrayRef<SymbolicExpr> before,
             ArrayRef<int64_t> strides, ArrayRef<SymbolicExpr> to, TypedAttr padding) {
  if (Dims(from) == Dims(to))
    return tensor;
  RankedTensorType type = c.type(to, padding.getType());
  auto region = program::RegionOp::create(c.b, c.loc, TypeRange(type));
  OpBuilder::InsertionGuard guard(c.b);
  c.b.setInsertionPointToStart(&region.getBody().emplaceBlock());
  Value around = c.filled(to, arith::ConstantOp::create(c.b, c.loc, padding));
  SmallVector<OpFoldResult> steps;
  for (int64_t stride : strides)
    steps.push_back(c.b.getIndexAttr(stride));
  Value whole =
      tensor::InsertSliceOp::create(c.b, c.loc, tensor, around, c.foldedSizes(before), c.foldedSizes(from), steps);
  program::YieldOp::create(c.b, c.loc, whole);
  return region.getResult(0);
}

Dims withoutAxes(ArrayRef<SymbolicExpr> dims, ArrayRef<int64_t> axes, bool keep) {
  Dims out;
  for (auto [i, d] : llvm::enumerate(dims))
    if (!llvm::is_contained(axes, static_cast<int64_t>(i)))
      out.push_back(d);
    else if (keep)
      out.push_back(1);
  return out;
}

Value sizeAsFloat(LowerContext &c, ScalarBuilder &s, const SymbolicExpr &e, Type type) {
  if (auto constant = e.constant())
    return s.number(type, static_cast<double>(*constant));
  return s.indexToFloat(c.size(e), type);
}

} // namespace mxn
