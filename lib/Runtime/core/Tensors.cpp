// Tensors.cpp - shapes: their sizes in bytes, and how messages write them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Tensors.h"

#include "lib/Runtime/core/Arithmetic.h"
#include "mxn/Runtime/Runtime.h"

#include <algorithm>

using namespace mxn;
using namespace mxn::runtime;

bool runtime::byteSize(const mxn_tensor_t &tensor, uint64_t *out) {
  uint64_t elements = 1;
  bool empty = false, fits = true;
  for (uint32_t axis = 0; axis < tensor.rank; ++axis) {
    if (tensor.dims[axis] < 0)
      return false;
    empty |= tensor.dims[axis] == 0;
    fits &= !__builtin_mul_overflow(elements, static_cast<uint64_t>(tensor.dims[axis]), &elements);
  }
  if (empty)
    elements = 0;
  else if (!fits || elements > static_cast<uint64_t>(maxBytes))
    return false;
  *out = (elements * mxn_type_bits(tensor.type) + 7) / 8;
  return *out <= static_cast<uint64_t>(maxBytes);
}

uint32_t runtime::elementAlignment(mxn_type_t type) {
  return std::min(std::max(mxn_type_bits(type) / 8, uint32_t(1)), uint32_t(8));
}

std::string runtime::describeShape(const TensorInfo &info) {
  std::string text = "[";
  for (const Dimension &dimension : info.dimensions) {
    if (text.size() > 1)
      text += ", ";
    if (dimension.staticValue >= 0)
      text += std::to_string(dimension.staticValue);
    else
      text += dimension.name[0] ? dimension.name : "?";
  }
  return text + "]";
}

std::string runtime::describeShape(const mxn_tensor_t &tensor) {
  std::string text = "[";
  for (uint32_t axis = 0; axis < tensor.rank; ++axis)
    text += (axis ? ", " : "") + std::to_string(tensor.dims[axis]);
  return text + "]";
}

void runtime::shapeOf(const TensorInfo &info, const int64_t *registers, mxn_tensor_t &out) {
  out = {};
  out.struct_size = sizeof(out);
  out.type = info.type;
  out.rank = info.dimensions.size();
  for (uint32_t axis = 0; axis < out.rank; ++axis)
    out.dims[axis] = registers[info.dimensions[axis].size];
}
