// Context.h - one thread's way to call a model: registers, memory, and the interpreter's state.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_RUNTIME_CORE_CONTEXT_H
#define MXN_LIB_RUNTIME_CORE_CONTEXT_H

#include "lib/Runtime/core/Memory.h"
#include "lib/Runtime/core/Model.h"
#include "lib/Runtime/core/Planner.h"
#include "lib/Runtime/core/Trace.h"
#include "mxn/Runtime/Runtime.h"

namespace mxn::runtime {

// Where a buffer is for the bound inputs.
struct BufferState {
  uint8_t *data = nullptr;
  int64_t size = 0;
};

// Who has an output's memory.
enum class OutputMemory { Context, Caller, DonatedInput };

} // namespace mxn::runtime

// What the public handle points to.
struct mxn_context {
  mxn_context() = default;
  mxn_context(const mxn_context &) = delete;
  ~mxn_context();
  mxn_status_t create(mxn_model &sharedModel, const mxn_context_options_t *options);

  mxn_status_t bind(uint32_t functionIndex, const mxn_tensor_t *callerInputs, uint32_t count); // Bind.cpp
  mxn_status_t setOutput(uint32_t index, void *data, uint64_t bytes);
  mxn_status_t output(uint32_t index, mxn_tensor_t &out) const;
  mxn_status_t run(); // Run.cpp

  mxn_stats_t stats = {};
  mxn::runtime::Trace trace;
  mxn_model *model = nullptr;

private:
  using Instruction = mxn::runtime::Instruction;
  using Slice = mxn::runtime::Slice;

  // Binding, in this order.
  mxn_status_t takeInputs(const mxn_tensor_t *callerInputs, uint32_t count);
  mxn_status_t checkInput(const mxn_tensor_t &tensor, const mxn::runtime::TensorInfo &info) const;
  mxn_status_t checkDynamicDimensions() const;
  mxn_status_t checkSizes();
  mxn_status_t checkKnownSlices() const;
  mxn_status_t planTransients(bool sameFunction);
  mxn_status_t assignMemory();
  mxn_status_t assignInputs();
  mxn_status_t assignOutputs();

  // Running.
  mxn_status_t runBlock(uint32_t block);
  mxn_status_t runInstruction(const Instruction &instruction);
  mxn_status_t compute(const Instruction &instruction); // arithmetic and checks, of the prologue too
  mxn_status_t dispatch(const Instruction &instruction);
  mxn_status_t copy(const Instruction &instruction);
  mxn_status_t fill(const Instruction &instruction);
  mxn_status_t readElement(const Instruction &instruction, uint32_t type, int64_t *out);
  mxn_status_t loop(const Instruction &instruction);
  mxn_status_t synchronize();
  mxn_status_t checkSlice(const Slice &slice, const Instruction &instruction) const;
  mxn_status_t resolve(const Slice &slice, const Instruction &instruction, void **data, uint64_t *length) const;
  mxn_status_t failAt(mxn_status_t status, const Instruction &instruction, const char *text) const;
  mxn_status_t failFromDriver(mxn_status_t status, const Instruction &instruction,
                              const mxn_driver_error_t &error) const;
  void log(const char *text) const;

  mxn_queue_t *queue = nullptr;
  mxn::runtime::MemoryAccount account = {};
  mxn_log_t logFunction = nullptr;
  void *logUser = nullptr;
  const volatile int32_t *cancel = nullptr;

  const mxn::runtime::Function *function = nullptr; // the bound one; null after a bind that failed
  std::vector<mxn_tensor_t> inputs;
  std::vector<int64_t> registers;
  std::vector<mxn::runtime::BufferState> buffers;

  // The function and the prologue's registers for which sizes were checked and memory was planned.
  const mxn::runtime::Function *plannedFunction = nullptr;
  std::vector<int64_t> plannedRegisters;
  std::vector<uint64_t> outputBytes; // that the shapes need
  mxn::runtime::Planner planner;
  std::vector<uint32_t> transients; // buffer of each of the planner's placements
  mxn::runtime::MemoryBlock arena;

  std::vector<mxn::runtime::MemoryBlock> ownedOutputs; // by output number, of any function
  std::vector<mxn::runtime::OutputMemory> outputMemory;
  uint32_t ownedInUse = 0; // outputs of the bound function
  bool hasRun = false;

  // Operands of the dispatch at hand.
  std::vector<void *> bindings;
  std::vector<uint64_t> lengths;
  std::vector<int64_t> constants;
};

#endif
