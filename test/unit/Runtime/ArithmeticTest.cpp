// ArithmeticTest.cpp - registers' arithmetic.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Arithmetic.h"

#include <gtest/gtest.h>

using namespace mxn;
using namespace mxn::runtime;

static int64_t value(bundle::Arith kind, int64_t lhs, int64_t rhs) {
  int64_t result = 0;
  EXPECT_EQ(compute(kind, lhs, rhs, &result), nullptr);
  return result;
}

static bool fails(bundle::Arith kind, int64_t lhs, int64_t rhs) {
  int64_t result;
  return compute(kind, lhs, rhs, &result) != nullptr;
}

TEST(Arithmetic, RoundsTowardsMinusInfinity) {
  EXPECT_EQ(value(bundle::Arith_FloorDiv, 7, 2), 3);
  EXPECT_EQ(value(bundle::Arith_FloorDiv, -7, 2), -4);
  EXPECT_EQ(value(bundle::Arith_FloorDiv, 7, -2), -4);
  EXPECT_EQ(value(bundle::Arith_FloorDiv, -8, 2), -4);
  EXPECT_EQ(value(bundle::Arith_CeilDiv, 7, 2), 4);
  EXPECT_EQ(value(bundle::Arith_CeilDiv, -7, 2), -3);
  EXPECT_EQ(value(bundle::Arith_CeilDiv, -7, -2), 4);
  EXPECT_EQ(value(bundle::Arith_FloorMod, -7, 2), 1);
  EXPECT_EQ(value(bundle::Arith_FloorMod, 7, -2), -1);
  EXPECT_EQ(value(bundle::Arith_FloorMod, INT64_MIN, -1), 0);
}

TEST(Arithmetic, ReportsWhatDoesNotFit) {
  EXPECT_TRUE(fails(bundle::Arith_Add, INT64_MAX, 1));
  EXPECT_TRUE(fails(bundle::Arith_Sub, INT64_MIN, 1));
  EXPECT_TRUE(fails(bundle::Arith_Mul, INT64_MAX, 2));
  EXPECT_TRUE(fails(bundle::Arith_FloorDiv, INT64_MIN, -1));
  EXPECT_TRUE(fails(bundle::Arith_CeilDiv, INT64_MIN, -1));
  EXPECT_TRUE(fails(bundle::Arith_FloorDiv, 1, 0));
  EXPECT_TRUE(fails(bundle::Arith_FloorMod, 1, 0));
}

TEST(Arithmetic, SlicesNeverOverflow) {
  EXPECT_TRUE(sliceFits(0, 0, 0));
  EXPECT_TRUE(sliceFits(4, 4, 8));
  EXPECT_FALSE(sliceFits(4, 5, 8));
  EXPECT_FALSE(sliceFits(9, 0, 8));
  EXPECT_FALSE(sliceFits(-1, 1, 8));
  EXPECT_FALSE(sliceFits(1, -1, 8));
  EXPECT_FALSE(sliceFits(INT64_MAX, INT64_MAX, 8));
}
