//===- SymbolicExprTest.cpp - Polynomials over symbolic sizes -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Support/SymbolicExpr.h"
#include "llvm/Support/MathExtras.h"
#include <gtest/gtest.h>
#include <random>

using namespace mxn;

namespace {

SymbolicExpr parse(llvm::StringRef text) {
  auto e = SymbolicExpr::parse(text);
  EXPECT_TRUE(e) << text.str();
  return e ? *e : SymbolicExpr();
}

std::string canonical(llvm::StringRef text) { return parse(text).str(); }

int64_t evaluate(const SymbolicExpr &e, const std::map<std::string, int64_t> &values) {
  auto number = [](int64_t v) { return v; };
  auto symbol = [&](llvm::StringRef name) { return values.at(name.str()); };
  auto add = [](int64_t a, int64_t b) { return a + b; };
  auto mul = [](int64_t a, int64_t b) { return a * b; };
  auto call = [](SymbolicExpr::Call kind, int64_t a, int64_t b) -> int64_t {
    switch (kind) {
    case SymbolicExpr::Call::FloorDiv:
      return llvm::divideFloorSigned(a, b);
    case SymbolicExpr::Call::Mod:
      return a - llvm::divideFloorSigned(a, b) * b;
    case SymbolicExpr::Call::Min:
      return std::min(a, b);
    case SymbolicExpr::Call::Max:
      return std::max(a, b);
    }
    return 0;
  };
  return e.build<int64_t>({number, symbol, add, mul, call});
}

TEST(SymbolicExpr, Constants) {
  EXPECT_EQ(SymbolicExpr().constant(), 0);
  EXPECT_EQ(SymbolicExpr(7).constant(), 7);
  EXPECT_EQ(SymbolicExpr().str(), "0");
  EXPECT_EQ(SymbolicExpr(-3).str(), "-3");
  EXPECT_TRUE(parse("2*3 - 6").isConstant(0));
  EXPECT_FALSE(parse("n").constant());
}

TEST(SymbolicExpr, CanonicalForm) {
  EXPECT_EQ(canonical("1 + n"), "n + 1");
  EXPECT_EQ(canonical("b + a"), "a + b");
  EXPECT_EQ(canonical("n - n"), "0");
  EXPECT_EQ(canonical("b*a*2 + a*b"), "3*a*b");
  EXPECT_EQ(canonical("(a + 1)*(a - 1)"), "a*a - 1");
  EXPECT_EQ(canonical("-(n - 2)"), "-n + 2");
  EXPECT_EQ(canonical("  past+1 "), "past + 1");
  EXPECT_EQ(canonical("floordiv(4*n + 2, 4)"), "n");
  EXPECT_EQ(canonical("floordiv(n + 5, 4)"), "floordiv(n + 1, 4) + 1");
  EXPECT_EQ(parse("a + b"), parse("b + a"));
  EXPECT_NE(parse("a"), parse("b"));
}

TEST(SymbolicExpr, TextIsReadBack) {
  for (const char *text : {"0", "-1", "n", "n + 1", "-n", "2*a*b - 3", "floordiv(n, 2)", "mod(n, 3) + 1", "max(a, b)*2",
                           "min(floordiv(a + 1, 2), b)", "x.1:y_2"}) {
    SymbolicExpr e = parse(text);
    EXPECT_EQ(parse(e.str()), e) << text;
    EXPECT_EQ(parse(e.str()).str(), e.str()) << text;
  }
}

TEST(SymbolicExpr, WhatIsNoExpression) {
  for (const char *text : {"", " ", "n +", "+", "2d", "n n", "(n", "n)", "floordiv(n)", "floordiv(n, 2", "n / 2", "?",
                           "99999999999999999999", "a,b", "max(1, 2, 3)", "\n"})
    EXPECT_FALSE(SymbolicExpr::parse(text)) << text;
}

TEST(SymbolicExpr, HostileTextIsRefused) {
  EXPECT_FALSE(SymbolicExpr::parse(std::string(100000, '(')));
  EXPECT_FALSE(SymbolicExpr::parse(std::string(100000, '-') + "n"));
  std::string product = "1";
  for (int i = 0; i < 40; ++i)
    product += "*(a" + std::to_string(i) + " + b" + std::to_string(i) + ")";
  EXPECT_FALSE(SymbolicExpr::parse(product));
}

TEST(SymbolicExpr, Symbols) {
  EXPECT_EQ(parse("n").asSymbol(), "n");
  EXPECT_FALSE(parse("2*n").asSymbol());
  EXPECT_FALSE(parse("n*n").asSymbol());
  EXPECT_FALSE(parse("floordiv(n, 2)").asSymbol());
  EXPECT_EQ(parse("a*b + floordiv(c, max(d, 2))").symbols(), (std::set<std::string>{"a", "b", "c", "d"}));
}

TEST(SymbolicExpr, Division) {
  SymbolicExpr n = SymbolicExpr::symbol("n"), m = SymbolicExpr::symbol("m");
  EXPECT_EQ(SymbolicExpr::floorDiv(n * m * 64, n * m), 64);
  EXPECT_EQ(SymbolicExpr::floorDiv(n * m, n), m);
  EXPECT_EQ(SymbolicExpr::floorDiv(n + m, n + m), 1);
  EXPECT_EQ(SymbolicExpr::floorDiv(7, 2), 3);
  EXPECT_EQ(SymbolicExpr::floorDiv(-7, 2), -4);
  EXPECT_EQ(SymbolicExpr::ceilDiv(7, 2), 4);
  EXPECT_EQ(SymbolicExpr::ceilDiv(n * 4, 2), n * 2);
  EXPECT_EQ(SymbolicExpr::mod(n * 4 + 3, 4), 3);
  EXPECT_EQ(SymbolicExpr::mod(-1, 4), 3);
  EXPECT_EQ(SymbolicExpr::mod(n, 4).str(), "mod(n, 4)");
}

TEST(SymbolicExpr, LeastAndGreatest) {
  SymbolicExpr n = SymbolicExpr::symbol("n"), m = SymbolicExpr::symbol("m");
  EXPECT_EQ(SymbolicExpr::max(n, n + 1), n + 1);
  EXPECT_EQ(SymbolicExpr::min(n, n + 1), n);
  EXPECT_EQ(SymbolicExpr::max(n, 0), n);
  EXPECT_EQ(SymbolicExpr::min(3, 4), 3);
  EXPECT_EQ(SymbolicExpr::max(n, m), SymbolicExpr::max(m, n));
  EXPECT_EQ(SymbolicExpr::max(n, m).str(), "max(m, n)");
}

TEST(SymbolicExpr, LowerBound) {
  EXPECT_EQ(parse("n").lowerBound(), 0);
  EXPECT_EQ(parse("2*n + 3").lowerBound(), 3);
  EXPECT_EQ(parse("max(n, 5)").lowerBound(), 5);
  EXPECT_EQ(parse("floordiv(n, 2) + 1").lowerBound(), 1);
  EXPECT_FALSE(parse("3 - n").lowerBound());
}

TEST(SymbolicExpr, Substitution) {
  auto map = [](llvm::StringRef name) -> std::optional<SymbolicExpr> {
    if (name == "n")
      return SymbolicExpr::symbol("m") * 2;
    return std::nullopt;
  };
  EXPECT_EQ(parse("n + k").substitute(map), parse("2*m + k"));
  EXPECT_EQ(parse("floordiv(n + 1, 2)").substitute(map), parse("m"));
  EXPECT_EQ(parse("n*n").substitute(map), parse("4*m*m"));
}

/// Whatever the simplifications do, the value stays.
TEST(SymbolicExpr, ValuesSurvive) {
  std::mt19937 random(1);
  std::map<std::string, int64_t> values;
  for (int round = 0; round < 2000; ++round) {
    auto pick = [&](int64_t from, int64_t to) { return std::uniform_int_distribution<int64_t>(from, to)(random); };
    values = {{"a", pick(0, 9)}, {"b", pick(0, 9)}, {"c", pick(0, 9)}};
    std::vector<std::pair<SymbolicExpr, int64_t>> pool;
    for (const char *name : {"a", "b", "c"})
      pool.push_back({SymbolicExpr::symbol(name), values[name]});
    for (int step = 0; step < 6; ++step) {
      auto [x, vx] = pool[pick(0, pool.size() - 1)];
      auto [y, vy] = pool[pick(0, pool.size() - 1)];
      int64_t d = pick(1, 5), k = pick(-4, 4);
      switch (pick(0, 6)) {
      case 0:
        pool.push_back({x + y, vx + vy});
        break;
      case 1:
        pool.push_back({x - y, vx - vy});
        break;
      case 2:
        pool.push_back({x * k + y, vx * k + vy});
        break;
      case 3:
        pool.push_back({SymbolicExpr::floorDiv(x, d), llvm::divideFloorSigned(vx, d)});
        break;
      case 4:
        pool.push_back({SymbolicExpr::mod(x, d), vx - llvm::divideFloorSigned(vx, d) * d});
        break;
      case 5:
        pool.push_back({SymbolicExpr::max(x, y), std::max(vx, vy)});
        break;
      default:
        pool.push_back({SymbolicExpr::min(x, y), std::min(vx, vy)});
      }
      const auto &[e, value] = pool.back();
      ASSERT_EQ(evaluate(e, values), value) << e.str();
      ASSERT_EQ(parse(e.str()), e) << e.str();
      if (auto bound = e.lowerBound())
        ASSERT_LE(*bound, value) << e.str();
    }
  }
}

} // namespace
