//===- Convolution.cpp - Convolutions -------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "passes/Import/Loops.h"
#include "passes/Import/Window.h"

using namespace mlir;

namespace mxn {

// x is [N, C, image...], w is [M, C / groups, kernel...], y is [N, M, out...].

static LogicalResult inferConvolution(InferContext &c, unsigned x, unsigned w, unsigned bias) {
  int64_t groups = c.node.intAttr("group", 1);
  Dims image = c.dims(x), kernel = c.dims(w);
  if (image.size() < 3 || image.size() != kernel.size())
    return c.error() << "the input has " << image.size() << " dimensions and the weight has " << kernel.size();
  if (groups < 1)
    return c.error() << "group is " << groups;
  if (failed(c.equate(image[1], kernel[1] * SymbolicExpr(groups), "the channels of the input and of the weight")))
    return failure();
  for (auto [i, k] : llvm::enumerate(c.node.intsAttr("kernel_shape")))
    if (i + 2 < kernel.size() && failed(c.equate(kernel[i + 2], k, "kernel_shape and the weight's shape")))
      return failure();
  if (bias && c.hasInput(bias) && failed(c.equate(c.dims(bias)[0], kernel[0], "the bias and the weight's channels")))
    return failure();
  image = c.dims(x), kernel = c.dims(w);
  auto window =
      Window::of(c.node, ArrayRef<SymbolicExpr>(image).drop_front(2), ArrayRef<SymbolicExpr>(kernel).drop_front(2));
  if (!window)
    return c.error() << "strides, dilations or pads don't fit an input of " << image.size() << " dimensions";
  for (const SymbolicExpr &d : window->out)
    if (d.constant() && *d.constant() < 0)
      return c.error() << "the window is larger than the image";
  Dims out = {image[0], kernel[0]};
  out.append(window->out);
  c.setDims(0, out);
  return success();
}

namespace {
/// Convolutions of any rank in the loops n, g, m, out..., c, kernel...; tensors have a dimension for the groups.
struct ConvolutionNest {
  size_t rank;
  int64_t batch = 0, group = 1, channel = 2;
  int64_t out(size_t i) const { return 3 + i; }
  int64_t reduced() const { return 3 + rank; }
  int64_t kernel(size_t i) const { return 4 + rank + i; }
  int64_t loops() const { return 4 + 2 * rank; }
};
} // namespace

/// The maps of x, w and y; `read` gives the element of dimension i that a window reads.
static SmallVector<AffineMap> convolutionMaps(MLIRContext *context, const ConvolutionNest &n,
                                              function_ref<AffineExpr(size_t, AffineExpr, AffineExpr)> read) {
  auto d = [&](int64_t loop) { return getAffineDimExpr(loop, context); };
  SmallVector<AffineExpr> x = {d(n.batch), d(n.group), d(n.reduced())}, w = {d(n.group), d(n.channel), d(n.reduced())},
                          y = {d(n.batch), d(n.group), d(n.channel)};
  for (size_t i = 0; i < n.rank; ++i) {
    x.push_back(read(i, d(n.out(i)), d(n.kernel(i))));
    w.push_back(d(n.kernel(i)));
    y.push_back(d(n.out(i)));
  }
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(n.loops(), 0, exprs, context); };
  return {map(x), map(w), map(y)};
}

/// [.., channels, ..] with the channels at `at` split into groups.
static Dims splitChannels(ArrayRef<SymbolicExpr> dims, size_t at, int64_t groups) {
  Dims out(dims.take_front(at));
  out.push_back(groups);
  out.push_back(SymbolicExpr::floorDiv(dims[at], groups));
  out.append(dims.begin() + at + 1, dims.end());
  return out;
}

/// The sum over channels and window, in the type that sums are made in, for a padded input.
static Value convolve(LowerContext &c, const Window &window, Value x, ArrayRef<SymbolicExpr> xDims, Value w,
                      ArrayRef<SymbolicExpr> wDims, ArrayRef<SymbolicExpr> yDims, int64_t groups) {
  Type type = accumulatorType(cast<RankedTensorType>(x.getType()).getElementType());
  size_t rank = window.rank();
  Value zero = c.constant(type, 0);
  if (groups == 1) {
    Value init = c.filled(yDims, zero);
    Attribute strides = c.b.getI64VectorAttr(window.strides), dilations = c.b.getI64VectorAttr(window.dilations);
    SmallVector<Type> result = {init.getType()};
    if (rank == 1)
      return linalg::Conv1DNcwFcwOp::create(c.b, c.loc, result, ValueRange{x, w}, ValueRange(init), strides, dilations)
          .getResult(0);
    if (rank == 2)
      return linalg::Conv2DNchwFchwOp::create(c.b, c.loc, result, ValueRange{x, w}, ValueRange(init), strides,
                                              dilations)
          .getResult(0);
    if (rank == 3)
      return linalg::Conv3DNcdhwFcdhwOp::create(c.b, c.loc, result, ValueRange{x, w}, ValueRange(init), strides,
                                                dilations)
          .getResult(0);
  }
  ConvolutionNest nest{rank};
  Dims out = splitChannels(yDims, 1, groups);
  Value xs = c.reshape(x, xDims, splitChannels(xDims, 1, groups)),
        ws = c.reshape(w, wDims, splitChannels(wDims, 0, groups));
  SmallVector<utils::IteratorType> iterators(nest.loops(), utils::IteratorType::reduction);
  std::fill(iterators.begin(), iterators.begin() + nest.reduced(), utils::IteratorType::parallel);
  Value init = c.filled(out, zero);
  Value y = linalg::GenericOp::create(
                c.b, c.loc, init.getType(), ValueRange{xs, ws}, init,
                convolutionMaps(c.b.getContext(), nest,
                                [&](size_t i, AffineExpr o, AffineExpr k) { return window.read(i, o, k); }),
                iterators,
                [&](OpBuilder &b, Location loc, ValueRange v) {
                  ScalarBuilder s(b, loc);
                  linalg::YieldOp::create(b, loc, s.add(v[2], s.mul(s.convert(v[0], type), s.convert(v[1], type))));
                })
                .getResult(0);
  return c.reshape(y, out, yDims);
}

/// Adds a bias of one element for each channel and rounds to the output's type.
static Value finishConvolution(LowerContext &c, Value sum, ArrayRef<SymbolicExpr> dims, Value bias) {
  Type element = LowerContext::lowered(c.outputElement());
  if (!bias)
    return convertTensor(c, sum, dims, element);
  Type type = cast<RankedTensorType>(sum.getType()).getElementType();
  return compute(c, {{sum, allLoops(dims.size())}, {bias, {1}}}, dims, element, [&](ScalarBuilder &s, ValueRange v) {
    return s.convert(s.add(v[0], s.convert(v[1], type)), element);
  });
}

static FailureOr<SmallVector<Value>> lowerConv(LowerContext &c) {
  Dims x = c.dims(0), w = c.dims(1), y = c.outputDims();
  Window window = *Window::of(c.node, ArrayRef<SymbolicExpr>(x).drop_front(2), ArrayRef<SymbolicExpr>(w).drop_front(2));
  Type element = LowerContext::lowered(c.inputElement(0));
  Value image = window.pad(c, c.input(0), x, c.b.getZeroAttr(element));
  Value sum = convolve(c, window, image, window.padDims(x), c.input(1), w, y, c.node.intAttr("group", 1));
  return SmallVector<Value>{finishConvolution(c, sum, y, c.hasInput(2) ? c.input(2) : Value())};
}

void addConvolutionHandlers(HandlerRegistry &r) {
  r.add("", "Conv", 1, {[](InferContext &c) { return inferConvolution(c, 0, 1, 2); }, lowerConv});
}

} // namespace mxn
