//===- Window.cpp - Windows that slide over images ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Window.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "passes/Import/Indexing.h"

using namespace mlir;

namespace mxn {

std::optional<Window> Window::of(onnx::NodeOp node, ArrayRef<SymbolicExpr> image, ArrayRef<SymbolicExpr> kernel) {
  size_t rank = image.size();
  Window w;
  w.image = Dims(image);
  w.kernel = Dims(kernel);
  w.strides = node.intsAttr("strides", SmallVector<int64_t>(rank, 1));
  w.dilations = node.intsAttr("dilations", SmallVector<int64_t>(rank, 1));
  SmallVector<int64_t> pads = node.intsAttr("pads", SmallVector<int64_t>(2 * rank, 0));
  StringRef mode = node.stringAttr("auto_pad", "NOTSET");
  w.ceil = node.intAttr("ceil_mode", 0) && mode == "NOTSET";
  auto positive = [](int64_t v) { return v > 0; };
  if (kernel.size() != rank || w.strides.size() != rank || w.dilations.size() != rank || pads.size() != 2 * rank ||
      !llvm::all_of(w.strides, positive) || !llvm::all_of(w.dilations, positive))
    return std::nullopt;
  for (size_t i = 0; i < rank; ++i) {
    SymbolicExpr stride(w.strides[i]), one(1), begin(pads[i]), end(pads[rank + i]);
    if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
      // As many windows as strides fit; what they need more than the image is shared between both sides.
      SymbolicExpr count = SymbolicExpr::ceilDiv(image[i], stride);
      SymbolicExpr need = (count - one) * stride + w.extent(i) - image[i];
      if (w.strides[i] == 1)
        need = w.extent(i) - one;
      SymbolicExpr total = SymbolicExpr::max(need, 0), half = SymbolicExpr::floorDiv(total, 2);
      begin = mode == "SAME_UPPER" ? half : total - half;
      end = total - begin;
      w.out.push_back(count);
    } else {
      if (mode == "VALID")
        begin = end = 0;
      SymbolicExpr room = image[i] + begin + end - w.extent(i);
      if (w.ceil) // a window must begin inside of the image or the padding before it
        w.out.push_back(SymbolicExpr::min(SymbolicExpr::ceilDiv(room, stride),
                                          SymbolicExpr::floorDiv(image[i] + begin - one, stride)) +
                        one);
      else
        w.out.push_back(SymbolicExpr::floorDiv(room, stride) + one);
    }
    w.before.push_back(begin);
    w.after.push_back(end);
  }
  return w;
}

LogicalResult Window::checkFits(InferContext &c) const {
  for (const SymbolicExpr &count : out) {
    if (count.constant() && *count.constant() < 0)
      return c.error() << "the window is larger than the image";
    if (count.lowerBound().value_or(-1) < 0 && failed(requireAtLeast(c, count, 0, "the number of windows")))
      return failure();
  }
  return success();
}

Dims Window::whole() const {
  Dims dims;
  for (size_t i = 0; i < rank(); ++i) {
    SymbolicExpr with = image[i] + before[i] + after[i];
    if (ceil)
      with = SymbolicExpr::max(with, (out[i] - SymbolicExpr(1)) * SymbolicExpr(strides[i]) + extent(i));
    dims.push_back(with);
  }
  return dims;
}

Dims Window::padDims(ArrayRef<SymbolicExpr> dims) const {
  Dims to(dims.drop_back(rank()));
  to.append(whole());
  return to;
}

Value Window::pad(LowerContext &c, Value tensor, ArrayRef<SymbolicExpr> dims, TypedAttr padding) const {
  Dims begin(dims.size() - rank(), SymbolicExpr(0));
  begin.append(before);
  return padded(c, tensor, dims, begin, SmallVector<int64_t>(dims.size(), 1), padDims(dims), padding);
}

Value slide(LowerContext &c, Value tensor, const Slide &how, ArrayRef<LoopOperand> operands, Value init,
            const LoopBody &body) {
  MLIRContext *context = c.b.getContext();
  int64_t rank = cast<RankedTensorType>(init.getType()).getRank(), loops = rank + how.axes.size();
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(loops, 0, exprs, context); };
  auto dims = [&](ArrayRef<int64_t> at) {
    SmallVector<AffineExpr> exprs;
    for (int64_t loop : at)
      exprs.push_back(getAffineDimExpr(loop, context));
    return exprs;
  };
  SmallVector<AffineExpr> read = dims(allLoops(rank)), inside;
  for (auto [i, axis] : llvm::enumerate(how.axes)) {
    inside.push_back(getAffineDimExpr(rank + i, context));
    read[axis] = read[axis] * how.strides[i] + inside.back() * how.dilations[i];
  }
  // A linalg op takes the number of a loop's steps from a tensor: this one says how large the window is.
  auto shape = RankedTensorType::get(how.sizes, c.b.getI8Type());
  Value window = arith::ConstantOp::create(c.b, c.loc, DenseElementsAttr::get(shape, c.b.getI8IntegerAttr(0)));
  SmallVector<Value> inputs = {tensor, window};
  SmallVector<AffineMap> maps = {map(read), map(inside)};
  for (const LoopOperand &o : operands) {
    inputs.push_back(o.tensor);
    maps.push_back(map(dims(o.loops)));
  }
  maps.push_back(map(dims(allLoops(rank))));
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators.append(how.axes.size(), utils::IteratorType::reduction);
  return linalg::GenericOp::create(c.b, c.loc, init.getType(), inputs, init, maps, iterators,
                                   [&](OpBuilder &b, Location loc, ValueRange v) {
                                     SmallVector<Value> args = {v[0]};
                                     llvm::append_range(args, v.drop_front(2));
                                     ScalarBuilder s(b, loc);
                                     linalg::YieldOp::create(b, loc, body(s, args));
                                   })
      .getResult(0);
}

} // namespace mxn
