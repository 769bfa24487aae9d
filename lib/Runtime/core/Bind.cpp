// Bind.cpp - takes inputs, computes and checks all sizes, and gives every buffer its memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Arithmetic.h"
#include "lib/Runtime/core/Context.h"
#include "lib/Runtime/core/Tensors.h"

#include <algorithm>
#include <cstring>

using namespace mxn;
using namespace mxn::runtime;

mxn_status_t mxn_context::checkInput(const mxn_tensor_t &tensor, const TensorInfo &info) const {
  if (tensor.type != info.type)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "input \"%s\" is of %s, the model expects %s of %s", info.name,
                mxn_type_name(tensor.type), describeShape(info).c_str(), mxn_type_name(info.type));
  if (mxn_type_bits(tensor.type) == 0)
    return fail(MXN_STATUS_UNSUPPORTED, "input \"%s\" is of %s, which this runtime can't pass", info.name,
                mxn_type_name(tensor.type));
  if (tensor.rank != info.dimensions.size())
    return fail(MXN_STATUS_INVALID_ARGUMENT, "input \"%s\" has %u dimensions, the model expects %s of %s", info.name,
                tensor.rank, describeShape(info).c_str(), mxn_type_name(info.type));
  for (uint32_t axis = 0; axis < tensor.rank; ++axis) {
    const Dimension &dimension = info.dimensions[axis];
    if (tensor.dims[axis] < 0 || (dimension.staticValue >= 0 && tensor.dims[axis] != dimension.staticValue))
      return fail(MXN_STATUS_INVALID_ARGUMENT, "input \"%s\" has the shape %s, the model expects %s of %s", info.name,
                  describeShape(tensor).c_str(), describeShape(info).c_str(), mxn_type_name(info.type));
  }
  uint64_t needed;
  if (!byteSize(tensor, &needed))
    return fail(MXN_STATUS_INVALID_ARGUMENT, "input \"%s\" with the shape %s is too large", info.name,
                describeShape(tensor).c_str());
  if (tensor.bytes < needed)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "input \"%s\" has %llu bytes, its shape %s of %s needs %llu", info.name,
                static_cast<unsigned long long>(tensor.bytes), describeShape(tensor).c_str(), mxn_type_name(info.type),
                static_cast<unsigned long long>(needed));
  if (!tensor.data && tensor.bytes > 0)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "input \"%s\" has no data", info.name);
  if (reinterpret_cast<uintptr_t>(tensor.data) % elementAlignment(tensor.type))
    return fail(MXN_STATUS_INVALID_ARGUMENT, "input \"%s\" isn't aligned to its elements of %u bytes", info.name,
                elementAlignment(tensor.type));
  return MXN_STATUS_OK;
}

mxn_status_t mxn_context::takeInputs(const mxn_tensor_t *callerInputs, uint32_t count) {
  if (count != function->inputs.size())
    return fail(MXN_STATUS_INVALID_ARGUMENT, "function \"%s\" takes %zu inputs, %u came", function->name,
                function->inputs.size(), count);
  if (count && !callerInputs)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "there are no inputs");
  inputs.resize(count);
  // A caller of a later version has longer structs, so its size is the step from one to the next.
  const auto *bytes = reinterpret_cast<const uint8_t *>(callerInputs);
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t size = callerInputs->struct_size;
    if (size < sizeof(mxn_tensor_t))
      return fail(MXN_STATUS_INVALID_ARGUMENT, "struct_size of the inputs is %u, %zu is the least", size,
                  sizeof(mxn_tensor_t));
    memcpy(&inputs[i], bytes + uint64_t(i) * size, sizeof(mxn_tensor_t));
    if (inputs[i].struct_size != size)
      return fail(MXN_STATUS_INVALID_ARGUMENT, "struct_size differs between the inputs");
    MXN_RETURN_IF_FAILED(checkInput(inputs[i], function->inputs[i]));
    if (function->writtenInputs[i] && !(inputs[i].flags & MXN_TENSOR_DONATE))
      return fail(MXN_STATUS_INVALID_ARGUMENT, "input \"%s\" must be donated: function \"%s\" writes to it",
                  function->inputs[i].name, function->name);
  }
  return MXN_STATUS_OK;
}

// Dimensions that the prologue computes from others, such as "past + sequence" of a mask.
mxn_status_t mxn_context::checkDynamicDimensions() const {
  for (size_t i = 0; i < inputs.size(); ++i)
    for (uint32_t axis = 0; axis < inputs[i].rank; ++axis) {
      const Dimension &dimension = function->inputs[i].dimensions[axis];
      if (inputs[i].dims[axis] != registers[dimension.size])
        return fail(MXN_STATUS_INVALID_ARGUMENT,
                    "input \"%s\" has the shape %s, the model expects %s: dimension %u must be %lld here",
                    function->inputs[i].name, describeShape(inputs[i]).c_str(),
                    describeShape(function->inputs[i]).c_str(), axis,
                    static_cast<long long>(registers[dimension.size]));
    }
  return MXN_STATUS_OK;
}

mxn_status_t mxn_context::checkSizes() {
  int64_t sum = 0;
  buffers.resize(function->buffers.size());
  for (size_t i = 0; i < buffers.size(); ++i) {
    const Buffer &buffer = function->buffers[i];
    int64_t size =
        buffer.kind == bundle::BufferKind_Constant ? static_cast<int64_t>(buffer.length) : registers[buffer.size];
    if (size < 0 || size > maxBytes || (buffer.kind == bundle::BufferKind_Transient && (sum += size) > maxBytes))
      return fail(MXN_STATUS_CHECK_FAILED, "function \"%s\": buffer %zu would have %lld bytes", function->name, i,
                  static_cast<long long>(size));
    buffers[i].size = size;
  }
  outputBytes.resize(function->outputs.size());
  for (size_t i = 0; i < function->outputs.size(); ++i) {
    mxn_tensor_t tensor;
    shapeOf(function->outputs[i], registers.data(), tensor);
    bool valid = byteSize(tensor, &outputBytes[i]);
    if (!valid || outputBytes[i] > static_cast<uint64_t>(buffers[function->outputBuffers[i]].size))
      return fail(MXN_STATUS_CHECK_FAILED, "output \"%s\" with the shape %s doesn't fit its buffer",
                  function->outputs[i].name, describeShape(tensor).c_str());
  }
  return MXN_STATUS_OK;
}

mxn_status_t mxn_context::checkKnownSlices() const {
  for (const Block &block : function->blocks)
    for (const Instruction &instruction : block) {
      for (uint32_t i = 0; i < instruction.sliceCount; ++i) {
        const Slice &slice = function->slices[instruction.firstSlice + i];
        if (slice.known)
          MXN_RETURN_IF_FAILED(checkSlice(slice, instruction));
      }
    }
  return MXN_STATUS_OK;
}

mxn_status_t mxn_context::planTransients(bool sameFunction) {
  if (!sameFunction) {
    transients.clear();
    planner.placements.clear();
    for (uint32_t i = 0; i < buffers.size(); ++i)
      if (function->buffers[i].kind == bundle::BufferKind_Transient) {
        transients.push_back(i);
        planner.placements.push_back({0, function->buffers[i].first, function->buffers[i].last});
      }
  }
  for (size_t i = 0; i < transients.size(); ++i)
    planner.placements[i].size = buffers[transients[i]].size;
  if (sameFunction && planner.stillFits())
    return MXN_STATUS_OK;
  ++stats.plans;
  // The first sizes may be the only ones; when they change, they will change again.
  stats.transient_bytes = planner.plan(/*slack=*/sameFunction);
  return arena.reserve(stats.transient_bytes, "intermediate results", account);
}

mxn_status_t mxn_context::assignInputs() {
  for (size_t i = 0; i < inputs.size(); ++i) {
    uint32_t buffer = function->inputBuffers[i];
    // Outputs of the last run are given back by this bind, so reading one here would read what is overwritten.
    const auto *data = static_cast<const uint8_t *>(inputs[i].data);
    for (uint32_t k = 0; k < ownedOutputs.size(); ++k) {
      const MemoryBlock &owned = ownedOutputs[k];
      if (inputs[i].bytes && owned.capacity() && data < owned.get() + owned.capacity() &&
          owned.get() < data + inputs[i].bytes)
        return fail(MXN_STATUS_INVALID_ARGUMENT,
                    "input \"%s\" lies in memory that the context owns for its output %u: copy it, or give the output "
                    "memory with mxn_context_set_output",
                    function->inputs[i].name, k);
    }
    if (buffer == none)
      continue;
    if (inputs[i].bytes < static_cast<uint64_t>(buffers[buffer].size))
      return fail(MXN_STATUS_INVALID_ARGUMENT, "input \"%s\" has %llu bytes, the function reads %lld",
                  function->inputs[i].name, static_cast<unsigned long long>(inputs[i].bytes),
                  static_cast<long long>(buffers[buffer].size));
    buffers[buffer].data = static_cast<uint8_t *>(inputs[i].data);
  }
  return MXN_STATUS_OK;
}

mxn_status_t mxn_context::assignOutputs() {
  size_t count = function->outputs.size();
  outputMemory.assign(count, OutputMemory::Context);
  while (ownedOutputs.size() < count)
    ownedOutputs.emplace_back();
  for (size_t i = 0; i < count; ++i) {
    uint32_t number = function->outputBuffers[i];
    BufferState &state = buffers[number];
    uint32_t donor = function->buffers[number].donor;
    if (donor != none && (inputs[donor].flags & MXN_TENSOR_DONATE) &&
        inputs[donor].bytes >= static_cast<uint64_t>(state.size)) {
      state.data = static_cast<uint8_t *>(inputs[donor].data);
      outputMemory[i] = OutputMemory::DonatedInput;
    } else {
      state.data = nullptr; // given when it runs, unless the caller brings its own until then
    }
  }
  return MXN_STATUS_OK;
}

mxn_status_t mxn_context::assignMemory() {
  MXN_RETURN_IF_FAILED(assignInputs());
  MXN_RETURN_IF_FAILED(assignOutputs());
  for (size_t i = 0; i < transients.size(); ++i)
    buffers[transients[i]].data = arena.get() + planner.placements[i].offset;
  for (size_t i = 0; i < buffers.size(); ++i)
    if (const Buffer &buffer = function->buffers[i]; buffer.kind == bundle::BufferKind_Constant)
      buffers[i].data = const_cast<uint8_t *>(model->sections[buffer.index].data + buffer.offset);
  return MXN_STATUS_OK;
}

mxn_status_t mxn_context::bind(uint32_t functionIndex, const mxn_tensor_t *callerInputs, uint32_t count) {
  function = model->function(functionIndex);
  hasRun = false;
  if (!function)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "there is no function %u", functionIndex);
  mxn_status_t status = [&]() -> mxn_status_t {
    MXN_RETURN_IF_FAILED(takeInputs(callerInputs, count));
    registers.resize(function->registerCount);
    for (const Instruction &instruction : function->prologue)
      MXN_RETURN_IF_FAILED(compute(instruction));
    MXN_RETURN_IF_FAILED(checkDynamicDimensions());
    bool sameFunction = plannedFunction == function, same = sameFunction;
    for (size_t i = 0; same && i < function->prologueRegisters.size(); ++i)
      same = plannedRegisters[i] == registers[function->prologueRegisters[i]];
    if (!same) {
      plannedFunction = nullptr;
      MXN_RETURN_IF_FAILED(checkSizes());
      MXN_RETURN_IF_FAILED(checkKnownSlices());
      MXN_RETURN_IF_FAILED(planTransients(sameFunction));
      plannedRegisters.resize(function->prologueRegisters.size());
      for (size_t i = 0; i < plannedRegisters.size(); ++i)
        plannedRegisters[i] = registers[function->prologueRegisters[i]];
      plannedFunction = function;
    }
    bindings.resize(std::max<size_t>(bindings.size(), function->maxBindings));
    lengths.resize(bindings.size());
    constants.resize(std::max<size_t>(constants.size(), function->maxConstants));
    return assignMemory();
  }();
  if (status != MXN_STATUS_OK)
    function = nullptr;
  return status;
}
