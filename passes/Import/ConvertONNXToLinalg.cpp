//===- ConvertONNXToLinalg.cpp - Gives each node to its handler -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Kernel/KernelDialect.h"
#include "dialects/LLM/LLMDialect.h"
#include "dialects/Program/ProgramDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Import/Lowering.h"
#include "passes/Import/Passes.h"
#include "passes/Import/ShapeInference.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_CONVERTONNXTOLINALGPASS
#include "passes/Import/Passes.h.inc"

/// An If without the results that nobody reads, so that what computes them goes too.
static void dropUnusedResults(onnx::NodeOp node) {
  SmallVector<unsigned> used;
  for (OpResult result : node->getResults())
    if (!result.use_empty())
      used.push_back(result.getResultNumber());
  if (used.size() == node.getNumResults())
    return;
  OpBuilder b(node);
  SmallVector<Type> types;
  SmallVector<Attribute> known;
  for (unsigned i : used) {
    types.push_back(node.getResult(i).getType());
    if (node.getKnownAttr())
      known.push_back(node.getKnownAttr()[i]);
  }
  auto kept = onnx::NodeOp::create(b, node.getLoc(), types, node.getOp(), node.getDomain(), node.getVersion(),
                                   node.getInputs(), node.getParams(), node.getRegionNames(),
                                   node.getKnownAttr() ? b.getArrayAttr(known) : ArrayAttr(), node.getGraphs().size());
  for (auto [from, to] : llvm::zip(node.getGraphs(), kept.getGraphs())) {
    to.takeBody(from);
    Operation *yield = to.front().getTerminator();
    SmallVector<Value> values;
    for (unsigned i : used)
      values.push_back(yield->getOperand(i));
    yield->setOperands(values);
  }
  for (auto [i, old] : llvm::enumerate(used))
    node.getResult(old).replaceAllUsesWith(kept.getResult(i));
  node.erase();
}

/// Removes nodes that nobody reads, so that what was folded into shapes isn't reported as unsupported.
static void eraseUnused(Block &block) {
  // Users stand behind what they use, and readers inside a graph count too.
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    if (!isa<onnx::NodeOp, onnx::ConstantOp, onnx::AbsentOp>(op))
      continue;
    if (op.use_empty()) {
      op.erase();
      continue;
    }
    Operation *now = &op;
    if (auto node = dyn_cast<onnx::NodeOp>(op); node && isIf(node)) {
      Operation *before = op.getPrevNode();
      dropUnusedResults(node);
      now = before ? before->getNextNode() : &block.front();
    }
    for (Region &region : now->getRegions())
      eraseUnused(region.front());
  }
}

/// Reads of a tensor whose elements are known don't need it: they read its elements, which are constants or sizes.
LogicalResult Lowering::lower(onnx::NodeOp node, OpBuilder &b) {
  LowerContext context(*this, node, b);
  if (node.getKnownAttr() && llvm::all_of(node.getKnownAttr(), [](Attribute a) { return isa<onnx::ValuesAttr>(a); })) {
    for (unsigned i = 0; i < node.getNumResults(); ++i)
      values[node.getResult(i)] = fromKnown(context, i);
    return success();
  }
  const Handler *handler = HandlerRegistry::instance().find(node.getDomain(), node.getOp(), node.getVersion());
  if (!isIf(node) && !isLoop(node) && (!handler || !handler->lower)) {
    unsupported[node.qualifiedName()].push_back(node.getLoc());
    return failure();
  }
  for (Value v : node.getOperands())
    if (!isa<onnx::NoneType>(v.getType()) && !values.lookup(v))
      return failure(); // follows from an unsupported node
  for (Value v : node.getOperands())
    if (isa<UnrankedTensorType>(v.getType()))
      return context.error() << "the rank of its input isn't known when compiling";
  for (Value v : node->getResults()) {
    auto type = dyn_cast<RankedTensorType>(v.getType());
    if (!isa<TensorType, onnx::NoneType>(v.getType()) && !v.use_empty())
      return context.error() << "its output is a " << v.getType() << ", and only tensors are supported";
    if (!type && !v.use_empty())
      return context.error() << "the rank of its output isn't known when compiling";
  }
  auto results = isIf(node) ? lowerIf(context) : isLoop(node) ? lowerLoop(context) : handler->lower(context);
  if (failed(results))
    return failure();
  for (auto [old, value] : llvm::zip(node.getResults(), *results)) {
    if (!value)
      continue;
    RankedTensorType want = context.type(context.outputDims(cast<OpResult>(old).getResultNumber()),
                                         LowerContext::lowered(LowerContext::element(old)));
    // Sizes that a guard makes equal may be a number on one side and an expression on the other.
    if (value.getType() != want && tensor::CastOp::areCastCompatible(value.getType(), want))
      value = tensor::CastOp::create(b, node.getLoc(), want, value);
    if (value.getType() != want)
      return context.error() << "internal error: the handler gave a " << value.getType() << " for a " << want;
    values[old] = value;
  }
  return success();
}

Value Lowering::fromKnown(LowerContext &context, unsigned result) {
  auto exprs = cast<onnx::ValuesAttr>(context.node.getKnownAttr()[result]).getExprs();
  RankedTensorType type = context.outputType(result);
  SmallVector<SymbolicExpr> parsed;
  bool constant = type.hasStaticShape();
  for (StringAttr e : exprs) {
    parsed.push_back(*SymbolicExpr::parse(e.getValue()));
    constant &= parsed.back().constant().has_value();
  }
  OpBuilder &b = context.b;
  Type element = type.getElementType();
  if (constant) {
    SmallVector<Attribute> attrs;
    for (const SymbolicExpr &e : parsed)
      attrs.push_back(element.isInteger(1) ? b.getIntegerAttr(element, *e.constant() != 0)
                                           : b.getIntegerAttr(element, *e.constant()));
    return arith::ConstantOp::create(b, context.loc, DenseElementsAttr::get(type, attrs));
  }
  SmallVector<Value> elements;
  for (const SymbolicExpr &e : parsed) {
    Value v = context.size(e);
    elements.push_back(
        element.isInteger(1)
            ? arith::CmpIOp::create(b, context.loc, arith::CmpIPredicate::ne, v, context.index(0)).getResult()
            : arith::IndexCastOp::create(b, context.loc, element, v).getResult());
  }
  return tensor::FromElementsOp::create(b, context.loc, type, elements);
}

/// The ops of language models stay; their tensors lose what only the onnx dialect's types say.
LogicalResult Lowering::lowerTypes(Operation *op, OpBuilder &b) {
  IRMapping mapping;
  for (Value operand : op->getOperands()) {
    if (!values.lookup(operand))
      return failure(); // follows from an unsupported node
    mapping.map(operand, values.lookup(operand));
  }
  Operation *copy = b.clone(*op, mapping);
  for (auto [old, result] : llvm::zip(op->getResults(), copy->getResults())) {
    auto type = cast<RankedTensorType>(result.getType());
    result.setType(RankedTensorType::get(type.getShape(), LowerContext::lowered(type.getElementType())));
    values[old] = result;
  }
  return success();
}

LogicalResult Lowering::lower(onnx::ConstantOp op, OpBuilder &b) {
  auto type = cast<RankedTensorType>(op.getResult().getType());
  Type element = LowerContext::lowered(type.getElementType());
  if (!element)
    return op.emitError() << "constants of type " << type.getElementType() << " aren't supported";
  auto plain = RankedTensorType::get(type.getShape(), element);
  if (auto weight = dyn_cast<llm::WeightAttr>(op.getValue())) {
    values[op.getResult()] = llm::ConstantOp::create(b, op.getLoc(), plain, weight);
    return success();
  }
  auto dense = dyn_cast<DenseElementsAttr>(op.getValue());
  if (!dense)
    return op.emitError() << "constants of this form aren't supported";
  if (element != type.getElementType())
    dense = dense.bitcast(element);
  values[op.getResult()] = arith::ConstantOp::create(b, op.getLoc(), plain, cast<TypedAttr>(dense));
  return success();
}

LogicalResult Lowering::lower(Block &block, OpBuilder &b) {
  SmallVector<Operation *> ops;
  for (Operation &op : block)
    ops.push_back(&op);
  bool inside = &block != &func.getBody().front(), ok = true;
  for (Operation *op : ops) {
    if (!inside)
      b.setInsertionPoint(op);
    if (auto node = dyn_cast<onnx::NodeOp>(op))
      ok &= succeeded(lower(node, b));
    else if (auto constant = dyn_cast<onnx::ConstantOp>(op))
      ok &= succeeded(lower(constant, b));
    else if (isa<llm::LLMDialect>(op->getDialect()))
      ok &= succeeded(lowerTypes(op, b));
    else if (inside && isa<program::GuardOp>(op))
      b.clone(*op);
  }
  return success(ok);
}

void Lowering::reportUnsupported() {
  if (unsupported.empty())
    return;
  auto diagnostic = func.emitError() << "the model has " << unsupported.size() << " operator(s) that aren't supported:";
  llvm::StringRef separator = " ";
  for (const auto &[name, places] : unsupported) {
    diagnostic << separator << name << " (" << places.size() << ")";
    separator = ", ";
    diagnostic.attachNote(places.front()) << "the first " << name;
  }
}

LogicalResult Lowering::run() {
  Block &block = func.getBody().front();
  eraseUnused(block);
  // The arguments keep their names and symbolic shapes in `program.tensor`; their types become plain tensors.
  for (BlockArgument arg : block.getArguments()) {
    Type element = LowerContext::element(arg);
    if (!element || !LowerContext::lowered(element) || !isa<RankedTensorType>(arg.getType()))
      return func.emitError() << "input " << arg.getArgNumber() << " of type " << arg.getType() << " isn't supported";
  }
  SmallVector<Operation *> old;
  for (Operation &op : block)
    old.push_back(&op);
  OpBuilder b = OpBuilder::atBlockBegin(&block);
  entry = b.getInsertionPoint();
  SmallVector<Value> shadows; // the plain values of the arguments, until the types are changed
  for (BlockArgument arg : block.getArguments()) {
    auto type = cast<RankedTensorType>(arg.getType());
    auto plain = RankedTensorType::get(type.getShape(), LowerContext::lowered(type.getElementType()));
    Value shadow = UnrealizedConversionCastOp::create(b, arg.getLoc(), plain, arg).getResult(0);
    values[arg] = shadow;
    shadows.push_back(shadow);
  }
  anchor = shadows.empty() ? nullptr : shadows.back().getDefiningOp();

  bool ok = succeeded(lower(block, b));
  reportUnsupported();
  if (!ok)
    return failure();

  auto ret = cast<func::ReturnOp>(block.getTerminator());
  for (OpOperand &operand : ret->getOpOperands())
    operand.set(values.lookup(operand.get()));
  for (Operation *op : llvm::reverse(old))
    if (isa<onnx::NodeOp, onnx::ConstantOp, onnx::AbsentOp, llm::PagedAttentionOp>(op))
      op->erase();
  for (auto [arg, shadow] : llvm::zip(block.getArguments(), shadows)) {
    arg.setType(shadow.getType());
    shadow.replaceAllUsesWith(arg);
    shadow.getDefiningOp()->erase();
  }
  func.setType(FunctionType::get(func.getContext(), block.getArgumentTypes(), ret.getOperandTypes()));
  return success();
}

namespace {
struct ConvertONNXToLinalg : impl::ConvertONNXToLinalgPassBase<ConvertONNXToLinalg> {
  void runOnOperation() override {
    if (failed(Lowering(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace
} // namespace mxn
