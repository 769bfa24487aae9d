//===- Materialize.cpp - Symbolic expressions as index arithmetic ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Support/Materialize.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace mxn {

Value materialize(OpBuilder &b, Location loc, const SymbolicExpr &e, llvm::function_ref<Value(StringRef)> symbol) {
  auto number = [&](int64_t v) -> Value { return arith::ConstantOp::create(b, loc, b.getIndexAttr(v)); };
  auto add = [&](Value x, Value y) -> Value { return arith::AddIOp::create(b, loc, x, y); };
  auto mul = [&](Value x, Value y) -> Value { return arith::MulIOp::create(b, loc, x, y); };
  auto call = [&](SymbolicExpr::Call kind, Value x, Value y) -> Value {
    switch (kind) {
    case SymbolicExpr::Call::FloorDiv:
      return arith::FloorDivSIOp::create(b, loc, x, y);
    case SymbolicExpr::Call::Mod: {
      // arith has no floored remainder: x - floordiv(x, y) * y.
      Value quotient = arith::FloorDivSIOp::create(b, loc, x, y);
      return arith::SubIOp::create(b, loc, x, arith::MulIOp::create(b, loc, quotient, y));
    }
    case SymbolicExpr::Call::Min:
      return arith::MinSIOp::create(b, loc, x, y);
    case SymbolicExpr::Call::Max:
      return arith::MaxSIOp::create(b, loc, x, y);
    }
    return Value();
  };
  return e.build<Value>({number, symbol, add, mul, call});
}

} // namespace mxn
