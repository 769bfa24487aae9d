//===- Handlers.h - What each ONNX operator means -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An operator is supported by a handler: a function that infers its shapes and one that lowers it. Handlers are keyed
// by (domain, operator, since-version); the newest whose since-version the model's operator set includes is taken. One
// file holds one family of operators and has one function that adds its handlers.
//
#ifndef MXN_PASSES_IMPORT_HANDLERS_H
#define MXN_PASSES_IMPORT_HANDLERS_H

#include "dialects/ONNX/ONNXDialect.h"
#include "lib/Support/SymbolicExpr.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/PatternMatch.h"
#include <functional>
#include <optional>

namespace mxn {

using Dims = llvm::SmallVector<SymbolicExpr>;

/// What shape inference knows of a tensor.
struct Facts {
  mlir::Type element;         // null where the value isn't a tensor
  std::optional<Dims> dims;   // none: the rank is unknown
  std::optional<Dims> values; // the elements in row-major order, for small integer and boolean tensors
  int64_t rank() const { return static_cast<int64_t>(dims->size()); }
};

//===----------------------------------------------------------------------===//
// Shape inference
//===----------------------------------------------------------------------===//

class ShapeInference; // the walk; see InferShapes.cpp

/// What a handler's infer function sees: one node.
class InferContext {
public:
  InferContext(ShapeInference &walk, onnx::NodeOp node) : node(node), walk(walk) {}
  onnx::NodeOp node;

  bool hasInput(unsigned i) { return node.hasInput(i); }
  /// The facts of input `i`, which must be there, with all equalities found so far applied.
  Facts input(unsigned i);
  /// The dimensions of input `i`; the driver calls `infer` only when every tensor input has a rank.
  Dims dims(unsigned i) { return *input(i).dims; }
  /// The values of input `i` as constants; none where absent, unknown or symbolic.
  std::optional<llvm::SmallVector<int64_t>> constants(unsigned i);
  /// Axes or similar, given as an attribute in old versions and as input `i` in new ones. None: neither is there, or
  /// the input isn't known (then `unknown` is set).
  std::optional<llvm::SmallVector<int64_t>> constantsOrAttr(llvm::StringRef attr, unsigned i, bool *unknown = nullptr);

  void setDims(unsigned result, Dims dims);
  void setValues(unsigned result, Dims values);
  /// The dimension that both sides of a broadcast give, which ONNX allows to be equal or 1. Two different symbols are
  /// taken as equal, and a guard checks it at call time.
  SymbolicExpr broadcast(const SymbolicExpr &a, const SymbolicExpr &b);
  Dims broadcast(llvm::ArrayRef<SymbolicExpr> a, llvm::ArrayRef<SymbolicExpr> b);
  /// States that two sizes are the same, since the operator has no meaning otherwise. A clash of constants is an error.
  mlir::LogicalResult equate(const SymbolicExpr &a, const SymbolicExpr &b, const llvm::Twine &what);
  /// A symbol that only the data decides.
  SymbolicExpr fresh();
  mlir::InFlightDiagnostic error() { return node.emitError() << node.qualifiedName() << ": "; }

private:
  ShapeInference &walk;
};

//===----------------------------------------------------------------------===//
// Lowering
//===----------------------------------------------------------------------===//

class Lowering; // the walk; see ConvertONNXToLinalg.cpp

/// What a handler's lower function sees: one node, its lowered inputs and the place to build at.
class LowerContext {
public:
  LowerContext(Lowering &walk, onnx::NodeOp node, mlir::OpBuilder &b)
      : node(node), b(b), loc(node.getLoc()), walk(walk) {}
  onnx::NodeOp node;
  mlir::OpBuilder &b;
  mlir::Location loc;

  unsigned numInputs() { return node.getInputs().size(); }
  bool hasInput(unsigned i) { return node.hasInput(i); }
  /// The lowered tensor; its element type is signless.
  mlir::Value input(unsigned i);
  /// The element type as ONNX has it, with signedness.
  mlir::Type inputElement(unsigned i) { return element(node.getInputs()[i]); }
  mlir::Type outputElement(unsigned i = 0) { return element(node.getOutputs()[i]); }
  static mlir::Type element(mlir::Value onnxValue);
  static bool isUnsigned(mlir::Type element);
  Dims dims(unsigned i);
  Dims outputDims(unsigned i = 0);
  static Dims dimsOf(mlir::Value onnxValue);
  /// What shape inference found of an input's values.
  std::optional<Dims> values(unsigned i);
  static std::optional<Dims> valuesOf(mlir::Value onnxValue);
  std::optional<llvm::SmallVector<int64_t>> constants(unsigned i);
  std::optional<llvm::SmallVector<int64_t>> constantsOrAttr(llvm::StringRef attr, unsigned i);
  /// The floating-point or integer elements of an input that the model holds as a small constant.
  mlir::DenseElementsAttr denseConstant(unsigned i);

  /// The lowered type of output `i`, and of a tensor of these dimensions.
  mlir::RankedTensorType outputType(unsigned i = 0);
  mlir::RankedTensorType type(llvm::ArrayRef<SymbolicExpr> dims, mlir::Type element);
  /// A size as a value of type index.
  mlir::Value size(const SymbolicExpr &e);
  mlir::OpFoldResult foldedSize(const SymbolicExpr &e);
  llvm::SmallVector<mlir::OpFoldResult> foldedSizes(llvm::ArrayRef<SymbolicExpr> dims);
  mlir::Value empty(llvm::ArrayRef<SymbolicExpr> dims, mlir::Type element);
  mlir::Value empty(unsigned output = 0) { return empty(outputDims(output), lowered(outputElement(output))); }
  /// A tensor filled with one scalar.
  mlir::Value filled(llvm::ArrayRef<SymbolicExpr> dims, mlir::Value scalar);
  /// The signless type that carries an ONNX element type.
  static mlir::Type lowered(mlir::Type element);
  mlir::Value constant(mlir::Type type, double value);
  mlir::Value index(int64_t value);

  using Body = std::function<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;
  /// A linalg.generic that computes each element of a tensor of shape `dims` from the elements of `inputs`, each
  /// broadcast to `dims` as numpy does.
  mlir::Value elementwise(mlir::ValueRange inputs, llvm::ArrayRef<SymbolicExpr> dims, mlir::Type element, Body body);
  /// The same elements in another shape.
  mlir::Value reshape(mlir::Value tensor, llvm::ArrayRef<SymbolicExpr> from, llvm::ArrayRef<SymbolicExpr> to);
  mlir::Value transpose(mlir::Value tensor, llvm::ArrayRef<SymbolicExpr> from, llvm::ArrayRef<int64_t> permutation);
  /// Reduces `axes` of `tensor` with `body` (element, accumulator), which starts at `init`; the axes vanish.
  mlir::Value reduce(mlir::Value tensor, llvm::ArrayRef<SymbolicExpr> from, llvm::ArrayRef<int64_t> axes,
                     mlir::Value init, Body body);
  /// ONNX's conversion of a scalar from one element type to another.
  static mlir::Value cast(mlir::OpBuilder &b, mlir::Location loc, mlir::Value v, mlir::Type from, mlir::Type to);

  mlir::InFlightDiagnostic error() { return node.emitError() << node.qualifiedName() << ": "; }

private:
  Lowering &walk;
};

//===----------------------------------------------------------------------===//
// The registry
//===----------------------------------------------------------------------===//

struct Handler {
  std::function<mlir::LogicalResult(InferContext &)> infer;
  /// One value for each output; a null value where an output that nobody reads isn't computed. It emits an error where
  /// it fails.
  std::function<mlir::FailureOr<llvm::SmallVector<mlir::Value>>(LowerContext &)> lower;
};

class HandlerRegistry {
public:
  void add(llvm::StringRef domain, llvm::StringRef op, int64_t since, Handler handler);
  const Handler *find(llvm::StringRef domain, llvm::StringRef op, int64_t version) const;
  /// All handlers of the compiler.
  static const HandlerRegistry &instance();

private:
  std::map<std::pair<std::string, std::string>, std::map<int64_t, Handler>> handlers;
};

// One function a family; each stands in the file of its name.
void addActivationHandlers(HandlerRegistry &);
void addAttentionHandlers(HandlerRegistry &);
void addBlockQuantizedHandlers(HandlerRegistry &);
void addEinsumHandlers(HandlerRegistry &);
void addElementwiseHandlers(HandlerRegistry &);
void addCastHandlers(HandlerRegistry &);
void addChannelNormalizationHandlers(HandlerRegistry &);
void addConvolutionHandlers(HandlerRegistry &);
void addDataMovementHandlers(HandlerRegistry &);
void addGatherHandlers(HandlerRegistry &);
void addGroupQueryAttentionHandlers(HandlerRegistry &);
void addMatrixHandlers(HandlerRegistry &);
void addNormalizationHandlers(HandlerRegistry &);
void addPoolingHandlers(HandlerRegistry &);
void addPowerHandlers(HandlerRegistry &);
void addQuantizeHandlers(HandlerRegistry &);
void addRecurrentHandlers(HandlerRegistry &);
void addReductionHandlers(HandlerRegistry &);
void addResizeHandlers(HandlerRegistry &);
void addRotaryHandlers(HandlerRegistry &);
void addShapeHandlers(HandlerRegistry &);

/// `axis` counted from the front; an error where it is outside of [-rank, rank).
std::optional<int64_t> normalizeAxis(int64_t axis, int64_t rank);

/// An error where the node has an attribute that isn't among `known`. Operators outside of ONNX's own domain get new
/// attributes, with new meanings, without a new version.
mlir::LogicalResult refuseOtherAttributes(onnx::NodeOp node, llvm::ArrayRef<llvm::StringRef> known);

/// The number of elements of a tensor of these dimensions.
SymbolicExpr product(llvm::ArrayRef<SymbolicExpr> dims);

} // namespace mxn

#endif
