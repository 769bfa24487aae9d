//===- DataMovement.cpp - Elements in other places ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Import/Indexing.h"

using namespace mlir;

namespace mxn {
namespace {

//===----------------------------------------------------------------------===//
// Transpose
//===----------------------------------------------------------------------===//

template <typename Context> FailureOr<SmallVector<int64_t>> permutationOf(Context &c, int64_t rank) {
  SmallVector<int64_t> permutation;
  for (int64_t i = 0; i < rank; ++i)
    permutation.push_back(rank - 1 - i);
  if (!c.node.has("perm"))
    return permutation;
  permutation = c.node.intsAttr("perm");
  SmallVector<int64_t> sorted(permutation);
  llvm::sort(sorted);
  bool valid = static_cast<int64_t>(sorted.size()) == rank;
  for (int64_t i = 0; valid && i < rank; ++i)
    valid = sorted[i] == i;
  if (!valid)
    return c.error() << "'perm' isn't a permutation of " << rank << " dimensions";
  return permutation;
}

LogicalResult inferTranspose(InferContext &c) {
  Dims dims = c.dims(0), to;
  auto permutation = permutationOf(c, dims.size());
  if (failed(permutation))
    return failure();
  for (int64_t p : *permutation)
    to.push_back(dims[p]);
  c.setDims(0, to);
  auto values = c.input(0).values;
  auto shape = constantDims(dims);
  if (values && shape)
    trackElements(c, 0, to, [&](ArrayRef<int64_t> at) {
      SmallVector<int64_t> source(at.size());
      for (auto [i, p] : llvm::enumerate(*permutation))
        source[p] = at[i];
      return (*values)[linearize(source, *shape)];
    });
  return success();
}

Lowered lowerTranspose(LowerContext &c) {
  Dims dims = c.dims(0);
  auto permutation = permutationOf(c, dims.size());
  if (failed(permutation))
    return failure();
  // Where only dimensions of 1 change their place, memory stays as it is.
  SmallVector<int64_t> moved;
  for (int64_t p : *permutation)
    if (!dims[p].isConstant(1))
      moved.push_back(p);
  if (llvm::is_sorted(moved))
    return SmallVector<Value>{c.reshape(c.input(0), dims, c.outputDims())};
  return SmallVector<Value>{c.transpose(c.input(0), dims, *permutation)};
}

//===----------------------------------------------------------------------===//
// Expand, Tile
//===----------------------------------------------------------------------===//

LogicalResult inferExpand(InferContext &c) {
  Dims dims = c.dims(0);
  Facts shape = c.input(1);
  if (!shape.values) {
    shape.values = declaredDims(c.node, 0);
    if (!shape.values)
      return success();
  }
  Dims to = c.broadcast(dims, *shape.values);
  c.setDims(0, to);
  auto values = c.input(0).values;
  auto from = constantDims(dims);
  if (values && from)
    trackElements(c, 0, to, [&](ArrayRef<int64_t> at) {
      SmallVector<int64_t> source(at.take_back(from->size()));
      for (auto [i, d] : llvm::zip(source, *from))
        i = d == 1 ? 0 : i;
      return (*values)[linearize(source, *from)];
    });
  return success();
}

Lowered lowerExpand(LowerContext &c) {
  if (!c.values(1) && failed(requireStaticOutput(c, "shape")))
    return failure();
  Dims dims = c.dims(0), to = c.outputDims();
  if (product(dims) == product(to)) // only dimensions of 1 are added
    return SmallVector<Value>{c.reshape(c.input(0), dims, to)};
  Value v = c.elementwise({c.input(0)}, to, LowerContext::lowered(c.outputElement()),
                          [](OpBuilder &, Location, ValueRange args) { return args[0]; });
  return SmallVector<Value>{v};
}

/// How often each dimension is repeated; version 1 names one axis and one number.
template <typename Values> std::optional<Dims> repeatsOf(onnx::NodeOp node, int64_t rank, Values values) {
  if (!node.hasInput(2))
    return values(1);
  auto tiles = values(1), axis = values(2);
  if (!tiles || tiles->size() != 1 || !axis || axis->size() != 1 || !axis->front().constant())
    return std::nullopt;
  auto at = normalizeAxis(*axis->front().constant(), rank);
  if (!at)
    return std::nullopt;
  Dims out(rank, SymbolicExpr(1));
  out[*at] = tiles->front();
  return out;
}

LogicalResult inferTile(InferContext &c) {
  Dims dims = c.dims(0), to;
  auto repeats = repeatsOf(c.node, dims.size(), [&](unsigned i) { return c.input(i).values; });
  if (!repeats)
    return inferDeclared(c);
  if (repeats->size() != dims.size())
    return c.error() << "has " << repeats->size() << " repeats for " << dims.size() << " dimensions";
  for (auto [d, r] : llvm::zip(dims, *repeats)) {
    if (r.constant() && *r.constant() < 0)
      return c.error() << "a dimension can't be repeated " << *r.constant() << " times";
    to.push_back(d * r);
  }
  c.setDims(0, to);
  auto values = c.input(0).values;
  auto shape = constantDims(dims);
  if (values && shape)
    trackElements(c, 0, to, [&](ArrayRef<int64_t> at) {
      SmallVector<int64_t> source;
      for (auto [i, d] : llvm::zip(at, *shape))
        source.push_back(i % d);
      return (*values)[linearize(source, *shape)];
    });
  return success();
}

/// Each repeated dimension becomes two, [repeats, size], of which the input has only the second one.
Lowered lowerTile(LowerContext &c) {
  Dims dims = c.dims(0), to = c.outputDims();
  auto repeats = repeatsOf(c.node, dims.size(), [&](unsigned i) { return c.values(i); });
  if (!repeats) {
    // The model's types may still tell how often.
    auto from = constantDims(dims), declared = constantDims(to);
    if (!from || !declared || llvm::is_contained(*from, 0))
      return c.error() << "its repeats must be constant or computed from sizes of the inputs";
    repeats.emplace();
    for (auto [d, t] : llvm::zip(*from, *declared))
      repeats->push_back(t / d);
  }
  Dims wide;
  SmallVector<AffineExpr> place;
  for (auto [d, r] : llvm::zip(dims, *repeats)) {
    if (!r.isConstant(1))
      wide.push_back(r);
    place.push_back(getAffineDimExpr(wide.size(), c.b.getContext()));
    wide.push_back(d);
  }
  if (wide.size() == dims.size())
    return SmallVector<Value>{c.input(0)};
  Value v = generate(c, wide, LowerContext::lowered(c.outputElement()),
                     {{c.input(0), AffineMap::get(wide.size(), 0, place, c.b.getContext())}},
                     [](OpBuilder &, Location, ValueRange, ValueRange read) { return read[0]; });
  return SmallVector<Value>{c.reshape(v, wide, to)};
}

//===----------------------------------------------------------------------===//
// DepthToSpace, SpaceToDepth
//===----------------------------------------------------------------------===//

LogicalResult inferDepthSpace(InferContext &c) {
  Dims dims = c.dims(0);
  int64_t block = c.node.intAttr("blocksize", 0);
  if (dims.size() != 4)
    return c.error() << "needs an input with 4 dimensions, it has " << dims.size();
  if (block < 1 || block > 1 << 15)
    return c.error() << "its blocksize can't be " << block;
  auto divided = [&](const SymbolicExpr &d, int64_t by) -> FailureOr<SymbolicExpr> {
    SymbolicExpr q = SymbolicExpr::floorDiv(d, by);
    if (failed(c.equate(q * SymbolicExpr(by), d, "the blocks of a dimension and the dimension")))
      return failure();
    return q;
  };
  if (c.node.getOp() == "DepthToSpace") {
    auto channels = divided(dims[1], block * block);
    if (failed(channels))
      return failure();
    c.setDims(0, {dims[0], *channels, dims[2] * SymbolicExpr(block), dims[3] * SymbolicExpr(block)});
    return success();
  }
  auto height = divided(dims[2], block), width = divided(dims[3], block);
  if (failed(height) || failed(width))
    return failure();
  c.setDims(0, {dims[0], dims[1] * SymbolicExpr(block * block), *height, *width});
  return success();
}

Lowered lowerDepthSpace(LowerContext &c) {
  Dims dims = c.dims(0), to = c.outputDims(), split;
  SymbolicExpr block(c.node.intAttr("blocksize", 0));
  SmallVector<int64_t> permutation;
  if (c.node.getOp() == "SpaceToDepth") {
    split = {dims[0], dims[1], to[2], block, to[3], block};
    bool blockFirst = c.node.stringAttr("mode", "DCR") == "DCR";
    permutation = blockFirst ? SmallVector<int64_t>{0, 3, 5, 1, 2, 4} : SmallVector<int64_t>{0, 1, 3, 5, 2, 4};
  } else if (c.node.stringAttr("mode", "DCR") == "DCR") {
    split = {dims[0], block, block, to[1], dims[2], dims[3]};
    permutation = {0, 3, 4, 1, 5, 2};
  } else {
    split = {dims[0], to[1], block, block, dims[2], dims[3]};
    permutation = {0, 1, 4, 2, 5, 3};
  }
  Dims moved;
  for (int64_t p : permutation)
    moved.push_back(split[p]);
  Value v = c.transpose(c.reshape(c.input(0), dims, split), split, permutation);
  return SmallVector<Value>{c.reshape(v, moved, to)};
}

//===----------------------------------------------------------------------===//
// Trilu, ReverseSequence, Dropout
//===----------------------------------------------------------------------===//

LogicalResult inferFirst(InferContext &c) {
  c.setDims(0, c.dims(0));
  return success();
}

LogicalResult inferTrilu(InferContext &c) {
  if (c.dims(0).size() < 2)
    return c.error() << "needs an input with at least 2 dimensions";
  return inferFirst(c);
}

Lowered lowerTrilu(LowerContext &c) {
  Dims dims = c.outputDims();
  int64_t rank = dims.size();
  bool upper = c.node.intAttr("upper", 1);
  Type element = LowerContext::lowered(c.outputElement());
  SmallVector<Read> reads{{c.input(0), AffineMap::getMultiDimIdentityMap(rank, c.b.getContext())}};
  Value known = c.index(0);
  if (c.hasInput(1)) {
    auto k = c.values(1);
    if (k && k->size() == 1) {
      known = c.size(k->front());
    } else {
      auto type = cast<RankedTensorType>(c.input(1).getType());
      SmallVector<AffineExpr> first(type.getRank(), getAffineConstantExpr(0, c.b.getContext()));
      reads.push_back({c.input(1), AffineMap::get(rank, 0, first, c.b.getContext())});
    }
  }
  Value v = generate(c, dims, element, reads, [&](OpBuilder &b, Location loc, ValueRange at, ValueRange read) {
    Value k = reads.size() == 1 ? known : arith::IndexCastOp::create(b, loc, b.getIndexType(), read[1]).getResult();
    Value diagonal = arith::AddIOp::create(b, loc, at[rank - 2], k);
    auto predicate = upper ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sle;
    Value kept = arith::CmpIOp::create(b, loc, predicate, at[rank - 1], diagonal);
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
    return arith::SelectOp::create(b, loc, kept, read[0], zero).getResult();
  });
  return SmallVector<Value>{v};
}

LogicalResult inferReverseSequence(InferContext &c) {
  Dims dims = c.dims(0), lengths = c.dims(1);
  int64_t batch = c.node.intAttr("batch_axis", 1), time = c.node.intAttr("time_axis", 0), rank = dims.size();
  if (batch < 0 || time < 0 || batch >= rank || time >= rank || batch == time || lengths.size() != 1)
    return c.error() << "needs two different axes of its input, and a vector of lengths";
  if (failed(c.equate(lengths[0], dims[batch], "the number of lengths and the batch")))
    return failure();
  return inferFirst(c);
}

Lowered lowerReverseSequence(LowerContext &c) {
  Dims dims = c.outputDims();
  int64_t batch = c.node.intAttr("batch_axis", 1), time = c.node.intAttr("time_axis", 0);
  AffineMap map = AffineMap::get(dims.size(), 0, getAffineDimExpr(batch, c.b.getContext()));
  Value size = c.size(dims[time] + 1);
  Value v = generate(c, dims, LowerContext::lowered(c.outputElement()), {{c.input(1), map}},
                     [&](OpBuilder &b, Location loc, ValueRange at, ValueRange read) {
                       Value length = checkedIndex(b, loc, read[0], size, /*fromEnd=*/false);
                       Value one = arith::ConstantIndexOp::create(b, loc, 1);
                       Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, at[time], length);
                       Value last = arith::SubIOp::create(b, loc, length, one);
                       SmallVector<Value> source(at);
                       source[time] = arith::SelectOp::create(b, loc, inside,
                                                              arith::SubIOp::create(b, loc, last, at[time]), at[time]);
                       return tensor::ExtractOp::create(b, loc, c.input(0), source).getResult();
                     });
  return SmallVector<Value>{v};
}

LogicalResult inferDropout(InferContext &c) {
  c.setDims(0, c.dims(0));
  c.setDims(1, c.dims(0));
  if (auto values = c.input(0).values)
    c.setValues(0, *values);
  return success();
}

/// Nothing is dropped when a model is used.
Lowered lowerDropout(LowerContext &c) {
  if (c.hasInput(2)) {
    auto training = c.constants(2);
    auto ratio = c.hasInput(1) ? c.denseConstant(1) : DenseElementsAttr();
    bool keepsAll =
        ratio && isa<FloatType>(ratio.getElementType()) && ratio.isSplat() && ratio.getSplatValue<APFloat>().isZero();
    if (!keepsAll && (!training || llvm::any_of(*training, [](int64_t t) { return t != 0; })))
      return c.error() << "only inference is supported: its training_mode must be constant and false";
  }
  SmallVector<Value> results{c.input(0)};
  if (c.node.getNumResults() > 1)
    results.push_back(c.node.getOutputs()[1].use_empty()
                          ? Value()
                          : c.filled(c.outputDims(1), c.constant(LowerContext::lowered(c.outputElement(1)), 1)));
  return results;
}

} // namespace

void addDataMovementHandlers(HandlerRegistry &r) {
  r.add("", "Transpose", 1, movement(inferTranspose, lowerTranspose));
  r.add("", "Expand", 8, movement(inferExpand, lowerExpand));
  r.add("", "Tile", 1, movement(inferTile, lowerTile));
  r.add("", "DepthToSpace", 1, movement(inferDepthSpace, lowerDepthSpace));
  r.add("", "SpaceToDepth", 1, movement(inferDepthSpace, lowerDepthSpace));
  r.add("", "Trilu", 14, movement(inferTrilu, lowerTrilu));
  r.add("", "ReverseSequence", 10, movement(inferReverseSequence, lowerReverseSequence));
  r.add("", "Dropout", 7, movement(inferDropout, lowerDropout));
  addReshapeHandlers(r);
  addSliceHandlers(r);
  addPadHandlers(r);
}

} // namespace mxn
