// Arithmetic.cpp - checked 64-bit integer arithmetic of registers and sizes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Arithmetic.h"

#include <algorithm>

using namespace mxn;

const char *runtime::compute(bundle::Arith kind, int64_t lhs, int64_t rhs, int64_t *result) {
  constexpr const char *overflow = "the result doesn't fit in 64 bits";
  switch (kind) {
  case bundle::Arith_Add:
    return __builtin_add_overflow(lhs, rhs, result) ? overflow : nullptr;
  case bundle::Arith_Sub:
    return __builtin_sub_overflow(lhs, rhs, result) ? overflow : nullptr;
  case bundle::Arith_Mul:
    return __builtin_mul_overflow(lhs, rhs, result) ? overflow : nullptr;
  case bundle::Arith_FloorDiv:
  case bundle::Arith_CeilDiv:
  case bundle::Arith_FloorMod: {
    if (rhs == 0)
      return "division by zero";
    // The one quotient that doesn't fit; as a remainder it is 0, but the processor's division traps all the same.
    if (lhs == INT64_MIN && rhs == -1) {
      *result = 0;
      return kind == bundle::Arith_FloorMod ? nullptr : overflow;
    }
    int64_t quotient = lhs / rhs, remainder = lhs % rhs;
    bool sameSign = (remainder < 0) == (rhs < 0);
    if (kind == bundle::Arith_FloorDiv)
      *result = quotient - (remainder != 0 && !sameSign);
    else if (kind == bundle::Arith_CeilDiv)
      *result = quotient + (remainder != 0 && sameSign);
    else
      *result = remainder != 0 && !sameSign ? remainder + rhs : remainder;
    return nullptr;
  }
  case bundle::Arith_Min:
    *result = std::min(lhs, rhs);
    return nullptr;
  case bundle::Arith_Max:
    *result = std::max(lhs, rhs);
    return nullptr;
  case bundle::Arith_Equal:
    *result = lhs == rhs;
    return nullptr;
  case bundle::Arith_Less:
    *result = lhs < rhs;
    return nullptr;
  case bundle::Arith_LessEqual:
    *result = lhs <= rhs;
    return nullptr;
  case bundle::Arith_And:
    *result = lhs & rhs;
    return nullptr;
  case bundle::Arith_Or:
    *result = lhs | rhs;
    return nullptr;
  }
  return "unknown operation";
}

const char *runtime::arithSign(bundle::Arith kind) {
  constexpr const char *signs[] = {"+",   "-",  "*", "floordiv", "ceildiv", "floormod", "min",
                                   "max", "==", "<", "<=",       "and",     "or"};
  return kind <= bundle::Arith_MAX ? signs[kind] : "?";
}
