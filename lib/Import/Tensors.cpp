//===- Tensors.cpp - Where the bytes of tensors lie -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ExternalData.h"
#include "lib/Import/OnnxModel.h"
#include <algorithm>
#include <map>
#include <tuple>

using namespace mxn::import;

unsigned mxn::import::elementBits(int elementType) {
  switch (elementType) {
  case onnx::TensorProto::UINT2:
  case onnx::TensorProto::INT2:
    return 2;
  case onnx::TensorProto::UINT4:
  case onnx::TensorProto::INT4:
  case onnx::TensorProto::FLOAT4E2M1:
    return 4;
  case onnx::TensorProto::FLOAT6E2M3:
  case onnx::TensorProto::FLOAT6E3M2:
    return 6;
  case onnx::TensorProto::BOOL:
  case onnx::TensorProto::UINT8:
  case onnx::TensorProto::INT8:
  case onnx::TensorProto::FLOAT8E4M3FN:
  case onnx::TensorProto::FLOAT8E4M3FNUZ:
  case onnx::TensorProto::FLOAT8E5M2:
  case onnx::TensorProto::FLOAT8E5M2FNUZ:
  case onnx::TensorProto::FLOAT8E8M0:
    return 8;
  case onnx::TensorProto::UINT16:
  case onnx::TensorProto::INT16:
  case onnx::TensorProto::FLOAT16:
  case onnx::TensorProto::BFLOAT16:
    return 16;
  case onnx::TensorProto::UINT32:
  case onnx::TensorProto::INT32:
  case onnx::TensorProto::FLOAT:
    return 32;
  case onnx::TensorProto::UINT64:
  case onnx::TensorProto::INT64:
  case onnx::TensorProto::DOUBLE:
  case onnx::TensorProto::COMPLEX64:
    return 64;
  case onnx::TensorProto::COMPLEX128:
    return 128;
  default:
    return 0;
  }
}

bool mxn::import::packedBytes(int elementType, const std::vector<int64_t> &dims, uint64_t &bytes) {
  uint64_t bits = elementBits(elementType);
  bool valid = bits != 0, zero = std::count(dims.begin(), dims.end(), 0);
  for (int64_t dim : dims) {
    valid &= dim >= 0;
    if (!zero && valid && __builtin_mul_overflow(bits, static_cast<uint64_t>(dim), &bits))
      valid = false;
  }
  bytes = zero ? 0 : bits / 8 + (bits % 8 != 0);
  return valid && bytes < (uint64_t(1) << 62);
}

namespace {

class Resolver {
public:
  Resolver(const std::string &path, const Cut &cut, const std::string &nonce, bool allowLinks,
           std::vector<WeightRange> &weights)
      : path(path), cut(cut), cutPrefix("#" + nonce + ":"), allowLinks(allowLinks), weights(weights) {
    size_t slash = path.rfind('/');
    folder = slash == std::string::npos ? "" : slash ? path.substr(0, slash) : "/";
    std::string error;
    ExternalFile &self = files[""];
    // The model itself was named by the user, so that links are fine.
    self.path = path;
    slash = slash == std::string::npos ? 0 : slash + 1;
    if (!openExternalFile(folder, path.substr(slash), /*allowLinks=*/true, self, error))
      throw Failure(error);
    self.path = path;
  }

  void resolve(onnx::TensorProto &tensor, const std::string &user) {
    if (tensor.data_location() != onnx::TensorProto::EXTERNAL)
      return;
    std::string name = tensor.name().empty() ? user : tensor.name();
    auto fail = [&](const std::string &why) { throw Failure(why, name); };
    std::map<std::string, std::string> entries;
    for (const auto &entry : tensor.external_data())
      if (!entries.emplace(entry.key(), entry.value()).second)
        fail("the tensor says twice where its data lies ('" + entry.key() + "')");
    if (!tensor.raw_data().empty() || tensor.float_data_size() || tensor.int32_data_size() ||
        tensor.int64_data_size() || tensor.double_data_size() || tensor.uint64_data_size() || tensor.string_data_size())
      fail("the tensor has data both in itself and outside");
    auto location = entries.find("location");
    if (location == entries.end())
      fail("the tensor's data is external, but it has no location");
    std::vector<int64_t> dims(tensor.dims().begin(), tensor.dims().end());
    uint64_t needed;
    if (!packedBytes(tensor.data_type(), dims, needed))
      fail("a tensor of that type or shape can't have its data outside");

    const ExternalFile *file;
    uint64_t offset = 0, length = 0;
    if (location->second.rfind(cutPrefix, 0) == 0) {
      const CutRange &range = cut.ranges.at(std::stoul(location->second.substr(cutPrefix.size())));
      file = &files[""];
      offset = range.offset;
      length = range.length;
    } else {
      file = &open(location->second, name);
      offset = number(entries, "offset", 0, name);
      length = number(entries, "length", needed, name);
      if (offset > file->size || length > file->size - offset)
        fail("its data is " + std::to_string(length) + " bytes at offset " + std::to_string(offset) + " of '" +
             file->path + "', which has " + std::to_string(file->size) + " bytes");
    }
    if (length != needed)
      fail("the tensor has " + std::to_string(length) + " bytes of data, its shape and type need " +
           std::to_string(needed));
    if (length && file != &files[""])
      ranges[file->path].push_back({offset, length, name});

    tensor.clear_external_data();
    if (length < kKeptInFile) {
      tensor.clear_data_location();
      if (length && !readAt(*file, offset, length, *tensor.mutable_raw_data()))
        fail("its data can't be read from '" + file->path + "'");
      return;
    }
    auto *entry = tensor.add_external_data();
    entry->set_key("location");
    entry->set_value("#" + std::to_string(weights.size()));
    weights.push_back({file->path, offset, length});
  }

  /// Two tensors may be the same bytes (tied weights), but not share a part of them: that is a mistake in an offset.
  void checkOverlap() {
    for (auto &[file, list] : ranges) {
      std::sort(list.begin(), list.end(), [](const Range &a, const Range &b) {
        return std::tie(a.offset, a.length, a.name) < std::tie(b.offset, b.length, b.name);
      });
      for (size_t i = 1; i < list.size(); ++i) {
        const Range &a = list[i - 1], &b = list[i];
        if (b.offset < a.offset + a.length && (a.offset != b.offset || a.length != b.length))
          throw Failure("its data overlaps that of '" + a.name + "' in '" + file + "': bytes " +
                            std::to_string(a.offset) + " to " + std::to_string(a.offset + a.length) + " and " +
                            std::to_string(b.offset) + " to " + std::to_string(b.offset + b.length),
                        b.name);
      }
    }
  }

private:
  const ExternalFile &open(const std::string &location, const std::string &tensor) {
    auto found = files.find("/" + location);
    if (found != files.end())
      return found->second;
    ExternalFile file;
    std::string error;
    if (!openExternalFile(folder, location, allowLinks, file, error))
      throw Failure(error, tensor);
    return files.emplace("/" + location, std::move(file)).first->second;
  }

  static uint64_t number(const std::map<std::string, std::string> &entries, const char *key, uint64_t absent,
                         const std::string &tensor) {
    auto found = entries.find(key);
    if (found == entries.end())
      return absent;
    const std::string &text = found->second;
    uint64_t value = 0;
    bool valid = !text.empty() && text.size() < 19;
    for (char c : text) {
      valid &= c >= '0' && c <= '9';
      value = valid ? value * 10 + static_cast<uint64_t>(c - '0') : 0;
    }
    if (!valid)
      throw Failure(std::string("the ") + key + " of its data is '" + text + "'; it must be a number of bytes", tensor);
    return value;
  }

  struct Range {
    uint64_t offset, length;
    std::string name;
  };
  std::string path;
  const Cut &cut;
  std::string cutPrefix;
  bool allowLinks;
  std::vector<WeightRange> &weights;
  std::string folder;
  std::map<std::string, ExternalFile> files; // "": the model itself, otherwise "/" and the location
  std::map<std::string, std::vector<Range>> ranges;
};

/// Visits each tensor of a model, the parts of sparse ones too, with the name of the node or function that holds it.
class TensorWalk {
public:
  explicit TensorWalk(Resolver &resolver) : resolver(resolver) {}

  void model(onnx::ModelProto &model) {
    graph(*model.mutable_graph());
    for (auto &function : *model.mutable_functions()) {
      for (auto &node : *function.mutable_node())
        this->node(node);
      for (auto &value : *function.mutable_attribute_proto())
        attribute(value, function.name());
    }
  }

private:
  void graph(onnx::GraphProto &graph) {
    for (auto &tensor : *graph.mutable_initializer())
      resolver.resolve(tensor, graph.name());
    for (auto &tensor : *graph.mutable_sparse_initializer())
      sparse(tensor, graph.name());
    for (auto &node : *graph.mutable_node())
      this->node(node);
  }
  void node(onnx::NodeProto &node) {
    for (auto &value : *node.mutable_attribute())
      attribute(value, nodeName(node));
  }
  void attribute(onnx::AttributeProto &value, const std::string &user) {
    if (value.has_t())
      resolver.resolve(*value.mutable_t(), user);
    for (auto &tensor : *value.mutable_tensors())
      resolver.resolve(tensor, user);
    if (value.has_sparse_tensor())
      sparse(*value.mutable_sparse_tensor(), user);
    for (auto &tensor : *value.mutable_sparse_tensors())
      sparse(tensor, user);
    if (value.has_g())
      graph(*value.mutable_g());
    for (auto &inner : *value.mutable_graphs())
      graph(inner);
  }
  void sparse(onnx::SparseTensorProto &tensor, const std::string &user) {
    if (tensor.has_values())
      resolver.resolve(*tensor.mutable_values(), user);
    if (tensor.has_indices())
      resolver.resolve(*tensor.mutable_indices(), user);
  }
  Resolver &resolver;
};

} // namespace

void mxn::import::resolveTensors(onnx::ModelProto &model, const std::string &path, const Cut &cut,
                                 const std::string &nonce, bool allowLinks, std::vector<WeightRange> &weights) {
  Resolver resolver(path, cut, nonce, allowLinks, weights);
  TensorWalk(resolver).model(model);
  resolver.checkOverlap();
}
