//===- Rotary.cpp - Rotary embedding --------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Rotary.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Import/Indexing.h"

using namespace mlir;

namespace mxn {

/// y[2j] or y[j] = cos*a - sin*b, its partner sin*a + cos*b.
Value rotate(LowerContext &c, const Rotation &r, const HeadRows &x, ArrayRef<SymbolicExpr> dims, Type element) {
  Type wide = accumulatorType(element);
  int64_t sequence = x.flat ? 1 : 2, heads = x.flat ? 2 : 1;
  AffineExpr batch = c.b.getAffineDimExpr(0), row = c.b.getAffineDimExpr(sequence);
  SmallVector<Read> reads;
  int64_t positionsRank = 0;
  if (r.positions) {
    auto type = cast<RankedTensorType>(r.positions.getType());
    positionsRank = type.getRank();
    bool one = type.getDimSize(0) == 1 && !dims[0].isConstant(1);
    SmallVector<AffineExpr> at = {one ? c.b.getAffineConstantExpr(0) : batch};
    if (positionsRank == 2)
      at.push_back(row);
    reads.push_back({r.positions, AffineMap::get(4, 0, at, c.b.getContext())});
  }
  Value rows = c.size(r.rows);
  return generate(c, dims, element, reads, [&](OpBuilder &b, Location loc, ValueRange at, ValueRange elements) {
    ScalarBuilder s(b, loc);
    auto index = [&](int64_t n) -> Value { return arith::ConstantIndexOp::create(b, loc, n); };
    auto sum = [&](Value x, Value y) -> Value { return arith::AddIOp::create(b, loc, x, y); };
    Value j = at[3], half = index(r.rotary / 2), two = index(2);
    Value rotated = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, j, index(r.rotary));
    // The pair that j belongs to, and whether j is its second number. Beyond the rotated part both are clamped.
    Value inside = arith::SelectOp::create(b, loc, rotated, j, index(0));
    Value pair = r.interleaved ? arith::DivUIOp::create(b, loc, inside, two).getResult()
                               : arith::RemUIOp::create(b, loc, inside, half).getResult();
    Value first = r.interleaved ? arith::MulIOp::create(b, loc, pair, two).getResult() : pair;
    Value second = sum(first, r.interleaved ? index(1) : half);
    Value isSecond = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, inside, first);
    auto read = [&](Value tensor, ValueRange place) {
      return s.convert(tensor::ExtractOp::create(b, loc, tensor, place), wide);
    };
    auto number = [&](Value of) {
      SmallVector<Value> place(at);
      if (x.firstHead)
        place[heads] = sum(place[heads], index(x.firstHead));
      place[3] = of;
      return read(x.tensor, place);
    };
    SmallVector<Value> place = {at[0], at[sequence], pair};
    if (r.positions) {
      Value position = arith::IndexCastOp::create(b, loc, b.getIndexType(), elements[0]);
      if (positionsRank == 1)
        position = sum(position, at[sequence]);
      place = {checkedIndex(b, loc, position, rows, /*fromEnd=*/false), pair};
    }
    Value cosine = read(r.cosines, place), sine = read(r.sines, place), a = number(first), partner = number(second);
    Value real = s.sub(s.mul(cosine, a), s.mul(sine, partner)),
          imaginary = s.add(s.mul(sine, a), s.mul(cosine, partner));
    Value turned = s.select(isSecond, imaginary, real);
    return s.convert(s.select(rotated, turned, number(j)), element);
  });
}

namespace {

LogicalResult inferRotary(InferContext &c) {
  c.setDims(0, c.dims(0));
  return success();
}

/// What both operators of that name share: x in input 0, tables in two others, positions perhaps in a fourth.
FailureOr<SmallVector<Value>> lowerRotary(LowerContext &c, int64_t heads, int64_t rotary, unsigned tables,
                                          Value positions) {
  Dims dims = c.dims(0), table = c.dims(tables), other = c.dims(tables + 1);
  bool flat = dims.size() == 3;
  int64_t columns = dims.back().constant().value_or(0);
  if (heads < 1 || columns < 1 || (flat && columns % heads))
    return c.error() << "it has " << heads << " heads on " << columns << " columns; both must be known when compiling";
  int64_t size = flat ? columns / heads : columns;
  rotary = rotary ? rotary : size;
  if (rotary > size || rotary % 2 || table.back().constant() != rotary / 2 || other.back().constant() != rotary / 2)
    return c.error() << "it rotates " << rotary << " of " << size << " numbers with a table of " << table.back().str()
                     << " columns";
  size_t rank = positions ? 2 : 3;
  if (table.size() != rank || other.size() != rank)
    return c.error() << "its tables must have " << rank << " dimensions";
  Dims apart = flat ? Dims{dims[0], dims[1], SymbolicExpr(heads), SymbolicExpr(size)} : dims;
  Rotation r{rotary, c.node.intAttr("interleaved", 0) != 0, c.input(tables), c.input(tables + 1), table[0], positions};
  Value y = rotate(c, r, {c.reshape(c.input(0), dims, apart), flat}, apart, LowerContext::lowered(c.outputElement()));
  return SmallVector<Value>{c.reshape(y, apart, dims)};
}

/// X, cos, sin, positions.
FailureOr<SmallVector<Value>> lowerStandardRotary(LowerContext &c) {
  Dims dims = c.dims(0);
  int64_t heads = dims.size() == 3 ? c.node.intAttr("num_heads", 0) : dims[1].constant().value_or(0);
  return lowerRotary(c, heads, c.node.intAttr("rotary_embedding_dim", 0), 1, c.hasInput(3) ? c.input(3) : Value());
}

/// com.microsoft: input, positions, cos, sin. The tables give the head size where the attributes don't.
FailureOr<SmallVector<Value>> lowerMicrosoftRotary(LowerContext &c) {
  if (failed(refuseOtherAttributes(
          c.node, {"interleaved", "num_heads", "rotary_embedding_dim", "scale", "is_packed_batching"})))
    return failure();
  if (c.node.floatAttr("scale", 1) != 1 || c.node.intAttr("is_packed_batching", 0))
    return c.error() << "scale and is_packed_batching aren't supported";
  Dims dims = c.dims(0), table = c.dims(2), positions = c.dims(1);
  if (dims.size() != 3 && dims.size() != 4)
    return c.error() << "its input must have 3 or 4 dimensions";
  int64_t rotary = c.node.intAttr("rotary_embedding_dim", 0), heads = c.node.intAttr("num_heads", 0);
  int64_t tableColumns = table.back().constant().value_or(0);
  if (dims.size() == 4)
    heads = dims[1].constant().value_or(0);
  else if (!rotary && tableColumns)
    heads = dims.back().constant().value_or(0) / (2 * tableColumns);
  Value at = c.input(1);
  if (positions.size() < 2 && !product(positions).isConstant(1))
    return c.error() << "its positions must be one number, or one for each row";
  if (positions.empty())
    at = c.reshape(at, positions, {SymbolicExpr(1)});
  return lowerRotary(c, heads, rotary, 2, at);
}

} // namespace

void addRotaryHandlers(HandlerRegistry &r) {
  r.add("", "RotaryEmbedding", 23, {inferRotary, lowerStandardRotary});
  r.add("com.microsoft", "RotaryEmbedding", 1, {inferRotary, lowerMicrosoftRotary});
}

} // namespace mxn
