//===- LowerPagedAttention.cpp - The plain road of paged attention --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Dispatch/TensorSizes.h"
#include "passes/Step/Passes.h"
#include "passes/Step/Scalars.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_LOWERPAGEDATTENTIONPASS
#include "passes/Step/Passes.h.inc"

namespace {

class Lowering {
public:
  Lowering(llm::PagedAttentionOp op, bool parallel)
      : op(op), cacheType(cast<RankedTensorType>(op.getCache().getType())), parallel(parallel) {}

  LogicalResult run() {
    OpBuilder b(op);
    Value cache = append(b);
    FailureOr<Value> y = attend(b, cache);
    if (failed(y))
      return failure();
    op.replaceAllUsesWith(ValueRange{*y, cache});
    op.erase();
    return success();
  }

private:
  int64_t blockTokens() { return cacheType.getDimSize(4); }
  int64_t headSize() { return cacheType.getDimSize(5); }

  /// Calls `row` for each token: its row, its position and its sequence.
  Value forEachToken(Scalars s, Value carried,
                     function_ref<Value(Scalars, Value row, Value position, Value sequence, Value)> row) {
    Value tokens = s.dim(op.getQ(), 1), sequences = s.dim(op.getLengths(), 0);
    return s.loop(s.index(0), sequences, carried, [&](Scalars s, Value n, ValueRange outer) -> SmallVector<Value> {
      Value begin = s.bounded(s.readIndex(op.getStarts(), n), tokens);
      Value end = s.bounded(s.readIndex(op.getStarts(), s.add(n, s.index(1))), tokens);
      // A context can't be longer than its table.
      Value room = s.mul(s.dim(op.getTable(), 1), s.index(blockTokens()));
      Value context = s.bounded(s.readIndex(op.getLengths(), n), room);
      return s.loop(begin, end, outer, [&](Scalars s, Value t, ValueRange inner) -> SmallVector<Value> {
        Value position = s.add(context, s.sub(t, begin));
        return {row(s, t, position, n, inner[0])};
      });
    })[0];
  }

  /// Block and slot of a position.
  std::pair<Value, Value> place(Scalars s, Value sequence, Value position) {
    Value columns = s.dim(op.getTable(), 1), last = s.sub(columns, s.index(1));
    Value column = s.bounded(s.div(position, s.index(blockTokens())), last);
    Value block = s.readIndex(op.getTable(), {sequence, column});
    Value blocks = s.dim(op.getCache(), 0);
    return {s.bounded(block, s.sub(blocks, s.index(1))), s.rem(position, s.index(blockTokens()))};
  }

  /// Walks over the positions up to `position`. Those that the template leaves out aren't read: their blocks may be
  /// gone.
  SmallVector<Value>
  overPositions(Scalars s, Value position, Value sequence, ValueRange init,
                function_ref<SmallVector<Value>(Scalars, Value block, Value slot, ValueRange)> body) {
    auto kept = [&](Scalars s, Value j) -> Value {
      Value all = arith::ConstantOp::create(s.b, s.loc, s.b.getBoolAttr(true));
      if (!op.getWindow())
        return all;
      Value near = s.less(position, s.add(j, s.index(op.getWindow())));
      Value sunk = s.less(j, s.index(op.getSink()));
      return arith::OrIOp::create(s.b, s.loc, near, sunk);
    };
    Value end = s.add(position, s.index(1));
    return s.loop(s.index(0), end, init, [&](Scalars s, Value j, ValueRange args) -> SmallVector<Value> {
      auto branch = scf::IfOp::create(
          s.b, s.loc, kept(s, j),
          [&](OpBuilder &nested, Location at) {
            Scalars inner{nested, at};
            auto [block, slot] = place(inner, sequence, j);
            scf::YieldOp::create(nested, at, body(inner, block, slot, args));
          },
          [&](OpBuilder &nested, Location at) { scf::YieldOp::create(nested, at, args); });
      return SmallVector<Value>(branch.getResults());
    });
  }

  Value append(OpBuilder &b) {
    Location loc = op.getLoc();
    auto region = program::RegionOp::create(b, loc, TypeRange{cacheType}, Value(), /*updates=*/op.getCache());
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&region.getBody());
    Scalars s{b, loc};
    Value layer = s.index(op.getLayer());
    Value result =
        forEachToken(s, op.getCache(), [&](Scalars s, Value row, Value position, Value sequence, Value cache) {
          auto [block, slot] = place(s, sequence, position);
          Value zero = s.index(0), size = s.index(headSize());
          return s.loop(zero, s.index(op.getKvHeads()), cache,
                        [&, block = block, slot = slot](Scalars s, Value h, ValueRange heads) {
                          return s.loop(
                              zero, size, heads, [&](Scalars s, Value d, ValueRange args) -> SmallVector<Value> {
                                Value column = s.add(s.mul(h, size), d), now = args[0];
                                for (int64_t kind : {0, 1}) {
                                  Value x = s.read(kind ? op.getV() : op.getK(), {zero, row, column});
                                  now = tensor::InsertOp::create(s.b, s.loc, x, now,
                                                                 ValueRange{block, layer, s.index(kind), h, slot, d});
                                }
                                return {now};
                              });
                        })[0];
        });
    program::YieldOp::create(b, loc, result);
    return region.getResult(0);
  }

  FailureOr<Value> attend(OpBuilder &b, Value cache) {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getY().getType());
    auto sizes = tensorSizes(op.getQ());
    if (!sizes)
      return op.emitError() << "internal error: the number of tokens isn't known on the host";
    // Sums are float32, narrowed at the end.
    auto wide = RankedTensorType::get(type.getShape(), b.getF32Type());
    auto region = program::RegionOp::create(b, loc, TypeRange{wide});
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&region.getBody());
    Scalars s{b, loc};
    Value init = tensor::EmptyOp::create(b, loc, *sizes, b.getF32Type());
    auto overHeads = [&](Scalars s, Value row, Value position, Value sequence, Value y) {
      return s.loop(s.index(0), s.index(op.getQHeads()), y,
                    [&](Scalars s, Value head, ValueRange args) -> SmallVector<Value> {
                      return {attendRow(s, cache, row, position, sequence, head, args[0])};
                    })[0];
    };
    Value result = parallel ? attendRows(s, cache, (*sizes)[1], init) : forEachToken(s, init, overHeads);
    program::YieldOp::create(b, loc, result);
    if (type == wide)
      return region.getResult(0);
    b.setInsertionPointAfter(region);
    return narrow(b, region.getResult(0), *sizes, type);
  }

  /// All rows and heads at once.
  Value attendRows(Scalars s, Value cache, OpFoldResult tokens, Value y) {
    OpBuilder &b = s.b;
    SmallVector<OpFoldResult> begin(2, b.getIndexAttr(0)), step(2, b.getIndexAttr(1));
    SmallVector<OpFoldResult> end = {tokens, b.getIndexAttr(op.getQHeads())};
    auto forall = scf::ForallOp::create(b, s.loc, begin, end, step, y, /*mapping=*/std::nullopt);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(forall.getBody());
    Value row = forall.getInductionVar(0), head = forall.getInductionVar(1);
    auto [sequence, end1] = findSequence(s, row);
    Value mean = attendVector(s, cache, row, end1, sequence, head);
    OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
    SmallVector<OpFoldResult> offsets = {zero, row, s.mul(head, s.index(headSize()))};
    SmallVector<OpFoldResult> sizes = {one, one, b.getIndexAttr(headSize())}, strides(3, one);
    Value out = forall.getRegionIterArgs()[0];
    Value slice = tensor::ExtractSliceOp::create(b, s.loc, out, offsets, sizes, strides);
    Value none = s.index(0);
    Value written =
        vector::TransferWriteOp::create(b, s.loc, mean, slice, ValueRange{none, none, none}, ArrayRef<bool>{true})
            .getResult();
    b.setInsertionPointToStart(forall.getTerminator().getBody());
    tensor::ParallelInsertSliceOp::create(b, s.loc, written, out, offsets, sizes, strides);
    return forall.getResult(0);
  }

  /// The sequence of a row, and how many positions the row attends to.
  std::pair<Value, Value> findSequence(Scalars s, Value row) {
    Value tokens = s.dim(op.getQ(), 1), sequences = s.dim(op.getLengths(), 0), zero = s.index(0);
    Value room = s.mul(s.dim(op.getTable(), 1), s.index(blockTokens()));
    SmallVector<Value> found =
        s.loop(zero, sequences, {zero, zero}, [&](Scalars s, Value n, ValueRange args) -> SmallVector<Value> {
          Value begin = s.bounded(s.readIndex(op.getStarts(), n), tokens);
          Value end = s.bounded(s.readIndex(op.getStarts(), s.add(n, s.index(1))), tokens);
          Value context = s.bounded(s.readIndex(op.getLengths(), n), room);
          Value notLater = arith::CmpIOp::create(s.b, s.loc, arith::CmpIPredicate::sle, begin, row);
          Value here = arith::AndIOp::create(s.b, s.loc, notLater, s.less(row, end));
          Value count = s.add(s.add(context, s.sub(row, begin)), s.index(1));
          return {arith::SelectOp::create(s.b, s.loc, here, n, args[0]),
                  arith::SelectOp::create(s.b, s.loc, here, count, args[1])};
        });
    return {found[0], found[1]};
  }

  /// One query of one head as attendRow computes it, a head's columns in one vector.
  Value attendVector(Scalars s, Value cache, Value row, Value end, Value sequence, Value head) {
    Value zero = s.index(0), layer = s.index(op.getLayer());
    Value shared = s.div(head, s.index(op.getQHeads() / op.getKvHeads()));
    Value position = s.sub(end, s.index(1));
    auto type = VectorType::get(headSize(), s.b.getF32Type());
    auto read = [&](Scalars s, Value from, ValueRange at) {
      Type element = cast<RankedTensorType>(from.getType()).getElementType();
      Value padding = arith::ConstantOp::create(s.b, s.loc, s.b.getZeroAttr(element));
      Value v = vector::TransferReadOp::create(s.b, s.loc, VectorType::get(headSize(), element), from, at, padding,
                                               ArrayRef<bool>{true});
      return element.isF32() ? v : arith::ExtFOp::create(s.b, s.loc, type, v).getResult();
    };
    Value q = read(s, op.getQ(), {zero, row, s.mul(head, s.index(headSize()))});
    auto score = [&](Scalars s, Value block, Value slot) -> Value {
      Value product =
          arith::MulFOp::create(s.b, s.loc, q, read(s, cache, {block, layer, s.index(0), shared, slot, zero}));
      Value sum =
          vector::ReductionOp::create(s.b, s.loc, vector::CombiningKind::ADD, product, arith::FastMathFlags::reassoc);
      return arith::MulFOp::create(s.b, s.loc, sum, s.real(op.getScale().convertToFloat()));
    };
    Value greatest = overPositions(s, position, sequence, s.real(-INFINITY),
                                   [&](Scalars s, Value block, Value slot, ValueRange args) -> SmallVector<Value> {
                                     return {arith::MaximumFOp::create(s.b, s.loc, args[0], score(s, block, slot))};
                                   })[0];
    Value nothing = arith::ConstantOp::create(s.b, s.loc, s.b.getZeroAttr(type));
    SmallVector<Value> summed =
        overPositions(s, position, sequence, {s.real(0), nothing},
                      [&](Scalars s, Value block, Value slot, ValueRange args) -> SmallVector<Value> {
                        Value above = arith::SubFOp::create(s.b, s.loc, score(s, block, slot), greatest);
                        Value share = math::ExpOp::create(s.b, s.loc, above);
                        Value total = arith::AddFOp::create(s.b, s.loc, args[0], share);
                        Value all = vector::BroadcastOp::create(s.b, s.loc, type, share);
                        Value v = read(s, cache, {block, layer, s.index(1), shared, slot, zero});
                        return {total, math::FmaOp::create(s.b, s.loc, all, v, args[1])};
                      });
    Value total = vector::BroadcastOp::create(s.b, s.loc, type, summed[0]);
    return arith::DivFOp::create(s.b, s.loc, summed[1], total);
  }

  Value narrow(OpBuilder &b, Value y, ArrayRef<OpFoldResult> sizes, RankedTensorType type) {
    Location loc = op.getLoc();
    auto region = program::RegionOp::create(b, loc, TypeRange{type});
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&region.getBody());
    Scalars s{b, loc};
    Value zero = s.index(0), init = tensor::EmptyOp::create(b, loc, sizes, type.getElementType());
    Value result = s.loop(zero, s.dim(y, 1), init, [&](Scalars s, Value row, ValueRange rows) {
      return s.loop(zero, s.index(type.getDimSize(2)), rows,
                    [&](Scalars s, Value column, ValueRange args) -> SmallVector<Value> {
                      SmallVector<Value> at = {zero, row, column};
                      Value x = s.narrow(s.read(y, at), type.getElementType());
                      return {tensor::InsertOp::create(s.b, s.loc, x, args[0], at)};
                    });
    })[0];
    program::YieldOp::create(b, loc, result);
    return region.getResult(0);
  }

  /// One query of one head: the greatest score first, then the weighted sum of the values.
  Value attendRow(Scalars s, Value cache, Value row, Value position, Value sequence, Value head, Value y) {
    Value zero = s.index(0), size = s.index(headSize()), layer = s.index(op.getLayer());
    Value shared = s.div(head, s.index(op.getQHeads() / op.getKvHeads()));
    Value first = s.mul(head, size);
    auto read = [&](Scalars s, int64_t kind, Value block, Value slot, Value d) {
      return s.wide(s.read(cache, {block, layer, s.index(kind), shared, slot, d}));
    };
    auto score = [&](Scalars s, Value block, Value slot) {
      Value sum = s.loop(zero, size, s.real(0), [&](Scalars s, Value d, ValueRange args) -> SmallVector<Value> {
        Value q = s.wide(s.read(op.getQ(), {zero, row, s.add(first, d)}));
        Value product = arith::MulFOp::create(s.b, s.loc, q, read(s, 0, block, slot, d));
        return {arith::AddFOp::create(s.b, s.loc, args[0], product)};
      })[0];
      Value scale = s.real(op.getScale().convertToFloat());
      return arith::MulFOp::create(s.b, s.loc, sum, scale).getResult();
    };
    Value greatest = overPositions(s, position, sequence, s.real(-INFINITY),
                                   [&](Scalars s, Value block, Value slot, ValueRange args) -> SmallVector<Value> {
                                     return {arith::MaximumFOp::create(s.b, s.loc, args[0], score(s, block, slot))};
                                   })[0];
    Value cleared = s.loop(zero, size, y, [&](Scalars s, Value d, ValueRange args) -> SmallVector<Value> {
      return {tensor::InsertOp::create(s.b, s.loc, s.real(0), args[0], ValueRange{zero, row, s.add(first, d)})};
    })[0];
    SmallVector<Value> summed = overPositions(
        s, position, sequence, {s.real(0), cleared},
        [&](Scalars s, Value block, Value slot, ValueRange args) -> SmallVector<Value> {
          Value share =
              math::ExpOp::create(s.b, s.loc, arith::SubFOp::create(s.b, s.loc, score(s, block, slot), greatest));
          Value total = arith::AddFOp::create(s.b, s.loc, args[0], share);
          Value out = s.loop(zero, size, args[1], [&](Scalars s, Value d, ValueRange inner) -> SmallVector<Value> {
            SmallVector<Value> at = {zero, row, s.add(first, d)};
            Value product = arith::MulFOp::create(s.b, s.loc, share, read(s, 1, block, slot, d));
            Value sum = arith::AddFOp::create(s.b, s.loc, s.read(inner[0], at), product);
            return {tensor::InsertOp::create(s.b, s.loc, sum, inner[0], at)};
          })[0];
          return {total, out};
        });
    return s.loop(zero, size, summed[1], [&](Scalars s, Value d, ValueRange args) -> SmallVector<Value> {
      SmallVector<Value> at = {zero, row, s.add(first, d)};
      Value mean = arith::DivFOp::create(s.b, s.loc, s.read(args[0], at), summed[0]);
      return {tensor::InsertOp::create(s.b, s.loc, mean, args[0], at)};
    })[0];
  }

  llm::PagedAttentionOp op;
  RankedTensorType cacheType;
  bool parallel;
};

struct LowerPagedAttention : impl::LowerPagedAttentionPassBase<LowerPagedAttention> {
  using LowerPagedAttentionPassBase::LowerPagedAttentionPassBase;
  void runOnOperation() override {
    SmallVector<llm::PagedAttentionOp> ops(getOperation().getBody().getOps<llm::PagedAttentionOp>());
    for (llm::PagedAttentionOp op : ops)
      if (failed(Lowering(op, parallel).run()))
        return signalPassFailure();
  }
};

} // namespace
} // namespace mxn
