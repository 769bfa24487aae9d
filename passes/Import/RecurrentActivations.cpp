//===- RecurrentActivations.cpp - The functions inside of cells -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/Import/Recurrent.h"

using namespace mlir;

namespace mxn {
namespace {

/// One of ONNX's list. `alpha` and `beta` are the values that stand for what the node doesn't give; none: the function
/// has no such parameter, NaN: there is no default.
struct Known {
  StringRef name;
  std::optional<double> alpha, beta;
  Value (*build)(ScalarBuilder &s, Value x, double alpha, double beta);
};

constexpr double kRequired = NAN;

const Known kKnown[] = {
    {"relu", {}, {}, [](ScalarBuilder &s, Value x, double, double) { return s.max(x, s.number(x, 0)); }},
    {"tanh", {}, {}, [](ScalarBuilder &s, Value x, double, double) { return s.tanh(x); }},
    {"sigmoid", {}, {}, [](ScalarBuilder &s, Value x, double, double) { return s.sigmoid(x); }},
    {"affine", kRequired, kRequired,
     [](ScalarBuilder &s, Value x, double alpha, double beta) {
       return s.add(s.mul(x, s.number(x, alpha)), s.number(x, beta));
     }},
    {"leakyrelu",
     0.01,
     {},
     [](ScalarBuilder &s, Value x, double alpha, double) {
       return s.select(s.less(x, s.number(x, 0)), s.mul(x, s.number(x, alpha)), x);
     }},
    {"thresholdedrelu",
     1.0,
     {},
     [](ScalarBuilder &s, Value x, double alpha, double) {
       return s.select(s.less(s.number(x, alpha), x), x, s.number(x, 0));
     }},
    {"scaledtanh", kRequired, kRequired,
     [](ScalarBuilder &s, Value x, double alpha, double beta) {
       return s.mul(s.tanh(s.mul(x, s.number(x, beta))), s.number(x, alpha));
     }},
    {"hardsigmoid", 0.2, 0.5,
     [](ScalarBuilder &s, Value x, double alpha, double beta) {
       Value y = s.add(s.mul(x, s.number(x, alpha)), s.number(x, beta));
       return s.min(s.max(y, s.number(x, 0)), s.number(x, 1));
     }},
    {"elu",
     1.0,
     {},
     [](ScalarBuilder &s, Value x, double alpha, double) {
       return s.select(s.less(x, s.number(x, 0)), s.mul(s.expm1(x), s.number(x, alpha)), x);
     }},
    {"softsign",
     {},
     {},
     [](ScalarBuilder &s, Value x, double, double) { return s.div(x, s.add(s.number(x, 1), s.abs(x))); }},
    {"softplus",
     {},
     {},
     [](ScalarBuilder &s, Value x, double, double) {
       // log(1 + e^x) without an e^x that is too large.
       return s.add(s.max(x, s.number(x, 0)), s.log1p(s.exp(s.neg(s.abs(x)))));
     }},
};

SmallVector<double> floats(onnx::NodeOp node, StringRef name) {
  SmallVector<double> out;
  if (auto dense = dyn_cast_if_present<DenseF32ArrayAttr>(node.attr(name)))
    llvm::append_range(out, dense.asArrayRef());
  else if (auto list = dyn_cast_if_present<ArrayAttr>(node.attr(name)))
    for (auto value : list.getAsRange<FloatAttr>())
      out.push_back(value.getValueAsDouble());
  return out;
}

} // namespace

FailureOr<SmallVector<SmallVector<Activation>>> recurrentActivations(LowerContext &c, int64_t directions,
                                                                     ArrayRef<StringRef> defaults) {
  SmallVector<std::string> names;
  if (auto list = dyn_cast_if_present<ArrayAttr>(c.node.attr("activations")))
    for (auto name : list.getAsRange<StringAttr>())
      names.push_back(name.getValue().lower());
  size_t wanted = directions * defaults.size();
  for (size_t i = 0; names.size() < wanted && !c.node.has("activations"); ++i)
    names.push_back(defaults[i % defaults.size()].str());
  if (names.size() != wanted)
    return c.error() << "has " << names.size() << " activations, it needs " << wanted;

  // Each function that has a parameter takes the next value of the list.
  SmallVector<double> alphas = floats(c.node, "activation_alpha"), betas = floats(c.node, "activation_beta");
  size_t nextAlpha = 0, nextBeta = 0;
  auto take = [](std::optional<double> absent, ArrayRef<double> given, size_t &next) {
    if (!absent)
      return 0.0;
    return next < given.size() ? given[next++] : *absent;
  };
  bool clips = c.node.has("clip");
  double bound = c.node.floatAttr("clip", 0);
  SmallVector<SmallVector<Activation>> out(directions);
  for (size_t i = 0; i < names.size(); ++i) {
    StringRef name = names[i];
    const Known *known = llvm::find_if(kKnown, [&](const Known &k) { return k.name == name; });
    if (known == std::end(kKnown))
      return c.error() << "the activation '" << name << "' isn't supported";
    double alpha = take(known->alpha, alphas, nextAlpha), beta = take(known->beta, betas, nextBeta);
    if (std::isnan(alpha) || std::isnan(beta))
      return c.error() << "the activation '" << name << "' needs values in activation_alpha and activation_beta";
    // What the cell state goes through, LSTM's third one, isn't clipped: it's no sum of gates, and ONNX Runtime, for
    // which such models are trained and exported, leaves it as it is.
    bool clipped = clips && i % defaults.size() < 2;
    out[i / defaults.size()].push_back([=](ScalarBuilder &s, Value x) {
      if (clipped)
        x = s.min(s.max(x, s.number(x, -bound)), s.number(x, bound));
      return known->build(s, x, alpha, beta);
    });
  }
  return out;
}

} // namespace mxn
