//===- Recurrent.cpp - RNN, GRU, LSTM -------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the inputs of all times contribute to the gates is one product before the loop; a program.loop over time then
// adds what the state contributes. T: time, B: batch, H: hidden size, G: gates of the cell, D: directions.
//
#include "passes/Import/Recurrent.h"
#include "dialects/Program/ProgramDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Import/Indexing.h"

using namespace mlir;

namespace mxn {
namespace {

enum class Cell { RNN, GRU, LSTM };
int64_t gateCount(Cell cell) { return cell == Cell::RNN ? 1 : cell == Cell::GRU ? 3 : 4; }

/// The operands by position, the same in all three operators.
enum Operand : unsigned { X, W, R, Bias, SequenceLens, InitialH, InitialC, Peepholes };

template <typename Context> FailureOr<int64_t> directionCount(Context &c) {
  StringRef direction = c.node.stringAttr("direction", "forward");
  if (direction == "forward" || direction == "reverse")
    return 1;
  if (direction == "bidirectional")
    return 2;
  return c.error() << "the direction '" << direction << "' isn't one that ONNX has";
}

LogicalResult inferRecurrent(InferContext &c, Cell cell) {
  FailureOr<int64_t> directions = directionCount(c);
  if (failed(directions))
    return failure();
  Dims x = c.dims(X), w = c.dims(W), r = c.dims(R);
  if (x.size() != 3 || w.size() != 3 || r.size() != 3)
    return c.error() << "X, W and R need 3 dimensions, they have " << x.size() << ", " << w.size() << " and "
                     << r.size();
  bool batchFirst = c.node.intAttr("layout", 0);
  SymbolicExpr time = x[batchFirst], batch = x[!batchFirst], hidden = r[2], gates(gateCount(cell));
  if (c.node.has("hidden_size") && failed(c.equate(hidden, c.node.intAttr("hidden_size", 0), "the hidden size")))
    return failure();
  auto state = [&] { return batchFirst ? Dims{batch, *directions, hidden} : Dims{*directions, batch, hidden}; };
  auto check = [&](unsigned i, const Dims &want, StringRef name) -> LogicalResult {
    if (!c.hasInput(i))
      return success();
    Dims got = c.dims(i);
    if (got.size() != want.size())
      return c.error() << name << " has " << got.size() << " dimensions, it needs " << want.size();
    for (auto [d, e] : llvm::zip(got, want))
      if (failed(c.equate(d, e, name + "'s shape")))
        return failure();
    return success();
  };
  if (failed(check(W, {*directions, gates * hidden, x[2]}, "W")) ||
      failed(check(R, {*directions, gates * hidden, hidden}, "R")) ||
      failed(check(Bias, {*directions, SymbolicExpr(2) * gates * hidden}, "B")) ||
      failed(check(SequenceLens, {batch}, "sequence_lens")) || failed(check(InitialH, state(), "initial_h")) ||
      failed(check(InitialC, state(), "initial_c")) ||
      failed(check(Peepholes, {*directions, SymbolicExpr(3) * hidden}, "P")))
    return failure();
  c.setDims(0, batchFirst ? Dims{batch, time, *directions, hidden} : Dims{time, *directions, batch, hidden});
  c.setDims(1, state());
  c.setDims(2, state());
  return success();
}

/// Lowers one node.
class Recurrent {
public:
  Recurrent(LowerContext &c, Cell cell) : c(c), cell(cell), gates(gateCount(cell)) {}
  Lowered run();

private:
  AffineExpr dim(int64_t i) { return getAffineDimExpr(i, c.b.getContext()); }
  AffineExpr number(int64_t v) { return getAffineConstantExpr(v, c.b.getContext()); }
  AffineMap map(int64_t loops, ArrayRef<AffineExpr> exprs) { return AffineMap::get(loops, 0, exprs, c.b.getContext()); }

  /// An operand whose dimension 1 is `parts` times as long as it says, split there.
  Value split(unsigned operand, int64_t parts) {
    Dims from = c.dims(operand), to = from;
    to[1] = hidden;
    to.insert(to.begin() + 1, parts);
    return c.reshape(c.input(operand), from, to);
  }
  /// The sums of all gates, [B, G * H], as [B, G, H]; and the part of one gate.
  Value byGate(Value sums) {
    return c.reshape(sums, {batch, gates * hidden}, {batch, SymbolicExpr(gates), SymbolicExpr(hidden)});
  }
  Read gate(Value byGate, int64_t which) { return {byGate, map(2, {dim(0), number(which), dim(1)})}; }
  /// The part of one gate of an operand that is split by gates.
  Read vector(Value split, int64_t which) { return {split, map(2, {number(direction), number(which), dim(1)})}; }
  Read whole(Value v) { return {v, map(2, {dim(0), dim(1)})}; }

  /// A [B, H] tensor computed from others, in the type of the state; `body` gets the elements in that type.
  Value pointwise(ArrayRef<Read> reads, function_ref<Value(ScalarBuilder &, ValueRange)> body);
  /// sums + a weights^T: one loop for each dimension of `sums`, and a last one that `a` and `weights` reduce.
  Value product(Read a, Read weights, Value sums);
  /// sums + h R^T, for all gates or for one of them.
  Value recur(Value h, Value sums) {
    return product({h, map(3, {dim(0), dim(2)})}, {c.input(R), map(3, {number(direction), dim(1), dim(2)})}, sums);
  }
  Value recur(Value h, Value sums, int64_t which) {
    return product({h, map(3, {dim(0), dim(2)})},
                   {split(R, gates), map(3, {number(direction), number(which), dim(1), dim(2)})}, sums);
  }
  Value inputPart();
  Value initialState(unsigned operand);
  SmallVector<Value> step(Value xt, ValueRange state);
  /// Keeps the state of the sequences that have ended before `now`, and appends what is stacked.
  SmallVector<Value> finish(ValueRange before, ValueRange after, Value now, bool stacks);
  SmallVector<Value> stepRNN(Value xt, Value h);
  SmallVector<Value> stepGRU(Value xt, Value h);
  SmallVector<Value> stepLSTM(Value xt, Value h, Value cellState);
  /// Final states, and the state of each time in the order of the steps where somebody reads it.
  void runDirection(bool reverse, bool stacks);
  /// One output from tensors of each direction; `time` says which dimension counts time, or -1.
  Value assemble(unsigned output, ArrayRef<Value> parts, int64_t time, int64_t batchAt, int64_t directionAt);

  LowerContext &c;
  Cell cell;
  int64_t gates, hidden = 0, direction = 0;
  SymbolicExpr time, batch;
  bool batchFirst = false, linearBeforeReset = false, masked = false;
  Type element, wide; // of the operands and of the state
  SmallVector<Activation> f;
  SmallVector<Value> lastH, lastC, all; // by direction
  SmallVector<bool> reversed;
};

Value Recurrent::pointwise(ArrayRef<Read> reads, function_ref<Value(ScalarBuilder &, ValueRange)> body) {
  return generate(c, {batch, hidden}, wide, reads, [&](OpBuilder &b, Location loc, ValueRange, ValueRange elements) {
    ScalarBuilder s(b, loc);
    SmallVector<Value> converted;
    for (Value v : elements)
      converted.push_back(s.convert(v, wide));
    return body(s, converted);
  });
}

Value Recurrent::product(Read a, Read weights, Value sums) {
  int64_t outer = cast<RankedTensorType>(sums.getType()).getRank(), loops = outer + 1;
  SmallVector<AffineExpr> out;
  for (int64_t i = 0; i < outer; ++i)
    out.push_back(dim(i));
  SmallVector<AffineMap> maps = {a.map, weights.map, map(loops, out)};
  SmallVector<utils::IteratorType> iterators(loops, utils::IteratorType::parallel);
  iterators.back() = utils::IteratorType::reduction;
  return linalg::GenericOp::create(c.b, c.loc, sums.getType(), ValueRange{a.tensor, weights.tensor}, sums, maps,
                                   iterators,
                                   [&](OpBuilder &nested, Location at, ValueRange v) {
                                     ScalarBuilder s(nested, at);
                                     Value term = s.mul(s.convert(v[0], wide), s.convert(v[1], wide));
                                     linalg::YieldOp::create(nested, at, s.add(v[2], term));
                                   })
      .getResult(0);
}

/// X W^T and the biases, for all times: [T, B, G * H].
Value Recurrent::inputPart() {
  Dims dims = {time, batch, gates * hidden};
  Value start;
  if (c.hasInput(Bias)) {
    // The biases of the inputs, then those of the state.
    Dims from = c.dims(Bias);
    Value split = c.reshape(c.input(Bias), from, {from[0], SymbolicExpr(2), SymbolicExpr(gates * hidden)});
    auto bias = [&](int64_t which) { return Read{split, map(3, {number(direction), number(which), dim(2)})}; };
    start = generate(c, dims, wide, {bias(0), bias(1)}, [&](OpBuilder &b, Location loc, ValueRange at, ValueRange v) {
      ScalarBuilder s(b, loc);
      Value input = s.convert(v[0], wide), state = s.convert(v[1], wide);
      if (linearBeforeReset) { // the state's bias of the last gate goes through the reset gate
        Value last = arith::ConstantIndexOp::create(b, loc, 2 * hidden);
        Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, at[2], last);
        state = s.select(inside, s.number(wide, 0), state);
      }
      return s.add(input, state);
    });
  } else {
    start = c.filled(dims, c.constant(wide, 0));
  }
  AffineMap x = batchFirst ? map(4, {dim(1), dim(0), dim(3)}) : map(4, {dim(0), dim(1), dim(3)});
  return product({c.input(X), x}, {c.input(W), map(4, {number(direction), dim(2), dim(3)})}, start);
}

Value Recurrent::initialState(unsigned operand) {
  if (!c.hasInput(operand))
    return pointwise({}, [&](ScalarBuilder &s, ValueRange) { return s.number(wide, 0); });
  AffineMap from =
      batchFirst ? map(2, {dim(0), number(direction), dim(1)}) : map(2, {number(direction), dim(0), dim(1)});
  return pointwise({{c.input(operand), from}}, [](ScalarBuilder &, ValueRange v) { return v[0]; });
}

//===----------------------------------------------------------------------===//
// One step in time
//===----------------------------------------------------------------------===//

SmallVector<Value> Recurrent::stepRNN(Value xt, Value h) {
  return {pointwise({whole(recur(h, xt))}, [&](ScalarBuilder &s, ValueRange v) { return f[0](s, v[0]); })};
}

SmallVector<Value> Recurrent::stepGRU(Value xt, Value h) {
  // Gates: update, reset, hidden.
  auto mix = [&](ScalarBuilder &s, Value update, Value candidate, Value before) {
    return s.add(s.mul(s.sub(s.number(wide, 1), update), candidate), s.mul(update, before));
  };
  Value input = byGate(xt);
  if (linearBeforeReset) {
    Value state = byGate(recur(h, c.filled({batch, gates * hidden}, c.constant(wide, 0))));
    SmallVector<Read> reads = {gate(input, 0), gate(input, 1), gate(input, 2), gate(state, 0),
                               gate(state, 1), gate(state, 2), whole(h)};
    if (c.hasInput(Bias))
      reads.push_back(vector(split(Bias, 2 * gates), gates + 2));
    return {pointwise(reads, [&](ScalarBuilder &s, ValueRange v) {
      Value update = f[0](s, s.add(v[0], v[3])), reset = f[0](s, s.add(v[1], v[4]));
      Value inner = v.size() > 7 ? s.add(v[5], v[7]) : v[5];
      return mix(s, update, f[1](s, s.add(v[2], s.mul(reset, inner))), v[6]);
    })};
  }
  auto sums = [&](Value state, int64_t which) {
    Value part = pointwise({gate(input, which)}, [](ScalarBuilder &, ValueRange v) { return v[0]; });
    return recur(state, part, which);
  };
  Value update = sums(h, 0);
  Value kept = pointwise({whole(sums(h, 1)), whole(h)},
                         [&](ScalarBuilder &s, ValueRange v) { return s.mul(f[0](s, v[0]), v[1]); });
  return {pointwise({whole(update), whole(sums(kept, 2)), whole(h)},
                    [&](ScalarBuilder &s, ValueRange v) { return mix(s, f[0](s, v[0]), f[1](s, v[1]), v[2]); })};
}

SmallVector<Value> Recurrent::stepLSTM(Value xt, Value h, Value before) {
  // Gates: input, output, forget, cell; peepholes: input, output, forget.
  Value sums = byGate(recur(h, xt)), peepholes = c.hasInput(Peepholes) ? split(Peepholes, 3) : Value();
  SmallVector<Read> reads = {gate(sums, 0), gate(sums, 2), gate(sums, 3), whole(before)};
  if (peepholes)
    reads.append({vector(peepholes, 0), vector(peepholes, 2)});
  Value after = pointwise(reads, [&](ScalarBuilder &s, ValueRange v) {
    auto peep = [&](Value x, unsigned i) { return peepholes ? s.add(x, s.mul(v[i], v[3])) : x; };
    Value input = f[0](s, peep(v[0], 4)), forget = f[0](s, peep(v[1], 5));
    return s.add(s.mul(forget, v[3]), s.mul(input, f[1](s, v[2])));
  });
  reads = {gate(sums, 1), whole(after)};
  if (peepholes)
    reads.push_back(vector(peepholes, 1));
  Value out = pointwise(reads, [&](ScalarBuilder &s, ValueRange v) {
    Value output = f[0](s, peepholes ? s.add(v[0], s.mul(v[2], v[1])) : v[0]);
    return s.mul(output, f[2](s, v[1]));
  });
  return {out, after};
}

SmallVector<Value> Recurrent::finish(ValueRange before, ValueRange after, Value now, bool stacks) {
  SmallVector<Value> next(after);
  if (!masked) {
    if (stacks)
      next.push_back(next[0]);
    return next;
  }
  // A sequence that has ended keeps its state and gives zeros; one that is read backwards hasn't begun.
  Read lengths = {c.input(SequenceLens), map(2, {dim(0)})};
  auto choose = [&](Value running, std::optional<Value> ended) {
    SmallVector<Read> reads = {whole(running), lengths};
    if (ended)
      reads.push_back(whole(*ended));
    return generate(c, {batch, hidden}, wide, reads, [&](OpBuilder &b, Location loc, ValueRange, ValueRange v) {
      ScalarBuilder s(b, loc);
      Value length = arith::IndexCastOp::create(b, loc, b.getIndexType(), v[1]);
      Value runs = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, now, length);
      return s.select(runs, v[0], ended ? v[2] : s.number(wide, 0));
    });
  };
  for (auto [i, old] : llvm::enumerate(before))
    next[i] = choose(after[i], old);
  if (stacks)
    next.push_back(choose(after[0], std::nullopt));
  return next;
}

SmallVector<Value> Recurrent::step(Value xt, ValueRange state) {
  switch (cell) {
  case Cell::RNN:
    return stepRNN(xt, state[0]);
  case Cell::GRU:
    return stepGRU(xt, state[0]);
  case Cell::LSTM:
    return stepLSTM(xt, state[0], state[1]);
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Time and directions
//===----------------------------------------------------------------------===//

void Recurrent::runDirection(bool reverse, bool stacks) {
  Value x = inputPart();
  SmallVector<Value> state = {initialState(InitialH)};
  if (cell == Cell::LSTM)
    state.push_back(initialState(InitialC));
  Dims stateDims = {batch, hidden}, rowDims = {batch, gates * hidden};
  reversed.push_back(reverse);
  if (time.isConstant(1)) {
    SmallVector<Value> next = step(c.reshape(x, {1, batch, gates * hidden}, rowDims), state);
    next = finish(state, next, c.index(0), stacks);
    if (stacks)
      all.push_back(c.reshape(next.pop_back_val(), stateDims, {1, batch, hidden}));
    state = next;
  } else {
    SmallVector<Type> types(state.size(), c.type(stateDims, wide));
    SmallVector<Value> sizes;
    auto addSizes = [&](ArrayRef<SymbolicExpr> dims) {
      for (const SymbolicExpr &d : dims)
        if (!d.constant())
          sizes.push_back(c.size(d));
    };
    for (size_t i = 0; i < state.size(); ++i)
      addSizes(stateDims);
    if (stacks) {
      types.push_back(c.type({time, batch, hidden}, wide));
      addSizes({time, batch, hidden});
    }
    Value steps = c.size(time);
    auto loop = program::LoopOp::create(c.b, c.loc, types, steps, Value(), state, sizes);
    Block &body = loop.getBody().emplaceBlock();
    Value now = body.addArgument(c.b.getIndexType(), c.loc);
    SmallVector<Value> carried;
    for (size_t i = 0; i < state.size(); ++i)
      carried.push_back(body.addArgument(types[i], c.loc));
    {
      OpBuilder::InsertionGuard insertion(c.b);
      c.b.setInsertionPointToStart(&body);
      if (reverse) {
        Value last = c.size(time - 1);
        now = arith::SubIOp::create(c.b, c.loc, last, now);
      }
      SmallVector<OpFoldResult> offsets = {now, c.b.getIndexAttr(0), c.b.getIndexAttr(0)};
      SmallVector<OpFoldResult> lengths = c.foldedSizes({1, batch, gates * hidden});
      SmallVector<OpFoldResult> strides(3, c.b.getIndexAttr(1));
      Value xt = tensor::ExtractSliceOp::create(c.b, c.loc, c.type(rowDims, wide), x, offsets, lengths, strides);
      program::YieldOp::create(c.b, c.loc, finish(carried, step(xt, carried), now, stacks));
    }
    state.assign(loop.getResults().begin(), loop.getResults().begin() + state.size());
    if (stacks)
      all.push_back(loop.getResults().back());
  }
  lastH.push_back(state[0]);
  if (cell == Cell::LSTM)
    lastC.push_back(state[1]);
}

Value Recurrent::assemble(unsigned output, ArrayRef<Value> parts, int64_t timeAt, int64_t batchAt,
                          int64_t directionAt) {
  Dims dims = c.outputDims(output);
  Value steps = timeAt < 0 ? Value() : c.size(time);
  return generate(c, dims, element, {}, [&](OpBuilder &b, Location loc, ValueRange at, ValueRange) {
    ScalarBuilder s(b, loc);
    Value result;
    for (auto [d, part] : llvm::enumerate(parts)) {
      SmallVector<Value> index;
      if (timeAt >= 0) {
        Value t = at[timeAt];
        if (reversed[d]) {
          Value one = arith::ConstantIndexOp::create(b, loc, 1);
          t = arith::SubIOp::create(b, loc, arith::SubIOp::create(b, loc, steps, one), t);
        }
        index.push_back(t);
      }
      index.push_back(at[batchAt]);
      index.push_back(at[dims.size() - 1]);
      Value v = s.convert(tensor::ExtractOp::create(b, loc, part, index), element);
      if (!result) {
        result = v;
        continue;
      }
      Value here = arith::ConstantIndexOp::create(b, loc, d);
      Value mine = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, at[directionAt], here);
      result = s.select(mine, v, result);
    }
    return result;
  });
}

Lowered Recurrent::run() {
  FailureOr<int64_t> directions = directionCount(c);
  if (failed(directions))
    return failure();
  element = LowerContext::lowered(c.inputElement(X));
  if (!isa_and_present<FloatType>(element))
    return c.error() << "inputs of type " << c.inputElement(X) << " aren't supported";
  wide = accumulatorType(element);
  Dims x = c.dims(X);
  batchFirst = c.node.intAttr("layout", 0);
  time = x[batchFirst];
  batch = x[!batchFirst];
  linearBeforeReset = cell == Cell::GRU && c.node.intAttr("linear_before_reset", 0);
  auto size = c.dims(R)[2].constant();
  if (!size)
    return c.error() << "the hidden size must be known when compiling";
  hidden = *size;
  if (c.node.intAttr("input_forget", 0))
    return c.error() << "input_forget = 1 isn't supported";
  if (c.hasInput(SequenceLens)) {
    auto lengths = c.values(SequenceLens);
    masked = !lengths || llvm::any_of(*lengths, [&](const SymbolicExpr &l) { return l != time; });
  }
  static const StringRef defaults[] = {"sigmoid", "tanh", "tanh"};
  ArrayRef<StringRef> names(defaults);
  names = cell == Cell::RNN ? names.slice(1, 1) : cell == Cell::GRU ? names.take_front(2) : names;
  auto activations = recurrentActivations(c, *directions, names);
  if (failed(activations))
    return failure();

  auto wants = [&](unsigned i) { return i < c.node.getNumResults() && !c.node.getResult(i).use_empty(); };
  for (direction = 0; direction < *directions; ++direction) {
    f = (*activations)[direction];
    runDirection(direction == 1 || c.node.stringAttr("direction", "forward") == "reverse", wants(0));
  }
  SmallVector<Value> results(c.node.getNumResults());
  if (wants(0))
    results[0] = batchFirst ? assemble(0, all, 1, 0, 2) : assemble(0, all, 0, 2, 1);
  for (unsigned i : {1u, 2u})
    if (wants(i))
      results[i] = assemble(i, i == 1 ? lastH : lastC, -1, batchFirst ? 0 : 1, batchFirst ? 1 : 0);
  return results;
}

Handler recurrent(Cell cell) {
  return {[cell](InferContext &c) { return inferRecurrent(c, cell); },
          [cell](LowerContext &c) { return Recurrent(c, cell).run(); }};
}

} // namespace

void addRecurrentHandlers(HandlerRegistry &r) {
  r.add("", "RNN", 7, recurrent(Cell::RNN));
  r.add("", "GRU", 7, recurrent(Cell::GRU));
  r.add("", "LSTM", 7, recurrent(Cell::LSTM));
}

} // namespace mxn
