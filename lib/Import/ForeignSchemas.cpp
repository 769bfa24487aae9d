//===- ForeignSchemas.cpp - Types of ops outside of ONNX's own domain -----===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape inference stops at the first op that it has no schema for, and says nothing. These are the ops of the
// com.microsoft domain that language models are exported with, and one that exporters write into ONNX's own domain,
// where it doesn't exist.
//
#include "lib/Import/OnnxModel.h"
#include "onnx/defs/schema.h"
#include "onnx/defs/shape_inference.h"

using namespace mxn::import;
using namespace ONNX_NAMESPACE;

static int64_t intAttribute(InferenceContext &c, const char *name, int64_t absent) {
  const AttributeProto *attribute = c.getAttribute(name);
  return attribute && attribute->has_i() ? attribute->i() : absent;
}

/// Output 0 is like input 0, and so are the `others` where they are asked for.
static InferenceFunction likeInput(std::vector<size_t> others = {}) {
  return [others](InferenceContext &c) {
    propagateShapeAndTypeFromFirstInput(c);
    for (size_t output : others) {
      if (c.getNumOutputs() <= output)
        continue;
      propagateElemTypeFromInputToOutput(c, 0, output);
      if (hasInputShape(c, 0))
        propagateShapeFromInputToOutput(c, 0, output);
    }
  };
}

static TensorShapeProto_Dimension constant(int64_t value) {
  TensorShapeProto_Dimension dim;
  if (value > 0)
    dim.set_dim_value(value);
  return dim;
}

static int64_t valueOf(const TensorShapeProto_Dimension &dim) { return dim.has_dim_value() ? dim.dim_value() : -1; }

/// query [B, S, H * D], or [B, S, (H + 2 KV) * D] with key and value left out; presents are [B, KV, T, D].
static void groupQueryAttention(InferenceContext &c) {
  int64_t heads = intAttribute(c, "num_heads", 0), kvHeads = intAttribute(c, "kv_num_heads", 0);
  bool packed = !c.hasInput(1);
  propagateElemTypeFromInputToOutput(c, 0, 0);
  for (size_t o : {1, 2})
    if (c.getNumOutputs() > o)
      propagateElemTypeFromInputToOutput(c, c.hasInput(2 + o) ? 2 + o : 0, o);
  if (!hasInputShape(c, 0))
    return;
  const TensorShapeProto &query = getInputShape(c, 0);
  if (query.dim_size() != 3)
    fail_shape_inference("query must be [batch, sequence, hidden]");
  int64_t columns = valueOf(query.dim(2)), parts = packed ? heads + 2 * kvHeads : heads;
  if (heads <= 0 || kvHeads <= 0)
    fail_shape_inference("num_heads and kv_num_heads must be positive");
  if (columns >= 0 && columns % parts)
    fail_shape_inference("the hidden size ", columns, " isn't a multiple of ", parts, " heads");
  int64_t size = columns >= 0 ? columns / parts : -1;
  updateOutputShape(c, 0, {query.dim(0), query.dim(1), constant(size < 0 ? -1 : size * heads)});
  for (size_t o : {1, 2})
    if (c.getNumOutputs() > o)
      updateOutputShape(c, o, {query.dim(0), constant(kvHeads), constant(-1), constant(size)});
}

/// A [..., K] by B [N, ceil(K / block_size), block_size * bits / 8].
static void matMulNBits(InferenceContext &c) {
  propagateElemTypeFromInputToOutput(c, 0, 0);
  if (!hasInputShape(c, 0))
    return;
  int64_t k = intAttribute(c, "K", 0), n = intAttribute(c, "N", 0);
  TensorShapeProto shape = getInputShape(c, 0);
  if (!shape.dim_size())
    fail_shape_inference("A must have at least one dimension");
  auto *last = shape.mutable_dim(shape.dim_size() - 1);
  if (last->has_dim_value() && last->dim_value() != k)
    fail_shape_inference("K is ", k, ", A has ", last->dim_value(), " columns");
  last->set_dim_value(n);
  *getOutputShape(c, 0) = shape;
}

/// data [V, D * bits / 8] as uint8 (or [V, D] as 4-bit integers), indices, scales: the indices' shape and D.
static void gatherBlockQuantized(InferenceContext &c) {
  propagateElemTypeFromInputToOutput(c, 2, 0);
  if (!hasInputShape(c, 0) || !hasInputShape(c, 1) || intAttribute(c, "gather_axis", 0))
    return;
  const TensorShapeProto &data = getInputShape(c, 0);
  TensorShapeProto shape = getInputShape(c, 1);
  bool bytes = c.getInputType(0)->tensor_type().elem_type() == TensorProto::UINT8;
  int64_t perByte = bytes ? 8 / std::max<int64_t>(1, intAttribute(c, "bits", 4)) : 1;
  for (int i = 1; i < data.dim_size(); ++i) {
    int64_t size = valueOf(data.dim(i));
    *shape.add_dim() = constant(size < 0 ? -1 : i + 1 == data.dim_size() ? size * perByte : size);
  }
  *getOutputShape(c, 0) = shape;
}

static void fusedMatMul(InferenceContext &c) {
  propagateElemTypeFromInputToOutput(c, 0, 0);
  if (!hasInputShape(c, 0) || !hasInputShape(c, 1) || intAttribute(c, "transBatchA", 0) ||
      intAttribute(c, "transBatchB", 0))
    return;
  TensorShapeProto a = getInputShape(c, 0), b = getInputShape(c, 1);
  if (a.dim_size() < 2 || b.dim_size() < 2)
    return;
  TensorShapeProto batchA, batchB, shape;
  for (int i = 0; i + 2 < a.dim_size(); ++i)
    *batchA.add_dim() = a.dim(i);
  for (int i = 0; i + 2 < b.dim_size(); ++i)
    *batchB.add_dim() = b.dim(i);
  bidirectionalBroadcastShapeInference(batchA, batchB, shape);
  *shape.add_dim() = a.dim(a.dim_size() - (intAttribute(c, "transA", 0) ? 1 : 2));
  *shape.add_dim() = b.dim(b.dim_size() - (intAttribute(c, "transB", 0) ? 2 : 1));
  *getOutputShape(c, 0) = shape;
}

/// input [B, S, I], weights [I, q + k + v]: output [B, S, v]; present [2, B, H, T, D].
static void attention(InferenceContext &c) {
  propagateElemTypeFromInputToOutput(c, 0, 0);
  if (c.getNumOutputs() > 1)
    propagateElemTypeFromInputToOutput(c, 0, 1);
  if (!hasInputShape(c, 0) || getInputShape(c, 0).dim_size() != 3 || !hasInputShape(c, 1) ||
      getInputShape(c, 1).dim_size() != 2)
    return;
  const TensorShapeProto &input = getInputShape(c, 0);
  int64_t columns = valueOf(getInputShape(c, 1).dim(1)), heads = intAttribute(c, "num_heads", 0);
  int64_t q = columns < 0 ? -1 : columns / 3, v = q;
  const AttributeProto *sizes = c.getAttribute("qkv_hidden_sizes");
  if (sizes && sizes->ints_size() == 3) {
    q = sizes->ints(0);
    v = sizes->ints(2);
  }
  updateOutputShape(c, 0, {input.dim(0), input.dim(1), constant(v)});
  if (c.getNumOutputs() > 1 && heads > 0)
    updateOutputShape(c, 1,
                      {constant(2), input.dim(0), constant(heads), constant(-1), constant(q < 0 ? -1 : q / heads)});
}

/// query [B, S, H * D], key, value [B, L, H * V]: output [B, S, H * V]; presents [B, H, T, D].
static void multiHeadAttention(InferenceContext &c) {
  propagateElemTypeFromInputToOutput(c, 0, 0);
  for (size_t o : {1, 2})
    if (c.getNumOutputs() > o)
      propagateElemTypeFromInputToOutput(c, 0, o);
  int64_t heads = intAttribute(c, "num_heads", 0);
  if (!hasInputShape(c, 0) || getInputShape(c, 0).dim_size() != 3 || heads <= 0)
    return;
  const TensorShapeProto &query = getInputShape(c, 0);
  int64_t q = valueOf(query.dim(2)), v = q;
  if (c.hasInput(2) && hasInputShape(c, 2)) {
    const TensorShapeProto &value = getInputShape(c, 2);
    v = value.dim_size() == 3 ? valueOf(value.dim(2)) : value.dim_size() == 4 ? valueOf(value.dim(3)) * heads : -1;
  }
  updateOutputShape(c, 0, {query.dim(0), query.dim(1), constant(v)});
  for (size_t o : {1, 2})
    if (c.getNumOutputs() > o) {
      int64_t columns = o == 1 ? q : v;
      updateOutputShape(c, o,
                        {query.dim(0), constant(heads), constant(-1), constant(columns < 0 ? -1 : columns / heads)});
    }
}

/// There is no wildcard schema: each input and output gets a type variable of its own, which takes any tensor.
static void add(const char *domain, const char *name, int required, int inputs, int outputs, InferenceFunction infer) {
  OpSchema schema(name, __FILE__, __LINE__);
  schema.SetDomain(domain).SinceVersion(1).AllowUncheckedAttributes();
  for (int i = 0; i < inputs; ++i) {
    std::string type = "I" + std::to_string(i);
    schema.Input(i, "input" + std::to_string(i), "", type, i < required ? OpSchema::Single : OpSchema::Optional)
        .TypeConstraint(type, OpSchema::all_tensor_types_ir13(), "");
  }
  for (int i = 0; i < outputs; ++i) {
    std::string type = "O" + std::to_string(i);
    schema.Output(i, "output" + std::to_string(i), "", type, i ? OpSchema::Optional : OpSchema::Single)
        .TypeConstraint(type, OpSchema::all_tensor_types_ir13(), "");
  }
  schema.TypeAndShapeInferenceFunction(std::move(infer));
  RegisterSchema(std::move(schema), /*opset_version_to_load=*/0, /*fail_duplicate_schema=*/false,
                 /*fail_with_exception=*/true);
}

void mxn::import::registerForeignSchemas() {
  static const bool once = [] {
    const char *ms = "com.microsoft";
    auto &domains = OpSchemaRegistry::DomainToVersionRange::Instance();
    if (!domains.Map().count(ms))
      domains.AddDomainToVersion(ms, 1, 1);
    add("", "SimplifiedLayerNormalization", 2, 2, 2, likeInput());
    add(ms, "SimplifiedLayerNormalization", 2, 2, 2, likeInput());
    add(ms, "SkipSimplifiedLayerNormalization", 3, 4, 4, likeInput({3}));
    add(ms, "SkipLayerNormalization", 3, 5, 4, likeInput({3}));
    add(ms, "RotaryEmbedding", 4, 4, 1, likeInput());
    add(ms, "BiasGelu", 2, 2, 1, likeInput());
    add(ms, "FastGelu", 1, 2, 1, likeInput());
    add(ms, "QuickGelu", 1, 1, 1, likeInput());
    add(ms, "Gelu", 1, 1, 1, likeInput());
    add(ms, "GroupQueryAttention", 1, 14, 4, groupQueryAttention);
    add(ms, "MatMulNBits", 3, 6, 1, matMulNBits);
    add(ms, "GatherBlockQuantized", 3, 4, 1, gatherBlockQuantized);
    add(ms, "FusedMatMul", 2, 2, 1, fusedMatMul);
    add(ms, "Attention", 2, 7, 2, attention);
    add(ms, "MultiHeadAttention", 1, 10, 4, multiHeadAttention);
    return true;
  }();
  (void)once;
}
