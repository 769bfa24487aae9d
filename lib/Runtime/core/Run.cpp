// Run.cpp - the interpreter: control flow, registers and reading values back.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Arithmetic.h"
#include "lib/Runtime/core/Context.h"
#include "lib/Runtime/core/Drivers.h"

#include <cstdio>
#include <cstring>

using namespace mxn;
using namespace mxn::runtime;

mxn_status_t mxn_context::failAt(mxn_status_t status, const Instruction &instruction, const char *text) const {
  if (instruction.location >= 0)
    return fail(status, "%s: %s", model->plan.locations[instruction.location], text);
  return fail(status, "function \"%s\": %s", function->name, text);
}

// Computes registers. The values in a message tell the user more than its own text.
mxn_status_t mxn_context::compute(const Instruction &instruction) {
  char text[4400];
  const int64_t *values = registers.data();
  switch (instruction.kind) {
  case bundle::Op_ConstantOp:
    registers[instruction.result] = instruction.minimum;
    return MXN_STATUS_OK;
  case bundle::Op_InputDim:
    registers[instruction.result] = inputs[instruction.lhs].dims[instruction.rhs];
    return MXN_STATUS_OK;
  case bundle::Op_SelectOp:
    registers[instruction.result] = values[values[instruction.condition] ? instruction.lhs : instruction.rhs];
    return MXN_STATUS_OK;
  case bundle::Op_ArithOp: {
    auto kind = static_cast<bundle::Arith>(instruction.detail);
    int64_t lhs = values[instruction.lhs], rhs = values[instruction.rhs];
    const char *wrong = runtime::compute(kind, lhs, rhs, &registers[instruction.result]);
    if (!wrong)
      return MXN_STATUS_OK;
    snprintf(text, sizeof(text), "a size can't be computed, %lld %s %lld: %s", static_cast<long long>(lhs),
             arithSign(kind), static_cast<long long>(rhs), wrong);
    return failAt(MXN_STATUS_CHECK_FAILED, instruction, text);
  }
  default: {
    bool equal = instruction.kind == bundle::Op_CheckEqual;
    int64_t lhs = values[instruction.lhs], rhs = values[instruction.rhs];
    if (equal ? lhs == rhs : lhs >= rhs)
      return MXN_STATUS_OK;
    snprintf(text, sizeof(text), "%s: %lld is not %s %lld", instruction.message, static_cast<long long>(lhs),
             equal ? "equal to" : "at least", static_cast<long long>(rhs));
    return failAt(MXN_STATUS_CHECK_FAILED, instruction, text);
  }
  }
}

mxn_status_t mxn_context::synchronize() {
  mxn_driver_error_t error = noError();
  if (mxn_status_t status = model->driver->synchronize(queue, &error))
    return runtime::failFromDriver(status, "the device failed", error);
  return MXN_STATUS_OK;
}

template <typename T> static int64_t load(const void *data) {
  T value;
  memcpy(&value, data, sizeof(value));
  return static_cast<int64_t>(value);
}

// Reads the first element of the instruction's first slice, once all work before it is done.
mxn_status_t mxn_context::readElement(const Instruction &instruction, uint32_t type, int64_t *out) {
  void *data;
  uint64_t length;
  MXN_RETURN_IF_FAILED(resolve(function->slices[instruction.firstSlice], instruction, &data, &length));
  if (length < mxn_type_bits(type) / 8)
    return failAt(MXN_STATUS_CHECK_FAILED, instruction, "reads a value from a slice that is shorter than it");
  MXN_RETURN_IF_FAILED(synchronize());
  switch (type) {
  case bundle::ElementType_Bool:
    *out = load<uint8_t>(data) != 0;
    return MXN_STATUS_OK;
  case bundle::ElementType_UInt8:
    *out = load<uint8_t>(data);
    return MXN_STATUS_OK;
  case bundle::ElementType_Int8:
    *out = load<int8_t>(data);
    return MXN_STATUS_OK;
  case bundle::ElementType_UInt16:
    *out = load<uint16_t>(data);
    return MXN_STATUS_OK;
  case bundle::ElementType_Int16:
    *out = load<int16_t>(data);
    return MXN_STATUS_OK;
  case bundle::ElementType_UInt32:
    *out = load<uint32_t>(data);
    return MXN_STATUS_OK;
  case bundle::ElementType_Int32:
    *out = load<int32_t>(data);
    return MXN_STATUS_OK;
  case bundle::ElementType_UInt64:
    *out = load<int64_t>(data);
    return *out >= 0 ? MXN_STATUS_OK
                     : failAt(MXN_STATUS_CHECK_FAILED, instruction, "a value that was read doesn't fit in 63 bits");
  default:
    *out = load<int64_t>(data);
    return MXN_STATUS_OK;
  }
}

mxn_status_t mxn_context::loop(const Instruction &instruction) {
  int64_t trips = registers[instruction.lhs];
  for (int64_t i = 0; i < trips; ++i) {
    // Here too, as a body without instructions looks at it nowhere else.
    if (cancel && *cancel)
      return failAt(MXN_STATUS_CANCELLED, instruction, "the run was cancelled");
    if (instruction.sliceCount) {
      int64_t condition = 0;
      MXN_RETURN_IF_FAILED(readElement(instruction, bundle::ElementType_Bool, &condition));
      if (!condition)
        break;
    }
    if (!instruction.blocks[0])
      continue;
    registers[instruction.result] = i;
    MXN_RETURN_IF_FAILED(runBlock(instruction.blocks[0]));
  }
  return MXN_STATUS_OK;
}

mxn_status_t mxn_context::runInstruction(const Instruction &instruction) {
  switch (instruction.kind) {
  case bundle::Op_Dispatch:
    return dispatch(instruction);
  case bundle::Op_Copy:
    return copy(instruction);
  case bundle::Op_Fill:
    return fill(instruction);
  case bundle::Op_If: {
    uint32_t block = instruction.blocks[registers[instruction.condition] ? 0 : 1];
    return block ? runBlock(block) : MXN_STATUS_OK;
  }
  case bundle::Op_Loop:
    return loop(instruction);
  case bundle::Op_ReadOp: {
    int64_t value = 0;
    MXN_RETURN_IF_FAILED(readElement(instruction, instruction.detail, &value));
    if (value < instruction.minimum || value > instruction.maximum) {
      char text[4400];
      snprintf(text, sizeof(text), "%s: %lld is not between %lld and %lld", instruction.message,
               static_cast<long long>(value), static_cast<long long>(instruction.minimum),
               static_cast<long long>(instruction.maximum));
      return failAt(MXN_STATUS_CHECK_FAILED, instruction, text);
    }
    registers[instruction.result] = value;
    return MXN_STATUS_OK;
  }
  default:
    return compute(instruction);
  }
}

mxn_status_t mxn_context::runBlock(uint32_t block) {
  for (const Instruction &instruction : function->blocks[block]) {
    if (cancel && *cancel)
      return failAt(MXN_STATUS_CANCELLED, instruction, "the run was cancelled");
    MXN_RETURN_IF_FAILED(runInstruction(instruction));
  }
  return MXN_STATUS_OK;
}

mxn_status_t mxn_context::run() {
  if (!function)
    return fail(MXN_STATUS_WRONG_STATE, "bind inputs before running");
  hasRun = false;
  stats.bytes_copied = 0;
  stats.dispatches = 0;
  stats.output_bytes = 0;
  for (size_t i = 0; i < function->outputs.size(); ++i) {
    if (outputMemory[i] != OutputMemory::Context)
      continue;
    BufferState &state = buffers[function->outputBuffers[i]];
    MXN_RETURN_IF_FAILED(ownedOutputs[i].reserve(state.size, function->outputs[i].name, account));
    state.data = ownedOutputs[i].get();
    stats.output_bytes += ownedOutputs[i].capacity();
  }
  uint64_t start = now();
  mxn_status_t status = function->blocks.empty() ? MXN_STATUS_OK : runBlock(0);
  if (status == MXN_STATUS_OK) {
    status = synchronize();
  } else {
    // Work that was already given to the device still uses the caller's memory, so a failed run waits for it too.
    mxn_driver_error_t ignored = noError();
    model->driver->synchronize(queue, &ignored);
  }
  stats.run_nanoseconds = now() - start;
  hasRun = status == MXN_STATUS_OK;
  return status;
}
