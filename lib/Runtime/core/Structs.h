// Structs.h - what all functions of the C interface do with their arguments.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_RUNTIME_CORE_STRUCTS_H
#define MXN_LIB_RUNTIME_CORE_STRUCTS_H

#include "lib/Runtime/core/Status.h"

#include <algorithm>
#include <cstring>

namespace mxn::runtime {

inline mxn_status_t failMissing(const char *what) { return fail(MXN_STATUS_INVALID_ARGUMENT, "%s is NULL", what); }

// Writes a result into a struct of the caller, who may have been compiled with an older and shorter one.
template <typename T> mxn_status_t writeStruct(T &result, T *out) {
  uint32_t size = out->struct_size;
  if (size < 2 * sizeof(uint32_t))
    return fail(MXN_STATUS_INVALID_ARGUMENT, "struct_size of the result isn't set");
  result.struct_size = size;
  memcpy(out, &result, std::min<size_t>(size, sizeof(T)));
  return MXN_STATUS_OK;
}

// A copy of a struct of the caller, whose missing fields are zero; `what` is its name in a message.
template <typename T> mxn_status_t readStruct(const T *in, const char *what, T &out) {
  out = {};
  if (!in)
    return MXN_STATUS_OK;
  if (in->struct_size < sizeof(uint32_t))
    return fail(MXN_STATUS_INVALID_ARGUMENT, "struct_size of %s isn't set", what);
  memcpy(&out, in, std::min<size_t>(in->struct_size, sizeof(T)));
  return MXN_STATUS_OK;
}

} // namespace mxn::runtime

#endif
