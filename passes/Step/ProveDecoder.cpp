//===- ProveDecoder.cpp - The rules of the step ---------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Program/ProgramDialect.h"
#include "passes/Step/Decoder.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace mxn {

using Result = std::optional<Refusal>; // nothing: all is well

void collectAttentions(Decoder &decoder) {
  for (auto node : decoder.main.getBody().front().getOps<onnx::NodeOp>()) {
    bool standard = node.getDomain().empty() && node.getOp() == "Attention" && node.hasInput(4) && node.hasInput(5);
    bool grouped = node.getDomain() == "com.microsoft" && node.getOp() == "GroupQueryAttention" && node.hasInput(3) &&
                   node.hasInput(4);
    if (standard || grouped)
      decoder.attentions.push_back({node, grouped, 0, 0, 0, 0, {}});
  }
}

bool areSizes(onnx::NodeOp node) {
  return node.getKnownAttr() && node.getNumResults() == 1 && isa<onnx::ValuesAttr>(node.getKnownAttr()[0]) &&
         cast<TensorType>(node.getResult(0).getType()).getElementType().isInteger(64);
}

std::optional<SmallVector<StepSize>> sizesOfStep(onnx::NodeOp node, const StepFrame &frame) {
  SmallVector<StepSize> out;
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

namespace {

class Proof : public Decoder {
public:
  explicit Proof(Decoder decoder) : Decoder(std::move(decoder)) {}

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
        if (!sizesOfStep(node, frame))
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

  llvm::SmallPtrSet<Value, 16> pasts, presents;
};

} // namespace

std::optional<Refusal> proveDecoder(Decoder &decoder) {
  Proof proof(std::move(decoder));
  Result refusal = proof.prove();
  decoder = std::move(proof);
  return refusal;
}

} // namespace mxn
