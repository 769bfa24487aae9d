// ElementType.cpp - names and sizes of element types.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mxn/Runtime/Runtime.h"

namespace {
struct TypeFacts {
  const char *name;
  uint32_t bits;
};

// In the order of the numbers.
constexpr TypeFacts types[] = {
    {"undefined", 0},      {"float32", 32},  {"uint8", 8},        {"int8", 8},           {"uint16", 16},
    {"int16", 16},         {"int32", 32},    {"int64", 64},       {"string", 0},         {"bool", 8},
    {"float16", 16},       {"float64", 64},  {"uint32", 32},      {"uint64", 64},        {"complex64", 64},
    {"complex128", 128},   {"bfloat16", 16}, {"float8e4m3fn", 8}, {"float8e4m3fnuz", 8}, {"float8e5m2", 8},
    {"float8e5m2fnuz", 8}, {"uint4", 4},     {"int4", 4},         {"float4e2m1", 4},     {"float8e8m0", 8},
    {"uint2", 2},          {"int2", 2},
};
static_assert(sizeof(types) / sizeof(types[0]) == MXN_TYPE_INT2 + 1, "one row for each type");
} // namespace

const char *mxn_type_name(mxn_type_t type) { return type <= MXN_TYPE_INT2 ? types[type].name : "unknown"; }

uint32_t mxn_type_bits(mxn_type_t type) { return type <= MXN_TYPE_INT2 ? types[type].bits : 0; }
