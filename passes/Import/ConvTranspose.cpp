//===- ConvTranspose.cpp - Transposed convolution -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// y[o] sums x[i] * w[k] over i * stride + k * dilation = o + before. Read the other way round it is a plain convolution
// with the kernel reversed over an image that has zeros between its elements.
//
#include "passes/Import/Convolution.h"

using namespace mlir;

namespace mxn {

namespace {
struct Transposed {
  SmallVector<int64_t> strides, dilations;
  Dims kernel, out, before;

  static FailureOr<Transposed> of(onnx::NodeOp node, ArrayRef<SymbolicExpr> image, ArrayRef<SymbolicExpr> kernel) {
    size_t rank = image.size();
    SmallVector<int64_t> none(rank, 0), ones(rank, 1), pads = node.intsAttr("pads", SmallVector<int64_t>(2 * rank, 0));
    SmallVector<int64_t> more = node.intsAttr("output_padding", none), shape = node.intsAttr("output_shape");
    Transposed t;
    t.strides = node.intsAttr("strides", ones);
    t.dilations = node.intsAttr("dilations", ones);
    t.kernel = Dims(kernel);
    StringRef mode = node.stringAttr("auto_pad", "NOTSET");
    if (kernel.size() != rank || t.strides.size() != rank || t.dilations.size() != rank || pads.size() != 2 * rank ||
        more.size() != rank || (!shape.empty() && shape.size() != rank))
      return failure();
    for (size_t i = 0; i < rank; ++i) {
      SymbolicExpr full =
          (image[i] - SymbolicExpr(1)) * SymbolicExpr(t.strides[i]) + t.reach(i) + SymbolicExpr(1 + more[i]);
      bool same = mode.starts_with("SAME");
      if (shape.empty() && !same) {
        bool valid = mode == "VALID";
        t.before.push_back(valid ? 0 : pads[i]);
        t.out.push_back(valid ? full : full - SymbolicExpr(pads[i] + pads[rank + i]));
        continue;
      }
      // The size is given; what is too much is cut off from both sides.
      t.out.push_back(shape.empty() ? image[i] * SymbolicExpr(t.strides[i]) : SymbolicExpr(shape[i]));
      SymbolicExpr total = SymbolicExpr::max(full - t.out[i], 0), half = SymbolicExpr::floorDiv(total, 2);
      t.before.push_back(mode == "SAME_UPPER" ? half : total - half);
    }
    return t;
  }

  /// From a window's first element to its last.
  SymbolicExpr reach(size_t i) const { return (kernel[i] - SymbolicExpr(1)) * SymbolicExpr(dilations[i]); }
};
} // namespace

static LogicalResult inferConvTranspose(InferContext &c) {
  int64_t groups = c.node.intAttr("group", 1);
  Dims image = c.dims(0), kernel = c.dims(1);
  if (image.size() < 3 || image.size() != kernel.size() || groups < 1)
    return c.error() << "the input has " << image.size() << " dimensions, the weight has " << kernel.size()
                     << " and group is " << groups;
  if (failed(c.equate(image[1], kernel[0], "the channels of the input and of the weight")))
    return failure();
  image = c.dims(0), kernel = c.dims(1);
  auto t =
      Transposed::of(c.node, ArrayRef<SymbolicExpr>(image).drop_front(2), ArrayRef<SymbolicExpr>(kernel).drop_front(2));
  if (failed(t))
    return c.error() << "its attributes don't fit an input of " << image.size() << " dimensions";
  Dims out = {image[0], kernel[1] * SymbolicExpr(groups)};
  out.append(t->out);
  c.setDims(0, out);
  return success();
}

static FailureOr<SmallVector<Value>> lowerConvTranspose(LowerContext &c) {
  int64_t groups = c.node.intAttr("group", 1);
  Dims x = c.dims(0), w = c.dims(1), y = c.outputDims();
  Transposed t =
      *Transposed::of(c.node, ArrayRef<SymbolicExpr>(x).drop_front(2), ArrayRef<SymbolicExpr>(w).drop_front(2));
  SmallVector<int64_t> first, strides = {1, 1};
  Dims begin = {SymbolicExpr(0), SymbolicExpr(0)}, whole = {x[0], x[1]};
  for (size_t i = 0; i < t.strides.size(); ++i) {
    auto before = t.before[i].constant(), reach = t.reach(i).constant();
    if (!before || !reach)
      return c.error() << "the padding " << t.before[i].str() << " and the kernel must be known when compiling";
    // Windows read backwards from `first + o`.
    first.push_back(*before + *reach);
    begin.push_back(*reach);
    strides.push_back(t.strides[i]);
    SymbolicExpr spread = (x[2 + i] - SymbolicExpr(1)) * SymbolicExpr(t.strides[i]) + SymbolicExpr(1 + *reach);
    whole.push_back(SymbolicExpr::max(spread, y[2 + i] + SymbolicExpr(first.back())));
  }
  Type element = LowerContext::lowered(c.inputElement(0));
  Value image = padded(c, c.input(0), x, begin, strides, whole, cast<TypedAttr>(c.b.getZeroAttr(element)));
  Dims out = splitChannels(y, 1, groups);
  Value sum = groupedNest(c, c.reshape(image, whole, splitChannels(whole, 1, groups)),
                          c.reshape(c.input(1), w, splitChannels(w, 0, groups)), out, /*transposed=*/true,
                          [&](size_t i, AffineExpr o, AffineExpr k) { return o + first[i] - k * t.dilations[i]; });
  return SmallVector<Value>{finishConvolution(c, c.reshape(sum, out, y), y, c.hasInput(2) ? c.input(2) : Value())};
}

void addConvTransposeHandlers(HandlerRegistry &r) {
  r.add("", "ConvTranspose", 1, {inferConvTranspose, lowerConvTranspose});
}

} // namespace mxn
