// Arithmetic.h - checked 64-bit integer arithmetic of registers and sizes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_RUNTIME_CORE_ARITHMETIC_H
#define MXN_LIB_RUNTIME_CORE_ARITHMETIC_H

#include "bundle_generated.h"

#include <cstdint>

namespace mxn::runtime {

// Sizes beyond this are refused: no machine has them, and sums of a few still fit in 64 bits.
constexpr int64_t maxBytes = int64_t(1) << 48;

// Computes *result and returns null, or returns what is wrong. Division and remainder round towards minus infinity.
const char *compute(bundle::Arith kind, int64_t lhs, int64_t rhs, int64_t *result);

// The sign that a message shows between the operands, such as "+".
const char *arithSign(bundle::Arith kind);

// Whether bytes [offset, offset + length) lie inside `size` bytes. No value overflows it.
inline bool sliceFits(int64_t offset, int64_t length, int64_t size) {
  return offset >= 0 && length >= 0 && offset <= size && length <= size - offset;
}

} // namespace mxn::runtime

#endif
