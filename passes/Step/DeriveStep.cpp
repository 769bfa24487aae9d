//===- DeriveStep.cpp - The ragged entry, by proof ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/IR/Remarks.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Import/Passes.h"
#include "passes/Step/Graph.h"
#include "passes/Step/Passes.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_DERIVESTEPPASS
#include "passes/Step/Passes.h.inc"

namespace {

constexpr int64_t kMaxBlockTokens = 1024;

/// Why there is no step: the rule, what is wrong, and where.
struct Refusal {
  std::string text;
  Location loc;
};
using Result = std::optional<Refusal>; // nothing: all is well

/// One attention node with its cache pair: ONNX's Attention or com.microsoft's GroupQueryAttention.
struct CachedAttention {
  onnx::NodeOp node;
  bool grouped; // GroupQueryAttention: causal by definition, the rotation inside, often packed
  unsigned pastKey() const { return grouped ? 3 : 4; }
  bool packed() { return !node.hasInput(1); }
  /// The inputs that rows flow through or that hold tables; the others say which tokens are there.
  SmallVector<unsigned> followed() const {
    return grouped ? SmallVector<unsigned>{0, 1, 2, 7, 8} : SmallVector<unsigned>{0, 1, 2};
  }
  int64_t qHeads, kvHeads, headSize;
  float scale;
  MaskTemplate mask;
};

class Derivation {
public:
  Derivation(func::FuncOp main, int64_t blockTokens) : main(main), blockTokens(blockTokens) {}

  bool hasCache() { return !attentions.empty(); }

  /// Finds the attention nodes that keep a cache. Models without any aren't decoders, and nothing is said about them.
  void collect() {
    for (auto node : main.getBody().front().getOps<onnx::NodeOp>()) {
      bool standard = node.getDomain().empty() && node.getOp() == "Attention" && node.hasInput(4) && node.hasInput(5);
      bool grouped = node.getDomain() == "com.microsoft" && node.getOp() == "GroupQueryAttention" && node.hasInput(3) &&
                     node.hasInput(4);
      if (standard || grouped)
        attentions.push_back({node, grouped, 0, 0, 0, 0, {}});
    }
  }

  Result prove() {
    if (Result r = proveCaches())
      return r;
    if (Result r = findOutput())
      return r;
    if (Result r = findIds())
      return r;
    if (Result r = proveMasks())
      return r;
    return proveRows();
  }

  func::FuncOp build();

private:
  Result refuse(const llvm::Twine &text, Location loc) { return Refusal{text.str(), loc}; }
  Result refuse(const llvm::Twine &text, onnx::NodeOp node) {
    return Refusal{("node '" + nodeName(node) + "' (" + node.qualifiedName() + "): " + text).str(), node.getLoc()};
  }
  static std::string nodeName(onnx::NodeOp node) {
    std::string name;
    node.getLoc()->walk([&](Location loc) {
      if (auto named = dyn_cast<NameLoc>(loc); named && name.empty())
        name = named.getName().str();
      return WalkResult::advance();
    });
    return name;
  }

  //===--------------------------------------------------------------------===//
  // Rules
  //===--------------------------------------------------------------------===//

  /// S1: pasts are read by their attention and by Shape alone; presents are outputs.
  Result proveCaches() {
    for (CachedAttention &a : attentions) {
      for (unsigned i : {a.pastKey(), a.pastKey() + 1})
        if (Result r = provePast(a, i))
          return r;
      for (unsigned i : {1, 2})
        if (Result r = provePresent(a, i))
          return r;
      for (unsigned i = 3; i < a.node.getNumResults(); ++i)
        if (!a.node.getResult(i).use_empty())
          return refuse("S1: its scores are read", a.node);
      if (Result r = proveShapes(a))
        return r;
    }
    return std::nullopt;
  }

  static bool isShape(Operation *op) {
    auto node = dyn_cast<onnx::NodeOp>(op);
    return node && node.getDomain().empty() && node.getOp() == "Shape";
  }

  /// Shape, and what only Shape reads.
  static bool readsOnlySizes(Operation *op, int depth = 0) {
    auto node = dyn_cast<onnx::NodeOp>(op);
    if (!node || depth > 8 || !node.getGraphs().empty())
      return false;
    return isShape(op) || (!node->use_empty() && llvm::all_of(node->getUsers(), [&](Operation *user) {
             return readsOnlySizes(user, depth + 1);
           }));
  }

  Result provePast(CachedAttention &a, unsigned input) {
    auto past = dyn_cast<BlockArgument>(a.node.getInputs()[input]);
    if (!past)
      return refuse("S1: its past isn't an input of the model", a.node);
    for (Operation *user : past.getUsers()) {
      if (user == a.node || readsOnlySizes(user))
        continue;
      auto node = dyn_cast<onnx::NodeOp>(user);
      return refuse("S1: the past of an attention is read by another node", node ? node : a.node);
    }
    if (!pasts.insert(past).second)
      return refuse("S1: its past keys and values are the same input", a.node);
    return std::nullopt;
  }

  Result provePresent(CachedAttention &a, unsigned result) {
    bool isOutput = false;
    if (result < a.node.getNumResults())
      for (Operation *user : a.node.getResult(result).getUsers()) {
        isOutput |= user == main.getBody().front().getTerminator();
        if (auto node = dyn_cast<onnx::NodeOp>(user); node && !readsOnlySizes(node))
          return refuse("S1: a present is read inside the graph", node);
      }
    if (!isOutput)
      return refuse("S1: its present isn't an output of the model", a.node);
    presents.insert(a.node.getResult(result));
    return std::nullopt;
  }

  /// What the rules rely on: one batch, sequence and past for all layers, and one group.
  Result proveShapes(CachedAttention &a) {
    auto dims = [&](unsigned i) { return symbolicDims(a.node.getInputs()[i]); };
    auto element = [&](unsigned i) { return cast<TensorType>(a.node.getInputs()[i].getType()).getElementType(); };
    unsigned pastKey = a.pastKey();
    auto q = dims(0), past = dims(pastKey), pastValue = dims(pastKey + 1);
    if (!q || !past || !pastValue || (q->size() != 3 && q->size() != 4) || past->size() != 4)
      return refuse("S1: the shapes of its queries and pasts aren't known", a.node);
    auto heads = (*past)[1].constant(), size = (*past)[3].constant();
    if (!heads || !size || *past != *pastValue)
      return refuse("S1: keys and values must have the same constant heads and head size", a.node);
    bool flat = q->size() == 3; // [B, S, H*D] or [B, H, S, D]
    a.qHeads = a.grouped ? a.node.intAttr("num_heads", 0)
               : flat    ? a.node.intAttr("q_num_heads", 0)
                         : (*q)[1].constant().value_or(0);
    a.kvHeads = *heads;
    a.headSize = *size;
    a.scale = a.node.floatAttr("scale", 0);
    if (a.scale == 0)
      a.scale = 1 / std::sqrt(static_cast<float>(a.headSize));
    if (Result r = proveOptions(a))
      return r;
    if (&a == &attentions.front()) {
      frame.batch = (*q)[0];
      frame.sequence = (*q)[flat ? 1 : 2];
      frame.past = (*past)[2];
      if (!frame.batch.asSymbol() || !frame.sequence.asSymbol() || !frame.past.asSymbol() ||
          frame.sequence == frame.batch || frame.past == frame.batch || frame.past == frame.sequence)
        return refuse("S2: batch, sequence and past must be sizes of their own; they are " + frame.batch.str() + ", " +
                          frame.sequence.str() + " and " + frame.past.str(),
                      main.getLoc());
    }
    CachedAttention &first = attentions.front();
    if (a.kvHeads != first.kvHeads || a.headSize != first.headSize ||
        element(pastKey) != cast<TensorType>(first.node.getInputs()[first.pastKey()].getType()).getElementType())
      return refuse("its cache has another shape or type than the first layer's; one group is handled", a.node);
    using Dims = SmallVector<SymbolicExpr>;
    auto shape = [&](int64_t heads) {
      return flat ? Dims{frame.batch, frame.sequence, heads * a.headSize}
                  : Dims{frame.batch, SymbolicExpr(heads), frame.sequence, SymbolicExpr(a.headSize)};
    };
    bool fits = (*past)[0] == frame.batch && (*past)[2] == frame.past;
    if (a.packed())
      fits &= a.grouped && *q == shape(a.qHeads + 2 * a.kvHeads);
    else
      fits &= *q == shape(a.qHeads) && dims(1) == shape(a.kvHeads) && dims(2) == shape(a.kvHeads);
    if (!fits)
      return refuse(
          "S2: its queries, keys, values and past must have one batch, one sequence and one past in all layers",
          a.node);
    for (unsigned i : {0u, 1u, 2u, pastKey + 1})
      if (a.node.hasInput(i) && element(i) != element(pastKey))
        return refuse("its queries have another type than its cache, which has no paged form yet", a.node);
    return std::nullopt;
  }

  /// What the paged form doesn't have.
  Result proveOptions(CachedAttention &a) {
    if (a.node.floatAttr("softcap", 0) != 0 || (!a.grouped && a.node.hasInput(6)))
      return refuse("its softcap or nonpad_kv_seqlen has no paged form yet", a.node);
    if (a.node.intAttr("left_window_size", -1) != -1 || a.node.intAttr("right_window_size", -1) != -1)
      return refuse("its window sizes have no paged form yet", a.node);
    bool more = a.node.intAttr("smooth_softmax", 0) > 0; // or inputs behind the tables: positions, a bias
    for (unsigned i = 9; a.grouped && i < a.node.getInputs().size(); ++i)
      more |= a.node.hasInput(i);
    if (a.grouped && more)
      return refuse("its positions, bias or smooth softmax have no paged form yet", a.node);
    return std::nullopt;
  }

  /// S5: one output besides the presents, with a row for each token.
  Result findOutput() {
    for (Value v : main.getBody().front().getTerminator()->getOperands()) {
      if (presents.contains(v))
        continue;
      if (logits)
        return refuse("S5: the model has more outputs than its presents and one more", main.getLoc());
      logits = v;
    }
    auto dims = logits ? symbolicDims(logits) : std::nullopt;
    auto node = logits ? logits.getDefiningOp<onnx::NodeOp>() : nullptr;
    if (!node || !dims || dims->size() != 3 || (*dims)[0] != frame.batch || (*dims)[1] != frame.sequence ||
        !(*dims)[2].constant())
      return refuse("S5: the output must be [batch, sequence, vocabulary], a row for each token", main.getLoc());
    logitsNode = node;
    return std::nullopt;
  }

  /// S4: the ids are the input whose rows the graph follows; positions are another one of the same shape.
  Result findIds() {
    SmallVector<BlockArgument> rows, candidates;
    for (BlockArgument arg : main.getArguments())
      if (!pasts.contains(arg) && isRowsInput(arg)) {
        rows.push_back(arg);
        if (onlySelects(arg, std::nullopt))
          candidates.push_back(arg);
      }
    if (rows.size() > 2)
      return refuse("S4: there are more inputs of the shape [batch, sequence] than token ids and positions",
                    main.getLoc());
    if (candidates.empty())
      return refuse("S4: no input of the shape [batch, sequence] only selects rows of a table", main.getLoc());
    // Positions may do no more than that, too. The table of token ids has a row for each logit.
    if (candidates.size() > 1)
      llvm::erase_if(candidates, [&](BlockArgument arg) { return !onlySelects(arg, symbolicDims(logits)->back()); });
    if (candidates.size() != 1)
      return refuse("S4: it can't be told which input holds the token ids and which the positions", main.getLoc());
    for (BlockArgument arg : rows)
      (arg == candidates.front() ? frame.ids : frame.positions) = arg;
    return std::nullopt;
  }

  /// Whether an input does nothing but select from tables, of `rows` rows if that is given.
  static bool onlySelects(BlockArgument arg, std::optional<SymbolicExpr> rows) {
    bool selects = false;
    for (Operation *user : arg.getUsers()) {
      auto node = dyn_cast<onnx::NodeOp>(user);
      if (isShape(user))
        continue;
      if (!node || (node.getOp() != "Gather" && node.getOp() != "GatherBlockQuantized") || node.getInputs()[1] != arg ||
          isa<BlockArgument>(node.getInputs()[0]))
        return false;
      auto table = symbolicDims(node.getInputs()[0]);
      int64_t axis = node.intAttr(node.getOp() == "Gather" ? "axis" : "gather_axis", 0);
      if (!table || axis >= static_cast<int64_t>(table->size()) ||
          (rows && (*table)[axis < 0 ? axis + table->size() : axis] != *rows))
        return false;
      selects = true;
    }
    return selects;
  }

  bool isRowsInput(BlockArgument arg) {
    auto dims = symbolicDims(arg);
    return dims && dims->size() == 2 && (*dims)[0] == frame.batch && (*dims)[1] == frame.sequence &&
           isa<IntegerType>(cast<TensorType>(arg.getType()).getElementType());
  }

  /// S3
  Result proveMasks() {
    llvm::DenseMap<std::pair<Value, unsigned>, MaskTemplate> lifted; // layers share their mask
    for (CachedAttention &a : attentions) {
      if (a.grouped) {
        if (auto why = proveGrouped(a))
          return refuse("S3: " + *why, a.node);
        continue;
      }
      Value mask = a.node.hasInput(3) ? a.node.getInputs()[3] : Value();
      unsigned causal = a.node.intAttr("is_causal", 0) != 0;
      auto it = lifted.find({mask, causal});
      if (it == lifted.end()) {
        LiftedMask found = liftMask(mask, causal, frame);
        if (!found.mask)
          return refuse("S3: " + found.reason, a.node);
        it = lifted.try_emplace({mask, causal}, *found.mask).first;
      }
      a.mask = it->second;
      if (a.mask.window != attentions.front().mask.window)
        return refuse("S3: its window differs from the first layer's; one group is handled", a.node);
    }
    return std::nullopt;
  }

  /// GroupQueryAttention is causal; with a mask of ones its sequence length must be that of past and new tokens.
  std::optional<std::string> proveGrouped(CachedAttention &a) {
    auto last = liftNumber(a.node.getInputs()[5], frame), total = liftNumber(a.node.getInputs()[6], frame);
    SymbolicExpr all = frame.past + frame.sequence;
    if (!last || *last != all - SymbolicExpr(1) || !total || *total != all)
      return "its sequence lengths aren't those of past and new tokens";
    int64_t window = a.node.intAttr("local_window_size", -1);
    a.mask.causal = true;
    a.mask.window = window > 0 ? window : 0;
    if (a.mask.window != attentions.front().mask.window)
      return "its window differs from the first layer's; one group is handled";
    return std::nullopt;
  }

  /// S2: what lies between ids and logits, without what attention reads besides queries, keys and values.
  Result proveRows() {
    SmallVector<Operation *> work = {logitsNode};
    const llvm::DenseSet<Value> sizes = findSizes();
    llvm::SmallPtrSet<Operation *, 32> cached;
    for (CachedAttention &a : attentions)
      cached.insert(a.node);
    while (!work.empty()) {
      Operation *op = work.pop_back_val();
      if (!slice.insert(op))
        continue;
      auto node = dyn_cast<onnx::NodeOp>(op);
      if (node && !cached.contains(op) && areSizes(node)) {
        if (!sizesOfStep(node))
          return refuse("S2: a size that it computes isn't one of the step's", node);
        continue; // made anew: what it reads doesn't matter
      }
      if (node && !cached.contains(op)) {
        if (!node.getGraphs().empty())
          return refuse("S2: it holds a graph", node);
        if (auto why = whyNotRowWise(node, frame))
          return refuse("S2: " + *why, node);
        if (computesWithSizes(node, sizes))
          return refuse("S4: it computes with a size of the call, which step doesn't have", node);
      }
      SmallVector<Value> operands(op->getOperands());
      if (cached.contains(op)) {
        operands.clear();
        for (unsigned i : llvm::find_if(attentions, [&](CachedAttention &a) { return a.node == op; })->followed())
          if (i < op->getNumOperands())
            operands.push_back(op->getOperand(i));
      }
      for (Value operand : operands) {
        if (Operation *producer = operand.getDefiningOp())
          work.push_back(producer);
        else if (operand != frame.ids && operand != frame.positions)
          return refuse("S4: it reads input \"" + inputName(cast<BlockArgument>(operand)) + "\" outside of the mask",
                        node);
      }
    }
    for (CachedAttention &a : attentions)
      if (!slice.contains(a.node))
        return refuse("S1: the output doesn't depend on it", a.node);
    return std::nullopt;
  }

  /// Whether shape inference knows all that the node computes, as sizes.
  static bool areSizes(onnx::NodeOp node) {
    return node.getKnownAttr() && node.getNumResults() == 1 && isa<onnx::ValuesAttr>(node.getKnownAttr()[0]) &&
           cast<TensorType>(node.getResult(0).getType()).getElementType().isInteger(64);
  }

  /// The sizes for batch 1, each a multiple of the number of tokens or a constant; none where one is something else.
  struct Size {
    int64_t factor;
    bool tokens;
  };
  std::optional<SmallVector<Size>> sizesOfStep(onnx::NodeOp node) {
    SmallVector<Size> out;
    SmallVector<SymbolicExpr> values = *symbolicValues(node.getResult(0));
    for (const SymbolicExpr &e : values) {
      SymbolicExpr now = e.substitute([&](StringRef name) -> std::optional<SymbolicExpr> {
        return name == frame.batch.str() ? std::optional(SymbolicExpr(1)) : std::nullopt;
      });
      if (auto constant = now.constant()) {
        out.push_back({*constant, false});
        continue;
      }
      SymbolicExpr factor = SymbolicExpr::floorDiv(now, frame.sequence);
      if (!factor.constant() || factor * frame.sequence != now)
        return std::nullopt;
      out.push_back({*factor.constant(), true});
    }
    return out;
  }

  /// Values computed from sizes of the call, other than those that are the same in each call.
  llvm::DenseSet<Value> findSizes() {
    llvm::DenseSet<Value> sizes;
    for (auto node : main.getBody().front().getOps<onnx::NodeOp>()) {
      if (!isShape(node) && node.getOp() != "Size" &&
          llvm::none_of(node.getInputs(), [&](Value v) { return sizes.contains(v); }))
        continue;
      for (Value result : node.getResults()) {
        auto known = symbolicValues(result);
        if (!known || !llvm::all_of(*known, [](const SymbolicExpr &e) { return e.constant().has_value(); }))
          sizes.insert(result);
      }
    }
    return sizes;
  }

  /// Whether a node of rows takes a size for anything but the shape of its result.
  bool computesWithSizes(onnx::NodeOp node, const llvm::DenseSet<Value> &sizes) {
    if (!hasRows(node, frame))
      return false; // what becomes of it is looked at where rows come in
    for (auto [i, operand] : llvm::enumerate(node.getInputs())) {
      bool isShapeOperand = i == 1 && (node.getOp() == "Reshape" || node.getOp() == "Expand");
      if (sizes.contains(operand) && !isShapeOperand && !hasRows(operand, frame))
        return true;
    }
    return false;
  }

  std::string inputName(BlockArgument arg) {
    auto tensor = main.getArgAttrOfType<program::TensorAttr>(arg.getArgNumber(), program::kTensorAttrName);
    return tensor ? tensor.getName().str() : std::to_string(arg.getArgNumber());
  }

  //===--------------------------------------------------------------------===//
  // Building
  //===--------------------------------------------------------------------===//

  Value addArgument(StringRef name, Type element, ArrayRef<StringRef> dims);
  onnx::NodeOp makeNode(OpBuilder &b, Location loc, StringRef op, ValueRange inputs, Type result,
                        ArrayRef<NamedAttribute> attributes);
  Value intConstant(OpBuilder &b, ArrayRef<int64_t> values);
  Value makeSizes(OpBuilder &b, onnx::NodeOp node, Value ids);
  SmallVector<Value> groupedInputs(OpBuilder &b, CachedAttention &a, IRMapping &mapping, Value positions);
  Value rowsOfHeads(OpBuilder &b, Value x, int64_t columns);
  Value headsOfRows(OpBuilder &b, Value x, int64_t heads, int64_t size);
  static Type withoutRows(Type type);

  func::FuncOp main;
  int64_t blockTokens;
  StepFrame frame;
  SmallVector<CachedAttention> attentions;
  llvm::SmallPtrSet<Value, 16> pasts, presents;
  llvm::SetVector<Operation *> slice;
  Value logits;
  onnx::NodeOp logitsNode;
  func::FuncOp step;
};

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

Value Derivation::addArgument(StringRef name, Type element, ArrayRef<StringRef> dims) {
  OpBuilder b(step.getContext());
  SmallVector<StringAttr> exprs;
  SmallVector<int64_t> shape;
  for (StringRef d : dims) {
    exprs.push_back(b.getStringAttr(d));
    auto constant = SymbolicExpr::parse(d)->constant();
    shape.push_back(constant ? *constant : ShapedType::kDynamic);
  }
  auto type = RankedTensorType::get(shape, element, onnx::DimsAttr::get(b.getContext(), exprs));
  unsigned number = step.getNumArguments();
  (void)step.insertArgument(
      number, type,
      b.getDictionaryAttr(b.getNamedAttr(program::kTensorAttrName,
                                         program::TensorAttr::get(b.getContext(), name, element, exprs, exprs))),
      main.getLoc());
  return step.getArgument(number);
}

Type Derivation::withoutRows(Type type) {
  auto ranked = dyn_cast<RankedTensorType>(type);
  return ranked ? RankedTensorType::get(ranked.getShape(), ranked.getElementType()) : type;
}

onnx::NodeOp Derivation::makeNode(OpBuilder &b, Location loc, StringRef op, ValueRange inputs, Type result,
                                  ArrayRef<NamedAttribute> attributes) {
  return onnx::NodeOp::create(b, loc, result, b.getStringAttr(op), b.getStringAttr(""), b.getI64IntegerAttr(24), inputs,
                              b.getDictionaryAttr(attributes), b.getArrayAttr({}), ArrayAttr(), 0);
}

Value Derivation::intConstant(OpBuilder &b, ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({static_cast<int64_t>(values.size())}, b.getI64Type());
  return onnx::ConstantOp::create(b, main.getLoc(), type, DenseElementsAttr::get(type, values));
}

/// Queries, keys and values as rows: unpacked and rotated.
SmallVector<Value> Derivation::groupedInputs(OpBuilder &b, CachedAttention &a, IRMapping &mapping, Value positions) {
  Location loc = a.node.getLoc();
  Value x = mapping.lookup(a.node.getInputs()[0]);
  Type element = cast<RankedTensorType>(x.getType()).getElementType();
  int64_t columns[3] = {a.qHeads * a.headSize, a.kvHeads * a.headSize, a.kvHeads * a.headSize}, begin = 0;
  SmallVector<Value> out;
  for (unsigned i = 0; i < 3; ++i) {
    auto type = RankedTensorType::get({1, ShapedType::kDynamic, columns[i]}, element);
    Value part = i && !a.packed() ? mapping.lookup(a.node.getInputs()[i]) : x;
    if (a.packed())
      part = makeNode(b, loc, "Slice",
                      {x, intConstant(b, {begin}), intConstant(b, {begin + columns[i]}), intConstant(b, {2})}, type, {})
                 .getResult(0);
    begin += columns[i];
    if (i < 2 && a.node.intAttr("do_rotary", 0)) {
      Value cosines = mapping.lookup(a.node.getInputs()[7]), sines = mapping.lookup(a.node.getInputs()[8]);
      int64_t rotated = 2 * cast<RankedTensorType>(cosines.getType()).getDimSize(1);
      NamedAttribute attributes[] = {
          b.getNamedAttr("num_heads", b.getI64IntegerAttr(i ? a.kvHeads : a.qHeads)),
          b.getNamedAttr("interleaved", b.getI64IntegerAttr(a.node.intAttr("rotary_interleaved", 0))),
          b.getNamedAttr("rotary_embedding_dim", b.getI64IntegerAttr(rotated == a.headSize ? 0 : rotated))};
      part = makeNode(b, loc, "RotaryEmbedding", {part, cosines, sines, positions}, type, attributes).getResult(0);
    }
    out.push_back(part);
  }
  return out;
}

/// The values of a node that computes sizes, from the shape of `ids` [T].
Value Derivation::makeSizes(OpBuilder &b, onnx::NodeOp node, Value ids) {
  Location loc = node.getLoc();
  auto one = RankedTensorType::get({1}, b.getI64Type());
  SmallVector<Value> parts;
  SmallVector<Size> sizes = *sizesOfStep(node);
  for (Size size : sizes) {
    Value part = intConstant(b, {size.factor});
    if (size.tokens)
      part =
          makeNode(b, loc, "Mul", {makeNode(b, loc, "Shape", ids, one, {}).getResult(0), part}, one, {}).getResult(0);
    parts.push_back(part);
  }
  auto type = RankedTensorType::get({static_cast<int64_t>(parts.size())}, b.getI64Type());
  Value all =
      parts.size() == 1
          ? parts[0]
          : makeNode(b, loc, "Concat", parts, type, b.getNamedAttr("axis", b.getI64IntegerAttr(0))).getResult(0);
  if (cast<RankedTensorType>(node.getResult(0).getType()).getRank())
    return all;
  return makeNode(b, loc, "Squeeze", {all, intConstant(b, {0})}, RankedTensorType::get({}, b.getI64Type()), {})
      .getResult(0);
}

/// [1, H, T, D] to [1, T, H*D].
Value Derivation::rowsOfHeads(OpBuilder &b, Value x, int64_t columns) {
  auto type = cast<RankedTensorType>(x.getType());
  int64_t any = ShapedType::kDynamic;
  auto turned = RankedTensorType::get({1, any, type.getDimSize(1), type.getDimSize(3)}, type.getElementType());
  Value y =
      makeNode(b, x.getLoc(), "Transpose", x, turned, b.getNamedAttr("perm", b.getDenseI64ArrayAttr({0, 2, 1, 3})))
          .getResult(0);
  return makeNode(b, x.getLoc(), "Reshape", {y, intConstant(b, {1, -1, columns})},
                  RankedTensorType::get({1, any, columns}, type.getElementType()), {})
      .getResult(0);
}

/// [1, T, H*D] to [1, H, T, D].
Value Derivation::headsOfRows(OpBuilder &b, Value x, int64_t heads, int64_t size) {
  Type element = cast<RankedTensorType>(x.getType()).getElementType();
  int64_t any = ShapedType::kDynamic;
  Value y = makeNode(b, x.getLoc(), "Reshape", {x, intConstant(b, {1, -1, heads, size})},
                     RankedTensorType::get({1, any, heads, size}, element), {})
                .getResult(0);
  return makeNode(b, x.getLoc(), "Transpose", y, RankedTensorType::get({1, heads, any, size}, element),
                  b.getNamedAttr("perm", b.getDenseI64ArrayAttr({0, 2, 1, 3})))
      .getResult(0);
}

func::FuncOp Derivation::build() {
  OpBuilder b(main.getContext());
  b.setInsertionPointAfter(main);
  Location loc = main.getLoc();
  step = func::FuncOp::create(b, loc, "step", b.getFunctionType({}, {}));
  step.addEntryBlock();
  CachedAttention &first = attentions.front();
  std::string layers = std::to_string(attentions.size()), heads = std::to_string(first.kvHeads),
              size = std::to_string(first.headSize), tokens = std::to_string(blockTokens);
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  Type element = cast<TensorType>(first.node.getInputs()[first.pastKey()].getType()).getElementType();
  Value ids = addArgument("ids", i64, {"tokens"});
  Value positions = addArgument("positions", i64, {"tokens"});
  Value starts = addArgument("sequence_starts", i32, {"sequences + 1"});
  Value context = addArgument("context_lengths", i32, {"sequences"});
  Value rows = addArgument("rows", i32, {"rows"});
  Value table = addArgument("blocks.0", i32, {"sequences", "columns"});
  Value cache = addArgument("cache.0", element, {"blocks", layers, "2", heads, tokens, size});

  b.setInsertionPointToStart(&step.getBody().front());
  IRMapping mapping;
  // One batch row that holds all tokens.
  auto asRow = [&](Value tensor, Value old) {
    Type want = cast<TensorType>(old.getType()).getElementType();
    Value v = makeNode(b, loc, "Unsqueeze", {tensor, intConstant(b, {0})},
                       RankedTensorType::get({1, ShapedType::kDynamic}, i64), {})
                  .getResult(0);
    if (want == i64)
      return v;
    return makeNode(b, loc, "Cast", v, RankedTensorType::get({1, ShapedType::kDynamic}, want),
                    b.getNamedAttr("to", b.getI64IntegerAttr(want.isInteger(32) ? 6 : 7)))
        .getResult(0);
  };
  mapping.map(frame.ids, asRow(ids, frame.ids));
  // Where rotation is part of attention, it needs the positions even if no input of the model tells them.
  Value positionRow =
      llvm::any_of(attentions, [](CachedAttention &a) { return a.grouped; }) ? asRow(positions, ids) : Value();
  if (frame.positions)
    mapping.map(frame.positions, asRow(positions, frame.positions));

  int64_t layer = 0;
  for (Operation &op : main.getBody().front()) {
    if (!slice.contains(&op))
      continue;
    auto found = llvm::find_if(attentions, [&](CachedAttention &a) { return a.node == &op; });
    if (found != attentions.end()) {
      // Heads behind one another in a row: [1, T, H*D].
      bool flat = cast<RankedTensorType>(found->node.getInputs()[0].getType()).getRank() == 3;
      auto at = [&](unsigned i) {
        Value x = mapping.lookup(found->node.getInputs()[i]);
        return flat ? x : rowsOfHeads(b, x, (i ? found->kvHeads : found->qHeads) * found->headSize);
      };
      SmallVector<Value> qkv =
          found->grouped ? groupedInputs(b, *found, mapping, positionRow) : SmallVector<Value>{at(0), at(1), at(2)};
      auto attention = llm::PagedAttentionOp::create(
          b, op.getLoc(), qkv[0].getType(), cache.getType(), qkv[0], qkv[1], qkv[2], cache, table, starts, context,
          b.getI64IntegerAttr(layer++), b.getI64IntegerAttr(found->qHeads), b.getI64IntegerAttr(found->kvHeads),
          b.getF32FloatAttr(found->scale), b.getI64IntegerAttr(0), b.getI64IntegerAttr(found->mask.window));
      mapping.map(found->node.getResult(0),
                  flat ? attention.getY() : headsOfRows(b, attention.getY(), found->qHeads, found->headSize));
      cache = attention.getUpdated();
      continue;
    }
    if (auto node = dyn_cast<onnx::NodeOp>(op); node && areSizes(node)) {
      mapping.map(node.getResult(0), makeSizes(b, node, ids));
      continue;
    }
    if (&op == logitsNode.getOperation()) {
      // Only the rows asked for are multiplied with the vocabulary's matrix.
      bool isProduct = logitsNode.getOp() == "MatMul" || logitsNode.getOp() == "MatMulNBits";
      if (isProduct) {
        Value x = mapping.lookup(logitsNode.getInputs()[0]);
        auto type = cast<RankedTensorType>(x.getType());
        auto chosen = RankedTensorType::get({1, ShapedType::kDynamic, type.getDimSize(2)}, type.getElementType());
        mapping.map(
            logitsNode.getInputs()[0],
            makeNode(b, loc, "Gather", {x, rows}, chosen, b.getNamedAttr("axis", b.getI64IntegerAttr(1))).getResult(0));
      }
    }
    Operation *copy = b.clone(op, mapping);
    if (auto node = dyn_cast<onnx::NodeOp>(copy)) {
      node.removeKnownAttr();
      for (Value result : node.getResults()) {
        // Sizes are inferred anew for the tokens; the batch is 1 now.
        auto dims = symbolicDims(result);
        auto type = dyn_cast<RankedTensorType>(result.getType());
        if (!type)
          continue;
        SmallVector<int64_t> shape(type.getShape());
        for (auto [i, d] : llvm::enumerate(*dims))
          if (d == frame.batch)
            shape[i] = 1;
        result.setType(withoutRows(RankedTensorType::get(shape, type.getElementType())));
      }
    }
  }
  Value out = mapping.lookup(logits);
  int64_t vocabulary = *symbolicDims(logits)->back().constant();
  if (logitsNode.getOp() != "MatMul" && logitsNode.getOp() != "MatMulNBits")
    out = makeNode(b, loc, "Gather", {out, rows},
                   RankedTensorType::get({1, ShapedType::kDynamic, vocabulary},
                                         cast<TensorType>(out.getType()).getElementType()),
                   b.getNamedAttr("axis", b.getI64IntegerAttr(1)))
              .getResult(0);
  Type outElement = b.getF32Type(); // whatever main gives
  if (cast<TensorType>(out.getType()).getElementType() != outElement)
    out = makeNode(b, loc, "Cast", out, RankedTensorType::get({1, ShapedType::kDynamic, vocabulary}, outElement),
                   b.getNamedAttr("to", b.getI64IntegerAttr(1)))
              .getResult(0);
  out = makeNode(b, loc, "Squeeze", {out, intConstant(b, {0})},
                 RankedTensorType::get({ShapedType::kDynamic, vocabulary}, outElement), {})
            .getResult(0);
  func::ReturnOp::create(b, loc, ValueRange{out, cache});
  step.setType(b.getFunctionType(step.getBody().front().getArgumentTypes(), {out.getType(), cache.getType()}));
  auto strings = [&](ArrayRef<std::string> list) {
    SmallVector<StringAttr> attrs;
    for (const std::string &s : list)
      attrs.push_back(b.getStringAttr(s));
    return attrs;
  };
  auto describe = [&](StringRef name, Type type, ArrayRef<std::string> dims) {
    return program::TensorAttr::get(b.getContext(), name, type, strings(dims), strings(dims));
  };
  step.setResultAttr(0, program::kTensorAttrName, describe("logits", outElement, {"rows", std::to_string(vocabulary)}));
  step.setResultAttr(1, program::kTensorAttrName,
                     describe("cache.0", element, {"blocks", layers, "2", heads, tokens, size}));
  step->setAttr(program::kCacheGroupsAttrName,
                b.getArrayAttr({program::CacheGroupAttr::get(b.getContext(), "0", attentions.size(), first.kvHeads,
                                                             first.headSize, blockTokens, 0, first.mask.window)}));
  return step;
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

struct DeriveStep : impl::DeriveStepPassBase<DeriveStep> {
  using DeriveStepPassBase::DeriveStepPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (blockTokens < 1 || blockTokens > kMaxBlockTokens || !llvm::isPowerOf2_64(blockTokens)) {
      emitError(module.getLoc()) << "block-tokens is " << blockTokens.getValue() << ", expected a power of two up to "
                                 << kMaxBlockTokens;
      return signalPassFailure();
    }
    auto main = module.lookupSymbol<func::FuncOp>("main");
    if (!main || module.lookupSymbol("step"))
      return;
    // The proof reads a copy in which attention is one node, whatever the exporter wrote; `main` stays as it is.
    func::FuncOp copy = main.clone();
    copy.setName("main.raised");
    module.push_back(copy);
    auto forget = llvm::make_scope_exit([&] { copy.erase(); });
    OpPassManager raise(func::FuncOp::getOperationName());
    raise.addPass(createRaiseAttentionPass());
    if (failed(runPipeline(raise, copy)))
      return signalPassFailure();
    Derivation derivation(copy, blockTokens);
    derivation.collect();
    if (!derivation.hasCache()) {
      if (require) {
        main.emitError() << "no attention of the model keeps a cache, so it has no step";
        signalPassFailure();
      }
      return;
    }
    if (Result refusal = derivation.prove()) {
      remark::missed(refusal->loc, remark::RemarkOpts::name("no-step").category("mxn-derive-step"))
          << remark::reason("{0}", refusal->text);
      module->setAttr(program::kStepRefusedAttrName, StringAttr::get(&getContext(), refusal->text));
      if (require) {
        emitError(refusal->loc) << "no step could be derived: " << refusal->text;
        signalPassFailure();
      }
      return;
    }
    func::FuncOp step = derivation.build();
    remark::passed(main.getLoc(), remark::RemarkOpts::name("step").category("mxn-derive-step"))
        << "derived step from main";
    OpPassManager infer(func::FuncOp::getOperationName());
    infer.addPass(createInferShapesPass());
    if (failed(runPipeline(infer, step)))
      signalPassFailure();
  }
};

} // namespace
} // namespace mxn
