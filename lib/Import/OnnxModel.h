//===- OnnxModel.h - The steps of loading, on protobuf's classes ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Only the sources that are compiled with exceptions include this. The steps throw Failure and whatever the ONNX
// library throws; loadModel catches all of it.
//
#ifndef MXN_LIB_IMPORT_ONNXMODEL_H
#define MXN_LIB_IMPORT_ONNXMODEL_H

#include "lib/Import/Model.h"
#include "lib/Import/WireCut.h"
#include "onnx/onnx_pb.h"
#include <functional>
#include <stdexcept>
#include <unordered_map>

namespace mxn::import {

// Not for users of the library: their names would bring ONNX's classes into its symbol table.
#pragma GCC visibility push(hidden)

namespace onnx = ::ONNX_NAMESPACE;
using namespace plain;

class Failure : public std::runtime_error {
public:
  explicit Failure(const std::string &message, std::string node = {})
      : std::runtime_error(message), node(std::move(node)) {}
  std::string node;
};

/// Calls `visit` for each graph in `graph`, itself first.
void forEachGraph(onnx::GraphProto &graph, const std::function<void(onnx::GraphProto &)> &visit);
/// The name of a node for messages and locations: its own, or that of its first named output.
std::string nodeName(const onnx::NodeProto &node);
/// ONNX's own domain has two spellings; this is the empty one.
inline std::string canonicalDomain(const std::string &domain) { return domain == "ai.onnx" ? std::string() : domain; }

/// Puts a run of bytes in a file into each tensor that stands for one: those that the cut took out of `path`, and those
/// with external data. Small ones are read. The others get the location "#<index into weights>".
void resolveTensors(onnx::ModelProto &model, const std::string &path, const Cut &cut, const std::string &nonce,
                    bool allowLinks, std::vector<WeightRange> &weights);
/// Turns sparse tensors into dense ones.
void densify(onnx::ModelProto &model);

/// Registers schemas for ops that aren't ONNX's own, once a process.
void registerForeignSchemas();

using TypeMap = std::unordered_map<std::string, onnx::TypeProto>;
/// The types of all values that a graph defines itself.
void collectTypes(const onnx::GraphProto &graph, TypeMap &types);
/// Infers types and shapes. What the file claims about values inside of the graph is dropped first: it lies often.
/// When it is strict, throws at the first node whose types contradict each other.
void inferTypes(onnx::ModelProto &model, bool strict);
/// Replaces model-local functions by their bodies.
void inlineFunctions(onnx::ModelProto &model);
/// Replaces nodes that aren't native by their schema's function body where there is one. Needs inferred types, and
/// leaves them.
void expandFunctions(onnx::ModelProto &model, const LoadOptions &options);
/// The key of a node's metadata under which expansion keeps the name of the node that it replaced.
extern const char *const kLocationKey;

TensorData toPlain(const onnx::TensorProto &tensor);
Type toPlain(const onnx::TypeProto &type);
void toPlain(onnx::ModelProto &proto, Model &model);

#pragma GCC visibility pop

} // namespace mxn::import

#endif
