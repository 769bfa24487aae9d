//===- ProgramSerializer.cpp - One op, one instruction --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Bundle/ProgramSerializer.h"
#include "lib/Support/ElementTypes.h"
#include "lib/Support/SymbolicExpr.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using llvm::createStringError;
using llvm::Error;

namespace mxn::bundle_writer {

template <typename T>
void ProgramSerializer::emit(std::vector<std::unique_ptr<bundle::InstructionT>> &list, T op, Location loc) {
  auto instruction = std::make_unique<bundle::InstructionT>();
  instruction->op.Set(std::move(op));
  instruction->location = location(loc);
  list.push_back(std::move(instruction));
  if (&list != &function->prologue)
    ++instructionCount;
}

// Where an op that only computes a register goes: to the prologue if that knows all that the op reads. A check that
// stands in a branch counts only where the branch runs.
std::vector<std::unique_ptr<bundle::InstructionT>> &ProgramSerializer::placeOf(Operation *op) {
  bool isCheck = isa<program::CheckEqualOp, program::CheckAtLeastOp>(op);
  bool inside = !isa<program::FunctionOp>(op->getParentOp());
  bool isLate = llvm::any_of(op->getOperands(), [&](Value v) { return late.contains(v); });
  if (isLate)
    late.insert(op->result_begin(), op->result_end());
  return isLate || (isCheck && inside) ? body->instructions : function->prologue;
}

int32_t ProgramSerializer::location(Location loc) {
  std::string name;
  loc->walk([&](Location inner) {
    auto named = dyn_cast<NameLoc>(inner);
    if (named && name.empty())
      name = named.getName().str();
    return WalkResult::advance();
  });
  if (name.empty())
    return -1;
  auto [it, isNew] = locations.try_emplace(name, plan.locations.size());
  if (isNew)
    plan.locations.push_back(name);
  return it->second;
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

uint32_t ProgramSerializer::registerOf(Value v) {
  if (auto constant = v.getDefiningOp<arith::ConstantOp>())
    return constantRegister(cast<IntegerAttr>(constant.getValue()).getInt());
  return registers.lookup(v);
}

uint32_t ProgramSerializer::constantRegister(int64_t value) {
  auto [it, isNew] = constantRegisters.try_emplace(value, 0);
  if (isNew) {
    it->second = fresh();
    bundle::ConstantOpT op;
    op.result = it->second;
    op.value = value;
    emit(function->prologue, op, UnknownLoc::get(context));
  }
  return it->second;
}

static std::optional<bundle::Arith> arithKind(Operation *op) {
  if (isa<arith::AddIOp>(op))
    return bundle::Arith_Add;
  if (isa<arith::SubIOp>(op))
    return bundle::Arith_Sub;
  if (isa<arith::MulIOp>(op))
    return bundle::Arith_Mul;
  if (isa<arith::FloorDivSIOp>(op))
    return bundle::Arith_FloorDiv;
  if (isa<arith::CeilDivSIOp>(op))
    return bundle::Arith_CeilDiv;
  if (isa<arith::MinSIOp>(op))
    return bundle::Arith_Min;
  if (isa<arith::MaxSIOp>(op))
    return bundle::Arith_Max;
  if (isa<arith::AndIOp>(op))
    return bundle::Arith_And;
  if (isa<arith::OrIOp>(op))
    return bundle::Arith_Or;
  return std::nullopt;
}

Error ProgramSerializer::prologueOp(Operation *op) {
  if (isa<arith::ConstantOp>(op))
    return Error::success(); // when it is used
  if (isa<arith::IndexCastOp>(op)) {
    registers[op->getResult(0)] = registerOf(op->getOperand(0)); // registers are i64 anyway
    if (late.contains(op->getOperand(0)))
      late.insert(op->getResult(0));
    return Error::success();
  }
  if (auto dim = dyn_cast<program::InputDimOp>(op)) {
    bundle::InputDimT out;
    out.result = registers[dim.getValue()] = fresh();
    out.input = dim.getInput();
    out.axis = dim.getAxis();
    emit(function->prologue, out, op->getLoc());
    return Error::success();
  }
  if (auto check = dyn_cast<program::CheckEqualOp>(op)) {
    bundle::CheckEqualT out;
    out.lhs = registerOf(check.getLhs());
    out.rhs = registerOf(check.getRhs());
    out.message = check.getMessage().str();
    emit(placeOf(op), out, op->getLoc());
    return Error::success();
  }
  if (auto check = dyn_cast<program::CheckAtLeastOp>(op)) {
    bundle::CheckAtLeastT out;
    out.lhs = registerOf(check.getLhs());
    out.rhs = registerOf(check.getRhs());
    out.message = check.getMessage().str();
    emit(placeOf(op), out, op->getLoc());
    return Error::success();
  }
  if (auto select = dyn_cast<arith::SelectOp>(op)) {
    bundle::SelectOpT out;
    out.condition = registerOf(select.getCondition());
    out.if_true = registerOf(select.getTrueValue());
    out.if_false = registerOf(select.getFalseValue());
    out.result = registers[select.getResult()] = fresh();
    emit(placeOf(op), out, op->getLoc());
    return Error::success();
  }
  if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
    // The bundle has ==, < and <=; the others are the same with the sides exchanged.
    bundle::ArithOpT out;
    bool swap = false;
    switch (compare.getPredicate()) {
    case arith::CmpIPredicate::eq:
      out.kind = bundle::Arith_Equal;
      break;
    case arith::CmpIPredicate::sgt:
      swap = true;
      [[fallthrough]];
    case arith::CmpIPredicate::slt:
      out.kind = bundle::Arith_Less;
      break;
    case arith::CmpIPredicate::sge:
      swap = true;
      [[fallthrough]];
    case arith::CmpIPredicate::sle:
      out.kind = bundle::Arith_LessEqual;
      break;
    default:
      return createStringError("internal error: a bundle can't hold this comparison of sizes");
    }
    out.lhs = registerOf(swap ? compare.getRhs() : compare.getLhs());
    out.rhs = registerOf(swap ? compare.getLhs() : compare.getRhs());
    out.result = registers[compare.getResult()] = fresh();
    emit(placeOf(op), out, op->getLoc());
    return Error::success();
  }
  if (auto kind = arithKind(op)) {
    bundle::ArithOpT out;
    out.kind = *kind;
    out.lhs = registerOf(op->getOperand(0));
    out.rhs = registerOf(op->getOperand(1));
    out.result = registers[op->getResult(0)] = fresh();
    emit(placeOf(op), out, op->getLoc());
    return Error::success();
  }
  return createStringError("internal error: a bundle can't hold the op " + op->getName().getStringRef());
}

//===----------------------------------------------------------------------===//
// Buffers and work
//===----------------------------------------------------------------------===//

uint32_t ProgramSerializer::bufferOf(Value buffer) {
  auto [it, isNew] = buffers.try_emplace(buffer, function->buffers.size());
  uint32_t index = it->second;
  uint32_t now = instructionCount; // the number of the instruction that is being made
  if (isNew) {
    auto out = std::make_unique<bundle::BufferT>();
    Operation *op = buffer.getDefiningOp();
    if (auto input = dyn_cast<program::InputOp>(op)) {
      out->kind = bundle::BufferKind_Input;
      out->index = input.getInput();
      out->size = registerOf(input.getSize());
    } else if (auto output = dyn_cast<program::OutputOp>(op)) {
      out->kind = bundle::BufferKind_Output;
      out->index = output.getOutput();
      out->size = registerOf(output.getSize());
      if (output.getDonated())
        out->donated_input = *output.getDonated();
    } else if (auto constant = dyn_cast<program::ConstantOp>(op)) {
      ConstantPlace place = constants.lookup(constant.getSymbol());
      out->kind = bundle::BufferKind_Constant;
      out->index = place.section;
      out->offset = place.offset;
      out->length = place.length;
    } else {
      out->kind = bundle::BufferKind_Transient;
      out->size = registerOf(cast<program::TransientOp>(op).getSize());
      out->first = now;
    }
    function->buffers.push_back(std::move(out));
  }
  bundle::BufferT &out = *function->buffers[index];
  if (out.kind == bundle::BufferKind_Transient)
    out.last = now;
  return index;
}

std::unique_ptr<bundle::SliceT> ProgramSerializer::slice(Value buffer, Value size, Value offset) {
  auto out = std::make_unique<bundle::SliceT>();
  out->buffer = bufferOf(buffer);
  out->offset = offset ? registerOf(offset) : constantRegister(0);
  out->length = registerOf(size);
  return out;
}

uint32_t ProgramSerializer::kernelIndex(program::DispatchOp op) {
  auto [it, isNew] = kernels.try_emplace(op.getKernel(), plan.kernels.size());
  if (isNew) {
    auto kernel = std::make_unique<bundle::KernelT>();
    kernel->name = op.getKernel().str();
    kernel->bindings = op.getBindings().size();
    kernel->constants = op.getConstants().size();
    plan.kernels.push_back(std::move(kernel));
  }
  return it->second;
}

Error ProgramSerializer::bodyOp(Operation *op) {
  if (auto dispatch = dyn_cast<program::DispatchOp>(op)) {
    bundle::DispatchT out;
    out.kernel = kernelIndex(dispatch);
    for (auto [buffer, size] : llvm::zip(dispatch.getBindings(), dispatch.getSizes()))
      out.bindings.push_back(slice(buffer, size));
    for (bool write : dispatch.getWrites())
      out.writes.push_back(write);
    for (Value v : dispatch.getConstants())
      out.constants.push_back(registerOf(v));
    for (Value v : dispatch.getGrid())
      out.grid.push_back(registerOf(v));
    emit(body->instructions, std::move(out), op->getLoc());
    return Error::success();
  }
  if (auto copy = dyn_cast<program::CopyOp>(op)) {
    bundle::CopyT out;
    out.source = slice(copy.getSource(), copy.getSize());
    out.target = slice(copy.getTarget(), copy.getSize(), copy.getOffset());
    emit(body->instructions, std::move(out), op->getLoc());
    return Error::success();
  }
  if (auto read = dyn_cast<program::ReadOp>(op)) {
    bundle::ReadOpT out;
    out.source = std::make_unique<bundle::SliceT>();
    out.source->buffer = bufferOf(read.getSource());
    out.source->offset = constantRegister(0);
    out.source->length = constantRegister(std::max(1u, read.getElement().getIntOrFloatBitWidth() / 8));
    out.type = static_cast<bundle::ElementType>(onnxElementType(read.getElement()));
    out.minimum = read.getMinimum();
    out.maximum = read.getMaximum();
    out.message = read.getMessage().str();
    out.result = registers[read.getValue()] = fresh();
    late.insert(read.getValue());
    emit(body->instructions, std::move(out), op->getLoc());
    return Error::success();
  }
  if (auto branches = dyn_cast<program::IfOp>(op))
    return ifOp(branches);
  if (auto loop = dyn_cast<program::LoopOp>(op))
    return loopOp(loop);
  if (isa<program::YieldOp>(op))
    return Error::success();
  // Buffers are made when they are first used; an output that nothing writes has no use.
  if (isa<program::InputOp, program::OutputOp, program::ConstantOp, program::TransientOp>(op))
    return Error::success();
  return prologueOp(op);
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

uint32_t ProgramSerializer::newBlock() {
  function->blocks.push_back(std::make_unique<bundle::BlockT>());
  return function->blocks.size() - 1;
}

Error ProgramSerializer::blockOps(Block &ops, uint32_t block) {
  bundle::BlockT *around = body;
  body = function->blocks[block].get();
  for (Operation &op : ops)
    if (Error e = bodyOp(&op))
      return e;
  body = around;
  return Error::success();
}

Error ProgramSerializer::ifOp(program::IfOp op) {
  bundle::IfT out;
  out.condition = registerOf(op.getCondition());
  uint32_t blocks[] = {out.then_block = newBlock(), out.else_block = newBlock()};
  emit(body->instructions, out, op->getLoc());
  for (auto [region, block] : llvm::zip(op->getRegions(), blocks))
    if (Error e = blockOps(region.front(), block))
      return e;
  return Error::success();
}

Error ProgramSerializer::loopOp(program::LoopOp op) {
  uint32_t number = instructionCount;
  Value counter = op.getBody().getArgument(0);
  bundle::LoopT out;
  out.trips = registerOf(op.getTrips());
  out.counter = registers[counter] = fresh();
  late.insert(counter);
  uint32_t block = out.block = newBlock();
  out.condition = std::make_unique<bundle::SliceT>();
  if (op.getCondition()) {
    out.has_condition = true;
    out.condition->buffer = bufferOf(op.getCondition());
    out.condition->offset = constantRegister(0);
    out.condition->length = constantRegister(1);
  }
  emit(body->instructions, std::move(out), op->getLoc());
  if (Error e = blockOps(op.getBody().front(), block))
    return e;
  // What the body touches of memory from outside lives from one time to the next.
  for (const auto &[buffer, index] : buffers) {
    bundle::BufferT &memory = *function->buffers[index];
    if (memory.kind != bundle::BufferKind_Transient || memory.last < number ||
        op->isProperAncestor(buffer.getDefiningOp()))
      continue;
    memory.first = std::min(memory.first, number);
    memory.last = std::max(memory.last, instructionCount - 1);
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

std::unique_ptr<bundle::TensorT> ProgramSerializer::tensor(program::TensorAttr attr, ArrayRef<uint32_t> dims) {
  auto out = std::make_unique<bundle::TensorT>();
  out->name = attr.getName().str();
  out->type = static_cast<bundle::ElementType>(onnxElementType(attr.getElement()));
  for (auto [label, size] : llvm::zip(attr.getLabels(), dims)) {
    auto dim = std::make_unique<bundle::DimT>();
    dim->name = label.getValue().str();
    dim->size = size;
    out->dims.push_back(std::move(dim));
  }
  return out;
}

Error ProgramSerializer::addCacheGroup(program::CacheGroupAttr group) {
  auto find = [](auto &tensors, const std::string &name) -> int64_t {
    for (auto [i, tensor] : llvm::enumerate(tensors))
      if (tensor->name == name)
        return i;
    return -1;
  };
  std::string name = group.getName().str();
  int64_t cache = find(function->inputs, "cache." + name), table = find(function->inputs, "blocks." + name);
  int64_t result = find(function->outputs, "cache." + name);
  if (cache < 0 || table < 0 || result < 0)
    return createStringError("internal error: the cache group " + name + " lacks its inputs or its output");
  auto out = std::make_unique<bundle::CacheGroupT>();
  out->name = name;
  out->cache_input = cache;
  out->table_input = table;
  out->cache_output = result;
  out->layers = group.getLayers();
  out->heads = group.getHeads();
  out->head_size = group.getHeadSize();
  out->block_tokens = group.getBlockTokens();
  out->type = function->inputs[cache]->type;
  out->sink = group.getSink();
  out->window = group.getWindow();
  function->cache_groups.push_back(std::move(out));
  return Error::success();
}

Error ProgramSerializer::add(program::FunctionOp op) {
  context = op.getContext();
  plan.functions.push_back(std::make_unique<bundle::FunctionT>());
  function = plan.functions.back().get();
  function->name = op.getSymName().str();
  function->blocks.push_back(std::make_unique<bundle::BlockT>());
  body = function->blocks.back().get();
  instructionCount = 0;
  late.clear();
  registers.clear();
  buffers.clear();
  constantRegisters.clear();

  std::map<std::pair<int64_t, int64_t>, uint32_t> inputDims;
  std::map<int64_t, SmallVector<uint32_t>> outputDims;
  for (Operation &inner : op.getBody().front()) {
    if (auto shape = dyn_cast<program::OutputShapeOp>(inner)) {
      for (Value v : shape.getDims())
        outputDims[shape.getOutput()].push_back(registerOf(v));
      continue;
    }
    if (Error e = bodyOp(&inner))
      return e;
    if (auto dim = dyn_cast<program::InputDimOp>(inner))
      inputDims[{dim.getInput(), dim.getAxis()}] = registers[dim.getValue()];
  }
  for (auto [i, attr] : llvm::enumerate(op.getInputs().getAsRange<program::TensorAttr>())) {
    SmallVector<uint32_t> dims;
    for (auto [axis, text] : llvm::enumerate(attr.getDims())) {
      // A constant tells everybody what the caller must pass; otherwise it is what the caller passed.
      if (auto fixed = SymbolicExpr::parse(text.getValue())->constant()) {
        dims.push_back(constantRegister(*fixed));
        continue;
      }
      auto found = inputDims.find({i, axis});
      if (found == inputDims.end()) {
        bundle::InputDimT dim;
        dim.result = fresh();
        dim.input = i;
        dim.axis = axis;
        emit(function->prologue, dim, op.getLoc());
        found = inputDims.try_emplace({i, axis}, dim.result).first;
      }
      dims.push_back(found->second);
    }
    function->inputs.push_back(tensor(attr, dims));
  }
  for (auto [i, attr] : llvm::enumerate(op.getOutputs().getAsRange<program::TensorAttr>()))
    function->outputs.push_back(tensor(attr, outputDims[i]));
  if (op.getCacheGroups())
    for (auto group : op.getCacheGroups()->getAsRange<program::CacheGroupAttr>())
      if (Error e = addCacheGroup(group))
        return e;
  return Error::success();
}

} // namespace mxn::bundle_writer
