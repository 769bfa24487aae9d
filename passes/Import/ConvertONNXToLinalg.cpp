//===- ConvertONNXToLinalg.cpp - Gives each node to its handler -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Kernel/KernelDialect.h"
#include "dialects/LLM/LLMDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Import/Lowering.h"
#include "passes/Import/Passes.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_CONVERTONNXTOLINALGPASS
#include "passes/Import/Passes.h.inc"

/// Removes nodes that nobody reads, so that what was folded into shapes isn't reported as unsupported.
static void eraseUnused(func::FuncOp func) {
  SmallVector<Operation *> ops;
  func.walk([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : llvm::reverse(ops)) // users stand behind what they use, and behind what stands inside them
    if (isa<onnx::NodeOp, onnx::ConstantOp, onnx::AbsentOp>(op) && op->use_empty())
      op->erase();
}

/// Reads of a tensor whose elements are known don't need it: they read its elements, which are constants or sizes.
LogicalResult Lowering::lower(onnx::NodeOp node) {
  OpBuilder b(node);
  LowerContext context(*this, node, b);
  if (node.getKnownAttr() && llvm::all_of(node.getKnownAttr(), [](Attribute a) { return isa<onnx::ValuesAttr>(a); })) {
    for (unsigned i = 0; i < node.getNumResults(); ++i)
      values[node.getResult(i)] = fromKnown(context, i);
    return success();
  }
  const Handler *handler = HandlerRegistry::instance().find(node.getDomain(), node.getOp(), node.getVersion());
  if (!handler || !handler->lower) {
    unsupported[node.qualifiedName()].push_back(node.getLoc());
    return failure();
  }
  for (Value v : node.getOperands())
    if (!isa<onnx::NoneType>(v.getType()) && !values.lookup(v))
      return failure(); // follows from an unsupported node
  for (Value v : node->getResults()) {
    auto type = dyn_cast<RankedTensorType>(v.getType());
    if (!type && !v.use_empty())
      return context.error() << "the rank of its output isn't known when compiling";
  }
  auto results = handler->lower(context);
  if (failed(results))
    return failure();
  for (auto [old, value] : llvm::zip(node.getResults(), *results)) {
    if (!value)
      continue;
    RankedTensorType want = context.type(context.outputDims(cast<OpResult>(old).getResultNumber()),
                                         LowerContext::lowered(LowerContext::element(old)));
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
LogicalResult Lowering::lowerTypes(Operation *op) {
  OpBuilder b(op);
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

LogicalResult Lowering::lower(onnx::ConstantOp op) {
  OpBuilder b(op);
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
  eraseUnused(func);
  Block &block = func.getBody().front();
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

  bool ok = true;
  for (Operation *op : old) {
    if (auto node = dyn_cast<onnx::NodeOp>(op))
      ok &= succeeded(lower(node));
    else if (auto constant = dyn_cast<onnx::ConstantOp>(op))
      ok &= succeeded(lower(constant));
    else if (isa<llm::LLMDialect>(op->getDialect()))
      ok &= succeeded(lowerTypes(op));
  }
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
