//===- Matrix.cpp - Matrix products ---------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Import/Loops.h"

using namespace mlir;

namespace mxn {

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// A product as numpy has it: [batch..., M, K] by [batch..., K, N], where a matrix of one dimension is a row or a
/// column that the result doesn't have.
struct MatrixProduct {
  Dims a, b, batch;
  bool rows, columns; // whether M and N are there

  MatrixProduct(Dims a, Dims b) : a(a), b(b), rows(a.size() > 1), columns(b.size() > 1) {}
  Dims batchOf(ArrayRef<SymbolicExpr> dims) const { return Dims(dims.drop_back(std::min<size_t>(2, dims.size()))); }
  const SymbolicExpr &m() const { return a[a.size() - 2]; }
  const SymbolicExpr &n() const { return b.back(); }
  Dims result() const {
    Dims dims = batch;
    if (rows)
      dims.push_back(m());
    if (columns)
      dims.push_back(n());
    return dims;
  }
  // Loops: batch, m, n, k.
  int64_t mLoop() const { return batch.size(); }
  int64_t nLoop() const { return mLoop() + rows; }
  int64_t kLoop() const { return nLoop() + columns; }

  LoopOperand matrix(Value tensor, bool left) const {
    ArrayRef<SymbolicExpr> dims = left ? a : b;
    if (dims.size() == 1)
      return {tensor, {kLoop()}};
    // The batch dimensions are broadcast; m, n and k are not.
    LoopOperand operand{tensor, {}};
    int64_t batches = dims.size() - 2;
    for (int64_t i = 0; i < batches; ++i) {
      int64_t loop = batch.size() - batches + i;
      operand.loops.push_back(dims[i].isConstant(1) && !batch[loop].isConstant(1) ? -1 : loop);
    }
    operand.loops.push_back(left ? mLoop() : kLoop());
    operand.loops.push_back(left ? kLoop() : nLoop());
    return operand;
  }

  /// A scale or zero point: one for all, one for each row (left) or column, or of the matrix's rank with 1 for k.
  LoopOperand parameter(Value tensor, bool left) const {
    auto type = cast<RankedTensorType>(tensor.getType());
    LoopOperand operand{tensor, {}};
    int64_t rank = type.getRank(), along = left ? (rows ? mLoop() : -1) : (columns ? nLoop() : -1);
    for (int64_t i = 0; i < rank; ++i) {
      int64_t loop = batch.size() - (rank - 2) + i;
      if (type.getDimSize(i) == 1)
        operand.loops.push_back(-1);
      else if (rank == 1 || i == (left ? rank - 2 : rank - 1))
        operand.loops.push_back(along);
      else
        operand.loops.push_back(loop);
    }
    return operand;
  }
};

static LogicalResult inferMatrixProduct(InferContext &c, unsigned left, unsigned right) {
  MatrixProduct p(c.dims(left), c.dims(right));
  if (p.a.empty() || p.b.empty())
    return c.error() << "its inputs must have at least one dimension";
  if (failed(c.equate(p.a.back(), p.columns ? p.b[p.b.size() - 2] : p.b[0], "the inner dimensions")))
    return failure();
  // The equality may have told what the dimensions are.
  p = MatrixProduct(c.dims(left), c.dims(right));
  p.batch = c.broadcast(p.batchOf(p.a), p.batchOf(p.b));
  c.setDims(0, p.result());
  return success();
}

static MatrixProduct matrixProduct(LowerContext &c, unsigned left, unsigned right) {
  MatrixProduct p(c.dims(left), c.dims(right));
  Dims out = c.outputDims();
  p.batch = Dims(ArrayRef<SymbolicExpr>(out).drop_back(p.rows + p.columns));
  return p;
}

//===----------------------------------------------------------------------===//
// MatMul
//===----------------------------------------------------------------------===//

template <typename Op>
static Value namedProduct(LowerContext &c, Value a, Value b, ArrayRef<SymbolicExpr> dims, Type type) {
  Value init = c.filled(dims, c.constant(type, 0));
  return Op::create(c.b, c.loc, TypeRange(init.getType()), ValueRange{a, b}, ValueRange(init)).getResult(0);
}

/// The product in the type that sums are made in.
static Value lowerProduct(LowerContext &c, const MatrixProduct &p, Value a, Value b) {
  Type type = accumulatorType(cast<RankedTensorType>(a.getType()).getElementType());
  Dims dims = p.result();
  if (p.a.size() == 1 && p.b.size() == 1)
    return namedProduct<linalg::DotOp>(c, a, b, dims, type);
  if (p.a.size() == 1 && p.b.size() == 2)
    return namedProduct<linalg::VecmatOp>(c, a, b, dims, type);
  if (p.a.size() == 2 && p.b.size() == 1)
    return namedProduct<linalg::MatvecOp>(c, a, b, dims, type);
  if (p.a.size() >= 2 && p.b.size() == 2) {
    // All rows of all batches meet the same matrix: one product of more rows.
    SymbolicExpr rows = product(p.batchOf(p.a)) * p.m();
    Value flat = c.reshape(a, p.a, {rows, p.a.back()});
    Value y = namedProduct<linalg::MatmulOp>(c, flat, b, {rows, p.n()}, type);
    return c.reshape(y, {rows, p.n()}, dims);
  }
  if (p.rows && p.columns && p.batchOf(p.a) == p.batchOf(p.b)) {
    SymbolicExpr count = product(p.batch);
    Value x = c.reshape(a, p.a, {count, p.m(), p.a.back()});
    Value y = c.reshape(b, p.b, {count, p.a.back(), p.n()});
    Value z = namedProduct<linalg::BatchMatmulOp>(c, x, y, {count, p.m(), p.n()}, type);
    return c.reshape(z, {count, p.m(), p.n()}, dims);
  }
  return loopNest(c, p.kLoop() + 1, {p.matrix(a, true), p.matrix(b, false)}, c.filled(dims, c.constant(type, 0)),
                  allLoops(dims.size()), [&](ScalarBuilder &s, ValueRange v) {
                    return s.add(v[2], s.mul(s.convert(v[0], type), s.convert(v[1], type)));
                  });
}

static FailureOr<SmallVector<Value>> lowerMatMul(LowerContext &c) {
  Value y = lowerProduct(c, matrixProduct(c, 0, 1), c.input(0), c.input(1));
  return SmallVector<Value>{convertTensor(c, y, c.outputDims(), LowerContext::lowered(c.outputElement()))};
}

//===----------------------------------------------------------------------===//
// Gemm
//===----------------------------------------------------------------------===//

static LogicalResult inferGemm(InferContext &c) {
  Dims a = c.dims(0), b = c.dims(1);
  if (a.size() != 2 || b.size() != 2)
    return c.error() << "A and B must have two dimensions";
  bool transA = c.node.intAttr("transA", 0), transB = c.node.intAttr("transB", 0);
  if (failed(c.equate(a[transA ? 0 : 1], b[transB ? 1 : 0], "the inner dimensions")))
    return failure();
  Dims out = {c.dims(0)[transA ? 1 : 0], c.dims(1)[transB ? 0 : 1]};
  if (c.hasInput(2)) {
    if (c.dims(2).size() > 2)
      return c.error() << "C must have at most two dimensions";
    (void)c.broadcast(out, c.dims(2)); // C follows the product; where sizes could differ, a guard says so
  }
  c.setDims(0, out);
  return success();
}

static FailureOr<SmallVector<Value>> lowerGemm(LowerContext &c) {
  bool transA = c.node.intAttr("transA", 0), transB = c.node.intAttr("transB", 0);
  double alpha = c.node.floatAttr("alpha", 1), beta = c.node.floatAttr("beta", 1);
  Type element = LowerContext::lowered(c.outputElement()), type = accumulatorType(element);
  bool bias = c.hasInput(2) && beta != 0;
  if (isa<IntegerType>(element) && (alpha != std::trunc(alpha) || beta != std::trunc(beta)))
    return c.error() << "alpha and beta must be whole numbers for integer inputs";
  Dims dims = c.outputDims();
  MLIRContext *context = c.b.getContext();
  AffineExpr m = getAffineDimExpr(0, context), n = getAffineDimExpr(1, context), k = getAffineDimExpr(2, context);
  auto map = [&](AffineExpr x, AffineExpr y) { return AffineMapAttr::get(AffineMap::get(3, 0, {x, y}, context)); };
  SmallVector<NamedAttribute> attributes;
  if (transA || transB)
    attributes.push_back(c.b.getNamedAttr(
        "indexing_maps",
        c.b.getArrayAttr({transA ? map(k, m) : map(m, k), transB ? map(n, k) : map(k, n), map(m, n)})));
  Value init = c.filled(dims, c.constant(type, 0));
  Value y = linalg::MatmulOp::create(c.b, c.loc, TypeRange(init.getType()), ValueRange{c.input(0), c.input(1)},
                                     ValueRange(init), attributes)
                .getResult(0);
  if (!bias && alpha == 1)
    return SmallVector<Value>{convertTensor(c, y, dims, element)};
  SmallVector<LoopOperand> operands = {{y, allLoops(2)}};
  if (bias)
    operands.push_back(trailing(c.input(2), dims, 2));
  Value z = compute(c, operands, dims, element, [&](ScalarBuilder &s, ValueRange v) {
    Value sum = alpha == 1 ? v[0] : s.mul(v[0], s.number(type, alpha));
    if (bias) {
      Value offset = s.convert(v[1], type);
      sum = s.add(sum, beta == 1 ? offset : s.mul(offset, s.number(type, beta)));
    }
    return s.convert(sum, element);
  });
  return SmallVector<Value>{z};
}

//===----------------------------------------------------------------------===//
// Products of quantised matrices
//===----------------------------------------------------------------------===//

/// The product of A - zero point and B - zero point in i32. A zero point may be absent.
static Value integerProduct(LowerContext &c, const MatrixProduct &p, unsigned a, unsigned b, unsigned aZero,
                            unsigned bZero) {
  SmallVector<LoopOperand> operands = {p.matrix(c.input(a), true), p.matrix(c.input(b), false)};
  bool hasA = c.hasInput(aZero), hasB = c.hasInput(bZero);
  if (hasA)
    operands.push_back(p.parameter(c.input(aZero), true));
  if (hasB)
    operands.push_back(p.parameter(c.input(bZero), false));
  Type i32 = c.b.getI32Type();
  Dims dims = p.result();
  bool aUnsigned = LowerContext::isUnsigned(c.inputElement(a)), bUnsigned = LowerContext::isUnsigned(c.inputElement(b));
  return loopNest(c, p.kLoop() + 1, operands, c.filled(dims, c.constant(i32, 0)), allLoops(dims.size()),
                  [&](ScalarBuilder &s, ValueRange v) {
                    ScalarBuilder sa(s.b, s.loc, aUnsigned), sb(s.b, s.loc, bUnsigned);
                    Value x = sa.convert(v[0], i32), y = sb.convert(v[1], i32);
                    if (hasA)
                      x = s.sub(x, sa.convert(v[2], i32));
                    if (hasB)
                      y = s.sub(y, sb.convert(v[2 + hasA], i32));
                    return s.add(v.back(), s.mul(x, y));
                  });
}

static FailureOr<SmallVector<Value>> lowerMatMulInteger(LowerContext &c) {
  return SmallVector<Value>{integerProduct(c, matrixProduct(c, 0, 1), 0, 1, 2, 3)};
}

// Inputs: a, its scale and zero point, b, its scale and zero point, the result's scale and zero point.
static FailureOr<SmallVector<Value>> lowerQLinearMatMul(LowerContext &c) {
  for (unsigned i : {0u, 3u})
    if (!c.inputElement(i).isIntOrIndex())
      return c.error() << "inputs of type " << c.inputElement(i) << " aren't supported";
  MatrixProduct p = matrixProduct(c, 0, 3);
  Value sum = integerProduct(c, p, 0, 3, 2, 5);
  Dims dims = c.outputDims();
  Type element = c.outputElement(), f32 = c.b.getF32Type(), i32 = c.b.getI32Type();
  SmallVector<LoopOperand> operands = {{sum, allLoops(dims.size())},
                                       p.parameter(c.input(1), true),
                                       p.parameter(c.input(4), false),
                                       p.parameter(c.input(6), true),
                                       p.parameter(c.input(7), true)};
  Value y = compute(c, operands, dims, LowerContext::lowered(element), [&](ScalarBuilder &s, ValueRange v) {
    Value scale = s.div(s.mul(s.convert(v[1], f32), s.convert(v[2], f32)), s.convert(v[3], f32));
    Value zero = ScalarBuilder(s.b, s.loc, LowerContext::isUnsigned(element)).convert(v[4], i32);
    Value scaled = s.mul(s.convert(v[0], f32), scale);
    Value rounded = math::RoundEvenOp::create(s.b, s.loc, scaled);
    return s.quantize(s.add(rounded, s.convert(zero, f32)), element);
  });
  return SmallVector<Value>{y};
}

void addMatrixHandlers(HandlerRegistry &r) {
  auto product = [](unsigned left, unsigned right) {
    return [left, right](InferContext &c) { return inferMatrixProduct(c, left, right); };
  };
  r.add("", "MatMul", 1, {product(0, 1), lowerMatMul});
  r.add("", "Gemm", 6, {inferGemm, lowerGemm});
  r.add("", "MatMulInteger", 10, {product(0, 1), lowerMatMulInteger});
  r.add("", "QLinearMatMul", 10, {product(0, 3), lowerQLinearMatMul});
}

} // namespace mxn
