//===- LowerContext.cpp - What handlers build with ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Program/ProgramDialect.h"
#include "lib/Support/Materialize.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "passes/Import/Lowering.h"

using namespace mlir;

namespace mxn {

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

Value Lowering::size(const SymbolicExpr &e, Location loc) {
  auto found = sizes.find(e.str());
  if (found != sizes.end())
    return found->second;
  OpBuilder b(func.getContext());
  if (anchor)
    b.setInsertionPointAfter(anchor);
  else
    b.setInsertionPointToStart(&func.getBody().front());
  Value v = materialize(b, loc, e, [&](StringRef name) {
    Value &symbol = sizes[name.str()];
    if (!symbol)
      symbol = program::SymbolOp::create(b, loc, b.getIndexType(), name);
    return symbol;
  });
  if (b.getInsertionPoint() != b.getInsertionBlock()->begin())
    anchor = &*std::prev(b.getInsertionPoint());
  sizes[e.str()] = v;
  return v;
}

Value LowerContext::size(const SymbolicExpr &e) { return walk.size(e, loc); }

OpFoldResult LowerContext::foldedSize(const SymbolicExpr &e) {
  if (auto c = e.constant())
    return b.getIndexAttr(*c);
  return size(e);
}

SmallVector<OpFoldResult> LowerContext::foldedSizes(ArrayRef<SymbolicExpr> dims) {
  SmallVector<OpFoldResult> out;
  for (const SymbolicExpr &d : dims)
    out.push_back(foldedSize(d));
  return out;
}

Value LowerContext::index(int64_t value) { return size(SymbolicExpr(value)); }

//===----------------------------------------------------------------------===//
// Inputs, types
//===----------------------------------------------------------------------===//

Value LowerContext::input(unsigned i) { return walk.values.lookup(node.getInputs()[i]); }

Type LowerContext::element(Value onnxValue) {
  auto tensor = dyn_cast<TensorType>(onnxValue.getType());
  return tensor ? tensor.getElementType() : Type();
}

bool LowerContext::isUnsigned(Type element) { return element.isUnsignedInteger() || element.isInteger(1); }

Type LowerContext::lowered(Type element) {
  if (auto integer = dyn_cast_if_present<IntegerType>(element)) {
    // Types below 8 bits are packed in memory, which the kernels don't read yet; bool is a byte.
    if (integer.getWidth() != 1 && integer.getWidth() < 8)
      return Type();
    return IntegerType::get(element.getContext(), integer.getWidth());
  }
  return isa_and_present<FloatType>(element) && element.getIntOrFloatBitWidth() >= 8 ? element : Type();
}

Dims LowerContext::dimsOf(Value onnxValue) {
  Dims dims;
  auto type = llvm::cast<RankedTensorType>(onnxValue.getType());
  auto encoded = dyn_cast_if_present<onnx::DimsAttr>(type.getEncoding());
  for (int64_t i = 0; i < type.getRank(); ++i)
    dims.push_back(encoded ? *SymbolicExpr::parse(encoded.getExprs()[i].getValue()) : SymbolicExpr(type.getDimSize(i)));
  return dims;
}

Dims LowerContext::dims(unsigned i) { return dimsOf(node.getInputs()[i]); }
Dims LowerContext::outputDims(unsigned i) { return dimsOf(node.getOutputs()[i]); }

std::optional<Dims> LowerContext::values(unsigned i) {
  return hasInput(i) ? valuesOf(node.getInputs()[i]) : std::nullopt;
}

std::optional<Dims> LowerContext::valuesOf(Value v) {
  if (auto constant = v.getDefiningOp<onnx::ConstantOp>()) {
    auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (!dense || !isa<IntegerType>(dense.getElementType()))
      return std::nullopt;
    Dims out;
    for (const APInt &value : dense.getValues<APInt>())
      out.push_back(isUnsigned(dense.getElementType()) ? static_cast<int64_t>(value.getLimitedValue(INT64_MAX))
                                                       : value.getSExtValue());
    return out;
  }
  auto producer = v.getDefiningOp<onnx::NodeOp>();
  if (!producer || !producer.getKnownAttr())
    return std::nullopt;
  auto known = dyn_cast<onnx::ValuesAttr>(producer.getKnownAttr()[llvm::cast<OpResult>(v).getResultNumber()]);
  if (!known)
    return std::nullopt;
  Dims out;
  for (StringAttr e : known.getExprs())
    out.push_back(*SymbolicExpr::parse(e.getValue()));
  return out;
}

std::optional<SmallVector<int64_t>> LowerContext::constants(unsigned i) {
  auto exprs = values(i);
  if (!exprs)
    return std::nullopt;
  SmallVector<int64_t> out;
  for (const SymbolicExpr &e : *exprs) {
    if (!e.constant())
      return std::nullopt;
    out.push_back(*e.constant());
  }
  return out;
}

std::optional<SmallVector<int64_t>> LowerContext::constantsOrAttr(StringRef attr, unsigned i) {
  if (node.has(attr))
    return node.intsAttr(attr);
  return constants(i);
}

DenseElementsAttr LowerContext::denseConstant(unsigned i) {
  auto constant = hasInput(i) ? node.getInputs()[i].getDefiningOp<onnx::ConstantOp>() : nullptr;
  return constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : DenseElementsAttr();
}

RankedTensorType LowerContext::type(ArrayRef<SymbolicExpr> dims, Type element) {
  SmallVector<int64_t> shape;
  for (const SymbolicExpr &d : dims)
    shape.push_back(d.constant() && *d.constant() >= 0 ? *d.constant() : ShapedType::kDynamic);
  return RankedTensorType::get(shape, element);
}

RankedTensorType LowerContext::outputType(unsigned i) { return type(outputDims(i), lowered(outputElement(i))); }

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

Value LowerContext::empty(ArrayRef<SymbolicExpr> dims, Type element) {
  return tensor::EmptyOp::create(b, loc, foldedSizes(dims), element);
}

Value LowerContext::filled(ArrayRef<SymbolicExpr> dims, Value scalar) {
  return linalg::FillOp::create(b, loc, scalar, empty(dims, scalar.getType())).getResult(0);
}

Value LowerContext::constant(Type type, double value) {
  if (isa<FloatType>(type))
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(type, value));
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, static_cast<int64_t>(value)));
}

Value LowerContext::elementwise(ValueRange inputs, ArrayRef<SymbolicExpr> dims, Type element, Body body) {
  MLIRContext *context = b.getContext();
  int64_t rank = dims.size();
  SmallVector<AffineMap> maps;
  for (Value input : inputs) {
    auto type = llvm::cast<RankedTensorType>(input.getType());
    SmallVector<AffineExpr> exprs;
    for (int64_t i = 0; i < type.getRank(); ++i) {
      int64_t d = rank - type.getRank() + i;
      // A dimension of 1 is read again for every element, unless the result's is 1 too.
      bool once = type.getDimSize(i) == 1 && !dims[d].isConstant(1);
      exprs.push_back(once ? getAffineConstantExpr(0, context) : getAffineDimExpr(d, context));
    }
    maps.push_back(AffineMap::get(rank, 0, exprs, context));
  }
  maps.push_back(AffineMap::getMultiDimIdentityMap(rank, context));
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  Value init = empty(dims, element);
  return linalg::GenericOp::create(b, loc, init.getType(), inputs, init, maps, iterators,
                                   [&](OpBuilder &nested, Location at, ValueRange args) {
                                     Value r = body(nested, at, args.drop_back());
                                     linalg::YieldOp::create(nested, at, r);
                                   })
      .getResult(0);
}

Value LowerContext::reshape(Value tensor, ArrayRef<SymbolicExpr> from, ArrayRef<SymbolicExpr> to) {
  Type element = llvm::cast<RankedTensorType>(tensor.getType()).getElementType();
  if (Dims(from) == Dims(to))
    return tensor;
  // Through one dimension: both steps only reinterpret contiguous memory.
  SymbolicExpr count(1);
  for (const SymbolicExpr &d : from)
    count = count * d;
  SymbolicExpr target(1);
  for (const SymbolicExpr &d : to)
    target = target * d;
  if (!target.constant() && count.constant())
    count = target; // the symbols tell the same number; expand_shape wants the dynamic type
  auto group = [](size_t rank) {
    SmallVector<ReassociationIndices> all(1);
    for (size_t i = 0; i < rank; ++i)
      all[0].push_back(i);
    return rank ? all : SmallVector<ReassociationIndices>{};
  };
  Value flat = tensor;
  if (from.size() != 1) {
    RankedTensorType flatType = type({count}, element);
    if (from.empty())
      flat = tensor::ExpandShapeOp::create(b, loc, flatType, tensor, ArrayRef<ReassociationIndices>{},
                                           foldedSizes({SymbolicExpr(1)}));
    else
      flat = tensor::CollapseShapeOp::create(b, loc, tensor, group(from.size()));
  }
  if (to.size() == 1) {
    RankedTensorType want = type(to, element);
    return flat.getType() == want ? flat : tensor::CastOp::create(b, loc, want, flat).getResult();
  }
  RankedTensorType want = type(to, element);
  if (to.empty())
    return tensor::CollapseShapeOp::create(
        b, loc, want,
        flat.getType() == type({SymbolicExpr(1)}, element)
            ? flat
            : tensor::CastOp::create(b, loc, type({SymbolicExpr(1)}, element), flat).getResult(),
        ArrayRef<ReassociationIndices>{});
  // expand_shape demands that a dynamic result comes from a dynamic source, and a static one from a static source.
  RankedTensorType source =
      type({want.hasStaticShape() ? SymbolicExpr(want.getNumElements()) : SymbolicExpr::symbol("n")}, element);
  if (flat.getType() != source)
    flat = tensor::CastOp::create(b, loc, source, flat);
  return tensor::ExpandShapeOp::create(b, loc, want, flat, group(to.size()), foldedSizes(to));
}

Value LowerContext::transpose(Value tensor, ArrayRef<SymbolicExpr> from, ArrayRef<int64_t> permutation) {
  Dims to;
  for (int64_t p : permutation)
    to.push_back(from[p]);
  Type element = llvm::cast<RankedTensorType>(tensor.getType()).getElementType();
  return linalg::TransposeOp::create(b, loc, tensor, empty(to, element), permutation).getResult()[0];
}

Value LowerContext::reduce(Value tensor, ArrayRef<SymbolicExpr> from, ArrayRef<int64_t> axes, Value init, Body body) {
  MLIRContext *context = b.getContext();
  int64_t rank = from.size();
  Dims to;
  SmallVector<AffineExpr> kept;
  SmallVector<utils::IteratorType> iterators;
  for (int64_t i = 0; i < rank; ++i) {
    bool reduced = llvm::is_contained(axes, i);
    iterators.push_back(reduced ? utils::IteratorType::reduction : utils::IteratorType::parallel);
    if (reduced)
      continue;
    kept.push_back(getAffineDimExpr(i, context));
    to.push_back(from[i]);
  }
  Value start = filled(to, init);
  SmallVector<AffineMap> maps = {AffineMap::getMultiDimIdentityMap(rank, context),
                                 AffineMap::get(rank, 0, kept, context)};
  return linalg::GenericOp::create(b, loc, start.getType(), tensor, start, maps, iterators,
                                   [&](OpBuilder &nested, Location at, ValueRange args) {
                                     linalg::YieldOp::create(nested, at, body(nested, at, args));
                                   })
      .getResult(0);
}

Value LowerContext::cast(OpBuilder &b, Location loc, Value v, Type from, Type to) {
  Type target = lowered(to);
  bool fromFloat = isa<FloatType>(from), toFloat = isa<FloatType>(to);
  if (lowered(from) == target && isUnsigned(from) == isUnsigned(to))
    return v;
  unsigned width = lowered(from).getIntOrFloatBitWidth(), wide = target.getIntOrFloatBitWidth();
  if (to.isInteger(1)) { // anything but zero is true, NaN too
    Value zero = fromFloat ? arith::ConstantOp::create(b, loc, b.getFloatAttr(lowered(from), 0.0)).getResult()
                           : arith::ConstantOp::create(b, loc, b.getIntegerAttr(lowered(from), 0)).getResult();
    return fromFloat ? arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE, v, zero).getResult()
                     : arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, v, zero).getResult();
  }
  if (fromFloat && toFloat) {
    if (width < wide)
      return arith::ExtFOp::create(b, loc, target, v);
    if (width > wide)
      return arith::TruncFOp::create(b, loc, target, v);
    Value f32 = arith::ExtFOp::create(b, loc, b.getF32Type(), v); // fp16 to bf16 and back
    return arith::TruncFOp::create(b, loc, target, f32);
  }
  if (fromFloat) // towards zero; out of range is undefined in ONNX
    return isUnsigned(to) ? arith::FPToUIOp::create(b, loc, target, v).getResult()
                          : arith::FPToSIOp::create(b, loc, target, v).getResult();
  if (toFloat)
    return isUnsigned(from) ? arith::UIToFPOp::create(b, loc, target, v).getResult()
                            : arith::SIToFPOp::create(b, loc, target, v).getResult();
  if (width < wide)
    return isUnsigned(from) ? arith::ExtUIOp::create(b, loc, target, v).getResult()
                            : arith::ExtSIOp::create(b, loc, target, v).getResult();
  if (width > wide)
    return arith::TruncIOp::create(b, loc, target, v);
  return v;
}

} // namespace mxn
