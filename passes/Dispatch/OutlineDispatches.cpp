//===- OutlineDispatches.cpp - From tensors to buffers and kernels --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/LLM/LLMDialect.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/Dispatch/Passes.h"
#include "passes/Dispatch/TensorSizes.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace mxn {
#define GEN_PASS_DEF_OUTLINEDISPATCHESPASS
#include "passes/Dispatch/Passes.h.inc"

namespace {

/// The kernels of a module; equal ones are made once.
class KernelLibrary {
public:
  explicit KernelLibrary(ModuleOp module) {
    OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
    kernels = ModuleOp::create(b, module.getLoc(), kernel::kModuleName);
  }

  /// Takes a finished kernel, which must stand nowhere else, and gives the name of it or of its equal.
  StringRef add(func::FuncOp kernel, StringRef hint) {
    kernel.setName("kernel");
    std::string text;
    llvm::raw_string_ostream stream(text);
    kernel.print(stream, OpPrintingFlags().useLocalScope());
    auto [it, isNew] = names.try_emplace(text, "");
    if (!isNew) {
      kernel.erase();
      return it->second;
    }
    it->second = ("k" + llvm::Twine(names.size() - 1) + "_" + hint).str();
    kernel.setName(it->second);
    kernels.getBody()->push_back(kernel);
    return it->second;
  }

private:
  ModuleOp kernels;
  llvm::StringMap<std::string> names;
};

/// Rewrites one function.
class Outliner {
public:
  Outliner(func::FuncOp func, KernelLibrary &kernels, SymbolTable &symbols)
      : func(func), kernels(kernels), symbols(symbols), b(func) {}

  LogicalResult run() {
    SmallVector<Attribute> inputs, outputs;
    for (unsigned i = 0; i < func.getNumArguments(); ++i)
      inputs.push_back(func.getArgAttr(i, program::kTensorAttrName));
    for (unsigned i = 0; i < func.getNumResults(); ++i)
      outputs.push_back(func.getResultAttr(i, program::kTensorAttrName));
    if (llvm::is_contained(inputs, Attribute()) || llvm::is_contained(outputs, Attribute()))
      return func.emitError() << "every argument and result needs a program.tensor attribute";
    for (BlockArgument arg : func.getArguments()) {
      auto type = dyn_cast<RankedTensorType>(arg.getType());
      size_t rank = cast<program::TensorAttr>(inputs[arg.getArgNumber()]).getDims().size();
      if (!type || type.getRank() != static_cast<int64_t>(rank))
        return func.emitError() << "argument " << arg.getArgNumber() << " is a " << arg.getType()
                                << ", its program.tensor has " << rank << " dimensions";
    }
    seedArguments();
    std::string name = func.getName().str();
    func.setName(name + ".tensors");
    function = program::FunctionOp::create(b, func.getLoc(), name, b.getArrayAttr(inputs), b.getArrayAttr(outputs),
                                           func->getAttrOfType<ArrayAttr>(program::kCacheGroupsAttrName));
    b.setInsertionPointToStart(&function.getBody().emplaceBlock());
    if (failed(prologue()))
      return failure();
    for (Operation &op : func.getBody().front())
      if (failed(convert(&op)))
        return failure();
    func.erase();
    return success();
  }

private:
  //===--------------------------------------------------------------------===//
  // Sizes
  //===--------------------------------------------------------------------===//

  /// The arguments' sizes, as symbols of the old function.
  void seedArguments() {
    OpBuilder at = OpBuilder::atBlockBegin(&func.getBody().front());
    for (BlockArgument arg : func.getArguments()) {
      auto tensor = cast<program::TensorAttr>(func.getArgAttr(arg.getArgNumber(), program::kTensorAttrName));
      auto type = cast<RankedTensorType>(arg.getType());
      SmallVector<OpFoldResult> dims;
      for (auto [i, text] : llvm::enumerate(tensor.getDims())) {
        if (!type.isDynamicDim(i)) {
          dims.push_back(at.getIndexAttr(type.getDimSize(i)));
          continue;
        }
        dims.push_back(materialize(at, func.getLoc(), *SymbolicExpr::parse(text.getValue()), [&](StringRef name) {
          return program::SymbolOp::create(at, func.getLoc(), at.getIndexType(), name).getResult();
        }));
      }
      known[arg] = dims;
    }
  }

  Value symbol(StringRef name) { return sizes.lookup(name); }

  /// The symbols' values from the inputs' dimensions, and a check of every dimension that isn't itself a definition.
  LogicalResult prologue() {
    Location loc = func.getLoc();
    struct Pending {
      SymbolicExpr expr;
      Value dim;
      std::string what;
    };
    SmallVector<Pending> pending;
    for (unsigned i = 0; i < func.getNumArguments(); ++i) {
      auto tensor = cast<program::TensorAttr>(func.getArgAttr(i, program::kTensorAttrName));
      for (auto [axis, text] : llvm::enumerate(tensor.getDims())) {
        SymbolicExpr e = *SymbolicExpr::parse(text.getValue());
        Value dim = program::InputDimOp::create(b, loc, b.getIndexType(), i, axis);
        auto name = e.asSymbol();
        if (name && !sizes.count(*name)) {
          sizes[*name] = dim;
          continue;
        }
        std::string label = tensor.getLabels()[axis].getValue().str();
        pending.push_back({e, dim,
                           "dimension " + std::to_string(axis) + " of input \"" + tensor.getName().str() +
                               "\" must be " + e.str() +
                               (label != e.str() ? " (the model calls it " + label + ")" : "")});
      }
    }
    // "past + 1" defines past where nothing else does.
    for (bool progress = true; progress;) {
      progress = false;
      for (Pending &p : pending)
        progress |= solve(p.expr, p.dim);
    }
    for (Pending &p : pending) {
      for (const std::string &name : p.expr.symbols())
        if (!sizes.count(name))
          return func.emitError() << "the size " << name << " in " << p.what << " can't be told from the inputs";
      Value want = materialize(b, loc, p.expr, [&](StringRef name) { return symbol(name); });
      program::CheckEqualOp::create(b, loc, p.dim, want, p.what);
    }
    for (auto [i, value] : llvm::enumerate(func.getBody().front().getTerminator()->getOperands())) {
      auto tensor = cast<program::TensorAttr>(func.getResultAttr(i, program::kTensorAttrName));
      SmallVector<Value> dims;
      for (StringAttr text : tensor.getDims()) {
        SymbolicExpr e = *SymbolicExpr::parse(text.getValue());
        for (const std::string &name : e.symbols())
          if (!sizes.count(name))
            return func.emitError() << "the size " << text.getValue() << " of output \"" << tensor.getName()
                                    << "\" depends on data, which isn't supported";
        dims.push_back(materialize(b, loc, e, [&](StringRef name) { return symbol(name); }));
      }
      program::OutputShapeOp::create(b, loc, i, dims);
    }
    return success();
  }

  /// Solves a dimension for a symbol that nothing has defined and that occurs once, alone, with coefficient 1.
  bool solve(const SymbolicExpr &e, Value dim) {
    std::optional<std::string> unknown;
    for (const std::string &name : e.symbols())
      if (!sizes.count(name)) {
        if (unknown)
          return false;
        unknown = name;
      }
    if (!unknown)
      return false;
    SymbolicExpr rest = e - SymbolicExpr::symbol(*unknown);
    if (rest.symbols().count(*unknown))
      return false;
    Location loc = func.getLoc();
    Value known = materialize(b, loc, rest, [&](StringRef name) { return symbol(name); });
    Value value = arith::SubIOp::create(b, loc, dim, known);
    Value zero = arith::ConstantOp::create(b, loc, b.getIndexAttr(0));
    program::CheckAtLeastOp::create(b, loc, value, zero, "the size " + *unknown + " must not be negative");
    sizes[*unknown] = value;
    return true;
  }

  Value asValue(OpFoldResult size) {
    if (auto v = dyn_cast<Value>(size))
      return mapping.lookup(v);
    int64_t n = cast<IntegerAttr>(cast<Attribute>(size)).getInt();
    auto at = b.saveInsertionPoint();
    auto it = constants.find(n);
    if (it == constants.end()) {
      // At the very start, so that everybody may use it.
      b.setInsertionPointToStart(&function.getBody().front());
      it = constants.try_emplace(n, arith::ConstantOp::create(b, func.getLoc(), b.getIndexAttr(n))).first;
      b.restoreInsertionPoint(at);
    }
    return it->second;
  }

  /// Sizes of a tensor of the old function as values of the old function (or constants).
  FailureOr<SmallVector<OpFoldResult>> sizesOf(Value tensor) {
    auto it = known.find(tensor);
    if (it != known.end())
      return it->second;
    if (auto found = tensorSizes(tensor))
      return *found;
    return emitError(tensor.getLoc()) << "internal error: the size of this tensor isn't known on the host";
  }

  FailureOr<Value> bytes(Value tensor) {
    auto dims = sizesOf(tensor);
    if (failed(dims))
      return failure();
    int64_t fixed = elementBytes(cast<RankedTensorType>(tensor.getType()).getElementType());
    Value product;
    for (OpFoldResult d : *dims) {
      if (auto v = dyn_cast<Value>(d)) {
        Value factor = mapping.lookup(v);
        product = product ? arith::MulIOp::create(b, tensor.getLoc(), product, factor).getResult() : factor;
      } else {
        fixed *= cast<IntegerAttr>(cast<Attribute>(d)).getInt();
      }
    }
    Value scale = asValue(b.getIndexAttr(fixed));
    if (!product)
      return scale;
    return fixed == 1 ? product : arith::MulIOp::create(b, tensor.getLoc(), product, scale).getResult();
  }

  //===--------------------------------------------------------------------===//
  // Ops
  //===--------------------------------------------------------------------===//

  struct Buffer {
    Value buffer, bytes;
  };

  FailureOr<Buffer> bufferOf(Value tensor) {
    if (auto it = buffers.find(tensor); it != buffers.end())
      return it->second;
    // Branches share inputs and constants, so these stand in front of the If or Loop that the function itself holds.
    OpBuilder::InsertionGuard insertion(b);
    if (outermost)
      b.setInsertionPoint(outermost);
    FailureOr<Value> size = bytes(tensor);
    if (failed(size))
      return failure();
    Location loc = tensor.getLoc();
    Value buffer;
    if (tensor.getDefiningOp<tensor::EmptyOp>()) // nobody cares what it holds
      return newTransient(tensor, *size);
    if (auto arg = dyn_cast<BlockArgument>(tensor))
      buffer = program::InputOp::create(b, loc, program::BufferType::get(b.getContext()), arg.getArgNumber(), *size);
    else if (auto weight = tensor.getDefiningOp<llm::ConstantOp>())
      buffer =
          program::ConstantOp::create(b, loc, program::BufferType::get(b.getContext()), weight.getValue().getSymbol());
    else if (auto constant = tensor.getDefiningOp<arith::ConstantOp>())
      buffer = program::ConstantOp::create(b, loc, program::BufferType::get(b.getContext()), blob(constant));
    else
      return emitError(loc) << "internal error: no buffer holds this tensor";
    return buffers[tensor] = Buffer{buffer, *size};
  }

  FlatSymbolRefAttr blob(arith::ConstantOp constant) {
    auto value = cast<ElementsAttr>(constant.getValue());
    OpBuilder at(function);
    auto op = program::BlobOp::create(at, constant.getLoc(), "blob", value);
    symbols.insert(op);
    return FlatSymbolRefAttr::get(op.getSymNameAttr());
  }

  LogicalResult convert(Operation *op) {
    if (auto symbolOp = dyn_cast<program::SymbolOp>(op)) {
      Value v = symbol(symbolOp.getName());
      if (!v)
        return op->emitError() << "the size " << symbolOp.getName()
                               << " depends on data (no input has it as a dimension), which isn't supported";
      mapping.map(symbolOp.getValue(), v);
      return success();
    }
    if (auto guard = dyn_cast<program::GuardOp>(op)) {
      Value sides[2];
      for (int i : {0, 1}) {
        StringRef text = i ? guard.getRhs() : guard.getLhs();
        SymbolicExpr e = *SymbolicExpr::parse(text);
        for (const std::string &name : e.symbols())
          if (!sizes.count(name))
            return op->emitError() << "the size " << name << " depends on data, which isn't supported";
        sides[i] = materialize(b, op->getLoc(), e, [&](StringRef name) { return symbol(name); });
      }
      program::CheckEqualOp::create(b, op->getLoc(), sides[0], sides[1], guard.getMessage());
      return success();
    }
    if (isa<llm::ConstantOp, tensor::EmptyOp>(op))
      return success();
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      if (constant.getType().isIndex())
        mapping.map(constant.getResult(), asValue(constant.getValue()));
      return success();
    }
    if (isa<arith::ArithDialect>(op->getDialect()) && op->getNumResults() == 1) {
      // Sizes are computed on the host; numbers that are made of sizes, where they are used.
      if (op->getResult(0).getType().isIndex())
        b.clone(*op, mapping);
      return success();
    }
    if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(op))
      return convertView(op);
    if (auto region = dyn_cast<program::RegionOp>(op))
      return convertRegion(region);
    if (auto read = dyn_cast<program::ReadOp>(op))
      return convertRead(read);
    if (auto branches = dyn_cast<program::IfOp>(op))
      return convertIf(branches);
    if (auto loop = dyn_cast<program::LoopOp>(op))
      return convertLoop(loop);
    if (isa<program::YieldOp>(op))
      return success(); // by the op that it ends
    if (auto ret = dyn_cast<func::ReturnOp>(op))
      return convertReturn(ret);
    return op->emitError() << "internal error: " << op->getName() << " isn't expected on the host";
  }

  /// The same bytes under another shape.
  LogicalResult convertView(Operation *op) {
    Value source = op->getOperand(0), result = op->getResult(0);
    FailureOr<Buffer> buffer = bufferOf(source);
    if (failed(buffer))
      return failure();
    buffers[result] = *buffer;
    if (tensorSizes(result))
      return success();
    auto dims = sizesOf(source);
    if (failed(dims))
      return failure();
    auto type = cast<RankedTensorType>(result.getType());
    SmallVector<OpFoldResult> sizesNow;
    if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
      OpBuilder at(op);
      for (auto [i, group] : llvm::enumerate(collapse.getReassociationIndices())) {
        if (!type.isDynamicDim(i)) {
          sizesNow.push_back(b.getIndexAttr(type.getDimSize(i)));
          continue;
        }
        // The product, as a value of both functions.
        Value outer, inner;
        for (int64_t d : group) {
          OpFoldResult size = (*dims)[d];
          Value here = asValue(size);
          Value there =
              isa<Value>(size)
                  ? cast<Value>(size)
                  : arith::ConstantOp::create(at, op->getLoc(), cast<TypedAttr>(cast<Attribute>(size))).getResult();
          inner = inner ? arith::MulIOp::create(b, op->getLoc(), inner, here).getResult() : here;
          outer = outer ? arith::MulIOp::create(at, op->getLoc(), outer, there).getResult() : there;
        }
        mapping.map(outer, inner);
        sizesNow.push_back(outer);
      }
    } else {
      sizesNow = *dims;
      for (auto [i, size] : llvm::enumerate(sizesNow))
        if (!type.isDynamicDim(i))
          size = b.getIndexAttr(type.getDimSize(i));
    }
    known[result] = sizesNow;
    return success();
  }

  LogicalResult convertRegion(program::RegionOp region) {
    Location loc = region.getLoc();
    // What the body reads from outside: tensors become bindings, sizes become constants of the dispatch.
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(region.getBody(), captured);
    SmallVector<Value> tensors, scalars;
    for (Value v : captured)
      (isa<TensorType>(v.getType()) ? tensors : scalars).push_back(v);

    OpBuilder::InsertionGuard insertion(b);
    OpBuilder k(b.getContext());
    auto kernel = func::FuncOp::create(loc, "kernel", k.getFunctionType({}, {}));
    k.setInsertionPointToStart(kernel.addEntryBlock());
    IRMapping inside;
    llvm::DenseMap<Value, Value> constantOf;
    SmallVector<Value> constants; // old values
    auto constant = [&](Value v) -> Value {
      Value &found = constantOf[v];
      if (!found) {
        // Constants and bindings stand first, whatever needs them.
        OpBuilder start(kernel.getContext());
        start.setInsertionPointToStart(&kernel.getBody().front());
        found = kernel::ConstantOp::create(start, loc, start.getIndexType(), constants.size());
        constants.push_back(v);
      }
      return found;
    };
    // Sizes come as the dispatch's constants; constants and numbers made of sizes are made again inside.
    auto scalar = [&](auto &self, Value v) -> LogicalResult {
      if (inside.contains(v))
        return success();
      Operation *op = v.getDefiningOp();
      if (v.getType().isIndex() && !isa_and_present<arith::ConstantOp>(op)) {
        inside.map(v, constant(v));
        return success();
      }
      if (!op || !isa<arith::ArithDialect>(op->getDialect()))
        return region.emitError() << "internal error: a kernel can't take a " << v.getType();
      for (Value operand : op->getOperands())
        if (failed(self(self, operand)))
          return failure();
      k.clone(*op, inside);
      return success();
    };
    for (Value v : scalars)
      if (failed(scalar(scalar, v)))
        return failure();
    SmallVector<Value> buffersBound, bufferBytes;
    SmallVector<bool> writes; // one for each binding
    auto bind = [&](Value tensor, Buffer buffer, bool write) -> FailureOr<Value> {
      auto type = cast<RankedTensorType>(tensor.getType());
      auto dims = sizesOf(tensor);
      if (failed(dims))
        return failure();
      SmallVector<Value> dynamic;
      for (auto [i, size] : llvm::enumerate(*dims))
        if (type.isDynamicDim(i)) {
          if (auto v = dyn_cast<Value>(size))
            dynamic.push_back(constant(v));
          else
            dynamic.push_back(arith::ConstantOp::create(k, loc, cast<TypedAttr>(cast<Attribute>(size))));
        }
      auto memref = MemRefType::get(type.getShape(), type.getElementType());
      // Memory that is taken over may be that of another binding.
      bool apart = !region.getTakesOver() && !region.getUpdates();
      Value binding = kernel::BindingOp::create(k, loc, memref, buffersBound.size(), dynamic, apart);
      buffersBound.push_back(buffer.buffer);
      bufferBytes.push_back(buffer.bytes);
      writes.push_back(write);
      return binding;
    };
    SmallVector<Value> targets;
    for (Value tensor : tensors) {
      FailureOr<Buffer> buffer = bufferOf(tensor);
      if (failed(buffer))
        return failure();
      bool updated = tensor == region.getUpdates();
      FailureOr<Value> binding = bind(tensor, *buffer, updated);
      if (failed(binding))
        return failure();
      inside.map(tensor, bufferization::ToTensorOp::create(k, loc, tensor.getType(), *binding, /*restrict=*/true,
                                                           /*writable=*/updated));
      if (!updated)
        continue;
      // The result is the same memory.
      targets.push_back(*binding);
      buffers[region.getResult(0)] = *buffer;
      known[region.getResult(0)] = *sizesOf(tensor);
    }
    for (Value result : region.getResults().drop_front(targets.size())) {
      FailureOr<Buffer> buffer = resultBuffer(result, region.getTakesOver());
      if (failed(buffer))
        return failure();
      FailureOr<Value> binding = bind(result, *buffer, true);
      if (failed(binding))
        return failure();
      targets.push_back(*binding);
    }
    for (Operation &op : region.getBody().front().without_terminator())
      k.clone(op, inside);
    StringRef hint = "copy";
    region.getBody().walk([&](Operation *op) {
      bool ofTiles = op->getParentOfType<scf::ForallOp>() && !isa<linalg::LinalgOp>(op);
      if (op->getParentOfType<linalg::LinalgOp>() || ofTiles || op->hasTrait<OpTrait::IsTerminator>() ||
          isa<tensor::EmptyOp, linalg::FillOp, arith::ConstantOp, scf::ForallOp>(op))
        return;
      hint = op->getName().stripDialect();
    });
    auto yield = cast<program::YieldOp>(region.getBody().front().getTerminator());
    for (auto [value, target] : llvm::zip(yield.getValues(), targets)) {
      auto op =
          bufferization::MaterializeInDestinationOp::create(k, loc, Type(), inside.lookupOrDefault(value), target);
      op.setRestrict(true);
      op.setWritable(true);
    }
    func::ReturnOp::create(k, loc);
    std::string name = kernels.add(kernel, hint).str();

    SmallVector<Value> registers;
    for (Value v : constants)
      registers.push_back(mapping.lookup(v));
    SmallVector<Value> points = grid(region);
    program::DispatchOp::create(b, loc, FlatSymbolRefAttr::get(b.getContext(), name), points, buffersBound, bufferBytes,
                                b.getDenseBoolArrayAttr(writes), registers);
    return success();
  }

  /// One point for each step of the region's parallel loops.
  SmallVector<Value> grid(program::RegionOp region) {
    Location loc = region.getLoc();
    SmallVector<Value> points;
    for (auto forall : region.getBody().getOps<scf::ForallOp>())
      for (auto [bound, step] : llvm::zip_equal(forall.getMixedUpperBound(), forall.getMixedStep())) {
        int64_t size = *getConstantIntValue(step);
        if (auto constant = getConstantIntValue(bound))
          points.push_back(asValue(b.getIndexAttr(llvm::divideCeilSigned(*constant, size))));
        else if (size == 1)
          points.push_back(asValue(bound));
        else
          points.push_back(arith::CeilDivSIOp::create(b, loc, asValue(bound), asValue(b.getIndexAttr(size))));
      }
    points.resize(3, asValue(b.getIndexAttr(1)));
    return points;
  }

  /// Memory for a region's result: an output's where the function returns it, otherwise transient.
  FailureOr<Buffer> resultBuffer(Value result, Value takesOver) {
    FailureOr<Value> size = bytes(result);
    if (failed(size))
      return failure();
    if (std::optional<Buffer> target = yieldedAs(result))
      return buffers[result] = *target;
    if (outermost)
      return newTransient(result, *size);
    Value buffer;
    if (auto output = returnedAs(result)) {
      // An input's memory may become the output's where nobody reads the input later.
      IntegerAttr donated;
      auto arg = dyn_cast_if_present<BlockArgument>(takesOver);
      if (arg && cast<OpResult>(result).getResultNumber() == 0 && llvm::all_of(arg.getUsers(), [&](Operation *user) {
            Operation *at = func.getBody().front().findAncestorOpInBlock(*user);
            return at == result.getDefiningOp() || at->isBeforeInBlock(result.getDefiningOp());
          }))
        donated = b.getI64IntegerAttr(arg.getArgNumber());
      buffer = program::OutputOp::create(b, result.getLoc(), program::BufferType::get(b.getContext()), *output, *size,
                                         donated);
      written.insert(*output);
    } else {
      buffer = program::TransientOp::create(b, result.getLoc(), program::BufferType::get(b.getContext()), *size);
    }
    return buffers[result] = Buffer{buffer, *size};
  }

  /// Memory that the runtime plans. What an untaken branch needs is planned too, where its sizes may be anything.
  Buffer newTransient(Value tensor, Value size) {
    Location loc = tensor.getLoc();
    if (outermost && !size.getDefiningOp<arith::ConstantOp>())
      size = arith::MaxSIOp::create(b, loc, size, asValue(b.getIndexAttr(0)));
    Value buffer = program::TransientOp::create(b, loc, program::BufferType::get(b.getContext()), size);
    return buffers[tensor] = Buffer{buffer, size};
  }

  /// The memory of the If's result that a value is, by itself or as another view. Nothing else writes to that memory
  /// while the branch runs; the tensor that a loop carries is still read.
  std::optional<Buffer> yieldedAs(Value value) {
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      if (user->getBlock() != value.getParentBlock())
        continue; // a branch inside this one
      if (isa<program::YieldOp>(user) && !direct.count(&use))
        if (auto branches = dyn_cast<program::IfOp>(user->getParentOp())) {
          direct.insert(&use);
          return buffers.lookup(branches.getResult(use.getOperandNumber()));
        }
      if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(user))
        if (auto buffer = yieldedAs(user->getResult(0)))
          return buffer;
    }
    return std::nullopt;
  }

  /// The output that a value is, by itself or as another view; none where it has been given to another output.
  std::optional<int64_t> returnedAs(Value value) {
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      if (isa<func::ReturnOp>(user) && !written.count(use.getOperandNumber()))
        return use.getOperandNumber();
      if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(user))
        if (auto output = returnedAs(user->getResult(0)))
          return output;
    }
    return std::nullopt;
  }

  //===--------------------------------------------------------------------===//
  // Control flow
  //===--------------------------------------------------------------------===//

  LogicalResult convertRead(program::ReadOp read) {
    FailureOr<Buffer> source = bufferOf(read.getSource());
    if (failed(source))
      return failure();
    auto op = program::ReadOp::create(b, read.getLoc(), b.getIndexType(), source->buffer, read.getElement(),
                                      read.getMinimum(), read.getMaximum(), read.getMessage());
    mapping.map(read.getValue(), op.getValue());
    return success();
  }

  /// Converts a body; `yield` gets the old terminator when all else is there. Leaves the builder where it was.
  LogicalResult convertBody(Block &old, Region &region, function_ref<LogicalResult(program::YieldOp)> yield) {
    OpBuilder::InsertionGuard insertion(b);
    Operation *around = outermost;
    if (!outermost)
      outermost = region.getParentOp();
    b.setInsertionPointToEnd(&region.front());
    for (Operation &op : old)
      if (failed(convert(&op)))
        return failure();
    auto last = cast<program::YieldOp>(old.getTerminator());
    if (failed(yield(last)))
      return failure();
    program::YieldOp::create(b, last.getLoc(), ValueRange());
    outermost = around;
    return success();
  }

  LogicalResult convertIf(program::IfOp old) {
    Location loc = old.getLoc();
    for (Value result : old.getResults())
      if (failed(resultBuffer(result, /*takesOver=*/Value())))
        return failure();
    auto op = program::IfOp::create(b, loc, TypeRange(), mapping.lookup(old.getCondition()), ValueRange());
    for (auto [from, to] : llvm::zip(old->getRegions(), op->getRegions())) {
      to.emplaceBlock();
      auto yield = [&](program::YieldOp yielded) -> LogicalResult {
        for (OpOperand &operand : yielded->getOpOperands()) {
          if (direct.count(&operand))
            continue;
          FailureOr<Buffer> source = bufferOf(operand.get());
          if (failed(source))
            return failure();
          Buffer target = buffers.lookup(old.getResult(operand.getOperandNumber()));
          program::CopyOp::create(b, loc, source->buffer, target.buffer, target.bytes, Value());
        }
        return success();
      };
      if (failed(convertBody(from.front(), to, yield)))
        return failure();
    }
    return success();
  }

  /// A carried tensor has one buffer, which holds `init` first and is written again when the body has run.
  LogicalResult convertLoop(program::LoopOp old) {
    Location loc = old.getLoc();
    Block &body = old.getBody().front();
    unsigned carried = old.getInit().size();
    auto copyInto = [&](Value from, Buffer to) -> LogicalResult {
      FailureOr<Buffer> source = bufferOf(from);
      if (succeeded(source))
        program::CopyOp::create(b, loc, source->buffer, to.buffer, to.bytes, Value());
      return success(succeeded(source));
    };
    SmallVector<Buffer> results;
    for (Value result : old.getResults()) {
      FailureOr<Buffer> buffer = resultBuffer(result, /*takesOver=*/Value());
      if (failed(buffer))
        return failure();
      results.push_back(*buffer);
    }
    for (unsigned i = 0; i < carried; ++i) {
      if (failed(copyInto(old.getInit()[i], results[i])))
        return failure();
      buffers[body.getArgument(1 + i)] = results[i];
    }
    Buffer condition;
    if (old.getCondition()) {
      Value size = asValue(b.getIndexAttr(1));
      condition = {program::TransientOp::create(b, loc, program::BufferType::get(b.getContext()), size), size};
      if (failed(copyInto(old.getCondition(), condition)))
        return failure();
    }
    auto op = program::LoopOp::create(b, loc, TypeRange(), mapping.lookup(old.getTrips()), condition.buffer,
                                      ValueRange(), ValueRange());
    Value counter = op.getBody().emplaceBlock().addArgument(b.getIndexType(), loc);
    mapping.map(body.getArgument(0), counter);
    auto yield = [&](program::YieldOp yielded) -> LogicalResult {
      ValueRange values = yielded.getValues();
      unsigned stacked = carried + (old.getCondition() ? 1 : 0);
      for (unsigned i = stacked; i < values.size(); ++i) {
        FailureOr<Buffer> source = bufferOf(values[i]);
        if (failed(source))
          return failure();
        Value offset = arith::MulIOp::create(b, loc, counter, source->bytes);
        program::CopyOp::create(b, loc, source->buffer, results[carried + i - stacked].buffer, source->bytes, offset);
      }
      if (old.getCondition() && failed(copyInto(values[carried], condition)))
        return failure();
      // One carried tensor may become another: such values are taken aside before any is overwritten.
      SmallVector<Value> sources;
      for (unsigned i = 0; i < carried; ++i) {
        FailureOr<Buffer> source = bufferOf(values[i]);
        if (failed(source))
          return failure();
        bool other = llvm::any_of(ArrayRef(results).take_front(carried),
                                  [&](const Buffer &r) { return r.buffer == source->buffer; });
        if (!other || source->buffer == results[i].buffer) {
          sources.push_back(source->buffer);
          continue;
        }
        Value aside = program::TransientOp::create(b, loc, program::BufferType::get(b.getContext()), source->bytes);
        program::CopyOp::create(b, loc, source->buffer, aside, source->bytes, Value());
        sources.push_back(aside);
      }
      for (unsigned i = 0; i < carried; ++i)
        if (sources[i] != results[i].buffer)
          program::CopyOp::create(b, loc, sources[i], results[i].buffer, results[i].bytes, Value());
      return success();
    };
    return convertBody(body, op.getBody(), yield);
  }

  LogicalResult convertReturn(func::ReturnOp ret) {
    for (auto [i, value] : llvm::enumerate(ret.getOperands())) {
      if (written.count(i))
        continue;
      FailureOr<Buffer> source = bufferOf(value);
      if (failed(source))
        return failure();
      // An input that was changed in place is returned in the caller's memory; the copy to itself is then none.
      IntegerAttr donated;
      if (auto input = source->buffer.getDefiningOp<program::InputOp>(); input && !isa<BlockArgument>(value))
        donated = b.getI64IntegerAttr(input.getInput());
      Value target = program::OutputOp::create(b, ret.getLoc(), program::BufferType::get(b.getContext()), i,
                                               source->bytes, donated);
      program::CopyOp::create(b, ret.getLoc(), source->buffer, target, source->bytes, Value());
    }
    return success();
  }

  func::FuncOp func;
  KernelLibrary &kernels;
  SymbolTable &symbols;
  OpBuilder b;
  program::FunctionOp function;
  llvm::StringMap<Value> sizes; // symbols
  std::map<int64_t, Value> constants;
  IRMapping mapping; // index values of the old function
  llvm::DenseMap<Value, SmallVector<OpFoldResult>> known;
  llvm::DenseMap<Value, Buffer> buffers;
  std::set<int64_t> written;
  std::set<OpOperand *> direct;   // what branches yield that needs no copy
  Operation *outermost = nullptr; // the If or Loop of the function's body that is being made
};

struct OutlineDispatches : impl::OutlineDispatchesPassBase<OutlineDispatches> {
  void runOnOperation() override {
    KernelLibrary kernels(getOperation());
    SymbolTable symbols(getOperation());
    for (auto func : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      Outliner outliner(func, kernels, symbols);
      if (failed(outliner.run()))
        return signalPassFailure();
    }
  }
};

} // namespace
} // namespace mxn
