//===- Attention.cpp - Attention and MultiHeadAttention -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX's Attention, and com.microsoft.MultiHeadAttention where its queries, keys and values are three tensors without
// a bias.
//
#include "passes/Import/AttentionCore.h"

using namespace mlir;

namespace mxn {
namespace {

enum Input { Query, Key, NewValue };

/// Where an operator has what else it needs.
struct AttentionForm {
  bool standard; // queries may have 4 dimensions
  StringRef heads, kvHeads, causal;
  unsigned mask, pastKey, pastValue;
};
const AttentionForm kStandard = {true, "q_num_heads", "kv_num_heads", "is_causal", 3, 4, 5};
const AttentionForm kMultiHead = {false, "num_heads", "num_heads", "unidirectional", 5, 6, 7};

template <typename Context>
FailureOr<std::pair<AttentionShape, bool>> attentionShape(Context &c, const AttentionForm &form) {
  if (!c.hasInput(Key) || !c.hasInput(NewValue))
    return c.error() << "queries, keys and values in one tensor aren't supported";
  Dims q = c.dims(Query), k = c.dims(Key), v = c.dims(NewValue);
  if ((q.size() != 3 && (q.size() != 4 || !form.standard)) || k.size() != q.size() || v.size() != q.size())
    return c.error() << "its query, key and value must have 3 " << (form.standard ? "or 4 " : "") << "dimensions each";
  AttentionShape s;
  bool flat = q.size() == 3; // [B, S, H*D] rather than [B, H, S, D]
  auto number = [](const SymbolicExpr &e) { return e.constant().value_or(0); };
  int64_t columns[3] = {number(q.back()), number(k.back()), number(v.back())};
  s.heads = flat ? c.node.intAttr(form.heads, 0) : number(q[1]);
  s.kvHeads = flat ? c.node.intAttr(form.kvHeads, 0) : number(k[1]);
  if (s.heads < 1 || s.kvHeads < 1 || s.heads % s.kvHeads)
    return c.error() << "it has " << s.heads << " query heads and " << s.kvHeads
                     << " key-value heads; the first must be a multiple of the second, and both known";
  if (flat) {
    columns[0] /= s.heads;
    columns[1] /= s.kvHeads;
    columns[2] /= s.kvHeads;
  }
  s.group = s.heads / s.kvHeads;
  s.size = columns[0];
  s.valueSize = columns[2];
  if (s.size < 1 || s.valueSize < 1 || columns[1] != s.size)
    return c.error() << "queries have " << s.size << " numbers a head, keys " << columns[1] << ", values "
                     << s.valueSize << "; the first two must be equal, and all known when compiling";
  if (c.hasInput(form.pastKey) != c.hasInput(form.pastValue))
    return c.error() << "past keys and values must both be there or both be left out";
  if (c.hasInput(form.pastKey) && c.dims(form.pastKey).size() != 4)
    return c.error() << "its past keys and values must have 4 dimensions";
  s.batch = q[0];
  s.queries = flat ? q[1] : q[2];
  s.keys = flat ? k[1] : k[2];
  s.past = c.hasInput(form.pastKey) ? c.dims(form.pastKey)[2] : SymbolicExpr(0);
  s.total = s.past + s.keys;
  return std::pair(s, flat);
}

LogicalResult inferAttention(InferContext &c, const AttentionForm &form) {
  auto found = attentionShape(c, form);
  if (failed(found))
    return failure();
  auto [s, flat] = *found;
  Dims k = c.dims(Key), v = c.dims(NewValue);
  int64_t sequence = flat ? 1 : 2;
  if (failed(c.equate(k[0], s.batch, "the batch of keys and queries")) ||
      failed(c.equate(v[0], s.batch, "the batch of values and queries")) ||
      failed(c.equate(v[sequence], k[sequence], "the number of values and keys")))
    return failure();
  for (unsigned i : {form.pastKey, form.pastValue})
    if (c.hasInput(i) && failed(equatePast(c, s, i, i == form.pastKey ? s.size : s.valueSize)))
      return failure();
  if (c.hasInput(form.mask) && failed(equateMask(c, s, form.mask)))
    return failure();
  setAttentionDims(c, s, flat);
  c.setDims(3, {s.batch, SymbolicExpr(s.heads), s.queries, s.total});
  return success();
}

LogicalResult refuseStandard(LowerContext &c) {
  if (c.hasInput(6))
    return c.error() << "nonpad_kv_seqlen isn't supported";
  if (c.node.intAttr("left_window_size", -1) != -1 || c.node.intAttr("right_window_size", -1) != -1)
    return c.error() << "window sizes aren't supported";
  return success();
}

// query, key, value, bias, key_padding_mask, attention_bias, past_key, past_value, past_sequence_length and
// cache_indirection.
LogicalResult refuseMultiHead(LowerContext &c) {
  for (unsigned i : {3u, 4u, 8u, 9u})
    if (c.hasInput(i))
      return c.error() << "input " << i << " isn't supported";
  // A query that may see no key at all would need mask_filter_value.
  return refuseOtherAttributes(c.node, {"num_heads", "scale", "unidirectional", "mask_filter_value"});
}

FailureOr<SmallVector<Value>> lowerAttention(LowerContext &c, const AttentionForm &form) {
  auto found = attentionShape(c, form);
  if (failed(found) || failed(form.standard ? refuseStandard(c) : refuseMultiHead(c)))
    return failure();
  auto [s, flat] = *found;
  if (c.node.getNumResults() > 3 && !c.node.getResult(3).use_empty())
    return c.error() << "its output of raw scores isn't supported";
  AttentionRules rules;
  rules.causal = c.node.intAttr(form.causal, 0);
  rules.scale = c.node.floatAttr("scale", 0);
  rules.cap = c.node.floatAttr("softcap", 0);
  if (c.hasInput(form.mask)) {
    auto mask = maskOperand(c, s, form.mask);
    if (failed(mask))
      return failure();
    rules.mask = *mask;
  }

  SymbolicExpr kvHeads(s.kvHeads);
  auto split = [&, &s = s, flat = flat](Input i, int64_t size) {
    Dims to =
        flat ? Dims{s.batch, s.keys, kvHeads, SymbolicExpr(size)} : Dims{s.batch, kvHeads, s.keys, SymbolicExpr(size)};
    return HeadRows{c.reshape(c.input(i), c.dims(i), to), flat};
  };
  HeadRows k = split(Key, s.size), v = split(NewValue, s.valueSize);
  if (c.hasInput(form.pastKey)) {
    k = {appendToPast(c, s, c.input(form.pastKey), k, s.size), false};
    v = {appendToPast(c, s, c.input(form.pastValue), v, s.valueSize), false};
  } else if (hasPresents(c) && flat) {
    k = {c.transpose(k.tensor, {s.batch, s.keys, kvHeads, SymbolicExpr(s.size)}, {0, 2, 1, 3}), false};
    v = {c.transpose(v.tensor, {s.batch, s.keys, kvHeads, SymbolicExpr(s.valueSize)}, {0, 2, 1, 3}), false};
  }
  SmallVector<Value> results = {attend(c, s, rules, c.input(Query), c.dims(Query), flat, k, v),
                                k.flat ? Value() : k.tensor, v.flat ? Value() : v.tensor, Value()};
  results.resize(c.node.getNumResults());
  return results;
}

} // namespace

void addAttentionHandlers(HandlerRegistry &r) {
  auto add = [&](StringRef domain, StringRef op, int64_t since, const AttentionForm &form) {
    r.add(domain, op, since,
          {[&form](InferContext &c) { return inferAttention(c, form); },
           [&form](LowerContext &c) { return lowerAttention(c, form); }});
  };
  add("", "Attention", 23, kStandard);
  add("com.microsoft", "MultiHeadAttention", 1, kMultiHead);
  addGroupQueryAttentionHandlers(r);
  addRotaryHandlers(r);
}

} // namespace mxn
