//===- Dimensions.cpp - Names of dimensions as expressions ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/Convert.h"
#include "lib/Support/SymbolicExpr.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace mxn;

void import::Dimensions::learn(const plain::Type &type) {
  for (const plain::Dim &dim : type.dims)
    if (auto expr = SymbolicExpr::parse(dim.name)) {
      auto symbols = expr->symbols();
      used.insert(symbols.begin(), symbols.end());
      if (auto symbol = expr->asSymbol())
        alone.insert(*symbol);
    }
}

/// Whether a label is spelled like "batch-size", which is a name though it could be a difference.
static bool isHyphenated(StringRef label) {
  for (size_t i = 1; i + 1 < label.size(); ++i)
    if (label[i] == '-' && isAlnum(label[i - 1]) && isAlpha(label[i + 1]))
      return true;
  return false;
}

std::vector<std::string> import::Dimensions::expressions(StringRef tensor, const plain::Type &type) {
  std::vector<std::string> result;
  for (auto [axis, dim] : enumerate(type.dims)) {
    if (dim.value >= 0) {
      result.push_back(std::to_string(dim.value));
      continue;
    }
    auto expr = SymbolicExpr::parse(dim.name);
    bool negative = expr && expr->constant() && *expr->constant() < 0;
    if (negative || none_of(dim.name, [](char c) { return isAlnum(c); })) {
      result.push_back(fresh((tensor + "_d" + Twine(axis)).str()));
      continue;
    }
    auto [label, isNew] = labels.try_emplace(dim.name);
    if (isNew) {
      // Symbols that stand nowhere on their own: one can be solved for, two can't.
      unsigned unknown = 0;
      if (expr && !expr->asSymbol())
        for (const std::string &symbol : expr->symbols())
          unknown += !alone.count(symbol);
      bool isName = !expr || unknown > 1 || (unknown && isHyphenated(dim.name));
      label->second = isName ? fresh(dim.name) : expr->str();
    }
    result.push_back(label->second);
  }
  return result;
}

std::string import::Dimensions::fresh(StringRef text) {
  std::string name;
  for (char c : text)
    name += isAlnum(c) || c == '.' || c == ':' ? c : '_';
  if (name.empty() || !(isAlpha(name.front()) || name.front() == '_'))
    name.insert(name.begin(), '_');
  std::string unique = name;
  for (unsigned i = 1; !used.insert(unique).second; ++i)
    unique = name + "_" + std::to_string(i);
  return unique;
}
