//===- Convolution.cpp - Convolutions -------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Convolution.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace mxn {

LogicalResult inferConvolution(InferContext &c, unsigned x, unsigned w, unsigned bias) {
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
  if (failed(window->checkFits(c)))
    return failure();
  Dims out = {image[0], kernel[0]};
  out.append(window->out);
  c.setDims(0, out);
  return success();
}

Value groupedNest(LowerContext &c, Value x, Value w, ArrayRef<SymbolicExpr> yDims, bool transposed,
                  function_ref<AffineExpr(size_t, AffineExpr, AffineExpr)> read) {
  MLIRContext *context = c.b.getContext();
  Type type = accumulatorType(cast<RankedTensorType>(x.getType()).getElementType());
  size_t rank = yDims.size() - 3, loops = 4 + 2 * rank;
  auto d = [&](size_t loop) { return getAffineDimExpr(loop, context); };
  AffineExpr batch = d(0), group = d(1), m = d(2), channel = d(3 + rank);
  SmallVector<AffineExpr> xs = {batch, group, channel}, ys = {batch, group, m},
                          ws = {group, transposed ? channel : m, transposed ? m : channel};
  for (size_t i = 0; i < rank; ++i) {
    AffineExpr out = d(3 + i), kernel = d(4 + rank + i);
    xs.push_back(read(i, out, kernel));
    ws.push_back(kernel);
    ys.push_back(out);
  }
  SmallVector<AffineMap> maps;
  for (ArrayRef<AffineExpr> exprs : {ArrayRef<AffineExpr>(xs), ArrayRef<AffineExpr>(ws), ArrayRef<AffineExpr>(ys)})
    maps.push_back(AffineMap::get(loops, 0, exprs, context));
  SmallVector<utils::IteratorType> iterators(3 + rank, utils::IteratorType::parallel);
  iterators.append(1 + rank, utils::IteratorType::reduction);
  Value init = c.filled(yDims, c.constant(type, 0));
  return linalg::GenericOp::create(c.b, c.loc, init.getType(), ValueRange{x, w}, init, maps, iterators,
                                   [&](OpBuilder &b, Location loc, ValueRange v) {
                                     ScalarBuilder s(b, loc);
                                     linalg::YieldOp::create(
                                         b, loc, s.add(v[2], s.mul(s.convert(v[0], type), s.convert(v[1], type))));
                                   })
      .getResult(0);
}

Dims splitChannels(ArrayRef<SymbolicExpr> dims, size_t at, int64_t groups) {
  Dims out(dims.take_front(at));
  out.push_back(groups);
  out.push_back(SymbolicExpr::floorDiv(dims[at], groups));
  out.append(dims.begin() + at + 1, dims.end());
  return out;
}

Value convolve(LowerContext &c, const Window &window, Value x, ArrayRef<SymbolicExpr> xDims, Value w,
               ArrayRef<SymbolicExpr> wDims, ArrayRef<SymbolicExpr> yDims, int64_t groups) {
  size_t rank = window.rank();
  if (groups == 1) {
    Type type = accumulatorType(cast<RankedTensorType>(x.getType()).getElementType());
    Value init = c.filled(yDims, c.constant(type, 0));
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
  Dims out = splitChannels(yDims, 1, groups);
  Value y = groupedNest(c, c.reshape(x, xDims, splitChannels(xDims, 1, groups)),
                        c.reshape(w, wDims, splitChannels(wDims, 0, groups)), out, /*transposed=*/false,
                        [&](size_t i, AffineExpr o, AffineExpr k) { return window.read(i, o, k); });
  return c.reshape(y, out, yDims);
}

Value finishConvolution(LowerContext &c, Value sum, ArrayRef<SymbolicExpr> dims, Value bias) {
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
  Value image = window.pad(c, c.input(0), x, cast<TypedAttr>(c.b.getZeroAttr(element)));
  Value sum = convolve(c, window, image, window.padDims(x), c.input(1), w, y, c.node.intAttr("group", 1));
  return SmallVector<Value>{finishConvolution(c, sum, y, c.hasInput(2) ? c.input(2) : Value())};
}

void addConvolutionHandlers(HandlerRegistry &r) {
  addConvTransposeHandlers(r);
  addQuantizedConvolutionHandlers(r);
  r.add("", "Conv", 1, {[](InferContext &c) { return inferConvolution(c, 0, 1, 2); }, lowerConv});
}

} // namespace mxn
