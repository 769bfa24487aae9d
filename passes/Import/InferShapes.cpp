//===- InferShapes.cpp - Symbolic shapes and values -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/LLM/LLMDialect.h"
#include "dialects/ONNX/ONNXDialect.h"
#include "dialects/Program/ProgramDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Import/Passes.h"
#include "passes/Import/ShapeInference.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_INFERSHAPESPASS
#include "passes/Import/Passes.h.inc"

//===----------------------------------------------------------------------===//
// Equations
//===----------------------------------------------------------------------===//

SymbolicExpr ShapeInference::simplify(const SymbolicExpr &e) {
  SymbolicExpr now = e;
  // A solution may mention symbols that were solved later; equate() keeps them free of cycles.
  for (size_t round = 0; round <= solved.size(); ++round) {
    SymbolicExpr next = now.substitute([&](StringRef name) -> std::optional<SymbolicExpr> {
      auto it = solved.find(name.str());
      return it == solved.end() ? std::nullopt : std::optional(it->second);
    });
    if (next == now)
      break;
    now = next;
  }
  return now;
}

LogicalResult ShapeInference::equate(const SymbolicExpr &left, const SymbolicExpr &right, onnx::NodeOp node,
                                     const Twine &what) {
  SymbolicExpr a = simplify(left), b = simplify(right);
  if (a == b)
    return success();
  SymbolicExpr difference = a - b;
  if (difference.constant())
    return node.emitError() << node.qualifiedName() << ": " << what << ": " << a.str() << " and " << b.str()
                            << " should be equal";
  std::set<std::string> symbols = difference.symbols();
  // Solve for a symbol that occurs alone with coefficient 1 or -1; symbols of data first, then the last by name, so
  // that the result doesn't depend on the order of equations.
  std::vector<std::string> order(symbols.rbegin(), symbols.rend());
  llvm::sort(order, [](StringRef x, StringRef y) {
    return std::pair(x.starts_with("data"), x) > std::pair(y.starts_with("data"), y);
  });
  for (const std::string &name : order) {
    SymbolicExpr s = SymbolicExpr::symbol(name);
    for (int sign : {1, -1}) {
      SymbolicExpr rest = difference - s * SymbolicExpr(sign);
      if (rest.symbols().count(name))
        continue;
      solved[name] = rest * SymbolicExpr(-sign);
      return success();
    }
  }
  guard(a, b, node); // not solvable: checked at call time
  return success();
}

void ShapeInference::guard(const SymbolicExpr &a, const SymbolicExpr &b, onnx::NodeOp node, const Twine &message) {
  guards.push_back({a, b, node.getLoc(), node.qualifiedName(), message.str(), scope});
}

//===----------------------------------------------------------------------===//
// The walk
//===----------------------------------------------------------------------===//

Facts ShapeInference::fromType(Type type) {
  Facts facts;
  if (auto unranked = dyn_cast<UnrankedTensorType>(type))
    facts.element = unranked.getElementType();
  auto ranked = dyn_cast<RankedTensorType>(type);
  if (!ranked)
    return facts;
  facts.element = ranked.getElementType();
  auto encoded = dyn_cast_if_present<onnx::DimsAttr>(ranked.getEncoding());
  Dims dims;
  for (int64_t i = 0; i < ranked.getRank(); ++i)
    if (encoded && i < static_cast<int64_t>(encoded.getExprs().size()))
      dims.push_back(*SymbolicExpr::parse(encoded.getExprs()[i].getValue()));
    else
      dims.push_back(ranked.isDynamicDim(i) ? fresh() : SymbolicExpr(ranked.getDimSize(i)));
  facts.dims = dims;
  return facts;
}

Facts ShapeInference::facts(Value v) {
  auto it = known.find(v);
  if (it == known.end())
    it = known.try_emplace(v, fromType(v.getType())).first;
  Facts f = it->second;
  if (f.dims)
    for (SymbolicExpr &d : *f.dims)
      d = simplify(d);
  if (f.values)
    for (SymbolicExpr &d : *f.values)
      d = simplify(d);
  return f;
}

void ShapeInference::visitConstant(onnx::ConstantOp op) {
  Facts facts = fromType(op.getResult().getType());
  auto dense = dyn_cast<DenseElementsAttr>(op.getValue());
  if (dense && isa<IntegerType>(dense.getElementType()) && dense.getNumElements() <= kMaxTrackedElements) {
    Dims values;
    bool isUnsigned = dense.getElementType().isUnsignedInteger() || dense.getElementType().isInteger(1);
    for (const APInt &v : dense.getValues<APInt>())
      values.push_back(isUnsigned ? static_cast<int64_t>(v.getLimitedValue(INT64_MAX)) : v.getSExtValue());
    facts.values = values;
  }
  known[op.getResult()] = facts;
}

LogicalResult ShapeInference::visit(onnx::NodeOp node) {
  const Handler *handler = HandlerRegistry::instance().find(node.getDomain(), node.getOp(), node.getVersion());
  bool ranked = true;
  for (Value input : node.getInputs())
    ranked &= isa<onnx::NoneType>(input.getType()) || facts(input).dims.has_value();
  // An operator that nobody handles is reported by the lowering, all such operators at once.
  if (handler && handler->infer && ranked) {
    InferContext context(*this, node);
    if (failed(handler->infer(context)))
      return failure();
  }
  for (Value output : node.getOutputs()) {
    Facts declared = fromType(output.getType());
    Facts &found = known[output];
    if (!found.element)
      found.element = declared.element;
    if (!found.dims) {
      found.dims = declared.dims;
      continue;
    }
    // The importer's types come from another implementation of the same rules: where both know, they must agree.
    if (!declared.dims)
      continue;
    if (declared.dims->size() != found.dims->size())
      return node.emitError() << node.qualifiedName() << ": the model's types give " << declared.dims->size()
                              << " dimensions, the operator gives " << found.dims->size();
    for (auto [d, f] : llvm::zip(*declared.dims, *found.dims))
      if (d.constant() && failed(equate(f, d, node, "the dimension that the model's types state")))
        return failure();
  }
  for (Region &region : node.getGraphs()) {
    // What an operator that nobody handles does with its graph isn't known, so nothing that the graph teaches counts.
    FailureOr<Conditional> ignored = visitConditional(region.front());
    if (failed(ignored))
      return failure();
    settle(*ignored);
  }
  return success();
}

LogicalResult ShapeInference::visit(Block &block) {
  for (Block::iterator it = block.begin(); it != block.end();) {
    Operation *op = &*it++;
    auto node = dyn_cast<onnx::NodeOp>(op);
    if (auto constant = dyn_cast<onnx::ConstantOp>(op))
      visitConstant(constant);
    if (auto attention = dyn_cast<llm::PagedAttentionOp>(op)) {
      known[attention.getY()] = facts(attention.getQ());
      known[attention.getUpdated()] = facts(attention.getCache());
    }
    if (!node)
      continue;
    if (isIf(node)) {
      if (failed(visitIf(node, it)))
        return failure();
    } else if (failed(isLoop(node) ? visitLoop(node) : visit(node))) {
      return failure();
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// The result
//===----------------------------------------------------------------------===//

static SmallVector<StringAttr> strings(MLIRContext *context, ArrayRef<SymbolicExpr> exprs) {
  SmallVector<StringAttr> out;
  for (const SymbolicExpr &e : exprs)
    out.push_back(StringAttr::get(context, e.str()));
  return out;
}

Type ShapeInference::withDims(Type type, const Facts &facts) {
  if (!facts.dims || !isa<TensorType>(type))
    return type;
  SmallVector<int64_t> shape;
  for (const SymbolicExpr &d : *facts.dims)
    shape.push_back(d.constant() && *d.constant() >= 0 ? *d.constant() : ShapedType::kDynamic);
  return RankedTensorType::get(shape, facts.element,
                               onnx::DimsAttr::get(type.getContext(), strings(type.getContext(), *facts.dims)));
}

void ShapeInference::writeTypes() {
  MLIRContext *context = func.getContext();
  for (BlockArgument arg : func.getArguments())
    arg.setType(withDims(arg.getType(), facts(arg)));
  func.walk([&](Operation *op) {
    if (isa<llm::PagedAttentionOp>(op))
      for (Value result : op->getResults())
        result.setType(withDims(result.getType(), facts(result)));
    auto node = dyn_cast<onnx::NodeOp>(op);
    if (!node)
      return;
    for (Region &region : node.getGraphs())
      for (BlockArgument arg : region.front().getArguments())
        arg.setType(withDims(arg.getType(), facts(arg)));
    SmallVector<Attribute> values;
    bool any = false;
    for (Value output : node.getOutputs()) {
      Facts f = facts(output);
      output.setType(withDims(output.getType(), f));
      if (f.values) {
        values.push_back(onnx::ValuesAttr::get(context, strings(context, *f.values)));
        any = true;
      } else {
        values.push_back(UnitAttr::get(context));
      }
    }
    if (any)
      node.setKnownAttr(ArrayAttr::get(context, values));
  });
  auto ret = cast<func::ReturnOp>(func.getBody().front().getTerminator());
  func.setType(FunctionType::get(context, func.getBody().front().getArgumentTypes(), ret.getOperandTypes()));

  // The signature's symbolic shapes follow what was found; the labels stay as the file spells them.
  auto update = [&](program::TensorAttr old, Value v) {
    Facts f = facts(v);
    if (!f.dims)
      return old;
    SmallVector<StringAttr> labels(old.getLabels());
    if (labels.size() != f.dims->size())
      labels = strings(context, *f.dims);
    return program::TensorAttr::get(context, old.getName(), old.getElement(), strings(context, *f.dims), labels);
  };
  for (auto [i, arg] : llvm::enumerate(func.getArguments()))
    if (auto old = func.getArgAttrOfType<program::TensorAttr>(i, program::kTensorAttrName))
      func.setArgAttr(i, program::kTensorAttrName, update(old, arg));
  for (auto [i, value] : llvm::enumerate(ret.getOperands()))
    if (auto old = func.getResultAttrOfType<program::TensorAttr>(i, program::kTensorAttrName))
      func.setResultAttr(i, program::kTensorAttrName, update(old, value));

  OpBuilder b(func.getContext());
  std::set<std::tuple<Block *, std::string, std::string>> seen;
  for (Guard &g : llvm::reverse(guards)) { // each in front of those behind it
    std::string a = simplify(g.a).str(), c = simplify(g.b).str();
    Block *block = g.scope ? g.scope : &func.getBody().front();
    if (a == c || !seen.insert({block, a, c}).second)
      continue;
    b.setInsertionPointToStart(block);
    std::string message = g.message.empty() ? g.op + " needs the sizes " + a + " and " + c + " to be equal" : g.message;
    program::GuardOp::create(b, g.loc, a, c, message);
  }
}

LogicalResult ShapeInference::run() {
  if (!func.getBody().hasOneBlock())
    return func.emitError() << "a graph is one block";
  for (BlockArgument arg : func.getArguments())
    (void)facts(arg);
  if (failed(visit(func.getBody().front())))
    return failure();
  writeTypes();
  return success();
}

//===----------------------------------------------------------------------===//
// InferContext
//===----------------------------------------------------------------------===//

Facts InferContext::input(unsigned i) { return walk.facts(node.getInputs()[i]); }

std::optional<SmallVector<int64_t>> InferContext::constants(unsigned i) {
  if (!hasInput(i))
    return std::nullopt;
  Facts f = input(i);
  if (!f.values)
    return std::nullopt;
  SmallVector<int64_t> out;
  for (const SymbolicExpr &v : *f.values) {
    if (!v.constant())
      return std::nullopt;
    out.push_back(*v.constant());
  }
  return out;
}

std::optional<SmallVector<int64_t>> InferContext::constantsOrAttr(StringRef attr, unsigned i, bool *unknown) {
  if (unknown)
    *unknown = false;
  if (node.has(attr))
    return node.intsAttr(attr);
  if (!hasInput(i))
    return std::nullopt;
  auto values = constants(i);
  if (!values && unknown)
    *unknown = true;
  return values;
}

void InferContext::setDims(unsigned result, Dims dims) {
  if (result < node.getNumResults())
    walk.known[node.getResult(result)].dims = std::move(dims);
}

void InferContext::setValues(unsigned result, Dims values) {
  if (result < node.getNumResults() && static_cast<int64_t>(values.size()) <= kMaxTrackedElements)
    walk.known[node.getResult(result)].values = std::move(values);
}

SymbolicExpr InferContext::broadcast(const SymbolicExpr &a, const SymbolicExpr &b) {
  if (a == b || b.isConstant(1))
    return a;
  if (a.isConstant(1))
    return b;
  walk.guard(a, b, node);
  if (a.constant() || b.constant())
    return a.constant() ? a : b;
  // What the inputs tell is worth more than what only the data decides.
  bool data = llvm::any_of(a.symbols(), [](StringRef name) { return name.starts_with("data"); });
  return data ? b : a;
}

Dims InferContext::broadcast(ArrayRef<SymbolicExpr> a, ArrayRef<SymbolicExpr> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  Dims out(a);
  size_t shift = a.size() - b.size();
  for (size_t i = 0; i < b.size(); ++i)
    out[shift + i] = broadcast(a[shift + i], b[i]);
  return out;
}

LogicalResult InferContext::equate(const SymbolicExpr &a, const SymbolicExpr &b, const Twine &what) {
  return walk.equate(a, b, node, what);
}

SymbolicExpr InferContext::fresh() { return walk.fresh(); }

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct InferShapes : impl::InferShapesPassBase<InferShapes> {
  void runOnOperation() override {
    if (failed(ShapeInference(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace
} // namespace mxn
