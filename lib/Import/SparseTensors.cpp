//===- SparseTensors.cpp - Dense tensors in place of sparse ones ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/OnnxModel.h"
#include <cstring>

using namespace mxn::import;

// Sparse tensors in files are small or absent; a larger one would have to be written to a file of its own.
constexpr uint64_t kMaxDense = 1 << 20;

static onnx::TensorProto dense(const onnx::SparseTensorProto &sparse, const std::string &user) {
  std::string name = sparse.values().name().empty() ? user : sparse.values().name();
  auto fail = [&](const std::string &why) { throw Failure("the sparse tensor " + why, name); };
  std::vector<int64_t> dims(sparse.dims().begin(), sparse.dims().end());
  uint64_t bytes = 0;
  unsigned width = elementBits(sparse.values().data_type()) / 8;
  if (!width || !packedBytes(sparse.values().data_type(), dims, bytes))
    fail("has an element type or a shape that can't be made dense");
  if (bytes > kMaxDense)
    fail("has " + std::to_string(bytes) + " bytes when it is dense, more than " + std::to_string(kMaxDense) +
         "; store it as a dense tensor");
  if (sparse.values().data_location() == onnx::TensorProto::EXTERNAL ||
      sparse.indices().data_location() == onnx::TensorProto::EXTERNAL)
    fail("has too many values; store it as a dense tensor");
  TensorData values = toPlain(sparse.values()), indices = toPlain(sparse.indices());
  size_t count = values.bytes.size() / width, rank = dims.size();
  if (sparse.indices().data_type() != onnx::TensorProto::INT64)
    fail("must have indices of type int64");
  bool flat = indices.dims.size() == 1;
  if (indices.bytes.size() != count * 8 * (flat ? 1 : rank))
    fail("has " + std::to_string(count) + " values and indices for another number of them");

  onnx::TensorProto tensor;
  tensor.set_name(sparse.values().name());
  tensor.set_data_type(sparse.values().data_type());
  for (int64_t dim : dims)
    tensor.add_dims(dim);
  std::string &data = *tensor.mutable_raw_data();
  data.assign(bytes, '\0');
  auto index = [&](size_t i) {
    int64_t value;
    std::memcpy(&value, indices.bytes.data() + i * 8, 8);
    return value;
  };
  for (size_t i = 0; i < count; ++i) {
    uint64_t at = flat ? static_cast<uint64_t>(index(i)) : 0;
    for (size_t axis = 0; !flat && axis < rank; ++axis) {
      int64_t position = index(i * rank + axis);
      if (position < 0 || position >= dims[axis])
        fail("has an index outside of its shape");
      at = at * static_cast<uint64_t>(dims[axis]) + static_cast<uint64_t>(position);
    }
    if (at >= bytes / width)
      fail("has an index outside of its shape");
    std::memcpy(&data[at * width], values.bytes.data() + i * width, width);
  }
  return tensor;
}

void mxn::import::densify(onnx::ModelProto &model) {
  auto nodes = [](auto &list) {
    for (auto &node : list)
      for (auto &attribute : *node.mutable_attribute())
        if (attribute.has_sparse_tensor()) {
          if (attribute.name() == "sparse_value")
            attribute.set_name("value");
          *attribute.mutable_t() = dense(attribute.sparse_tensor(), nodeName(node));
          attribute.clear_sparse_tensor();
          attribute.set_type(onnx::AttributeProto::TENSOR);
        }
  };
  forEachGraph(*model.mutable_graph(), [&](onnx::GraphProto &graph) {
    for (const auto &sparse : graph.sparse_initializer())
      *graph.add_initializer() = dense(sparse, graph.name());
    graph.clear_sparse_initializer();
    nodes(*graph.mutable_node());
  });
  for (auto &function : *model.mutable_functions())
    nodes(*function.mutable_node());
}
