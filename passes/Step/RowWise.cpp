//===- RowWise.cpp - Rule S2: each row by itself --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
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
    bool rows = false;
    for (Value v : llvm::concat<Value>(SmallVector<Value>(node.getInputs()), SmallVector<Value>(node->getResults()))) {
      if (isa<onnx::NoneType>(v.getType()))
        continue;
      auto dims = symbolicDims(v);
      if (!dims)
        return "a shape isn't known";
      int count = 0;
      for (const SymbolicExpr &d : *dims) {
        if (d.symbols().count(frame.past.str()))
          return "a size depends on the length of the past";
        rows |= isRow(d);
        count += has(d, frame.sequence);
      }
      if (count > 1)
        return "it sets rows beside rows";
    }
    if (!rows || node.getOp() == "Shape" || node.getOp() == "Size")
      return std::nullopt; // weights and sizes
    StringRef op = node.getOp();
    if (kElementwise.contains(op) || op == "RotaryEmbedding" || op == "Transpose" || op == "Unsqueeze" ||
        op == "Squeeze")
      return std::nullopt;
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

private:
  static bool has(const SymbolicExpr &d, const SymbolicExpr &symbol) { return d.symbols().count(symbol.str()); }
  /// A dimension of rows holds the batch or the sequence, alone or in a product.
  bool isRow(const SymbolicExpr &d) const { return has(d, frame.batch) || has(d, frame.sequence); }

  std::optional<std::string> product() {
    auto b = symbolicDims(node.getInputs()[1]), a = symbolicDims(node.getInputs()[0]);
    if (isRow(a->back()) || node.intAttr("transA", 0))
      return "it sums over rows";
    // A table times rows works on each of them as rows times a table does.
    auto tokens = [&](auto &dims) {
      return llvm::any_of(dims, [&](const SymbolicExpr &d) { return has(d, frame.sequence); });
    };
    if (tokens(*a) && tokens(*b))
      return "it multiplies rows with rows";
    if (b->size() > 1 && isRow((*b)[b->size() - 2]))
      return "it sums over rows";
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
    for (Value v : node.getInputs()) {
      if (isa<onnx::NoneType>(v.getType()))
        continue;
      auto dims = symbolicDims(v);
      int64_t rank = dims->size();
      SmallVector<int64_t> axes = axesOf(rank);
      for (int64_t axis : axes)
        if (axis >= 0 && axis < rank && isRow((*dims)[axis]))
          return "it works along a dimension of rows";
      if (axes.empty())
        return "its axes aren't known";
      break; // the first input decides
    }
    return std::nullopt;
  }

  SmallVector<int64_t> axesOf(int64_t rank) {
    StringRef op = node.getOp();
    SmallVector<int64_t> axes;
    auto values = [&](unsigned i) {
      if (node.hasInput(i))
        if (auto found = symbolicValues(node.getInputs()[i]))
          for (const SymbolicExpr &e : *found)
            if (e.constant())
              axes.push_back(*e.constant());
    };
    if (op.contains("SimplifiedLayerNormalization") || op == "SkipLayerNormalization" || op == "SwiGLU")
      axes = {rank - 1};
    else if (op.starts_with("Reduce") || op == "Slice")
      node.has("axes") ? void(axes = node.intsAttr("axes")) : values(op == "Slice" ? 3 : 1);
    else
      axes = {node.intAttr("axis", op == "Concat" || op == "Split" ? 0 : -1)};
    for (int64_t &axis : axes)
      axis = axis < 0 ? axis + rank : axis;
    if (op == "LayerNormalization" || op == "RMSNormalization") // from the axis to the last
      for (int64_t axis = axes[0] + 1; axis < rank; ++axis)
        axes.push_back(axis);
    return axes;
  }

  onnx::NodeOp node;
  const StepFrame &frame;
};

} // namespace

std::optional<std::string> whyNotRowWise(onnx::NodeOp node, const StepFrame &frame) { return Check(node, frame).run(); }

} // namespace mxn
