//===- ControlFlow.cpp - If and Loop become program.if and program.loop ---===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Program/ProgramDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Import/Lowering.h"
#include "passes/Import/ShapeInference.h"

using namespace mlir;

namespace mxn {
namespace {

/// Trip counts that come as data; more would not end in anybody's lifetime.
constexpr int64_t kMaxTripsRead = INT32_MAX;

std::string text(ArrayRef<SymbolicExpr> dims) {
  std::string out;
  for (const SymbolicExpr &d : dims)
    out += (out.empty() ? "" : ", ") + d.str();
  return "[" + out + "]";
}

/// The one element of a tensor as a number of the host.
FailureOr<Value> read(LowerContext &c, unsigned input, int64_t minimum, int64_t maximum, StringRef what) {
  Value tensor = c.input(input);
  auto type = cast<RankedTensorType>(tensor.getType());
  auto element = dyn_cast<IntegerType>(type.getElementType());
  if (!element)
    return c.error() << "its " << what << " is a tensor of " << type.getElementType();
  auto one = RankedTensorType::get(SmallVector<int64_t>(type.getRank(), 1), element);
  if (type != one) {
    if (!tensor::CastOp::areCastCompatible(type, one))
      return c.error() << "its " << what << " must have one element, it is a " << type;
    tensor = tensor::CastOp::create(c.b, c.loc, one, tensor);
  }
  std::string message = ("the " + what + " of " + c.node.getOp()).str();
  return program::ReadOp::create(c.b, c.loc, c.b.getIndexType(), tensor, element, minimum, maximum, message).getValue();
}

/// What a graph knows of one of its values; a body's second argument is the condition, true wherever the body runs.
bool isKnownTrue(Value v) {
  if (auto arg = dyn_cast<BlockArgument>(v)) {
    auto around = dyn_cast<onnx::NodeOp>(arg.getOwner()->getParentOp());
    return arg.getArgNumber() == 1 && around && isLoop(around);
  }
  auto values = LowerContext::valuesOf(v);
  return values && values->size() == 1 && values->front().isConstant(1);
}

void appendSizes(LowerContext &c, ArrayRef<SymbolicExpr> dims, SmallVectorImpl<Value> &sizes) {
  for (const SymbolicExpr &d : dims)
    if (!d.constant())
      sizes.push_back(c.size(d));
}

} // namespace

FailureOr<Value> Lowering::yielded(Value onnxValue, Type type, OpBuilder &b, Location loc) {
  Value v = values.lookup(onnxValue);
  if (!v)
    return failure(); // follows from an unsupported node
  if (type && v.getType() != type) {
    if (!tensor::CastOp::areCastCompatible(v.getType(), type))
      return emitError(loc) << "internal error: a graph gives a " << v.getType() << " for a " << type;
    v = tensor::CastOp::create(b, loc, type, v);
  }
  return v;
}

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<Value>> Lowering::lowerIf(LowerContext &c) {
  Block *branches[] = {graph(c.node, "then_branch"), graph(c.node, "else_branch")};
  auto known = c.values(0);
  bool onHost = known && known->size() == 1 && followsFromSizes(known->front());
  SmallVector<Type> types;
  SmallVector<Value> sizes;
  for (unsigned i = 0; i < c.node.getNumResults(); ++i) {
    auto dims = [&](Block *branch) { return LowerContext::dimsOf(branch->getTerminator()->getOperand(i)); };
    for (Block *branch : branches)
      if (!isa<RankedTensorType>(branch->getTerminator()->getOperand(i).getType()))
        return c.error() << "output " << i << " isn't a tensor of a known rank in both branches";
    Dims out = c.outputDims(i);
    if (!llvm::all_of(out, followsFromSizes) && dims(branches[0]) != dims(branches[1]))
      return c.error() << "its branches give output " << i << " with the shapes " << text(dims(branches[0])) << " and "
                       << text(dims(branches[1])) << ", and its condition depends on data, which isn't supported";
    if (!LowerContext::lowered(c.outputElement(i)))
      return c.error() << "results of type " << c.outputElement(i) << " aren't supported";
    types.push_back(c.outputType(i));
    appendSizes(c, out, sizes);
  }
  Value condition;
  if (onHost) {
    condition = c.size(known->front());
  } else {
    FailureOr<Value> data = read(c, 0, 0, 1, "condition");
    if (failed(data))
      return failure();
    condition = *data;
  }
  auto op = program::IfOp::create(c.b, c.loc, types, condition, sizes);
  bool ok = true;
  for (auto [branch, region] : llvm::zip(branches, op->getRegions())) {
    OpBuilder inside = OpBuilder::atBlockBegin(&region.emplaceBlock());
    ok &= succeeded(lower(*branch, inside));
    SmallVector<Value> results;
    for (auto [v, type] : llvm::zip(branch->getTerminator()->getOperands(), types)) {
      FailureOr<Value> result = yielded(v, type, inside, c.loc);
      ok &= succeeded(result);
      results.push_back(ok ? *result : Value());
    }
    if (ok)
      program::YieldOp::create(inside, c.loc, results);
  }
  if (!ok)
    return failure();
  return SmallVector<Value>(op.getResults());
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<Value>> Lowering::lowerLoop(LowerContext &c) {
  Block &body = *graph(c.node, "body");
  unsigned carried = c.node.getInputs().size() - 2;
  Value next = body.getTerminator()->getOperand(0);
  auto start = c.values(1);
  bool startsKnown = !c.hasInput(1) || (start && start->size() == 1 && start->front().constant());
  bool never = startsKnown && c.hasInput(1) && start->front().isConstant(0);
  bool goesOn = isKnownTrue(next);
  bool conditional = !never && !(startsKnown && goesOn);

  if (conditional && c.node.getNumResults() > carried)
    return c.error() << "stacks a result, and its condition depends on data: the size of the result isn't known before "
                        "it runs, which isn't supported";
  if (!c.hasInput(0) && !never)
    return c.error() << "has no trip count, so that nothing bounds it; give it one";
  Value trips;
  auto count = c.values(0);
  if (never) {
    trips = c.index(0);
  } else if (count && count->size() == 1 && followsFromSizes(count->front())) {
    trips = c.size(SymbolicExpr::max(count->front(), 0));
  } else {
    if (c.node.getNumResults() > carried)
      return c.error() << "stacks a result, and its trip count depends on data, which isn't supported";
    FailureOr<Value> data = read(c, 0, INT64_MIN, kMaxTripsRead, "trip count");
    if (failed(data))
      return failure();
    trips = *data;
  }

  SmallVector<Type> types;
  SmallVector<Value> init, sizes;
  for (unsigned i = 0; i < c.node.getNumResults(); ++i) {
    if (!isa<RankedTensorType>(c.node.getResult(i).getType()) || !LowerContext::lowered(c.outputElement(i)))
      return c.error() << "output " << i << " is a " << c.node.getResult(i).getType() << ", which isn't supported";
    Dims dims = c.outputDims(i);
    if (!llvm::all_of(dims, followsFromSizes))
      return c.error() << "the shape " << text(dims) << " of output " << i << " depends on data, which isn't supported";
    types.push_back(c.outputType(i));
    appendSizes(c, dims, sizes);
    if (i < carried) {
      Value v = c.input(2 + i);
      init.push_back(v.getType() == types.back() ? v : tensor::CastOp::create(c.b, c.loc, types.back(), v).getResult());
    }
  }
  Value going;
  auto boolean = RankedTensorType::get({}, c.b.getI1Type());
  auto scalar = [&](OpBuilder &b, Value v) -> Value {
    if (cast<RankedTensorType>(v.getType()).getRank() == 0)
      return v;
    return tensor::CollapseShapeOp::create(b, c.loc, boolean, v, ArrayRef<ReassociationIndices>()).getResult();
  };
  if (conditional)
    going = c.hasInput(1) ? scalar(c.b, c.input(1))
                          : arith::ConstantOp::create(c.b, c.loc, DenseElementsAttr::get(boolean, true)).getResult();
  auto op = program::LoopOp::create(c.b, c.loc, types, trips, going, init, sizes);
  Block &block = op.getBody().emplaceBlock();
  Value counter = block.addArgument(c.b.getIndexType(), c.loc);
  OpBuilder inside = OpBuilder::atBlockBegin(&block);

  auto plain = [&](unsigned i) {
    Value arg = body.getArgument(i);
    SmallVector<int64_t> shape;
    if (auto ranked = dyn_cast<RankedTensorType>(arg.getType()))
      shape.assign(ranked.getRank(), 1);
    return RankedTensorType::get(shape, LowerContext::lowered(LowerContext::element(arg)));
  };
  RankedTensorType counterType = plain(0);
  Value number = arith::IndexCastOp::create(inside, c.loc, counterType.getElementType(), counter);
  values[body.getArgument(0)] = tensor::FromElementsOp::create(inside, c.loc, counterType, number);
  values[body.getArgument(1)] =
      arith::ConstantOp::create(inside, c.loc, DenseElementsAttr::get(plain(1), true)).getResult();
  for (unsigned i = 0; i < carried; ++i)
    values[body.getArgument(2 + i)] = block.addArgument(types[i], c.loc);
  if (failed(lower(body, inside)))
    return failure();

  // The order of program.loop: carried tensors, the condition, parts of what is stacked.
  SmallVector<Value> results;
  auto yield = [&](unsigned i, Type type) {
    FailureOr<Value> v = yielded(body.getTerminator()->getOperand(i), type, inside, c.loc);
    if (succeeded(v))
      results.push_back(type ? *v : scalar(inside, *v));
    return success(succeeded(v));
  };
  bool ok = true;
  for (unsigned i = 0; i < carried; ++i)
    ok &= succeeded(yield(1 + i, types[i]));
  if (conditional)
    ok &= succeeded(yield(0, Type()));
  for (unsigned i = carried; i < types.size(); ++i) {
    auto stacked = cast<RankedTensorType>(types[i]);
    ok &= succeeded(yield(1 + i, RankedTensorType::get(stacked.getShape().drop_front(), stacked.getElementType())));
  }
  if (!ok)
    return failure();
  program::YieldOp::create(inside, c.loc, results);
  return SmallVector<Value>(op.getResults());
}

} // namespace mxn
