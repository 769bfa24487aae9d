//===- BuildStep.cpp - The ragged entry of a decoder ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/LLM/LLMDialect.h"
#include "dialects/Program/ProgramDialect.h"
#include "mlir/IR/IRMapping.h"
#include "passes/Step/Decoder.h"

using namespace mlir;

namespace mxn {
namespace {

class StepBuilder : public Decoder {
public:
  StepBuilder(Decoder decoder, int64_t blockTokens) : Decoder(std::move(decoder)), blockTokens(blockTokens) {}

  func::FuncOp build();

private:
  Value addArgument(StringRef name, Type element, ArrayRef<StringRef> dims);
  onnx::NodeOp makeNode(OpBuilder &b, Location loc, StringRef op, ValueRange inputs, Type result,
                        ArrayRef<NamedAttribute> attributes);
  Value intConstant(OpBuilder &b, ArrayRef<int64_t> values);
  Value makeSizes(OpBuilder &b, onnx::NodeOp node, Value ids);
  SmallVector<Value> groupedInputs(OpBuilder &b, CachedAttention &a, IRMapping &mapping, Value positions);
  Value rowsOfHeads(OpBuilder &b, Value x, int64_t columns);
  Value headsOfRows(OpBuilder &b, Value x, int64_t heads, int64_t size);
  static Type withoutRows(Type type);

  int64_t blockTokens;
  func::FuncOp step;
};

Value StepBuilder::addArgument(StringRef name, Type element, ArrayRef<StringRef> dims) {
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

Type StepBuilder::withoutRows(Type type) {
  auto ranked = dyn_cast<RankedTensorType>(type);
  return ranked ? RankedTensorType::get(ranked.getShape(), ranked.getElementType()) : type;
}

onnx::NodeOp StepBuilder::makeNode(OpBuilder &b, Location loc, StringRef op, ValueRange inputs, Type result,
                                   ArrayRef<NamedAttribute> attributes) {
  return onnx::NodeOp::create(b, loc, result, b.getStringAttr(op), b.getStringAttr(""), b.getI64IntegerAttr(24), inputs,
                              b.getDictionaryAttr(attributes), b.getArrayAttr({}), ArrayAttr(), 0);
}

Value StepBuilder::intConstant(OpBuilder &b, ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({static_cast<int64_t>(values.size())}, b.getI64Type());
  return onnx::ConstantOp::create(b, main.getLoc(), type, DenseElementsAttr::get(type, values));
}

/// Queries, keys and values as rows: unpacked and rotated.
SmallVector<Value> StepBuilder::groupedInputs(OpBuilder &b, CachedAttention &a, IRMapping &mapping, Value positions) {
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
Value StepBuilder::makeSizes(OpBuilder &b, onnx::NodeOp node, Value ids) {
  Location loc = node.getLoc();
  auto one = RankedTensorType::get({1}, b.getI64Type());
  SmallVector<Value> parts;
  SmallVector<StepSize> sizes = *sizesOfStep(node, frame);
  for (StepSize size : sizes) {
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
Value StepBuilder::rowsOfHeads(OpBuilder &b, Value x, int64_t columns) {
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
Value StepBuilder::headsOfRows(OpBuilder &b, Value x, int64_t heads, int64_t size) {
  Type element = cast<RankedTensorType>(x.getType()).getElementType();
  int64_t any = ShapedType::kDynamic;
  Value y = makeNode(b, x.getLoc(), "Reshape", {x, intConstant(b, {1, -1, heads, size})},
                     RankedTensorType::get({1, any, heads, size}, element), {})
                .getResult(0);
  return makeNode(b, x.getLoc(), "Transpose", y, RankedTensorType::get({1, heads, any, size}, element),
                  b.getNamedAttr("perm", b.getDenseI64ArrayAttr({0, 2, 1, 3})))
      .getResult(0);
}

func::FuncOp StepBuilder::build() {
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

} // namespace

func::FuncOp buildStep(Decoder decoder, int64_t blockTokens) {
  return StepBuilder(std::move(decoder), blockTokens).build();
}

} // namespace mxn
