// DecodeBody.cpp - checks and decodes the instructions of one function.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/DecodeBody.h"

#include <algorithm>

using namespace mxn;
using namespace mxn::runtime;

mxn_status_t BodyDecoder::failHere(const char *what) const {
  return fail(MXN_STATUS_BAD_BUNDLE, "function \"%s\", %s %u: %s", out.name,
              inPrologue ? "prologue instruction" : "instruction", number, what);
}

mxn_status_t BodyDecoder::read(uint32_t reg) {
  if (reg >= states.size())
    return failHere("reads a register that doesn't exist");
  if (states[reg] == Unwritten)
    return failHere("reads a register that isn't written before");
  if (states[reg] == OutOfScope)
    return failHere("reads a register of a block that isn't around it");
  return MXN_STATUS_OK;
}

mxn_status_t BodyDecoder::write(uint32_t reg) {
  if (reg >= states.size())
    return failHere("writes a register that doesn't exist");
  if (states[reg] != Unwritten)
    return failHere("writes a register that is written elsewhere too");
  states[reg] = inPrologue ? Known : Visible;
  written.push_back(reg);
  return MXN_STATUS_OK;
}

mxn_status_t BodyDecoder::addSlice(const bundle::Slice *slice, bool writes, Instruction &instruction) {
  if (!slice)
    return failHere("lacks an operand");
  if (slice->buffer() >= out.buffers.size())
    return failHere("names a buffer that doesn't exist");
  MXN_RETURN_IF_FAILED(read(slice->offset()));
  MXN_RETURN_IF_FAILED(read(slice->length()));
  const Buffer &buffer = out.buffers[slice->buffer()];
  if (buffer.kind == bundle::BufferKind_Transient && (number < buffer.first || number > buffer.last))
    return failHere("touches a transient buffer outside of its range");
  if (writes && buffer.kind == bundle::BufferKind_Constant)
    return failHere("writes to a constant");
  if (writes && buffer.kind == bundle::BufferKind_Input) {
    if (!out.donatableInputs[buffer.index])
      return failHere("writes to an input that no output takes over");
    out.writtenInputs[buffer.index] = true;
  }
  bool known = states[slice->offset()] == Known && states[slice->length()] == Known;
  out.slices.push_back({slice->buffer(), slice->offset(), slice->length(), known});
  ++instruction.sliceCount;
  return MXN_STATUS_OK;
}

// Instructions that only compute registers; all that a prologue may hold.
mxn_status_t BodyDecoder::decodeArithmetic(const bundle::Instruction &source, Instruction &instruction) {
  if (const bundle::ConstantOp *op = source.op_as_ConstantOp()) {
    instruction.minimum = op->value();
    instruction.result = op->result();
  } else if (const bundle::InputDim *op = source.op_as_InputDim()) {
    if (op->input() >= out.inputs.size() || op->axis() >= out.inputs[op->input()].dimensions.size())
      return failHere("asks for an input dimension that doesn't exist");
    instruction.lhs = op->input();
    instruction.rhs = op->axis();
    instruction.result = op->result();
  } else if (const bundle::ArithOp *op = source.op_as_ArithOp()) {
    if (op->kind() > bundle::Arith_MAX)
      return failHere("has an unknown operation");
    instruction.detail = op->kind();
    instruction.lhs = op->lhs();
    instruction.rhs = op->rhs();
    instruction.result = op->result();
    MXN_RETURN_IF_FAILED(read(op->lhs()));
    MXN_RETURN_IF_FAILED(read(op->rhs()));
  } else if (const bundle::SelectOp *op = source.op_as_SelectOp()) {
    instruction.condition = op->condition();
    instruction.lhs = op->if_true();
    instruction.rhs = op->if_false();
    instruction.result = op->result();
    MXN_RETURN_IF_FAILED(read(op->condition()));
    MXN_RETURN_IF_FAILED(read(op->if_true()));
    MXN_RETURN_IF_FAILED(read(op->if_false()));
  } else {
    const bundle::CheckEqual *equal = source.op_as_CheckEqual();
    const bundle::CheckAtLeast *atLeast = source.op_as_CheckAtLeast();
    instruction.lhs = equal ? equal->lhs() : atLeast->lhs();
    instruction.rhs = equal ? equal->rhs() : atLeast->rhs();
    MXN_RETURN_IF_FAILED(read(instruction.lhs));
    MXN_RETURN_IF_FAILED(read(instruction.rhs));
    return decodeString(equal ? equal->message() : atLeast->message(), "a check's message", &instruction.message);
  }
  return write(instruction.result);
}

mxn_status_t BodyDecoder::decodeDispatch(const bundle::Dispatch &source, Instruction &instruction) {
  if (source.kernel() >= plan.kernels.size())
    return failHere("runs a kernel that doesn't exist");
  const Kernel &kernel = plan.kernels[source.kernel()];
  instruction.kernel = source.kernel();
  uint32_t bindings = source.bindings() ? source.bindings()->size() : 0;
  uint32_t constants = source.constants() ? source.constants()->size() : 0;
  if (bindings != kernel.bindings || constants != kernel.constants)
    return failHere("has other numbers of bindings or constants than its kernel");
  if ((source.writes() ? source.writes()->size() : 0) != bindings)
    return failHere("has other numbers of bindings and of write marks");
  if (!source.grid() || source.grid()->size() != 3)
    return failHere("has a grid that isn't of three registers");
  if (!budget.take(uint64_t(bindings) + constants))
    return failHere("has more operands than the manifest has room for");
  for (uint32_t i = 0; i < bindings; ++i)
    MXN_RETURN_IF_FAILED(addSlice(source.bindings()->Get(i), source.writes()->Get(i), instruction));
  for (uint32_t i = 0; i < constants; ++i) {
    MXN_RETURN_IF_FAILED(read(source.constants()->Get(i)));
    out.constants.push_back(source.constants()->Get(i));
  }
  instruction.constantCount = constants;
  for (uint32_t i = 0; i < 3; ++i) {
    instruction.grid[i] = source.grid()->Get(i);
    MXN_RETURN_IF_FAILED(read(instruction.grid[i]));
  }
  out.maxBindings = std::max(out.maxBindings, bindings);
  out.maxConstants = std::max(out.maxConstants, constants);
  return MXN_STATUS_OK;
}

mxn_status_t BodyDecoder::decodeWork(const bundle::Instruction &source, Instruction &instruction) {
  if (const bundle::Dispatch *op = source.op_as_Dispatch())
    return decodeDispatch(*op, instruction);
  if (const bundle::Copy *op = source.op_as_Copy()) {
    MXN_RETURN_IF_FAILED(addSlice(op->source(), false, instruction));
    return addSlice(op->target(), true, instruction);
  }
  if (const bundle::Fill *op = source.op_as_Fill()) {
    instruction.detail = op->value();
    return addSlice(op->target(), true, instruction);
  }
  if (const bundle::ReadOp *op = source.op_as_ReadOp()) {
    switch (op->type()) {
    case bundle::ElementType_Bool:
    case bundle::ElementType_UInt8:
    case bundle::ElementType_Int8:
    case bundle::ElementType_UInt16:
    case bundle::ElementType_Int16:
    case bundle::ElementType_UInt32:
    case bundle::ElementType_Int32:
    case bundle::ElementType_UInt64:
    case bundle::ElementType_Int64:
      break;
    default:
      return failHere("reads a value that is neither an integer nor a boolean");
    }
    instruction.detail = op->type();
    instruction.minimum = op->minimum();
    instruction.maximum = op->maximum();
    MXN_RETURN_IF_FAILED(decodeString(op->message(), "a read's message", &instruction.message));
    MXN_RETURN_IF_FAILED(addSlice(op->source(), false, instruction));
    instruction.result = op->result();
    return write(instruction.result);
  }
  if (const bundle::If *op = source.op_as_If()) {
    instruction.condition = op->condition();
    instruction.blocks[0] = op->then_block();
    instruction.blocks[1] = op->else_block();
    return read(op->condition());
  }
  const bundle::Loop *op = source.op_as_Loop();
  instruction.lhs = op->trips();
  instruction.result = op->counter();
  instruction.blocks[0] = op->block();
  MXN_RETURN_IF_FAILED(read(op->trips()));
  return op->has_condition() ? addSlice(op->condition(), false, instruction) : MXN_STATUS_OK;
}

mxn_status_t BodyDecoder::decodeInstruction(const bundle::Instruction &source, Instruction &instruction) {
  instruction.kind = source.op_type();
  instruction.number = number;
  instruction.location = source.location();
  instruction.firstSlice = out.slices.size();
  instruction.firstConstant = out.constants.size();
  if (source.location() < -1 || source.location() >= static_cast<int64_t>(plan.locations.size()))
    return failHere("has a location that doesn't exist");
  if (!source.op())
    return failHere("has no operation");
  switch (source.op_type()) {
  case bundle::Op_ConstantOp:
  case bundle::Op_InputDim:
  case bundle::Op_ArithOp:
  case bundle::Op_SelectOp:
  case bundle::Op_CheckEqual:
  case bundle::Op_CheckAtLeast:
    return decodeArithmetic(source, instruction);
  case bundle::Op_ReadOp:
  case bundle::Op_Dispatch:
  case bundle::Op_Copy:
  case bundle::Op_Fill:
  case bundle::Op_If:
  case bundle::Op_Loop:
    if (inPrologue)
      return failHere("is none of those that a prologue may hold");
    return decodeWork(source, instruction);
  default:
    return failHere("is of an unknown kind");
  }
}

// The blocks of an If or a Loop. A register that a block writes goes out of scope when the block ends.
mxn_status_t BodyDecoder::decodeNested(Instruction &instruction, unsigned depth) {
  size_t outer = written.size();
  for (uint32_t block : instruction.blocks) {
    if (block == 0)
      continue;
    if (instruction.kind == bundle::Op_Loop)
      MXN_RETURN_IF_FAILED(write(instruction.result));
    MXN_RETURN_IF_FAILED(decodeBlock(block, depth + 1));
    for (; written.size() > outer; written.pop_back())
      states[written.back()] = OutOfScope;
  }
  return MXN_STATUS_OK;
}

mxn_status_t BodyDecoder::decodeBlock(uint32_t blockNumber, unsigned depth) {
  if (blockNumber >= visited.size())
    return failHere("names a block that doesn't exist");
  if (visited[blockNumber])
    return failHere("names a block that another instruction has already");
  if (depth > maxBlockDepth)
    return failHere("nests blocks too deeply");
  visited[blockNumber] = true;
  const auto *instructions = source.blocks()->Get(blockNumber)->instructions();
  if (!instructions)
    return MXN_STATUS_OK;
  if (!budget.take(instructions->size()))
    return failHere("starts a block with more instructions than the manifest has room for");
  Block block;
  block.reserve(instructions->size());
  for (const bundle::Instruction *instruction : *instructions) {
    number = out.instructionCount++;
    block.emplace_back();
    MXN_RETURN_IF_FAILED(decodeInstruction(*instruction, block.back()));
    MXN_RETURN_IF_FAILED(decodeNested(block.back(), depth));
  }
  out.blocks[blockNumber] = std::move(block);
  return MXN_STATUS_OK;
}

mxn_status_t BodyDecoder::decodePrologue() {
  const auto *instructions = source.prologue();
  if (!instructions)
    return MXN_STATUS_OK;
  if (!budget.take(instructions->size()))
    return failHere("starts a prologue with more instructions than the manifest has room for");
  out.prologue.reserve(instructions->size());
  for (const bundle::Instruction *instruction : *instructions) {
    out.prologue.emplace_back();
    MXN_RETURN_IF_FAILED(decodeInstruction(*instruction, out.prologue.back()));
    ++number;
  }
  out.prologueRegisters = written;
  return MXN_STATUS_OK;
}

mxn_status_t BodyDecoder::decodeBody() {
  inPrologue = false;
  number = 0;
  size_t count = source.blocks() ? source.blocks()->size() : 0;
  if (count == 0)
    return MXN_STATUS_OK;
  if (!budget.take(count))
    return failHere("has more blocks than the manifest has room for");
  visited.resize(count);
  out.blocks.resize(count);
  return decodeBlock(0, 0);
}
