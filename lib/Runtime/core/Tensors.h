// Tensors.h - shapes: their sizes in bytes, and how messages write them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_RUNTIME_CORE_TENSORS_H
#define MXN_LIB_RUNTIME_CORE_TENSORS_H

#include "lib/Runtime/core/Program.h"
#include "mxn/Runtime/Types.h"

#include <string>

namespace mxn::runtime {

// Bytes of a dense tensor; false where they exceed every machine.
bool byteSize(const mxn_tensor_t &tensor, uint64_t *out);

// Alignment of an element in bytes: its size, at most 8.
uint32_t elementAlignment(mxn_type_t type);

// "[batch, sequence, 768]" of a signature, "[1, 5, 768]" of a tensor.
std::string describeShape(const TensorInfo &info);
std::string describeShape(const mxn_tensor_t &tensor);

// Fills type and shape of `out` with what a signature says once the prologue has run; the rest is zero.
void shapeOf(const TensorInfo &info, const int64_t *registers, mxn_tensor_t &out);

} // namespace mxn::runtime

#endif
