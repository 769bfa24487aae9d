//===- SymbolicExpr.h - Polynomials over a model's symbolic sizes ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A dimension of a tensor, or an element of a small integer tensor that holds sizes, is a polynomial with integer
// coefficients over symbols ("batch", "past") and over calls floordiv, mod, min and max of such polynomials. Two
// expressions are equal exactly when their canonical forms are.
//
#ifndef MXN_LIB_SUPPORT_SYMBOLICEXPR_H
#define MXN_LIB_SUPPORT_SYMBOLICEXPR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mxn {

class SymbolicExpr {
public:
  enum class Call { FloorDiv, Mod, Min, Max };

  SymbolicExpr() = default;
  SymbolicExpr(int64_t value);
  static SymbolicExpr symbol(llvm::StringRef name);

  /// Reads `+ - * ( )`, integers, names of letters, digits, `_`, `.` and `:` that don't begin with a digit, and calls
  /// `floordiv(a, b)`, `mod(a, b)`, `min(a, b)`, `max(a, b)`. Nothing where the text is something else.
  static std::optional<SymbolicExpr> parse(llvm::StringRef text);
  /// Canonical form; parse(str()) gives the expression back.
  std::string str() const;

  std::optional<int64_t> constant() const;
  bool isConstant(int64_t value) const { return constant() == value; }
  /// The name, where the expression is a single symbol.
  std::optional<std::string> asSymbol() const;

  friend SymbolicExpr operator+(const SymbolicExpr &a, const SymbolicExpr &b);
  friend SymbolicExpr operator-(const SymbolicExpr &a, const SymbolicExpr &b);
  friend SymbolicExpr operator*(const SymbolicExpr &a, const SymbolicExpr &b);
  /// Rounds towards minus infinity; exact where every coefficient is a multiple of a constant divisor, or where the
  /// divisor is a common factor.
  static SymbolicExpr floorDiv(const SymbolicExpr &a, const SymbolicExpr &b);
  static SymbolicExpr ceilDiv(const SymbolicExpr &a, const SymbolicExpr &b);
  static SymbolicExpr mod(const SymbolicExpr &a, const SymbolicExpr &b);
  static SymbolicExpr min(const SymbolicExpr &a, const SymbolicExpr &b);
  static SymbolicExpr max(const SymbolicExpr &a, const SymbolicExpr &b);

  bool operator==(const SymbolicExpr &other) const { return terms == other.terms; }
  bool operator!=(const SymbolicExpr &other) const { return !(*this == other); }
  bool operator<(const SymbolicExpr &other) const { return terms < other.terms; }

  /// Replaces symbols, inside calls too. `map` gives nothing for a symbol that stays.
  SymbolicExpr substitute(llvm::function_ref<std::optional<SymbolicExpr>(llvm::StringRef)> map) const;
  /// All symbols, those inside calls too.
  std::set<std::string> symbols() const;
  /// A lower bound when every symbol is at least 0.
  std::optional<int64_t> lowerBound() const;

  /// Writes the expression with the caller's operations: used to evaluate it and to emit IR for it.
  template <typename T> struct Builder {
    llvm::function_ref<T(int64_t)> constant;
    llvm::function_ref<T(llvm::StringRef)> symbol;
    llvm::function_ref<T(T, T)> add, mul;
    llvm::function_ref<T(Call, T, T)> call;
  };
  template <typename T> T build(const Builder<T> &b) const;

  /// A factor of a term: a symbol, or a call of two polynomials.
  struct Atom;
  /// Factors in ascending order; repeated for powers. The empty one is the constant term.
  using Monomial = std::vector<Atom>;

private:
  static SymbolicExpr call(Call kind, const SymbolicExpr &a, const SymbolicExpr &b);
  void add(const Monomial &monomial, int64_t coefficient);
  std::map<Monomial, int64_t> terms;
  friend class SymbolicParser;
};

struct SymbolicExpr::Atom {
  std::string name;               // the symbol, or the canonical text of the call
  std::vector<SymbolicExpr> args; // two for a call
  Call kind = Call::FloorDiv;
  bool operator<(const Atom &other) const { return name < other.name; }
  bool operator==(const Atom &other) const { return name == other.name; }
};

template <typename T> T SymbolicExpr::build(const Builder<T> &b) const {
  std::optional<T> sum;
  for (const auto &[monomial, coefficient] : terms) {
    std::optional<T> product;
    for (const Atom &atom : monomial) {
      T factor =
          atom.args.empty() ? b.symbol(atom.name) : b.call(atom.kind, atom.args[0].build(b), atom.args[1].build(b));
      product = product ? b.mul(*product, factor) : factor;
    }
    if (!product)
      product = b.constant(coefficient);
    else if (coefficient != 1)
      product = b.mul(*product, b.constant(coefficient));
    sum = sum ? b.add(*sum, *product) : *product;
  }
  return sum ? *sum : b.constant(0);
}

} // namespace mxn

#endif
