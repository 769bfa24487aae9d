//===- VectorPlan.cpp - How a reduction becomes vector code ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Lowering/VectorPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace mxn {
namespace {

using Access = VectorPlan::Access;

/// Elements that are farther apart are better read one by one.
constexpr int64_t kMostStride = 8;

/// The factor of a loop in a linear expression; nothing where the loop is rounded.
std::optional<int64_t> factor(AffineExpr e, unsigned loop) {
  if (!e.isFunctionOfDim(loop))
    return 0;
  if (isa<AffineDimExpr>(e))
    return 1;
  auto binary = dyn_cast<AffineBinaryOpExpr>(e);
  if (!binary)
    return std::nullopt;
  auto left = factor(binary.getLHS(), loop), right = factor(binary.getRHS(), loop);
  if (e.getKind() == AffineExprKind::Add && left && right)
    return *left + *right;
  if (auto c = dyn_cast<AffineConstantExpr>(binary.getRHS()); c && e.getKind() == AffineExprKind::Mul && left)
    return *left * c.getValue();
  return std::nullopt;
}

bool uses(AffineMap map, unsigned loop) { return map.isFunctionOfDim(loop); }

/// Elements from one step of a dimension to the next.
int64_t strideOf(MemRefType type, int64_t dim) {
  int64_t offset;
  SmallVector<int64_t> strides;
  return succeeded(type.getStridesAndOffset(strides, offset)) ? strides[dim] : ShapedType::kDynamic;
}

/// How an operand moves when the loop goes on by one.
std::optional<VectorPlan::Input> accessOf(AffineMap map, Type type, unsigned loop) {
  if (!uses(map, loop))
    return VectorPlan::Input{};
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref || !memref.isLastDimUnitStride())
    return std::nullopt;
  int64_t stride = 0;
  for (auto [dim, e] : llvm::enumerate(map.getResults())) {
    auto steps = factor(e, loop);
    if (!steps || *steps < 0 || (*steps && ShapedType::isDynamic(strideOf(memref, dim))))
      return std::nullopt;
    stride += *steps ? *steps * strideOf(memref, dim) : 0;
  }
  if (stride < 1 || stride > kMostStride)
    return std::nullopt;
  return VectorPlan::Input{stride == 1 ? Access::Next : Access::Strided, stride};
}

std::optional<vector::CombiningKind> combiningKind(Operation *op) {
  using Kind = vector::CombiningKind;
  return llvm::TypeSwitch<Operation *, std::optional<Kind>>(op)
      .Case<arith::AddFOp, arith::AddIOp>([](auto) { return Kind::ADD; })
      .Case<arith::MulFOp, arith::MulIOp>([](auto) { return Kind::MUL; })
      .Case([](arith::MaximumFOp) { return Kind::MAXIMUMF; })
      .Case([](arith::MinimumFOp) { return Kind::MINIMUMF; })
      .Case([](arith::MaxSIOp) { return Kind::MAXSI; })
      .Case([](arith::MinSIOp) { return Kind::MINSI; })
      .Case([](arith::MaxUIOp) { return Kind::MAXUI; })
      .Case([](arith::MinUIOp) { return Kind::MINUI; })
      .Default([](Operation *) { return std::nullopt; });
}

Value baseOf(Value memref) {
  while (auto view = memref.getDefiningOp<ViewLikeOpInterface>())
    memref = view.getViewSource();
  return memref;
}

bool isNumber(Type type) { return type.isIntOrFloat(); }

/// Types and body: one result, whole bytes in memory, arithmetic only.
bool isEligible(linalg::LinalgOp op) {
  if (!op.hasPureBufferSemantics() || op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0)
    return false;
  Value out = op.getDpsInits()[0];
  if (getElementTypeOrSelf(out.getType()).isBF16())
    return false; // summed up in f32, one by one
  for (Value operand : op->getOperands()) {
    Type element = getElementTypeOrSelf(operand.getType());
    if (!isNumber(element) || element.getIntOrFloatBitWidth() < 8)
      return false;
  }
  for (OpOperand *input : op.getDpsInputOperands())
    if (baseOf(input->get()) == baseOf(out))
      return false;
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  auto iterators = op.getIteratorTypesArray();
  if (!map.isProjectedPermutation() || map.getNumResults() != llvm::count(iterators, utils::IteratorType::parallel))
    return false;
  return llvm::all_of(op.getBlock()->without_terminator(), [](Operation &inner) {
    // Lanes under a mask hold zeros: a division of integers could trap on them.
    bool traps = isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::CeilDivSIOp,
                     arith::CeilDivUIOp, arith::FloorDivSIOp>(inner);
    // Rounding twice is avoided with care, and that for single values only.
    auto narrow = dyn_cast<arith::TruncFOp>(inner);
    if (narrow && narrow.getIn().getType().isF64() && narrow.getType().getIntOrFloatBitWidth() == 16)
      return false;
    bool plain = inner.hasTrait<OpTrait::ConstantLike>() || OpTrait::hasElementwiseMappableTraits(&inner);
    return plain && !traps && inner.getNumRegions() == 0 && isMemoryEffectFree(&inner) &&
           llvm::all_of(inner.getOperandTypes(), isNumber) && llvm::all_of(inner.getResultTypes(), isNumber);
  });
}

class Planner {
public:
  Planner(linalg::LinalgOp op, unsigned vectorBits)
      : op(op), wide(vectorBits >= 512), iterators(op.getIteratorTypesArray()), extents(op.getStaticLoopRanges()),
        out(op.getMatchingIndexingMap(op.getDpsInitOperand(0))) {
    Type element = getElementTypeOrSelf(op.getDpsInits()[0].getType());
    plan.lanes = vectorBits / element.getIntOrFloatBitWidth();
    plan.together.assign(extents.size(), 1);
  }

  std::optional<VectorPlan> make() {
    if (plan.lanes < 2)
      return std::nullopt;
    int64_t across = -1;
    auto memory = cast<MemRefType>(op.getDpsInits()[0].getType());
    for (int64_t dim = static_cast<int64_t>(out.getNumResults()) - 1; dim >= 0 && across < 0; --dim) {
      unsigned loop = out.getDimPosition(dim);
      if (strideOf(memory, dim) != 1 || !memory.isLastDimUnitStride())
        break;
      if (extents[loop] != 1 && takeAccesses(loop, /*strided=*/true))
        across = loop;
    }
    bool narrow = across >= 0 && !ShapedType::isDynamic(extents[across]) && extents[across] < plan.lanes;
    if ((across < 0 || narrow) && alongReduction())
      return plan;
    if (across < 0 || !takeAccesses(across, true))
      return std::nullopt;
    acrossResult(across);
    return plan;
  }

private:
  bool takeAccesses(unsigned loop, bool strided) {
    plan.inputs.clear();
    for (OpOperand *input : op.getDpsInputOperands()) {
      auto access = accessOf(op.getMatchingIndexingMap(input), input->get().getType(), loop);
      if (!access || (access->access == Access::Strided && !strided))
        return false;
      plan.inputs.push_back(*access);
    }
    return true;
  }

  /// Loops of the result whose steps read the same vectors.
  SmallVector<unsigned> sharingLoops() {
    SmallVector<unsigned> found;
    for (AffineExpr e : llvm::reverse(out.getResults())) {
      unsigned loop = cast<AffineDimExpr>(e).getPosition();
      if ((loop == plan.vectorLoop && !plan.sumsInLanes) || extents[loop] == 1)
        continue;
      for (auto [input, access] : llvm::zip(op.getDpsInputOperands(), plan.inputs))
        if (access.access != Access::Same && !uses(op.getMatchingIndexingMap(input), loop)) {
          found.push_back(loop);
          break;
        }
    }
    return found;
  }

  /// At most `count` steps, and not more than there are.
  int64_t fitting(unsigned loop, int64_t count, int64_t unit = 1) {
    if (!ShapedType::isDynamic(extents[loop]))
      while (count > 1 && count * unit > extents[loop])
        count /= 2;
    return count;
  }

  void acrossResult(unsigned loop) {
    plan.vectorLoop = loop;
    plan.vectorsAlone = fitting(loop, wide ? 8 : 4, plan.lanes);
    SmallVector<unsigned> sharing = sharingLoops();
    if (sharing.empty()) {
      plan.together[loop] = fitting(loop, 4, plan.lanes);
      plan.vectorsAlone = plan.together[loop];
      return;
    }
    plan.together[loop] = fitting(loop, 2, plan.lanes);
    plan.together[sharing[0]] = fitting(sharing[0], wide ? 8 : 4);
  }

  bool alongReduction() {
    auto yield = cast<linalg::YieldOp>(op.getBlock()->getTerminator());
    Operation *combiner = yield.getOperand(0).getDefiningOp();
    BlockArgument sum = op.getRegionOutputArgs()[0];
    if (!combiner || combiner->getBlock() != op.getBlock() || !sum.hasOneUse() || *sum.user_begin() != combiner)
      return false;
    auto kind = combiningKind(combiner);
    if (!kind || !arith::getNeutralElement(combiner))
      return false;
    for (int64_t loop = extents.size() - 1; loop >= 0; --loop) {
      bool tooShort = !ShapedType::isDynamic(extents[loop]) && extents[loop] < plan.lanes;
      if (iterators[loop] != utils::IteratorType::reduction || tooShort || !takeAccesses(loop, false) ||
          llvm::none_of(plan.inputs, [](auto &input) { return input.access == Access::Next; }))
        continue;
      plan.vectorLoop = loop;
      plan.sumsInLanes = true;
      plan.combiner = combiner;
      plan.kind = kind;
      SmallVector<unsigned> sharing = sharingLoops();
      for (unsigned other : ArrayRef(sharing).take_front(2))
        plan.together[other] = fitting(other, wide || sharing.size() == 1 ? 4 : 2);
      if (sharing.empty())
        plan.together[loop] = fitting(loop, 4, plan.lanes);
      plan.vectorsAlone = plan.together[loop];
      return true;
    }
    return false;
  }

  linalg::LinalgOp op;
  bool wide;
  SmallVector<utils::IteratorType> iterators;
  SmallVector<int64_t> extents;
  AffineMap out;
  VectorPlan plan;
};

} // namespace

std::optional<VectorPlan> planVectors(linalg::LinalgOp op, unsigned vectorBits) {
  if (!isEligible(op))
    return std::nullopt;
  return Planner(op, vectorBits).make();
}

} // namespace mxn
