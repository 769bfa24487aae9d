// Npy.h - reads and writes NumPy's .npy files.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_TOOLS_MXN_RUN_NPY_H
#define MXN_TOOLS_MXN_RUN_NPY_H

#include "mxn/Runtime/Runtime.h"

#include <memory>
#include <string>
#include <vector>

namespace mxn::tools {

struct Array {
  std::string type; // NumPy's description without the byte order, such as "f4"
  std::vector<int64_t> dims;
  std::vector<uint64_t> storage; // in words, so that elements are aligned
  uint64_t bytes = 0;
};

// Reads a file, little-endian and in row-major order. Returns "" or what is wrong.
std::string readNpy(const std::string &path, Array &out);

// Writes a tensor. Returns "" or what went wrong. Types that NumPy lacks are written as unsigned integers of their
// size.
std::string writeNpy(const std::string &path, const mxn_tensor_t &tensor);

// Whether an array's elements can be passed as `type`. NumPy has neither bfloat16 nor 8-bit floats: their bits
// come as "u2" or "u1", or as "V2" or "V1", which is how ml_dtypes saves them.
bool holds(const Array &array, mxn_type_t type);

} // namespace mxn::tools

#endif
