//===- Indexing.cpp - What the operators that move elements share ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Indexing.h"
#include "dialects/Kernel/KernelDialect.h"
#include "dialects/Program/ProgramDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace mxn {

Handler movement(std::function<LogicalResult(InferContext &)> infer, std::function<Lowered(LowerContext &)> lower) {
  return {std::move(infer), [lower = std::move(lower)](LowerContext &c) -> Lowered {
            auto refuse = [&](Value v) {
              return isa<TensorType>(v.getType()) && !LowerContext::lowered(LowerContext::element(v));
            };
            for (ValueRange values : {ValueRange(c.node.getInputs()), ValueRange(c.node.getOutputs())})
              for (Value v : values)
                if (refuse(v))
                  return c.error() << "elements of type " << LowerContext::element(v) << " aren't supported";
            Lowered results = lower(c);
            if (failed(results))
              return failure();
            // Sizes that a guard makes equal may be a number on one side and an expression on the other.
            for (auto [i, v] : llvm::enumerate(*results))
              if (v && isa<RankedTensorType>(c.node.getOutputs()[i].getType()))
                if (RankedTensorType want = c.outputType(i); v.getType() != want)
                  v = tensor::CastOp::create(c.b, c.loc, want, v);
            return results;
          }};
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

std::optional<SmallVector<int64_t>> constantDims(ArrayRef<SymbolicExpr> dims) {
  SmallVector<int64_t> out;
  for (const SymbolicExpr &d : dims) {
    if (!d.constant())
      return std::nullopt;
    out.push_back(*d.constant());
  }
  return out;
}

LogicalResult requireAtLeast(InferContext &c, const SymbolicExpr &size, const SymbolicExpr &least, const Twine &what) {
  return c.equate(SymbolicExpr::min(size, least), least, what);
}

int64_t linearize(ArrayRef<int64_t> index, ArrayRef<int64_t> dims) {
  int64_t position = 0;
  for (auto [i, d] : llvm::zip_equal(index, dims))
    position = position * d + i;
  return position;
}

void trackElements(InferContext &c, unsigned result, ArrayRef<SymbolicExpr> dims,
                   function_ref<SymbolicExpr(ArrayRef<int64_t>)> at) {
  auto shape = constantDims(dims);
  if (!shape)
    return;
  int64_t count = 1;
  for (int64_t d : *shape) {
    if (d < 0 || (d && count > 4096 / d))
      return; // more than what is tracked
    count *= d;
  }
  Dims values;
  SmallVector<int64_t> index(shape->size());
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i;
    for (int64_t d = static_cast<int64_t>(shape->size()) - 1; d >= 0; --d) {
      index[d] = rest % (*shape)[d];
      rest /= (*shape)[d];
    }
    values.push_back(at(index));
  }
  c.setValues(result, values);
}

std::optional<Dims> declaredDims(onnx::NodeOp node, unsigned result) {
  Value value = node.getOutputs()[result];
  Dims dims;
  if (auto type = dyn_cast<RankedTensorType>(value.getType()); type && type.hasStaticShape()) {
    for (int64_t d : type.getShape())
      dims.push_back(d);
    return dims;
  }
  for (OpOperand &use : value.getUses()) {
    auto func = dyn_cast<func::FuncOp>(use.getOwner()->getParentOp());
    auto stated = func && isa<func::ReturnOp>(use.getOwner())
                      ? func.getResultAttrOfType<program::TensorAttr>(use.getOperandNumber(), program::kTensorAttrName)
                      : program::TensorAttr();
    if (!stated)
      continue;
    for (StringAttr e : stated.getDims())
      if (auto parsed = SymbolicExpr::parse(e.getValue()); parsed && parsed->constant())
        dims.push_back(*parsed);
      else
        return std::nullopt;
    return dims;
  }
  return std::nullopt;
}

LogicalResult inferDeclared(InferContext &c) {
  for (unsigned i = 0; i < c.node.getOutputs().size(); ++i)
    if (auto dims = declaredDims(c.node, i))
      c.setDims(i, *dims);
  return success();
}

LogicalResult requireStaticOutput(LowerContext &c, StringRef operand) {
  if (constantDims(c.outputDims()))
    return success();
  return c.error() << "its " << operand << " must be constant or computed from sizes of the inputs";
}

//===----------------------------------------------------------------------===//
// Lowering
//===----------------------------------------------------------------------===//

Value generate(LowerContext &c, ArrayRef<SymbolicExpr> dims, Type element, ArrayRef<Read> reads, IndexBody body) {
  int64_t rank = dims.size();
  SmallVector<AffineMap> maps;
  SmallVector<Value> inputs;
  for (const Read &read : reads) {
    inputs.push_back(read.tensor);
    maps.push_back(read.map);
  }
  maps.push_back(AffineMap::getMultiDimIdentityMap(rank, c.b.getContext()));
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  Value init = c.empty(dims, element);
  return linalg::GenericOp::create(c.b, c.loc, init.getType(), inputs, init, maps, iterators,
                                   [&](OpBuilder &nested, Location at, ValueRange args) {
                                     SmallVector<Value> indices;
                                     for (int64_t i = 0; i < rank; ++i)
                                       indices.push_back(linalg::IndexOp::create(nested, at, i));
                                     Value r = body(nested, at, indices, args.drop_back());
                                     linalg::YieldOp::create(nested, at, r);
                                   })
      .getResult(0);
}

Value clampIndex(OpBuilder &b, Location loc, Value index, Value size) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0), one = arith::ConstantIndexOp::create(b, loc, 1);
  Value last = arith::SubIOp::create(b, loc, size, one);
  return arith::MaxSIOp::create(b, loc, arith::MinSIOp::create(b, loc, index, last), zero);
}

Value checkedIndex(OpBuilder &b, Location loc, Value index, Value size, bool fromEnd) {
  if (!index.getType().isIndex())
    index = arith::IndexCastOp::create(b, loc, b.getIndexType(), index);
  if (fromEnd) {
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    Value negative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, index, zero);
    index = arith::SelectOp::create(b, loc, negative, arith::AddIOp::create(b, loc, index, size), index);
  }
  // As unsigned numbers, negative ones are larger than every size.
  Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, index, size);
  kernel::CheckOp::create(b, loc, inside, 1);
  return clampIndex(b, loc, index, size);
}

SmallVector<Value> buildRegion(LowerContext &c, TypeRange types, function_ref<SmallVector<Value>()> body) {
  auto region = program::RegionOp::create(c.b, c.loc, types);
  OpBuilder::InsertionGuard guard(c.b);
  c.b.createBlock(&region.getBody());
  SmallVector<Value> results = body();
  program::YieldOp::create(c.b, c.loc, results);
  return SmallVector<Value>(region.getResults());
}

SmallVector<Value> buildLoops(OpBuilder &b, Location loc, ValueRange sizes, ValueRange init, TensorLoopBody body) {
  SmallVector<Value> from(sizes.size(), arith::ConstantIndexOp::create(b, loc, 0));
  SmallVector<Value> steps(sizes.size(), arith::ConstantIndexOp::create(b, loc, 1));
  scf::LoopNest nest = scf::buildLoopNest(b, loc, from, sizes, steps, init,
                                          [&](OpBuilder &nested, Location at, ValueRange indices, ValueRange carried) {
                                            SmallVector<Value> next = body(nested, at, indices, carried);
                                            return scf::ValueVector(next.begin(), next.end());
                                          });
  return SmallVector<Value>(nest.results.begin(), nest.results.end());
}

SmallVector<Value> sizeValues(LowerContext &c, ArrayRef<SymbolicExpr> dims) {
  SmallVector<Value> out;
  for (const SymbolicExpr &d : dims)
    out.push_back(c.size(d));
  return out;
}

Value extractSlice(LowerContext &c, Value tensor, ArrayRef<SymbolicExpr> offsets, ArrayRef<SymbolicExpr> sizes,
                   ArrayRef<int64_t> strides) {
  Type element = cast<RankedTensorType>(tensor.getType()).getElementType();
  SmallVector<OpFoldResult> steps;
  for (size_t i = 0; i < sizes.size(); ++i)
    steps.push_back(c.b.getIndexAttr(strides.empty() ? 1 : strides[i]));
  // A slice without elements may begin outside of its source, where no slice may.
  if (llvm::any_of(sizes, [](const SymbolicExpr &s) { return s.isConstant(0); }))
    return c.empty(sizes, element);
  return tensor::ExtractSliceOp::create(c.b, c.loc, c.type(sizes, element), tensor, c.foldedSizes(offsets),
                                        c.foldedSizes(sizes), steps);
}

Value insertSlice(LowerContext &c, Value part, Value into, ArrayRef<SymbolicExpr> offsets,
                  ArrayRef<SymbolicExpr> sizes) {
  if (llvm::any_of(sizes, [](const SymbolicExpr &s) { return s.isConstant(0); }))
    return into;
  SmallVector<OpFoldResult> steps(sizes.size(), c.b.getIndexAttr(1));
  return tensor::InsertSliceOp::create(c.b, c.loc, part, into, c.foldedSizes(offsets), c.foldedSizes(sizes), steps);
}

} // namespace mxn
