//===- Convert.h - From plain data to types and attributes ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_IMPORT_CONVERT_H
#define MXN_LIB_IMPORT_CONVERT_H

#include "lib/Import/Model.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringRef.h"
#include <set>
#include <tuple>

namespace mxn::import {

/// The MLIR type of a TensorProto.DataType, or null.
mlir::Type convertElementType(mlir::MLIRContext *context, int elementType);
/// A ranked tensor with constant dimensions where they are known, an unranked one, or an `!onnx.opaque`.
mlir::Type convertType(mlir::MLIRContext *context, const plain::Type &type);
mlir::RankedTensorType tensorType(mlir::MLIRContext *context, const plain::TensorData &tensor);

/// Gives each dimension of the model's inputs and outputs an expression over clean symbols.
class Dimensions {
public:
  /// Learns which labels are symbols of their own.
  void learn(const plain::Type &type);
  /// The canonical expressions of a tensor's dimensions. A label that is no expression, or one whose symbols can't be
  /// found from any input, becomes a symbol; an unnamed dimension gets one of its own.
  std::vector<std::string> expressions(llvm::StringRef tensor, const plain::Type &type);

private:
  std::string fresh(llvm::StringRef text);
  std::set<std::string> used, alone;
  std::map<std::string, std::string> labels;
};

/// Makes the attributes of a module, and an `llm.weight` for each tensor that stays in its file.
class AttributeBuilder {
public:
  AttributeBuilder(mlir::ModuleOp module, const plain::Model &model) : module(module), model(model) {}
  /// The value of a tensor, or null where its type can't be held.
  mlir::Attribute tensor(const plain::TensorData &tensor);
  /// The value of an attribute that isn't a graph, or null.
  mlir::Attribute attribute(const plain::Attribute &attribute);

private:
  mlir::Attribute weight(const plain::TensorData &tensor);
  mlir::ModuleOp module;
  const plain::Model &model;
  mlir::Operation *last = nullptr; // the weights stand in the order of their first use
  std::map<std::tuple<std::string, uint64_t, const void *>, std::string> weights;
};

} // namespace mxn::import

#endif
