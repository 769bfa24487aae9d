//===- LiftMask.cpp - Rule S3: the mask as a function of query and key ----===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A mask is built from index arithmetic: ranges, comparisons, expansions. An element of it at [b, h, q, k] is found by
// pushing that index back through the ops. What remains is a set of inequalities in q, k and the past's length.
//
#include "passes/Step/Graph.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace mxn {
namespace {

using Index = SmallVector<SymbolicExpr>;
/// All of these must be at least 0; none: always true.
using Conditions = SmallVector<SymbolicExpr>;

class Lifter {
public:
  explicit Lifter(const StepFrame &frame) : frame(frame) {}

  std::string reason;

  /// The element of a boolean tensor.
  std::optional<Conditions> condition(Value v, const Index &at) {
    if (auto element = knownElement(v, at))
      if (auto constant = element->constant())
        return *constant ? Conditions{} : Conditions{SymbolicExpr(-1)};
    if (isAllOnes(v))
      return Conditions{};
    auto node = v.getDefiningOp<onnx::NodeOp>();
    if (!node)
      return fail(v);
    StringRef op = node.getOp();
    auto input = [&](unsigned i) { return node.getInputs()[i]; };
    if (op == "And") {
      auto at0 = broadcast(input(0), v, at), at1 = broadcast(input(1), v, at);
      if (!at0 || !at1)
        return fail(v);
      auto a = condition(input(0), *at0), b = condition(input(1), *at1);
      if (!a || !b)
        return std::nullopt;
      a->append(*b);
      return a;
    }
    if (op == "Not") {
      auto a = condition(input(0), at);
      if (!a)
        return std::nullopt;
      if (a->empty())
        return Conditions{SymbolicExpr(-1)};
      if (a->size() > 1)
        return fail(v);
      return Conditions{SymbolicExpr(-1) - a->front()};
    }
    if (op == "LessOrEqual" || op == "Less" || op == "GreaterOrEqual" || op == "Greater") {
      auto at0 = broadcast(input(0), v, at), at1 = broadcast(input(1), v, at);
      if (!at0 || !at1)
        return fail(v);
      auto a = number(input(0), *at0), b = number(input(1), *at1);
      if (!a || !b)
        return std::nullopt;
      SymbolicExpr margin = op.starts_with("Less") ? *b - *a : *a - *b;
      return Conditions{op.ends_with("OrEqual") ? margin : margin - SymbolicExpr(1)};
    }
    if (op == "Cast" && isBool(input(0)))
      return condition(input(0), at);
    if (op == "Cast") {
      auto element = number(input(0), at);
      if (!element || !element->constant())
        return fail(v);
      return *element->constant() ? Conditions{} : Conditions{SymbolicExpr(-1)};
    }
    Index moved = at;
    if (auto source = push(node, moved))
      return condition(source, moved);
    return fail(v);
  }

  /// The element of an integer tensor.
  std::optional<SymbolicExpr> number(Value v, const Index &at) {
    if (auto element = knownElement(v, at))
      return element;
    if (isAllOnes(v))
      return SymbolicExpr(1);
    if (v == frame.positions)
      return frame.past + at.back();
    auto node = v.getDefiningOp<onnx::NodeOp>();
    if (!node)
      return fail(v), std::nullopt;
    StringRef op = node.getOp();
    if (op == "Range") {
      auto start = symbolicValues(node.getInputs()[0]), step = symbolicValues(node.getInputs()[2]);
      if (start && step)
        return (*start)[0] + at[0] * (*step)[0];
    }
    if (op == "Add" || op == "Sub" || op == "Mul") {
      auto at0 = broadcast(node.getInputs()[0], v, at), at1 = broadcast(node.getInputs()[1], v, at);
      if (!at0 || !at1)
        return fail(v), std::nullopt;
      auto a = number(node.getInputs()[0], *at0), b = number(node.getInputs()[1], *at1);
      if (!a || !b)
        return std::nullopt;
      return op == "Add" ? *a + *b : op == "Sub" ? *a - *b : *a * *b;
    }
    if (op == "ReduceSum" && isAllOnes(node.getInputs()[0])) {
      // As many as there are elements along the axes.
      auto dims = symbolicDims(node.getInputs()[0]);
      auto axes = node.hasInput(1) ? symbolicValues(node.getInputs()[1]) : std::nullopt;
      if (!dims || !axes)
        return fail(v), std::nullopt;
      SymbolicExpr count(1);
      for (const SymbolicExpr &axis : *axes) {
        int64_t i = axis.constant().value_or(-100);
        i = i < 0 ? i + static_cast<int64_t>(dims->size()) : i;
        if (i < 0 || i >= static_cast<int64_t>(dims->size()))
          return fail(v), std::nullopt;
        count = count * (*dims)[i];
      }
      return count;
    }
    Index moved = at;
    if (op == "Cast")
      return number(node.getInputs()[0], at);
    if (auto source = push(node, moved))
      return number(source, moved);
    return fail(v), std::nullopt;
  }

private:
  static bool isBool(Value v) { return cast<TensorType>(v.getType()).getElementType().isInteger(1); }

  /// An input that says which tokens are there: integers in two dimensions that are no rows of tokens.
  bool isMaskInput(Value v) {
    auto dims = isa<BlockArgument>(v) ? symbolicDims(v) : std::nullopt;
    return dims && dims->size() == 2 && v != frame.ids && v != frame.positions &&
           isa<IntegerType>(cast<TensorType>(v.getType()).getElementType());
  }

  /// Whether every element is 1, since it is one of an attention mask, wherever that was read.
  bool isAllOnes(Value v) {
    while (!isMaskInput(v)) {
      auto node = v.getDefiningOp<onnx::NodeOp>();
      if (!node || node.getInputs().empty())
        return false;
      StringRef op = node.getOp();
      if (op != "Cast" && op != "Identity" && op != "Unsqueeze" && op != "Squeeze" && op != "Reshape" &&
          op != "Flatten" && op != "Expand" && op != "Slice" && op != "Transpose" && op != "Gather" && op != "GatherND")
        return false;
      v = node.getInputs()[0];
    }
    return true;
  }

  std::optional<SymbolicExpr> knownElement(Value v, const Index &at) {
    auto values = symbolicValues(v);
    auto dims = symbolicDims(v);
    if (!values || !dims)
      return std::nullopt;
    int64_t linear = 0;
    for (auto [d, i] : llvm::zip(*dims, at)) {
      if (!d.constant() || !i.constant())
        return std::nullopt;
      linear = linear * *d.constant() + *i.constant();
    }
    return linear < static_cast<int64_t>(values->size()) ? std::optional((*values)[linear]) : std::nullopt;
  }

  /// The index of an operand that is broadcast where `at` is an index of `result`. Nothing where it can't be told along
  /// which dimensions it is broadcast.
  static std::optional<Index> broadcast(Value v, Value result, const Index &at) {
    auto dims = symbolicDims(v), to = symbolicDims(result);
    if (!dims || !to || dims->size() > at.size() || to->size() != at.size())
      return std::nullopt;
    Index out;
    size_t added = at.size() - dims->size();
    for (auto [i, d] : llvm::enumerate(*dims)) {
      if (!d.isConstant(1) && d != (*to)[added + i])
        return std::nullopt;
      out.push_back(d.isConstant(1) ? SymbolicExpr(0) : at[added + i]);
    }
    return out;
  }

  /// Moves an index from the result of an op that only moves elements to its source, which is returned; null for
  /// others.
  Value push(onnx::NodeOp node, Index &at) {
    StringRef op = node.getOp();
    Value source = node.getInputs().empty() ? Value() : node.getInputs()[0];
    auto dims = source ? symbolicDims(source) : std::nullopt;
    if (!dims)
      return Value();
    int64_t rank = dims->size(), outRank = at.size();
    auto axes = [&](unsigned i) {
      SmallVector<int64_t> out = node.intsAttr("axes");
      if (node.hasInput(i))
        if (auto values = symbolicValues(node.getInputs()[i]))
          for (const SymbolicExpr &e : *values)
            out.push_back(e.constant().value_or(0));
      return out;
    };
    if (op == "Identity")
      return source;
    if (op == "Unsqueeze") {
      llvm::SmallBitVector added(outRank);
      for (int64_t a : axes(1))
        added.set(a < 0 ? a + outRank : a);
      Index moved;
      for (int64_t i = 0; i < outRank; ++i)
        if (!added.test(i))
          moved.push_back(at[i]);
      at = moved;
      return source;
    }
    if (op == "Squeeze" || op == "Reshape") {
      // Only dimensions of 1 come or go.
      auto to = symbolicDims(node.getResult(0));
      Index moved;
      size_t next = 0;
      auto skip = [&] {
        while (to && next < to->size() && (*to)[next].isConstant(1))
          ++next;
      };
      for (int64_t i = 0; i < rank; ++i) {
        if ((*dims)[i].isConstant(1)) {
          moved.push_back(0);
          continue;
        }
        skip();
        if (!to || next >= to->size() || (*to)[next] != (*dims)[i])
          return Value();
        moved.push_back(at[next++]);
      }
      skip();
      if (!to || next != to->size())
        return Value();
      at = moved;
      return source;
    }
    if (op == "Expand") {
      auto moved = broadcast(source, node.getResult(0), at);
      if (!moved)
        return Value();
      at = *moved;
      return source;
    }
    if (op == "Transpose") {
      SmallVector<int64_t> permutation = node.intsAttr("perm");
      Index moved(rank);
      for (int64_t i = 0; i < rank; ++i)
        moved[permutation.empty() ? rank - 1 - i : permutation[i]] = at[i];
      at = moved;
      return source;
    }
    if (op == "Slice") {
      auto starts = symbolicValues(node.getInputs()[1]);
      SmallVector<int64_t> along = axes(3);
      auto steps = node.hasInput(4) ? symbolicValues(node.getInputs()[4]) : std::nullopt;
      if (!starts || (node.hasInput(4) && (!steps || !llvm::all_of(*steps, [](auto &s) { return s.isConstant(1); }))))
        return Value();
      for (auto [i, start] : llvm::enumerate(*starts)) {
        int64_t axis = along.empty() ? i : along[i] < 0 ? along[i] + rank : along[i];
        auto low = start.lowerBound();
        if (!low || *low < 0)
          return Value();
        at[axis] = at[axis] + start;
      }
      return source;
    }
    return Value();
  }

  std::nullopt_t fail(Value v) {
    if (!reason.empty())
      return std::nullopt;
    if (auto node = v.getDefiningOp<onnx::NodeOp>())
      reason = node.qualifiedName() + " in the attention mask isn't understood";
    else
      reason = "an input other than the attention mask decides what attention sees";
    return std::nullopt;
  }

  const StepFrame &frame;
};

} // namespace

std::optional<SymbolicExpr> liftNumber(Value v, const StepFrame &frame) {
  auto type = dyn_cast<RankedTensorType>(v.getType());
  if (!type || !isa<IntegerType>(type.getElementType()))
    return std::nullopt;
  Index at;
  for (int64_t i = 0; i < type.getRank(); ++i)
    at.push_back(SymbolicExpr::symbol("mxn.axis" + std::to_string(i)));
  return Lifter(frame).number(v, at);
}

LiftedMask liftMask(Value mask, bool causalAttribute, const StepFrame &frame) {
  MaskTemplate result;
  result.causal = causalAttribute;
  SymbolicExpr q = SymbolicExpr::symbol("mxn.query"), k = SymbolicExpr::symbol("mxn.key");
  Conditions conditions;
  if (mask) {
    auto type = dyn_cast<RankedTensorType>(mask.getType());
    if (!type || !type.getElementType().isInteger(1))
      return {std::nullopt, "its mask isn't boolean"};
    Index at(type.getRank(), SymbolicExpr(0));
    if (type.getRank() < 2)
      return {std::nullopt, "its mask has fewer than 2 dimensions"};
    auto dims = symbolicDims(mask);
    if (!dims || dims->back() != frame.past + frame.sequence)
      return {std::nullopt, "its mask isn't as long as past and present"};
    // Dimensions of 1 are broadcast. What depends on batch row or head isn't lifted.
    for (auto [i, d] : llvm::enumerate(*dims))
      if (!d.isConstant(1))
        at[i] = SymbolicExpr::symbol("mxn.axis" + std::to_string(i));
    at.back() = k;
    if (const SymbolicExpr &rows = (*dims)[dims->size() - 2]; rows == frame.sequence)
      at[at.size() - 2] = q;
    else if (!rows.isConstant(1))
      return {std::nullopt, "its mask has neither a row for each query nor one for all"};
    Lifter lifter(frame);
    auto lifted = lifter.condition(mask, at);
    if (!lifted)
      return {std::nullopt, lifter.reason};
    conditions = *lifted;
  }
  for (const SymbolicExpr &margin : conditions) {
    SymbolicExpr distance = frame.past + q - k; // how far the key lies behind the query
    if (margin == distance) {
      result.causal = true;
      continue;
    }
    // window: W - 1 - distance >= 0
    auto reach = (margin + distance).constant();
    if (reach && *reach >= 0) {
      result.window = result.window ? std::min(result.window, *reach + 1) : *reach + 1;
      continue;
    }
    // True for each key there is: k < P + S, and nothing is below 0.
    auto isNatural = [](const SymbolicExpr &e) { return e.lowerBound().value_or(-1) >= 0; };
    if (isNatural(margin) || isNatural(margin - (frame.past + frame.sequence - SymbolicExpr(1) - k)))
      continue;
    return {std::nullopt, "its mask asks for " + margin.str() + " >= 0, which is no template"};
  }
  if (!result.causal)
    return {std::nullopt, "a query sees keys behind it"};
  return {result, ""};
}

} // namespace mxn
