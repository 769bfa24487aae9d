//===- Einsum.cpp - Sums of products by subscripts ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Loops.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace mxn {
namespace {

/// A label stands for a dimension: a letter, or kEllipsis + n for the n-th dimension of `...`, counted from the last.
using Labels = SmallVector<int>;
constexpr int kEllipsis = 256;

struct Equation {
  std::vector<Labels> operands;
  Labels result;

  /// Nothing where the text is malformed or doesn't fit the ranks.
  static std::optional<Equation> parse(StringRef text, ArrayRef<int64_t> ranks) {
    std::string packed;
    llvm::copy_if(text, std::back_inserter(packed), [](char c) { return c != ' '; });
    auto [left, right] = StringRef(packed).split("->");
    bool explicitResult = StringRef(packed).contains("->");
    SmallVector<StringRef> terms;
    left.split(terms, ',');
    if (terms.size() != ranks.size())
      return std::nullopt;
    Equation e;
    int64_t widest = 0;
    for (auto [term, rank] : llvm::zip(terms, ranks)) {
      int64_t letters = llvm::count_if(term, [](char c) { return llvm::isAlpha(c); });
      int64_t dots = rank - letters;
      auto labels = read(term, dots);
      if (!labels || static_cast<int64_t>(labels->size()) != rank)
        return std::nullopt;
      if (term.contains("..."))
        widest = std::max(widest, dots);
      e.operands.push_back(*labels);
    }
    if (explicitResult) {
      auto labels = read(right, widest);
      if (!labels)
        return std::nullopt;
      e.result = *labels;
      return e;
    }
    // Without "->": the dimensions of `...`, then the letters that occur once, in alphabetical order.
    for (int64_t i = widest; i-- > 0;)
      e.result.push_back(kEllipsis + i);
    for (int letter = 0; letter < kEllipsis; ++letter)
      if (StringRef(left).count(static_cast<char>(letter)) == 1 && llvm::isAlpha(static_cast<char>(letter)))
        e.result.push_back(letter);
    return e;
  }

private:
  static std::optional<Labels> read(StringRef term, int64_t dots) {
    Labels labels;
    bool seen = false;
    while (!term.empty()) {
      if (term.consume_front("...")) {
        if (seen || dots < 0)
          return std::nullopt;
        seen = true;
        for (int64_t i = dots; i-- > 0;)
          labels.push_back(kEllipsis + i);
      } else if (llvm::isAlpha(term.front())) {
        labels.push_back(term.front());
        term = term.drop_front();
      } else {
        return std::nullopt;
      }
    }
    return labels;
  }
};

using Sizes = std::map<int, SymbolicExpr>;

template <typename Context> std::optional<Equation> equationOf(Context &c) {
  SmallVector<int64_t> ranks;
  for (unsigned i = 0; i < c.node.getInputs().size(); ++i)
    ranks.push_back(c.dims(i).size());
  return Equation::parse(c.node.stringAttr("equation", ""), ranks);
}

LogicalResult inferEinsum(InferContext &c) {
  auto equation = equationOf(c);
  if (!equation)
    return c.error() << "the equation \"" << c.node.stringAttr("equation", "") << "\" doesn't fit its inputs";
  Sizes sizes;
  for (auto [i, labels] : llvm::enumerate(equation->operands))
    for (auto [axis, label] : llvm::enumerate(labels)) {
      SymbolicExpr size = c.dims(i)[axis];
      auto [it, fresh] = sizes.try_emplace(label, size);
      if (fresh)
        continue;
      // A letter means one size; the dimensions of `...` and those of 1 are broadcast.
      if (label < kEllipsis && !size.isConstant(1) && !it->second.isConstant(1) &&
          failed(c.equate(it->second, size, "the sizes of '" + std::string(1, static_cast<char>(label)) + "'")))
        return failure();
      it->second = c.broadcast(it->second, c.dims(i)[axis]);
    }
  Dims dims;
  for (int label : equation->result) {
    if (!sizes.count(label))
      return c.error() << "the result has a dimension that no input has";
    dims.push_back(sizes[label]);
  }
  c.setDims(0, dims);
  return success();
}

/// A tensor whose dimensions have labels.
struct Labelled {
  Value tensor;
  Labels labels;
  Dims dims;
};

/// The product of one or two tensors, summed over the labels that the result doesn't keep.
Labelled contract(LowerContext &c, ArrayRef<Labelled> operands, const Labels &keep, Sizes &sizes, Type type) {
  Labels loops = keep;
  for (const Labelled &o : operands)
    for (int label : o.labels)
      if (!llvm::is_contained(loops, label))
        loops.push_back(label);
  Labelled result{Value(), keep, {}};
  for (int label : keep)
    result.dims.push_back(sizes[label]);
  SmallVector<LoopOperand> read;
  for (const Labelled &o : operands) {
    LoopOperand operand{o.tensor, {}};
    for (auto [label, size] : llvm::zip(o.labels, o.dims)) {
      bool once = size.isConstant(1) && !sizes[label].isConstant(1);
      operand.loops.push_back(once ? -1 : std::distance(loops.begin(), llvm::find(loops, label)));
    }
    read.push_back(operand);
  }
  auto product = [&](ScalarBuilder &s, ValueRange v) {
    Value p = s.convert(v[0], type);
    return operands.size() > 1 ? s.mul(p, s.convert(v[1], type)) : p;
  };
  if (loops.size() == keep.size())
    result.tensor = compute(c, read, result.dims, type, product);
  else
    result.tensor = loopNest(c, loops.size(), read, c.filled(result.dims, c.constant(type, 0)), allLoops(keep.size()),
                             [&](ScalarBuilder &s, ValueRange v) { return s.add(v.back(), product(s, v)); });
  return result;
}

FailureOr<SmallVector<Value>> lowerEinsum(LowerContext &c) {
  Equation e = *equationOf(c);
  Sizes sizes;
  std::vector<Labelled> operands;
  for (auto [i, labels] : llvm::enumerate(e.operands)) {
    operands.push_back({c.input(i), labels, c.dims(i)});
    for (auto [label, size] : llvm::zip(labels, operands.back().dims))
      if (auto [it, fresh] = sizes.try_emplace(label, size); !fresh && it->second.isConstant(1))
        it->second = size;
  }
  Dims out = c.outputDims();
  for (auto [label, size] : llvm::zip(e.result, out))
    sizes[label] = size;
  Type element = LowerContext::lowered(c.outputElement()), type = accumulatorType(element);
  Labelled sum = operands[0];
  if (operands.size() == 1)
    sum = contract(c, {sum}, e.result, sizes, type);
  // Two at a time: a label that no later input and no result has is summed at once.
  for (size_t i = 1; i < operands.size(); ++i) {
    Labels keep;
    auto needed = [&](int label) {
      return llvm::is_contained(e.result, label) || llvm::any_of(llvm::drop_begin(operands, i + 1), [&](auto &o) {
               return llvm::is_contained(o.labels, label);
             });
    };
    for (const Labelled *o : {&sum, &operands[i]})
      for (int label : o->labels)
        if (needed(label) && !llvm::is_contained(keep, label))
          keep.push_back(label);
    sum = contract(c, {sum, operands[i]}, i + 1 == operands.size() ? e.result : keep, sizes, type);
  }
  return SmallVector<Value>{convertTensor(c, sum.tensor, out, element)};
}

} // namespace

void addEinsumHandlers(HandlerRegistry &r) { r.add("", "Einsum", 12, {inferEinsum, lowerEinsum}); }

} // namespace mxn
