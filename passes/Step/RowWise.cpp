//===- RowWise.cpp - Rule S2: each row by itself --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `step` has one batch row, so the order of (batch, sequence) within a product doesn't matter. A value either has no
// rows, then it is the same in each call, or exactly one dimension that holds the sequence, and what stands at place s
// of it depends on row s of the inputs alone. Each op is checked to keep it so.
//
#include "dialects/LLM/LLMDialect.h"
#include "passes/Step/Graph.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace mxn {

std::optional<SmallVector<SymbolicExpr>> symbolicDims(Value v) {
  auto type = dyn_cast<RankedTensorType>(v.getType());
  if (!type)
    return std::nullopt;
  auto encoded = dyn_cast_if_present<onnx::DimsAttr>(type.getEncoding());
  SmallVector<SymbolicExpr> dims;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    if (encoded)
      dims.push_back(*SymbolicExpr::parse(encoded.getExprs()[i].getValue()));
    else if (type.isDynamicDim(i))
      return std::nullopt;
    else
      dims.push_back(type.getDimSize(i));
  }
  return dims;
}

std::optional<SmallVector<SymbolicExpr>> symbolicValues(Value v) {
  SmallVector<SymbolicExpr> out;
  if (auto constant = v.getDefiningOp<onnx::ConstantOp>()) {
    auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (!dense || !isa<IntegerType>(dense.getElementType()))
      return std::nullopt;
    bool isBool = dense.getElementType().isInteger(1);
    for (const APInt &value : dense.getValues<APInt>())
      out.push_back(isBool ? static_cast<int64_t>(value.getZExtValue()) : value.getSExtValue());
    return out;
  }
  auto node = v.getDefiningOp<onnx::NodeOp>();
  if (!node || !node.getKnownAttr())
    return std::nullopt;
  auto known = dyn_cast<onnx::ValuesAttr>(node.getKnownAttr()[cast<OpResult>(v).getResultNumber()]);
  if (!known)
    return std::nullopt;
  for (StringAttr e : known.getExprs())
    out.push_back(*SymbolicExpr::parse(e.getValue()));
  return out;
}

namespace {

/// Ops that compute each element from the elements at the same place, with broadcasting.
const llvm::StringSet<> kElementwise = {
    "Abs",         "Add",       "And",      "Cast",  "Ceil",      "Clip",     "Cos",         "Div",
    "Elu",         "Equal",     "Erf",      "Exp",   "Floor",     "Gelu",     "Greater",     "GreaterOrEqual",
    "HardSigmoid", "HardSwish", "Identity", "IsNaN", "LeakyRelu", "Less",     "LessOrEqual", "Log",
    "Max",         "Min",       "Mish",     "Mul",   "Neg",       "Not",      "Or",          "Pow",
    "Reciprocal",  "Relu",      "Round",    "Selu",  "Sigmoid",   "Sign",     "Sin",         "Softplus",
    "Sqrt",        "Sub",       "Swish",    "Tanh",  "Where",     "FastGelu", "QuickGelu",   "BiasGelu",
    "Expand"};
/// Ops along one or several axes, which must not be those of rows.
const llvm::StringSet<> kAlongAxes = {"Concat",
                                      "LayerNormalization",
                                      "LogSoftmax",
                                      "ReduceL2",
                                      "ReduceMax",
                                      "ReduceMean",
                                      "ReduceMin",
                                      "ReduceSum",
                                      "RMSNormalization",
                                      "SimplifiedLayerNormalization",
                                      "Slice",
                                      "Softmax",
                                      "Split",
                                      "SkipSimplifiedLayerNormalization",
                                      "SkipLayerNormalization",
                                      "SwiGLU"};

class Check {
public:
  Check(onnx::NodeOp node, const StepFrame &frame) : node(node), frame(frame) {}

  std::optional<std::string> run() {
    for (Value v : llvm::concat<Value>(SmallVector<Value>(node.getInputs()), SmallVector<Value>(node->getResults()))) {
      if (isa<onnx::NoneType>(v.getType()))
        continue;
      auto dims = symbolicDims(v);
      if (!dims)
        return "a shape isn't known";
      for (const SymbolicExpr &d : *dims)
        if (d.symbols().count(frame.past.str()))
          return "a size depends on the length of the past";
      if (llvm::count_if(*dims, [&](const SymbolicExpr &d) { return isSequence(d); }) > 1)
        return "two of its dimensions are rows";
    }
    if (!hasRows(node, frame) || node.getOp() == "Shape" || node.getOp() == "Size")
      return std::nullopt; // weights and sizes
    if (auto why = ofOp())
      return why;
    // No op above drops rows; this holds for those whose shapes say otherwise, such as Squeeze.
    bool before = llvm::any_of(node.getInputs(), [&](Value v) { return hasSequence(v); });
    for (Value result : node.getResults())
      if (before && !isa<onnx::NoneType>(result.getType()) && !hasSequence(result))
        return "it leaves rows out";
    return std::nullopt;
  }

private:
  std::optional<std::string> ofOp() {
    StringRef op = node.getOp();
    if (!node.getDomain().empty() && node.getDomain() != "com.microsoft")
      return "it isn't known to work on each row by itself";
    if (kElementwise.contains(op))
      return broadcast(op == "Expand" ? 1 : node.getNumOperands());
    if (op == "Transpose" || op == "Unsqueeze" || op == "Squeeze")
      return std::nullopt;
    if (op == "RotaryEmbedding")
      return rotary();
    if (op == "MatMul" || op == "MatMulNBits" || op == "Gemm")
      return product();
    if (op == "Gather" || op == "GatherBlockQuantized")
      return lookUp();
    if (op == "Reshape" || op == "Flatten")
      return reshape();
    if (kAlongAxes.contains(op))
      return alongAxes();
    return "it isn't known to work on each row by itself";
  }

  bool contains(const SymbolicExpr &d, const SymbolicExpr &symbol) const { return d.symbols().count(symbol.str()); }
  bool isSequence(const SymbolicExpr &d) const { return contains(d, frame.sequence); }
  /// A dimension of rows holds the batch or the sequence, alone or in a product.
  bool isRow(const SymbolicExpr &d) const { return contains(d, frame.batch) || isSequence(d); }
  bool hasSequence(Value v) const {
    auto dims = symbolicDims(v);
    return dims && llvm::any_of(*dims, [&](const SymbolicExpr &d) { return isSequence(d); });
  }

  /// Rows of the first operands stand where the result's rows stand, and nothing else is as long by chance.
  std::optional<std::string> broadcast(unsigned operands, unsigned first = 0) {
    auto out = symbolicDims(node.getResult(0));
    for (Value v : node.getInputs().slice(first, operands - first)) {
      if (isa<onnx::NoneType>(v.getType()))
        continue;
      auto dims = symbolicDims(v);
      if (dims->size() > out->size())
        return "it has fewer dimensions than its input";
      for (auto [d, to] : llvm::zip(*dims, llvm::drop_begin(*out, out->size() - dims->size())))
        if ((isSequence(d) || isSequence(to)) && !d.isConstant(1) && d != to)
          return "it meets rows with another dimension";
    }
    return std::nullopt;
  }

  std::optional<std::string> rotary() {
    auto x = symbolicDims(node.getInputs()[0]);
    if (x->size() < 3)
      return "its input has less than 3 dimensions";
    SymbolicExpr sequence = (*x)[x->size() == 3 ? 1 : 2];
    if (!isSequence(sequence))
      return "its input isn't one row after another";
    bool standard = node.getDomain().empty();
    unsigned positions = standard ? 3 : 1, table = standard ? 1 : 2;
    bool chosen = node.hasInput(positions);
    if (!standard && !chosen)
      return "it has no positions";
    for (unsigned i : {table, table + 1}) {
      auto dims = symbolicDims(node.getInputs()[i]);
      if (chosen ? llvm::any_of(*dims, [&](const SymbolicExpr &d) { return isRow(d); })
                 : dims->size() != 3 || (*dims)[1] != sequence)
        return "its tables aren't what its rows are turned by";
    }
    if (chosen) {
      auto dims = symbolicDims(node.getInputs()[positions]); // one alone would be the first row's
      if (dims->size() != 2 || (*dims)[1] != sequence)
        return "its positions aren't one for each row";
    }
    return std::nullopt;
  }

  std::optional<std::string> product() {
    auto b = symbolicDims(node.getInputs()[1]), a = symbolicDims(node.getInputs()[0]);
    if (a->empty() || b->empty() || isRow(a->back()) || node.intAttr("transA", 0) ||
        isRow((*b)[std::max<int64_t>(b->size(), 2) - 2]))
      return "it sums over rows";
    // A table times rows works on each of them as rows times a table does.
    if (hasSequence(node.getInputs()[0]) && hasSequence(node.getInputs()[1]))
      return "it multiplies rows with rows";
    if (node.getOp() == "Gemm" && node.hasInput(2))
      return broadcast(3, 2);
    if (node.getOp() == "MatMul" && b->size() > 2) {
      auto out = symbolicDims(node.getResult(0));
      ArrayRef<SymbolicExpr> matrices = ArrayRef(*b).drop_back(2), rows = ArrayRef(*out).drop_back(2);
      for (auto [d, to] : llvm::zip(matrices, rows.take_back(matrices.size())))
        if (isSequence(to) && !d.isConstant(1))
          return "it has a matrix for each row";
    }
    return std::nullopt;
  }

  std::optional<std::string> lookUp() {
    auto data = symbolicDims(node.getInputs()[0]);
    for (const SymbolicExpr &d : *data)
      if (isRow(d))
        return "it selects among rows"; // an index along another axis would be harmless, but doesn't occur
    return std::nullopt;
  }

  std::optional<std::string> reshape() {
    // The rows must stay the leading dimensions, as they are or in one.
    auto from = symbolicDims(node.getInputs()[0]), to = symbolicDims(node.getResult(0));
    for (auto *dims : {&*from, &*to}) {
      size_t rows = 0;
      SymbolicExpr product(1);
      for (; rows < dims->size() && isRow((*dims)[rows]); ++rows)
        product = product * (*dims)[rows];
      for (size_t i = rows; i < dims->size(); ++i)
        if (isRow((*dims)[i]))
          return "it moves rows behind other dimensions";
      if (product != frame.batch * frame.sequence)
        return "it mixes rows with other dimensions";
    }
    return std::nullopt;
  }

  std::optional<std::string> alongAxes() {
    StringRef op = node.getOp();
    int64_t rank = symbolicDims(node.getInputs()[0])->size();
    auto axes = axesOf(rank);
    if (!axes || axes->empty())
      return "its axes aren't known";
    SmallVector<Value> values = {node.getInputs()[0]};
    if (op == "Concat")
      values.assign(node.getInputs().begin(), node.getInputs().end());
    if (op == "Concat" || op == "Slice" || op == "Split")
      values.append(node.getResults().begin(), node.getResults().end());
    for (Value v : values) {
      if (isa<onnx::NoneType>(v.getType()))
        continue;
      auto dims = symbolicDims(v);
      for (int64_t axis : *axes)
        if (axis < 0 || axis >= static_cast<int64_t>(dims->size()) || isRow((*dims)[axis]))
          return "it works along a dimension of rows";
    }
    return op.contains("Normalization") ? broadcast(node.getNumOperands()) : std::nullopt;
  }

  /// The axes that an op works along; nothing where they aren't known.
  std::optional<SmallVector<int64_t>> axesOf(int64_t rank) {
    StringRef op = node.getOp();
    SmallVector<int64_t> axes;
    if (op.starts_with("Skip") || op == "SwiGLU") {
      axes = {rank - 1};
    } else if (op.starts_with("Reduce") || op == "Slice") {
      unsigned input = op == "Slice" ? 3 : 1;
      axes = node.intsAttr("axes");
      if (!node.has("axes")) {
        auto given = node.hasInput(input) ? symbolicValues(node.getInputs()[input]) : std::nullopt;
        if (!given)
          return std::nullopt;
        for (const SymbolicExpr &e : *given) {
          if (!e.constant())
            return std::nullopt;
          axes.push_back(*e.constant());
        }
      }
    } else {
      bool flattens = op.ends_with("Softmax") && node.getVersion() < 13; // from the axis on
      axes = {node.intAttr("axis", op == "Concat" || op == "Split" ? 0 : flattens ? 1 : -1)};
      if (flattens || op.contains("Normalization"))
        for (int64_t axis = (axes[0] < 0 ? axes[0] + rank : axes[0]) + 1; axis < rank; ++axis)
          axes.push_back(axis);
    }
    for (int64_t &axis : axes)
      axis = axis < 0 ? axis + rank : axis;
    return axes;
  }

  onnx::NodeOp node;
  const StepFrame &frame;
};

} // namespace

bool hasRows(Value v, const StepFrame &frame) {
  auto dims = symbolicDims(v);
  return dims && llvm::any_of(*dims, [&](const SymbolicExpr &d) {
           return d.symbols().count(frame.batch.str()) || d.symbols().count(frame.sequence.str());
         });
}

bool hasRows(onnx::NodeOp node, const StepFrame &frame) {
  return llvm::any_of(node->getOperands(), [&](Value v) { return hasRows(v, frame); }) ||
         llvm::any_of(node->getResults(), [&](Value v) { return hasRows(v, frame); });
}

std::optional<std::string> whyNotRowWise(onnx::NodeOp node, const StepFrame &frame) { return Check(node, frame).run(); }

} // namespace mxn
