// Npy.cpp - reads and writes NumPy's .npy files.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/mxn-run/Npy.h"

#include "tools/Support/Output.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace mxn;
using namespace mxn::tools;

// NumPy's description of a type, without the byte order; null where a file can't hold it.
static const char *descriptionOf(mxn_type_t type) {
  switch (type) {
  case MXN_TYPE_FLOAT16:
    return "f2";
  case MXN_TYPE_FLOAT32:
    return "f4";
  case MXN_TYPE_FLOAT64:
    return "f8";
  case MXN_TYPE_INT8:
    return "i1";
  case MXN_TYPE_INT16:
    return "i2";
  case MXN_TYPE_INT32:
    return "i4";
  case MXN_TYPE_INT64:
    return "i8";
  case MXN_TYPE_BOOL:
    return "b1";
  case MXN_TYPE_COMPLEX64:
    return "c8";
  case MXN_TYPE_COMPLEX128:
    return "c16";
  case MXN_TYPE_UINT16:
  case MXN_TYPE_BFLOAT16:
    return "u2";
  case MXN_TYPE_UINT32:
    return "u4";
  case MXN_TYPE_UINT64:
    return "u8";
  default:
    return mxn_type_bits(type) == 8 ? "u1" : nullptr;
  }
}

bool tools::holds(const Array &array, mxn_type_t type) {
  const char *description = descriptionOf(type);
  if (!description)
    return false;
  if (array.type == description)
    return true;
  bool isForeign = type == MXN_TYPE_BFLOAT16 || (description[0] == 'u' && type >= MXN_TYPE_FLOAT8E4M3FN);
  return isForeign && array.type[0] == 'V' && array.type.substr(1) == description + 1;
}

// What follows `'key':` in the header, which is a Python dictionary.
static const char *valueOf(const std::string &header, const char *key) {
  size_t at = header.find(std::string("'") + key + "'");
  if (at == std::string::npos)
    return nullptr;
  at = header.find(':', at);
  if (at == std::string::npos)
    return nullptr;
  at = header.find_first_not_of(' ', at + 1);
  return at == std::string::npos ? nullptr : header.c_str() + at;
}

static std::string parseHeader(const std::string &header, Array &out) {
  const char *type = valueOf(header, "descr"), *order = valueOf(header, "fortran_order");
  const char *shape = valueOf(header, "shape");
  if (!type || !order || !shape || type[0] != '\'' || shape[0] != '(')
    return "its header is not understood";
  const char *end = strchr(type + 1, '\'');
  if (!end || end - type < 4)
    return "its element type is not understood";
  if (type[1] == '>')
    return "it is big-endian";
  out.type = std::string(type + 2, end);
  uint64_t elements = 1;
  for (const char *p = shape + 1; *p && *p != ')';) {
    char *next;
    errno = 0;
    long long dim = strtoll(p, &next, 10);
    if (next == p || dim < 0 || errno || out.dims.size() == MXN_MAX_RANK ||
        __builtin_mul_overflow(elements, static_cast<uint64_t>(dim), &elements))
      return "its shape is not understood";
    out.dims.push_back(dim);
    for (p = next; *p == ',' || *p == ' ' || *p == 'L'; ++p) {
    }
  }
  if (!strncmp(order, "True", 4) && out.dims.size() > 1)
    return "it is in column-major order; save numpy.ascontiguousarray of it";
  uint64_t size = strtoul(out.type.c_str() + 1, nullptr, 10);
  if (size == 0 || size > 16 || __builtin_mul_overflow(elements, size, &out.bytes))
    return "its element type is not understood";
  return "";
}

static std::string readOpenFile(FILE *file, Array &out) {
  unsigned char start[12];
  if (fread(start, 1, 10, file) != 10 || memcmp(start, "\x93NUMPY", 6) != 0)
    return "it is no .npy file";
  uint32_t headerBytes = start[8] | start[9] << 8;
  if (start[6] > 1) {
    if (fread(start + 10, 1, 2, file) != 2)
      return "it is cut off";
    headerBytes |= start[10] << 16 | static_cast<uint32_t>(start[11]) << 24;
  }
  if (headerBytes > 1 << 20)
    return "its header is not understood";
  std::string header(headerBytes, 0);
  if (fread(&header[0], 1, headerBytes, file) != headerBytes)
    return "it is cut off";
  std::string wrong = parseHeader(header, out);
  if (!wrong.empty())
    return wrong;
  // The length is checked before memory is taken, so that a wrong header can't ask for all of it.
  long position = ftell(file);
  if (position < 0 || fseek(file, 0, SEEK_END) != 0 || ftell(file) - position < static_cast<long>(out.bytes) ||
      fseek(file, position, SEEK_SET) != 0)
    return "it is cut off";
  out.storage.resize(out.bytes / 8 + 1);
  return fread(out.storage.data(), 1, out.bytes, file) == out.bytes ? "" : "it can't be read";
}

std::string tools::readNpy(const std::string &path, Array &out) {
  FILE *file = fopen(path.c_str(), "rbe");
  if (!file)
    return "can't open " + path + ": " + strerror(errno);
  std::string wrong = readOpenFile(file, out);
  fclose(file);
  return wrong.empty() ? "" : "can't read " + path + ": " + wrong;
}

std::string tools::writeNpy(const std::string &path, const mxn_tensor_t &tensor) {
  const char *type = descriptionOf(tensor.type);
  if (!type)
    return "can't write " + path + ": .npy files don't hold " + mxn_type_name(tensor.type);
  std::string header = std::string("{'descr': '") + (type[1] == '1' && type[2] == 0 ? "|" : "<") + type +
                       "', 'fortran_order': False, 'shape': (";
  for (uint32_t axis = 0; axis < tensor.rank; ++axis)
    header += std::to_string(tensor.dims[axis]) + (axis + 1 < tensor.rank ? ", " : tensor.rank == 1 ? "," : "");
  header += "), }";
  // The data starts at a multiple of 64, and the header ends with a newline.
  while ((10 + header.size() + 1) % 64)
    header += ' ';
  header += '\n';
  std::string head("\x93NUMPY\x01\x00", 8);
  head += static_cast<char>(header.size() & 0xff);
  head += static_cast<char>(header.size() >> 8);
  return writeFile(path, head + header, tensor.data, tensor.bytes);
}
