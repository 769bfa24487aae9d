//===- SymbolicExpr.cpp - Polynomials over a model's symbolic sizes -------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Support/SymbolicExpr.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace mxn {

SymbolicExpr::SymbolicExpr(int64_t value) { add({}, value); }

SymbolicExpr SymbolicExpr::symbol(StringRef name) {
  SymbolicExpr e;
  e.add({Atom{name.str(), {}}}, 1);
  return e;
}

void SymbolicExpr::add(const Monomial &monomial, int64_t coefficient) {
  if (!coefficient)
    return;
  int64_t &sum = terms[monomial];
  // A sum or product that overflows wraps: sizes that large fail the runtime's checked arithmetic anyway.
  sum = static_cast<int64_t>(static_cast<uint64_t>(sum) + static_cast<uint64_t>(coefficient));
  if (!sum)
    terms.erase(monomial);
}

std::optional<int64_t> SymbolicExpr::constant() const {
  if (terms.empty())
    return 0;
  if (terms.size() == 1 && terms.begin()->first.empty())
    return terms.begin()->second;
  return std::nullopt;
}

std::optional<std::string> SymbolicExpr::asSymbol() const {
  if (terms.size() != 1)
    return std::nullopt;
  const auto &[monomial, coefficient] = *terms.begin();
  if (coefficient != 1 || monomial.size() != 1 || !monomial[0].args.empty())
    return std::nullopt;
  return monomial[0].name;
}

SymbolicExpr operator+(const SymbolicExpr &a, const SymbolicExpr &b) {
  SymbolicExpr r = a;
  for (const auto &[monomial, coefficient] : b.terms)
    r.add(monomial, coefficient);
  return r;
}

SymbolicExpr operator-(const SymbolicExpr &a, const SymbolicExpr &b) { return a + b * SymbolicExpr(-1); }

SymbolicExpr operator*(const SymbolicExpr &a, const SymbolicExpr &b) {
  SymbolicExpr r;
  for (const auto &[x, m] : a.terms)
    for (const auto &[y, n] : b.terms) {
      SymbolicExpr::Monomial both(x);
      both.insert(both.end(), y.begin(), y.end());
      llvm::sort(both);
      r.add(both, static_cast<int64_t>(static_cast<uint64_t>(m) * static_cast<uint64_t>(n)));
    }
  return r;
}

static const char *spelling(SymbolicExpr::Call kind) {
  switch (kind) {
  case SymbolicExpr::Call::FloorDiv:
    return "floordiv";
  case SymbolicExpr::Call::Mod:
    return "mod";
  case SymbolicExpr::Call::Min:
    return "min";
  case SymbolicExpr::Call::Max:
    return "max";
  }
  return "";
}

SymbolicExpr SymbolicExpr::call(Call kind, const SymbolicExpr &a, const SymbolicExpr &b) {
  SymbolicExpr r;
  r.add({Atom{std::string(spelling(kind)) + "(" + a.str() + ", " + b.str() + ")", {a, b}, kind}}, 1);
  return r;
}

SymbolicExpr SymbolicExpr::floorDiv(const SymbolicExpr &a, const SymbolicExpr &b) {
  if (a.isConstant(0) && !b.isConstant(0))
    return 0;
  if (auto divisor = b.constant()) {
    if (*divisor == 1)
      return a;
    if (*divisor > 0) {
      // floordiv(d*q + r, d) = q + floordiv(r, d): take out what divides, keep the rest.
      SymbolicExpr whole, rest;
      for (const auto &[monomial, coefficient] : a.terms) {
        int64_t q = llvm::divideFloorSigned(coefficient, *divisor);
        whole.add(monomial, q);
        rest.add(monomial, coefficient - q * *divisor);
      }
      if (auto r = rest.constant())
        return whole + SymbolicExpr(llvm::divideFloorSigned(*r, *divisor));
      return whole + call(Call::FloorDiv, rest, b);
    }
  } else if (b.terms.size() == 1) {
    // A common factor: B*S*64 over B*S.
    const auto &[divisor, scale] = *b.terms.begin();
    SymbolicExpr quotient;
    for (const auto &[monomial, coefficient] : a.terms) {
      Monomial left;
      if (coefficient % scale || !std::includes(monomial.begin(), monomial.end(), divisor.begin(), divisor.end()))
        return call(Call::FloorDiv, a, b);
      std::set_difference(monomial.begin(), monomial.end(), divisor.begin(), divisor.end(), std::back_inserter(left));
      quotient.add(left, coefficient / scale);
    }
    return quotient;
  }
  if (a == b)
    return 1;
  return call(Call::FloorDiv, a, b);
}

SymbolicExpr SymbolicExpr::ceilDiv(const SymbolicExpr &a, const SymbolicExpr &b) {
  return SymbolicExpr(0) - floorDiv(SymbolicExpr(0) - a, b);
}

SymbolicExpr SymbolicExpr::mod(const SymbolicExpr &a, const SymbolicExpr &b) {
  SymbolicExpr quotient = floorDiv(a, b), rest = a - b * quotient;
  auto hasCall = [&](const SymbolicExpr &e) {
    return llvm::any_of(e.terms, [](const auto &term) {
      return llvm::any_of(term.first,
                          [](const Atom &atom) { return atom.kind == Call::FloorDiv && !atom.args.empty(); });
    });
  };
  return hasCall(quotient) ? call(Call::Mod, a, b) : rest;
}

SymbolicExpr SymbolicExpr::min(const SymbolicExpr &a, const SymbolicExpr &b) {
  if (auto d = (b - a).lowerBound(); d && *d >= 0)
    return a;
  if (auto d = (a - b).lowerBound(); d && *d >= 0)
    return b;
  return b < a ? call(Call::Min, b, a) : call(Call::Min, a, b);
}

SymbolicExpr SymbolicExpr::max(const SymbolicExpr &a, const SymbolicExpr &b) {
  if (auto d = (a - b).lowerBound(); d && *d >= 0)
    return a;
  if (auto d = (b - a).lowerBound(); d && *d >= 0)
    return b;
  return b < a ? call(Call::Max, b, a) : call(Call::Max, a, b);
}

SymbolicExpr SymbolicExpr::substitute(llvm::function_ref<std::optional<SymbolicExpr>(StringRef)> map) const {
  SymbolicExpr sum;
  for (const auto &[monomial, coefficient] : terms) {
    SymbolicExpr product(coefficient);
    for (const Atom &atom : monomial) {
      SymbolicExpr factor;
      if (atom.args.empty()) {
        auto value = map(atom.name);
        factor = value ? *value : symbol(atom.name);
      } else {
        SymbolicExpr a = atom.args[0].substitute(map), b = atom.args[1].substitute(map);
        switch (atom.kind) {
        case Call::FloorDiv:
          factor = floorDiv(a, b);
          break;
        case Call::Mod:
          factor = mod(a, b);
          break;
        case Call::Min:
          factor = min(a, b);
          break;
        case Call::Max:
          factor = max(a, b);
          break;
        }
      }
      product = product * factor;
    }
    sum = sum + product;
  }
  return sum;
}

std::set<std::string> SymbolicExpr::symbols() const {
  std::set<std::string> names;
  for (const auto &[monomial, coefficient] : terms)
    for (const Atom &atom : monomial) {
      if (atom.args.empty())
        names.insert(atom.name);
      for (const SymbolicExpr &arg : atom.args)
        names.merge(arg.symbols());
    }
  return names;
}

std::optional<int64_t> SymbolicExpr::lowerBound() const {
  int64_t bound = 0;
  for (const auto &[monomial, coefficient] : terms) {
    if (monomial.empty()) {
      bound += coefficient;
      continue;
    }
    // A product of non-negative factors is non-negative; with one constant-bounded factor it may be larger.
    int64_t product = coefficient;
    if (coefficient < 0)
      return std::nullopt;
    for (const Atom &atom : monomial) {
      int64_t least = 0;
      if (!atom.args.empty()) {
        auto a = atom.args[0].lowerBound(), b = atom.args[1].lowerBound();
        if (atom.kind == Call::Max && (a || b))
          least = std::max(a.value_or(INT64_MIN), b.value_or(INT64_MIN));
        else if (atom.kind == Call::Min && a && b)
          least = std::min(*a, *b);
        else if (atom.kind == Call::FloorDiv && a && *a >= 0 && b && *b > 0)
          least = 0;
        else if (atom.kind == Call::Mod && b && *b > 0)
          least = 0;
        else
          return std::nullopt;
        if (least < 0)
          return std::nullopt;
      }
      product *= least;
    }
    bound += product;
  }
  return bound;
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

std::string SymbolicExpr::str() const {
  if (terms.empty())
    return "0";
  // The constant comes last, as people write it: "past + 1".
  std::string text;
  auto term = [&](const Monomial &monomial, int64_t coefficient) {
    bool negative = coefficient < 0;
    if (!text.empty())
      text += negative ? " - " : " + ";
    else if (negative)
      text += "-";
    uint64_t magnitude = negative ? 0 - static_cast<uint64_t>(coefficient) : static_cast<uint64_t>(coefficient);
    std::vector<std::string> factors;
    if (magnitude != 1 || monomial.empty())
      factors.push_back(std::to_string(magnitude));
    for (const Atom &atom : monomial)
      factors.push_back(atom.name);
    text += llvm::join(factors, "*");
  };
  for (const auto &[monomial, coefficient] : terms)
    if (!monomial.empty())
      term(monomial, coefficient);
  if (auto it = terms.find({}); it != terms.end())
    term({}, it->second);
  return text;
}

/// Recursive descent over at most 64 levels, so that a hostile name can't exhaust the stack.
class SymbolicParser {
public:
  explicit SymbolicParser(StringRef text) : rest(text) {}

  std::optional<SymbolicExpr> run() {
    auto e = sum(0);
    skip();
    return e && rest.empty() ? e : std::nullopt;
  }

private:
  void skip() { rest = rest.ltrim(); }
  bool eat(char c) {
    skip();
    return rest.consume_front(StringRef(&c, 1));
  }

  std::optional<SymbolicExpr> sum(int depth) {
    if (depth > 64)
      return std::nullopt;
    auto left = product(depth);
    while (left) {
      bool plus = eat('+');
      if (!plus && !eat('-'))
        break;
      auto right = product(depth);
      if (!right)
        return std::nullopt;
      left = plus ? *left + *right : *left - *right;
    }
    return left;
  }

  std::optional<SymbolicExpr> product(int depth) {
    auto left = factor(depth);
    while (left && eat('*')) {
      auto right = factor(depth);
      // Neither can it exhaust the memory: a product of n sums of two has 2^n terms.
      if (!right || left->terms.size() * right->terms.size() > 4096)
        return std::nullopt;
      left = *left * *right;
    }
    return left;
  }

  std::optional<SymbolicExpr> factor(int depth) {
    if (depth > 64)
      return std::nullopt;
    skip();
    if (eat('-')) {
      auto e = factor(depth + 1);
      return e ? std::optional(SymbolicExpr(0) - *e) : std::nullopt;
    }
    if (eat('(')) {
      auto e = sum(depth + 1);
      return e && eat(')') ? e : std::nullopt;
    }
    if (!rest.empty() && isDigit(rest.front())) {
      int64_t value;
      if (rest.consumeInteger(10, value))
        return std::nullopt;
      // "2d" is neither a number nor a name.
      return rest.empty() || !(isAlpha(rest.front()) || rest.front() == '_') ? std::optional(SymbolicExpr(value))
                                                                             : std::nullopt;
    }
    StringRef name = rest.take_while([](char c) { return isAlnum(c) || c == '_' || c == '.' || c == ':'; });
    if (name.empty() || !(isAlpha(name.front()) || name.front() == '_'))
      return std::nullopt;
    rest = rest.drop_front(name.size());
    skip();
    if (!rest.starts_with("("))
      return SymbolicExpr::symbol(name);
    eat('(');
    auto a = sum(depth + 1);
    if (!a || !eat(','))
      return std::nullopt;
    auto b = sum(depth + 1);
    if (!b || !eat(')'))
      return std::nullopt;
    if (name == "floordiv")
      return SymbolicExpr::floorDiv(*a, *b);
    if (name == "mod")
      return SymbolicExpr::mod(*a, *b);
    if (name == "min")
      return SymbolicExpr::min(*a, *b);
    if (name == "max")
      return SymbolicExpr::max(*a, *b);
    return std::nullopt;
  }

  StringRef rest;
};

std::optional<SymbolicExpr> SymbolicExpr::parse(StringRef text) { return SymbolicParser(text).run(); }

} // namespace mxn
