//===- InferControlFlow.cpp - Shapes through If and Loop ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An equation that a branch implies holds only where the branch runs, so branches are visited one by one, and what a
// branch learns is taken back behind it, unless all branches learn it.
//
#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/Import/ShapeInference.h"

using namespace mlir;

namespace mxn {

bool followsFromSizes(const SymbolicExpr &e) {
  return llvm::none_of(e.symbols(), [](StringRef name) { return name.starts_with("data"); });
}

bool isIf(onnx::NodeOp node) { return node.getDomain().empty() && node.getOp() == "If"; }
bool isLoop(onnx::NodeOp node) { return node.getDomain().empty() && node.getOp() == "Loop"; }

Block *graph(onnx::NodeOp node, StringRef name) {
  for (auto [has, region] : llvm::zip(node.getRegionNames().getAsRange<StringAttr>(), node.getGraphs()))
    if (has.getValue() == name)
      return &region.front();
  return nullptr;
}

/// An expression as a graph sees it.
static SymbolicExpr seenBy(const std::map<std::string, SymbolicExpr> &equations, const SymbolicExpr &e) {
  return e.substitute([&](StringRef name) -> std::optional<SymbolicExpr> {
    auto it = equations.find(name.str());
    return it == equations.end() ? std::nullopt : std::optional(it->second);
  });
}

//===----------------------------------------------------------------------===//
// Graphs that may or may not run
//===----------------------------------------------------------------------===//

FailureOr<ShapeInference::Conditional> ShapeInference::visitConditional(Block &block) {
  Conditional graph{&block, {}, {}, freshCount};
  Solutions outer = solved;
  Block *outerScope = scope;
  scope = &block;
  if (failed(visit(block)))
    return failure();
  for (Value v : block.getTerminator()->getOperands())
    graph.yields.push_back(facts(v));
  for (BlockArgument arg : block.getArguments())
    known[arg] = facts(arg);
  block.walk([&](Operation *op) {
    for (Value v : op->getResults())
      known[v] = facts(v);
  });
  for (Guard &g : guards)
    if (g.scope == &block) {
      g.a = simplify(g.a);
      g.b = simplify(g.b);
    }
  for (const auto &[name, e] : solved)
    if (!outer.count(name))
      graph.learnt[name] = simplify(e);
  solved = std::move(outer);
  scope = outerScope;
  return graph;
}

void ShapeInference::settle(Conditional &graph) {
  auto isLocal = [&](StringRef name) {
    int number;
    return name.consume_front("data") && !name.getAsInteger(10, number) && number >= graph.firstFresh;
  };
  for (const auto &[name, e] : graph.learnt)
    if (!solved.count(name) && !isLocal(name))
      guards.push_back({SymbolicExpr::symbol(name), e, graph.block->getParentOp()->getLoc(),
                        cast<onnx::NodeOp>(graph.block->getParentOp()).qualifiedName(), "", graph.block});

  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(*graph.block->getParent(), captured);
  for (Value v : captured) {
    Facts outside = facts(v), inside = outside;
    if (!outside.dims)
      continue;
    for (SymbolicExpr &d : *inside.dims)
      d = seenBy(graph.learnt, d);
    if (inside.dims == outside.dims)
      continue;
    OpBuilder b = OpBuilder::atBlockBegin(graph.block);
    auto refined = onnx::NodeOp::create(b, v.getLoc(), TypeRange(v.getType()), "Identity", "", 1, v,
                                        b.getDictionaryAttr({}), b.getArrayAttr({}), ArrayAttr(), 0);
    known[refined.getResult(0)] = inside;
    replaceAllUsesInRegionWith(v, refined.getResult(0), *graph.block->getParent());
    refined.setOperand(0, v);
  }
}

void ShapeInference::inlineGraph(onnx::NodeOp node, Block &graph) {
  Operation *yield = graph.getTerminator();
  SmallVector<Value> results(yield->getOperands());
  yield->erase();
  node->getBlock()->getOperations().splice(Block::iterator(node), graph.getOperations());
  node->replaceAllUsesWith(results);
  // Nothing may remember what goes away with the node.
  node->walk([&](Operation *op) {
    for (Value v : op->getResults())
      known.erase(v);
  });
  llvm::erase_if(guards, [&](const Guard &g) { return g.scope && node->isAncestor(g.scope->getParentOp()); });
  node.erase();
}

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

Facts ShapeInference::merge(const Conditional &first, const Conditional &second, unsigned result,
                            const std::optional<SymbolicExpr> &condition) {
  const Facts &a = first.yields[result], &b = second.yields[result];
  Facts out;
  out.element = a.element ? a.element : b.element;
  if (!a.dims || !b.dims || a.rank() != b.rank())
    return out;
  auto either = [&](const SymbolicExpr &x, const SymbolicExpr &y) -> std::optional<SymbolicExpr> {
    if (x == y || x == seenBy(first.learnt, y))
      return y;
    if (y == seenBy(second.learnt, x))
      return x;
    // The condition is 0 or 1.
    return condition ? std::optional(*condition * x + (SymbolicExpr(1) - *condition) * y) : std::nullopt;
  };
  Dims dims, values;
  for (auto [x, y] : llvm::zip(*a.dims, *b.dims))
    dims.push_back(either(x, y).value_or(fresh()));
  out.dims = dims;
  if (!a.values || !b.values || a.values->size() != b.values->size())
    return out;
  for (auto [x, y] : llvm::zip(*a.values, *b.values)) {
    auto v = either(x, y);
    if (!v)
      return out;
    values.push_back(*v);
  }
  out.values = values;
  return out;
}

LogicalResult ShapeInference::visitIf(onnx::NodeOp node, Block::iterator &next) {
  Block *branches[] = {graph(node, "then_branch"), graph(node, "else_branch")};
  for (Block *branch : branches)
    if (!branch || branch->getNumArguments() || branch->getTerminator()->getNumOperands() != node.getNumResults())
      return node.emitError()
             << "If: needs a then_branch and an else_branch without inputs, with as many outputs as it";
  if (node.getInputs().size() != 1 || !node.hasInput(0))
    return node.emitError() << "If: needs one condition";

  Facts given = facts(node.getInputs()[0]);
  std::optional<SymbolicExpr> condition;
  if (given.values && given.values->size() == 1 && followsFromSizes(given.values->front()))
    condition = given.values->front();
  if (condition && condition->constant()) {
    // The other branch goes, with whatever isn't supported in it.
    Block &taken = *branches[*condition->constant() ? 0 : 1];
    auto first = Block::iterator(taken.front());
    bool empty = &taken.front() == taken.getTerminator();
    inlineGraph(node, taken);
    next = empty ? next : first;
    return success();
  }

  size_t guardsBefore = guards.size();
  SmallVector<Conditional> visited;
  for (Block *branch : branches) {
    FailureOr<Conditional> one = visitConditional(*branch);
    if (failed(one))
      return failure();
    visited.push_back(*one);
  }
  for (auto [i, result] : llvm::enumerate(node.getResults())) {
    const Facts &a = visited[0].yields[i], &b = visited[1].yields[i];
    if (result.use_empty() || !a.dims || !b.dims || a.rank() == b.rank())
      continue;
    if (!condition)
      return node.emitError() << "If: its branches give output " << i << " with " << a.rank() << " and " << b.rank()
                              << " dimensions, and its condition depends on data, which isn't supported";
    // No tensor has two ranks. Exporters write this where they remove a dimension of 1 that the model always has, and
    // the first branch does that; a call for which the condition doesn't hold is refused.
    remark::passed(node.getLoc(), remark::RemarkOpts::name("TakeThenBranch").category("mxn-infer-shapes"))
        << "the branches' results differ in rank, so that the first one is taken when compiling";
    guard(*condition, 1, node,
          "for inputs of these sizes the model takes the else branch of If, whose result has another number of "
          "dimensions, which isn't supported");
    // Told before what the branch itself finds wrong.
    std::rotate(guards.begin() + guardsBefore, guards.end() - 1, guards.end());
    for (const auto &[name, e] : visited[0].learnt)
      solved[name] = e;
    for (Guard &g : guards)
      if (g.scope == branches[0])
        g.scope = scope;
    inlineGraph(node, *branches[0]);
    return success();
  }

  // What both branches imply holds whichever runs.
  for (const auto &[name, e] : visited[0].learnt)
    if (auto it = visited[1].learnt.find(name); it != visited[1].learnt.end() && it->second == e)
      solved[name] = e;
  for (Conditional &branch : visited)
    settle(branch);
  for (auto [i, result] : llvm::enumerate(node.getResults())) {
    known[result] = merge(visited[0], visited[1], i, condition);
    Facts declared = fromType(result.getType());
    if (!known[result].element)
      known[result].element = declared.element;
    if (!known[result].dims)
      known[result].dims = declared.dims;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

LogicalResult ShapeInference::visitLoop(onnx::NodeOp node) {
  Block *body = graph(node, "body");
  unsigned inputs = node.getInputs().size();
  if (!body || inputs < 2 || body->getNumArguments() != inputs)
    return node.emitError() << "Loop: needs a body with as many inputs as it";
  unsigned carried = inputs - 2, yielded = body->getTerminator()->getNumOperands();
  if (node.getNumResults() < carried || yielded != node.getNumResults() + 1)
    return node.emitError() << "Loop: its body must yield a condition and all of its outputs";

  Facts counter = fromType(body->getArgument(0).getType()), going = fromType(body->getArgument(1).getType());
  if (!counter.dims)
    counter.dims = Dims();
  if (!going.dims)
    going.dims = Dims();
  going.values = Dims{SymbolicExpr(1)}; // otherwise the body wouldn't run
  known[body->getArgument(0)] = counter;
  known[body->getArgument(1)] = going;
  for (unsigned i = 0; i < carried; ++i) {
    Facts init = facts(node.getInputs()[2 + i]);
    init.values.reset(); // that of the first time
    known[body->getArgument(2 + i)] = init;
    known[node.getResult(i)] = init;
  }
  FailureOr<Conditional> visited = visitConditional(*body);
  if (failed(visited))
    return failure();
  for (unsigned i = 0; i < carried; ++i) {
    Facts before = facts(node.getResult(i));
    const Facts &after = visited->yields[1 + i];
    if (!before.dims || !after.dims)
      continue;
    if (before.rank() != after.rank())
      return node.emitError() << "Loop: a tensor that it carries changes from " << before.rank() << " to "
                              << after.rank() << " dimensions, which isn't supported";
    for (auto [d, e] : llvm::zip(*before.dims, *after.dims)) {
      std::set<std::string> own = d.symbols(), other = e.symbols();
      // N and N + 1, or 2 * N, differ by what the body does; N and M may be two names of one size.
      if (d != e && llvm::any_of(own, [&](const std::string &name) { return other.count(name); }))
        return node.emitError() << "Loop: a tensor that it carries changes its shape (a dimension is " << d.str()
                                << " before, " << e.str() << " after), which isn't supported";
      if (failed(equate(d, e, node, "a tensor that it carries changes its shape, which isn't supported")))
        return failure();
    }
  }
  settle(*visited);

  std::optional<SymbolicExpr> trips;
  if (node.hasInput(0)) {
    Facts count = facts(node.getInputs()[0]);
    if (count.values && count.values->size() == 1)
      trips = SymbolicExpr::max(count.values->front(), 0);
  }
  for (unsigned i = carried; i < node.getNumResults(); ++i) {
    Facts part = visited->yields[1 + i], declared = fromType(node.getResult(i).getType());
    Facts &stacked = known[node.getResult(i)] = declared;
    if (part.element)
      stacked.element = part.element;
    if (!part.dims)
      continue;
    part.dims->insert(part.dims->begin(), trips ? *trips : fresh());
    stacked.dims = part.dims;
  }
  return success();
}

} // namespace mxn
