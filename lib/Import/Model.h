//===- Model.h - An ONNX model as plain data ------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the half of the importer that knows protobuf hands to the half that knows MLIR. The first is compiled with
// exceptions and the second without, so that nothing but plain data and one call that doesn't throw lies between them.
//
#ifndef MXN_LIB_IMPORT_MODEL_H
#define MXN_LIB_IMPORT_MODEL_H

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mxn::import {

// A namespace of its own, since MLIR has a Type, an Attribute and a Value too.
namespace plain {

struct Dim {
  int64_t value = -1; // -1: not a constant
  std::string name;   // as the file spells it, or empty
};

struct Type {
  enum class Kind { Unknown, Tensor, Other } kind = Kind::Unknown;
  int elementType = 0; // TensorProto.DataType
  bool ranked = false;
  std::vector<Dim> dims;
  std::string spelling; // of a type that isn't a tensor: "seq(tensor(float))"
};

/// A run of bytes of a file that holds a tensor of at least `kKeptInFile` bytes.
struct WeightRange {
  std::string file;
  uint64_t offset = 0, length = 0;
};

struct TensorData {
  std::string name;
  int elementType = 0;
  std::vector<int64_t> dims;
  int weight = -1;                  // index into Model::weights, or -1:
  std::string bytes;                // little-endian, in ONNX's packing
  std::vector<std::string> strings; // the elements of a string tensor
};

struct Graph;

struct Attribute {
  enum class Kind { Int, Float, String, Tensor, Graph, Type, Ints, Floats, Strings, Tensors, Graphs, Types };
  std::string name;
  Kind kind = Kind::Int;
  // The values of that kind; one where it isn't a list.
  std::vector<int64_t> ints;
  std::vector<float> floats;
  std::vector<std::string> strings;
  std::vector<TensorData> tensors;
  std::vector<Type> types;
  std::vector<Graph> graphs;
};

struct Node {
  std::string name, domain, op;
  int64_t version = 0;
  std::vector<std::string> inputs, outputs; // empty: left out
  std::vector<Attribute> attributes;
};

struct Value {
  std::string name;
  Type type;
};

struct Graph {
  std::string name;
  std::vector<Value> inputs, outputs; // with the types that the file declares
  std::vector<TensorData> initializers;
  std::vector<Node> nodes;
  std::map<std::string, Type> types; // what inference found for the results of nodes
};

struct Model {
  int64_t irVersion = 0, modelVersion = 0;
  std::string producer, producerVersion, domain;
  std::vector<std::pair<std::string, int64_t>> opsets; // "ai.onnx" for ONNX's own
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<WeightRange> weights;
  Graph graph;
  /// What is wrong with the model, though it can be read; one line each.
  std::vector<std::string> warnings;
};

} // namespace plain

/// Tensors of fewer bytes become part of the IR, since shape inference and rewrites read them.
constexpr uint64_t kKeptInFile = 1024;

struct LoadOptions {
  bool allowExternalLinks = false;
  /// As in Options; must not throw. Empty: expand nothing.
  std::function<bool(std::string_view domain, std::string_view op, int64_t version)> isNative;
};

struct LoadError {
  std::string message; // one line
  std::string node;    // the node or tensor that it is about, or empty
};

/// Reads, checks, inlines and infers. False and an error where that isn't possible. Throws nothing.
bool loadModel(const std::string &path, const LoadOptions &options, plain::Model &model, LoadError &error);

/// Bits of an element as ONNX packs it in raw data (8 for bool); 0 for strings and unknown types.
unsigned elementBits(int elementType);
/// Bytes of a tensor in raw data; false where the shape is negative, too large, or the type has no fixed size.
bool packedBytes(int elementType, const std::vector<int64_t> &dims, uint64_t &bytes);

} // namespace mxn::import

#endif
