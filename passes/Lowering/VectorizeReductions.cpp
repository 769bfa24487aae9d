//===- VectorizeReductions.cpp - Blocks of sums in registers --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Affine/Utils.h"
#include "passes/Lowering/Passes.h"
#include "passes/Lowering/VectorPlan.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_VECTORIZEREDUCTIONSPASS
#include "passes/Lowering/Passes.h.inc"

namespace {

/// How many rows before their use memory is asked for them.
constexpr int64_t kRowsAhead = 16;
/// Steps of a sum that are done for all blocks of a tile before the next ones.
constexpr int64_t kSlab = 64;

using Access = VectorPlan::Access;
using Values = SmallVector<Value>;

/// Writes the loops of one op. The place in the iteration space is `at` plus, for the loops that do several steps
/// together, the place inside of a block.
class Emitter {
public:
  Emitter(linalg::LinalgOp op, const VectorPlan &plan)
      : b(op), loc(op.getLoc()), op(op), plan(plan), at(op.getNumLoops()), counts(op.getNumLoops(), 1) {
    auto iterators = op.getIteratorTypesArray();
    AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
    for (AffineExpr e : out.getResults()) {
      unsigned loop = cast<AffineDimExpr>(e).getPosition();
      if (plan.sumsInLanes || (loop != plan.vectorLoop && plan.together[loop] == 1))
        parallel.push_back(loop);
    }
    // Blocks innermost, vectors last.
    for (unsigned loop = 0; loop < at.size() && !plan.sumsInLanes; ++loop)
      if (loop != plan.vectorLoop && plan.together[loop] > 1)
        parallel.push_back(loop);
    if (!plan.sumsInLanes)
      parallel.push_back(plan.vectorLoop);
    for (unsigned loop = 0; loop < at.size(); ++loop)
      if (iterators[loop] == utils::IteratorType::reduction)
        reductions.push_back(loop);
    findFusedMultiplyAdd();
  }

  void run() {
    SmallVector<OpFoldResult> shape = op.createFlatListOfOperandDims(b, loc);
    AffineMap toLoops = op.getShapesToLoopsMap();
    for (OpFoldResult size : affine::makeComposedFoldedMultiResultAffineApply(b, loc, toLoops, shape))
      bounds.push_back(getValueOrCreateConstantIndexOp(b, loc, size));
    begins.assign(at.size(), Value());
    overSlabs();
    op->erase();
  }

private:
  Value index(int64_t n) { return arith::ConstantIndexOp::create(b, loc, n); }
  VectorType vectorOf(Type element) { return VectorType::get(plan.lanes, element); }

  //===--------------------------------------------------------------------===//
  // Loops
  //===--------------------------------------------------------------------===//

  /// The steps of a loop from `begin` to `end`; `carried` goes in and out.
  Values loop(unsigned which, Value begin, Value end, int64_t step, Values carried, function_ref<Values(Values)> body) {
    auto op = scf::ForOp::create(b, loc, begin, end, index(step), carried);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(op.getBody());
    at[which] = op.getInductionVar();
    Values results = body(Values(op.getRegionIterArgs()));
    b.setInsertionPointToEnd(op.getBody());
    if (!carried.empty())
      scf::YieldOp::create(b, loc, results);
    return Values(op.getResults());
  }

  /// Whole blocks first, the rest in single steps; a single step of the vector loop is under a mask.
  Values blocks(unsigned which, int64_t count, Values carried, function_ref<Values(Values)> body) {
    bool vectors = which == plan.vectorLoop;
    int64_t unit = vectors ? plan.lanes : 1, block = count * unit;
    Value begin = begins[which] ? begins[which] : index(0), end = bounds[which];
    if (block == 1) {
      counts[which] = 1;
      return loop(which, begin, end, 1, carried, body);
    }
    Value rest = arith::RemUIOp::create(b, loc, end, index(block));
    Value middle = arith::SubIOp::create(b, loc, end, rest);
    counts[which] = count;
    carried = loop(which, begin, middle, block, carried, body);
    counts[which] = 1;
    carried = loop(which, middle, end, unit, carried, [&](Values args) {
      if (vectors)
        mask = maskOf(arith::SubIOp::create(b, loc, end, at[which]));
      return body(args);
    });
    mask = Value();
    return carried;
  }

  /// The lanes whose number is below `count`.
  Value maskOf(Value count) {
    SmallVector<int32_t> numbers = llvm::to_vector(llvm::seq<int32_t>(0, plan.lanes));
    Value lane = arith::ConstantOp::create(b, loc, b.getI32VectorAttr(numbers));
    Value most = arith::MinUIOp::create(b, loc, count, index(plan.lanes));
    Value narrow = arith::IndexCastOp::create(b, loc, b.getI32Type(), most);
    Value all = vector::BroadcastOp::create(b, loc, vectorOf(b.getI32Type()), narrow);
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, lane, all);
  }

  /// A long sum is made in slabs, so that the rows which all blocks of the result read stay in the nearest cache.
  void overSlabs() {
    bool shared =
        llvm::any_of(parallel, [&](unsigned loop) { return loop != plan.vectorLoop && plan.together[loop] > 1; });
    if (plan.sumsInLanes || !shared || reductions.size() != 1)
      return overResult(0);
    unsigned which = reductions[0];
    Value end = bounds[which];
    loop(which, index(0), end, kSlab, {}, [&](Values) {
      Value rest = arith::SubIOp::create(b, loc, end, at[which]);
      Value size = arith::MinUIOp::create(b, loc, rest, index(kSlab));
      begins[which] = at[which];
      bounds[which] = arith::AddIOp::create(b, loc, at[which], size);
      overResult(0);
      return Values();
    });
  }

  void overResult(unsigned i) {
    if (i == parallel.size())
      return sums();
    unsigned which = parallel[i];
    bool alone = llvm::all_of(parallel, [&](unsigned other) { return other == which || counts[other] == 1; });
    int64_t count = which == plan.vectorLoop && alone ? plan.vectorsAlone : plan.together[which];
    blocks(which, count, {}, [&](Values) {
      overResult(i + 1);
      return Values();
    });
  }

  /// All places of a block, those of the last loop first changed.
  SmallVector<SmallVector<int64_t>> places(ArrayRef<unsigned> loops) {
    SmallVector<SmallVector<int64_t>> all = {SmallVector<int64_t>(at.size(), 0)};
    for (unsigned which : loops) {
      SmallVector<SmallVector<int64_t>> more;
      for (auto &place : all)
        for (int64_t i = 0; i < counts[which]; ++i) {
          more.push_back(place);
          more.back()[which] = i;
        }
      all = more;
    }
    return all;
  }

  /// One block of the result, all reductions included.
  void sums() {
    auto blocksOfResult = places(parallel);
    Value out = op.getDpsInits()[0];
    Type element = cast<MemRefType>(out.getType()).getElementType();
    AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
    Values carried;
    unsigned chains = plan.sumsInLanes ? plan.together[plan.vectorLoop] : 1; // independent sums of one element
    for (auto &place : blocksOfResult) {
      if (plan.sumsInLanes)
        carried.append(chains, neutral(element));
      else
        carried.push_back(load(out, map, place, {Access::Next, 1}));
    }
    carried = overReductions(0, carried, chains);
    for (auto [i, place] : llvm::enumerate(blocksOfResult)) {
      Values where = indices(map, place);
      if (!plan.sumsInLanes) {
        if (mask)
          vector::MaskedStoreOp::create(b, loc, out, where, mask, carried[i]);
        else
          vector::StoreOp::create(b, loc, carried[i], out, where);
        continue;
      }
      Value sum = carried[i * chains];
      for (unsigned chain = 1; chain < chains; ++chain)
        sum = combine(sum, carried[i * chains + chain]);
      // The lanes' order is free for the chip and the same in every run.
      auto order = isa<FloatType>(element) ? arith::FastMathFlags::reassoc : arith::FastMathFlags::none;
      Value one = vector::ReductionOp::create(b, loc, *plan.kind, sum, order);
      Value old = memref::LoadOp::create(b, loc, out, where);
      memref::StoreOp::create(b, loc, combine(old, one), out, where);
    }
  }

  Values overReductions(unsigned i, Values carried, unsigned chains) {
    if (i == reductions.size()) {
      // Single rows wait for memory; blocks have work enough to do meanwhile.
      bool single = llvm::all_of(parallel, [&](unsigned loop) { return loop == plan.vectorLoop || counts[loop] == 1; });
      if (!plan.sumsInLanes && !mask && single && plan.vectorsAlone > 1)
        ahead = reductions.back();
      Values results = step(carried, chains);
      ahead = -1;
      return results;
    }
    unsigned which = reductions[i];
    int64_t count = which == plan.vectorLoop ? plan.together[which] : 1;
    return blocks(which, count, carried, [&](Values args) { return overReductions(i + 1, args, chains); });
  }

  //===--------------------------------------------------------------------===//
  // One step
  //===--------------------------------------------------------------------===//

  Values step(Values carried, unsigned chains) {
    Values results = carried;
    std::map<std::pair<unsigned, SmallVector<int64_t>>, Value> read; // what several places share
    SmallVector<unsigned> loops = parallel;
    if (plan.sumsInLanes)
      loops.push_back(plan.vectorLoop);
    unsigned now = plan.sumsInLanes ? counts[plan.vectorLoop] : 1;
    for (auto [i, place] : llvm::enumerate(places(loops))) {
      unsigned sum = i / now * chains + i % now;
      IRMapping values;
      for (auto [n, input] : llvm::enumerate(op.getDpsInputOperands())) {
        AffineMap map = op.getMatchingIndexingMap(input);
        SmallVector<int64_t> key = place;
        for (unsigned which = 0; which < key.size(); ++which)
          if (!map.isFunctionOfDim(which))
            key[which] = 0;
        Value &v = read[{n, key}];
        if (!v)
          v = load(input->get(), map, key, plan.inputs[n]);
        values.map(op.getBlock()->getArgument(input->getOperandNumber()), v);
      }
      values.map(op.getRegionOutputArgs()[0], results[sum]);
      Value next = body(values, results[sum]);
      if (mask && plan.sumsInLanes)
        next = arith::SelectOp::create(b, loc, mask, next, results[sum]);
      results[sum] = next;
    }
    return results;
  }

  Values indices(AffineMap map, ArrayRef<int64_t> place) {
    Values loops;
    for (auto [which, value] : llvm::enumerate(at)) {
      int64_t offset = place[which] * (which == plan.vectorLoop ? plan.lanes : 1);
      Value base = value ? value : index(0);
      loops.push_back(offset ? arith::AddIOp::create(b, loc, base, index(offset)).getResult() : base);
    }
    Values results;
    for (AffineExpr e : map.getResults())
      results.push_back(affine::expandAffineExpr(b, loc, e, loops, {}));
    return results;
  }

  Value load(Value from, AffineMap map, ArrayRef<int64_t> place, VectorPlan::Input how) {
    auto type = dyn_cast<MemRefType>(from.getType());
    if (!type)
      return from;
    Values where = indices(map, place);
    if (how.access == Access::Same)
      return memref::LoadOp::create(b, loc, from, where);
    VectorType vector = vectorOf(type.getElementType());
    if (how.access == Access::Next && ahead >= 0 && map.isFunctionOfDim(ahead)) {
      // Rows lie too far apart for the chip to see where the next ones are.
      Value now = at[ahead];
      at[ahead] = arith::AddIOp::create(b, loc, now, index(kRowsAhead));
      memref::PrefetchOp::create(b, loc, from, indices(map, place), /*isWrite=*/false, /*localityHint=*/3,
                                 /*isDataCache=*/true);
      at[ahead] = now;
    }
    if (how.access == Access::Next && !mask)
      return vector::LoadOp::create(b, loc, vector, from, where);
    Value zeros = arith::ConstantOp::create(b, loc, b.getZeroAttr(vector));
    if (how.access == Access::Next)
      return vector::MaskedLoadOp::create(b, loc, vector, from, where, mask, zeros);
    SmallVector<int32_t> steps;
    for (int64_t lane = 0; lane < plan.lanes; ++lane)
      steps.push_back(lane * how.stride);
    Value offsets = arith::ConstantOp::create(b, loc, b.getI32VectorAttr(steps));
    Value lanes =
        mask ? mask
             : arith::ConstantOp::create(b, loc, DenseElementsAttr::get(vectorOf(b.getI1Type()), b.getBoolAttr(true)));
    return vector::GatherOp::create(b, loc, vector, from, where, offsets, lanes, zeros);
  }

  Value neutral(Type element) {
    TypedAttr attr = *arith::getNeutralElement(plan.combiner);
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(vectorOf(element), Attribute(attr)));
  }

  Value combine(Value x, Value y) {
    OperationState state(loc, plan.combiner->getName().getStringRef(), ValueRange{x, y}, TypeRange{x.getType()});
    return b.create(state)->getResult(0);
  }

  //===--------------------------------------------------------------------===//
  // The body on vectors
  //===--------------------------------------------------------------------===//

  void findFusedMultiplyAdd() {
    auto yield = cast<linalg::YieldOp>(op.getBlock()->getTerminator());
    auto add = yield.getOperand(0).getDefiningOp<arith::AddFOp>();
    if (!add || !(add.getType().isF32() || add.getType().isF64()))
      return;
    for (Value side : {add.getLhs(), add.getRhs()}) {
      auto product = side.getDefiningOp<arith::MulFOp>();
      if (product && product->hasOneUse() && product->getBlock() == op.getBlock()) {
        fusedAdd = add;
        fusedProduct = product;
      }
    }
  }

  Value widened(Value v) {
    return isa<VectorType>(v.getType()) ? v : vector::BroadcastOp::create(b, loc, vectorOf(v.getType()), v).getResult();
  }

  Value body(IRMapping &values, Value sum) {
    for (Operation &inner : op.getBlock()->without_terminator()) {
      if (&inner == fusedProduct)
        continue;
      if (&inner == fusedAdd) {
        Value other = fusedAdd.getLhs() == fusedProduct.getResult() ? fusedAdd.getRhs() : fusedAdd.getLhs();
        values.map(fusedAdd.getResult(),
                   math::FmaOp::create(b, loc, widened(values.lookupOrDefault(fusedProduct.getLhs())),
                                       widened(values.lookupOrDefault(fusedProduct.getRhs())),
                                       widened(values.lookupOrDefault(other)))
                       .getResult());
        continue;
      }
      Values operands;
      for (Value operand : inner.getOperands())
        operands.push_back(values.lookupOrDefault(operand));
      if (llvm::none_of(operands, [](Value v) { return isa<VectorType>(v.getType()); })) {
        b.clone(inner, values);
        continue;
      }
      for (Value &operand : operands)
        operand = widened(operand);
      SmallVector<Type> types;
      for (Type type : inner.getResultTypes())
        types.push_back(vectorOf(type));
      OperationState state(loc, inner.getName().getStringRef(), operands, types, inner.getAttrs());
      values.map(inner.getResults(), b.create(state)->getResults());
    }
    Value result = values.lookupOrDefault(op.getBlock()->getTerminator()->getOperand(0));
    return result.getType() == sum.getType() ? result : widened(result);
  }

  OpBuilder b;
  Location loc;
  linalg::LinalgOp op;
  const VectorPlan &plan;
  SmallVector<unsigned> parallel, reductions; // the loops' order
  Values begins, bounds, at;
  SmallVector<int64_t> counts; // steps that the current block does together
  Value mask;
  int64_t ahead = -1; // a reduction whose next rows are fetched early
  arith::AddFOp fusedAdd;
  arith::MulFOp fusedProduct;
};

struct VectorizeReductions : impl::VectorizeReductionsPassBase<VectorizeReductions> {
  using VectorizeReductionsPassBase::VectorizeReductionsPassBase;
  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    for (linalg::LinalgOp op : ops)
      if (auto plan = planVectors(op, vectorBits))
        Emitter(op, *plan).run();
  }
};

} // namespace
} // namespace mxn
