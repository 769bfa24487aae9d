//===- BlockQuantized.cpp - Weights of few bits in blocks -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// com.microsoft.MatMulNBits and GatherBlockQuantized: a row of K weights is cut into blocks, each with a scale and a
// zero point, w = scale * (q - zero). The numbers q have 2, 4 or 8 bits; the first ones of a byte stand in its lowest
// bits. Weights are made as they are used, in float32; a matrix of them is never in memory.
//
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Import/Indexing.h"
#include "passes/Import/Loops.h"

using namespace mlir;

namespace mxn {
namespace nbits {
namespace {

/// How rows are cut and packed.
struct BlockFormat {
  int64_t bits, block, perByte;

  int64_t blocks(int64_t k) const { return (k + block - 1) / block; }
  int64_t bytes(int64_t numbers) const { return (numbers + perByte - 1) / perByte; }
  double middle() const { return static_cast<double>(int64_t(1) << (bits - 1)); } // the zero point of those without

  /// The number at `place` (of type index) of those in a byte, as i32.
  Value unpack(ScalarBuilder &s, Value byte, Value place) const {
    Type i32 = s.b.getI32Type();
    Value wide = arith::ExtUIOp::create(s.b, s.loc, i32, byte);
    if (perByte == 1)
      return wide;
    Value shift = s.mul(arith::IndexCastOp::create(s.b, s.loc, i32, place), s.number(i32, bits));
    Value moved = arith::ShRUIOp::create(s.b, s.loc, wide, shift);
    return arith::AndIOp::create(s.b, s.loc, moved, s.number(i32, (int64_t(1) << bits) - 1));
  }
  /// Which byte the number `i` stands in, and its place there.
  std::pair<Value, Value> find(ScalarBuilder &s, Value i) const {
    Value count = arith::ConstantIndexOp::create(s.b, s.loc, perByte);
    if (perByte == 1)
      return {i, Value()};
    return {arith::DivUIOp::create(s.b, s.loc, i, count), arith::RemUIOp::create(s.b, s.loc, i, count)};
  }
};

template <typename Context> FailureOr<BlockFormat> formatOf(Context &c, int64_t block) {
  BlockFormat f{c.node.intAttr("bits", 4), c.node.intAttr("block_size", block), 0};
  if (f.bits != 2 && f.bits != 4 && f.bits != 8)
    return c.error() << "weights of " << f.bits << " bits aren't supported";
  if (f.block < 16 || f.block & (f.block - 1))
    return c.error() << "block_size is " << f.block << "; it must be a power of 2 and at least 16";
  f.perByte = 8 / f.bits;
  return f;
}

Type f32(ScalarBuilder &s) { return s.b.getF32Type(); }

/// scale * (q - zero)
Value dequantize(ScalarBuilder &s, Value q, Value zero, Value scale) {
  return s.mul(s.convert(scale, f32(s)), s.sub(s.convert(q, f32(s)), zero));
}

//===----------------------------------------------------------------------===//
// MatMulNBits
//===----------------------------------------------------------------------===//

// A [..., K], B [N, blocks, bytes of a block], scales [N, blocks], zero points of the scales' type or packed in rows of
// whole bytes, g_idx, bias [N].
enum Input { A, B, Scales, Zeros, Order, Bias };

bool isPacked(Type zeros) { return zeros.isInteger(8); }

LogicalResult inferProduct(InferContext &c) {
  FailureOr<BlockFormat> f = formatOf(c, 0);
  if (failed(f))
    return failure();
  int64_t k = c.node.intAttr("K", 0), n = c.node.intAttr("N", 0), blocks = f->blocks(k);
  Dims a = c.dims(A);
  if (k < 1 || n < 1 || a.empty())
    return c.error() << "K and N must be positive, and A must have a dimension";
  SymbolicExpr zeroColumns(c.hasInput(Zeros) && isPacked(c.input(Zeros).element) ? f->bytes(blocks) : blocks);
  if (failed(c.equate(a.back(), k, "the columns of A and K")) ||
      failed(c.equate(product(c.dims(B)), n * blocks * (f->block / f->perByte), "the size of B")) ||
      failed(c.equate(product(c.dims(Scales)), n * blocks, "the number of scales")) ||
      (c.hasInput(Zeros) &&
       failed(c.equate(product(c.dims(Zeros)), SymbolicExpr(n) * zeroColumns, "the number of zero points"))) ||
      (c.hasInput(Bias) && failed(c.equate(product(c.dims(Bias)), n, "the number of biases"))))
    return failure();
  a.back() = n;
  c.setDims(0, a);
  return success();
}

Lowered lowerProduct(LowerContext &c) {
  FailureOr<BlockFormat> format = formatOf(c, 0);
  if (failed(format) || failed(refuseOtherAttributes(c.node, {"K", "N", "bits", "block_size", "accuracy_level"})))
    return failure();
  const BlockFormat &f = *format;
  if (c.hasInput(Order))
    return c.error() << "g_idx isn't supported";
  if (!c.inputElement(B).isUnsignedInteger(8))
    return c.error() << "weights of type " << c.inputElement(B) << " aren't supported";
  Type zeroType = c.hasInput(Zeros) ? c.inputElement(Zeros) : Type();
  if (zeroType && !isa<FloatType>(zeroType) && !zeroType.isUnsignedInteger(8))
    return c.error() << "zero points of type " << zeroType << " aren't supported";

  int64_t k = c.node.intAttr("K", 0), n = c.node.intAttr("N", 0), blocks = f.blocks(k);
  Dims given = c.dims(A), outputDims = c.outputDims();
  auto e = [](int64_t v) { return SymbolicExpr(v); };
  SymbolicExpr rows = product(ArrayRef<SymbolicExpr>(given).drop_back()), zero(0);
  Type element = LowerContext::lowered(c.inputElement(A)), f32 = c.b.getF32Type();
  // Where the last block isn't full, A has zeros for the rest of it.
  Value a = padded(c, c.reshape(c.input(A), given, {rows, e(k)}), {rows, e(k)}, {zero, zero}, {1, 1},
                   {rows, e(blocks * f.block)}, c.b.getZeroAttr(element));
  int64_t bytes = f.block / f.perByte;
  Dims aDims = {rows, e(blocks), e(bytes)};
  enum { M, N, Block, Byte, Part };
  SmallVector<int64_t> aLoops = {M, Block, Byte};
  if (f.perByte > 1) {
    aDims.push_back(e(f.perByte));
    aLoops.push_back(Part);
  }
  SmallVector<LoopOperand> operands = {
      {c.reshape(a, {rows, e(blocks * f.block)}, aDims), aLoops},
      {c.reshape(c.input(B), c.dims(B), {e(n), e(blocks), e(bytes)}), {N, Block, Byte}},
      {c.reshape(c.input(Scales), c.dims(Scales), {e(n), e(blocks)}), {N, Block}}};
  Value packedZeros;
  if (zeroType && isa<FloatType>(zeroType))
    operands.push_back({c.reshape(c.input(Zeros), c.dims(Zeros), {e(n), e(blocks)}), {N, Block}});
  else if (zeroType)
    packedZeros = c.reshape(c.input(Zeros), c.dims(Zeros), {e(n), e(f.bytes(blocks))});
  Dims dims = {rows, e(n)};
  Value y = loopNest(c, aLoops.size() + 1, operands, c.filled(dims, c.constant(f32, 0)), {M, N},
                     [&](ScalarBuilder &s, ValueRange x) {
                       Value q = f.unpack(s, x[1], f.perByte > 1 ? s.position(Part) : Value()), z;
                       if (packedZeros) {
                         auto [byte, place] = f.find(s, s.position(Block));
                         Value read = tensor::ExtractOp::create(s.b, s.loc, packedZeros, {s.position(N), byte});
                         z = s.convert(f.unpack(s, read, place), f32);
                       } else {
                         z = operands.size() > 3 ? s.convert(x[3], f32) : s.number(f32, f.middle());
                       }
                       return s.add(x.back(), s.mul(s.convert(x[0], f32), dequantize(s, q, z, x[2])));
                     });
  if (c.hasInput(Bias))
    y = compute(c, {{y, {0, 1}}, {c.reshape(c.input(Bias), c.dims(Bias), {e(n)}), {1}}}, dims, element,
                [&](ScalarBuilder &s, ValueRange x) { return s.convert(s.add(x[0], s.convert(x[1], f32)), element); });
  return SmallVector<Value>{c.reshape(convertTensor(c, y, dims, element), dims, outputDims)};
}

//===----------------------------------------------------------------------===//
// GatherBlockQuantized
//===----------------------------------------------------------------------===//

// data [V, ..., bytes of a row], indices, scales [V, ..., blocks], zero points [V, ..., bytes].
enum GatherInput { Data, Indices, GatherScales, GatherZeros };

template <typename Context> LogicalResult checkGather(Context &c, int64_t rank) {
  auto axis = [&](StringRef name, int64_t absent) { return normalizeAxis(c.node.intAttr(name, absent), rank); };
  if (rank < 2 || axis("gather_axis", 0) != 0 || axis("quantize_axis", 1) != rank - 1)
    return c.error() << "gather_axis must be the first dimension and quantize_axis the last, another one";
  return success();
}

LogicalResult inferGather(InferContext &c) {
  FailureOr<BlockFormat> f = formatOf(c, 128);
  Dims data = c.dims(Data), to = c.dims(Indices), scales = c.dims(GatherScales);
  int64_t rank = data.size();
  if (failed(f) || failed(checkGather(c, rank)))
    return failure();
  if (!data.back().constant() || !c.input(Data).element.isInteger(8))
    return c.error() << "its data must be uint8, of a row length that is known when compiling";
  int64_t numbers = *data.back().constant() * f->perByte, blocks = f->blocks(numbers);
  auto equate = [&](unsigned input, int64_t columns) -> LogicalResult {
    Dims dims = c.dims(input), want = data;
    want.back() = columns;
    if (dims.size() != want.size())
      return c.error() << "its scales and zero points must have as many dimensions as its data";
    for (auto [x, y] : llvm::zip(dims, want))
      if (failed(c.equate(x, y, "the shape of its scales or zero points")))
        return failure();
    return success();
  };
  if (failed(equate(GatherScales, blocks)) ||
      (c.hasInput(GatherZeros) && failed(equate(GatherZeros, f->bytes(blocks)))))
    return failure();
  llvm::append_range(to, ArrayRef<SymbolicExpr>(data).drop_front().drop_back());
  to.push_back(numbers);
  c.setDims(0, to);
  return requireAtLeast(c, data[0], 1, "the dimension that is read from");
}

Lowered lowerGather(LowerContext &c) {
  FailureOr<BlockFormat> format = formatOf(c, 128);
  if (failed(format) || failed(refuseOtherAttributes(c.node, {"bits", "block_size", "gather_axis", "quantize_axis"})))
    return failure();
  const BlockFormat &f = *format;
  for (unsigned i : {Data, GatherZeros})
    if (c.hasInput(i) && !c.inputElement(i).isUnsignedInteger(8))
      return c.error() << "elements of type " << c.inputElement(i) << " aren't supported";
  Dims to = c.outputDims();
  int64_t rank = to.size(), inner = c.dims(Indices).size();
  Type element = LowerContext::lowered(c.outputElement());
  Value size = c.size(c.dims(Data)[0]), data = c.input(Data), scales = c.input(GatherScales);
  Value zeros = c.hasInput(GatherZeros) ? c.input(GatherZeros) : Value();
  Read indices{c.input(Indices), AffineMap::getMultiDimIdentityMap(rank, c.b.getContext()).getMajorSubMap(inner)};
  return SmallVector<Value>{
      generate(c, to, element, {indices}, [&](OpBuilder &b, Location loc, ValueRange at, ValueRange read) {
        ScalarBuilder s(b, loc);
        SmallVector<Value> row = {checkedIndex(b, loc, read[0], size)};
        llvm::append_range(row, at.drop_front(inner).drop_back());
        auto extract = [&](Value tensor, Value column) -> Value {
          SmallVector<Value> place(row);
          place.push_back(column);
          return tensor::ExtractOp::create(b, loc, tensor, place);
        };
        auto number = [&](Value tensor, Value i) {
          auto [byte, place] = f.find(s, i);
          return f.unpack(s, extract(tensor, byte), place);
        };
        Value blockSize = arith::ConstantIndexOp::create(b, loc, f.block);
        Value block = arith::DivUIOp::create(b, loc, at.back(), blockSize);
        Value zero = zeros ? s.convert(number(zeros, block), f32(s)) : s.number(f32(s), f.middle());
        return s.convert(dequantize(s, number(data, at.back()), zero, extract(scales, block)), element);
      })};
}

} // namespace
} // namespace nbits

void addBlockQuantizedHandlers(HandlerRegistry &r) {
  r.add("com.microsoft", "MatMulNBits", 1, movement(nbits::inferProduct, nbits::lowerProduct));
  r.add("com.microsoft", "GatherBlockQuantized", 1, movement(nbits::inferGather, nbits::lowerGather));
}

} // namespace mxn
