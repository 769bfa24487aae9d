// Context.cpp - making a context, and describing its outputs.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Context.h"

#include "lib/Runtime/core/Drivers.h"
#include "lib/Runtime/core/Tensors.h"

#include <algorithm>
#include <cstring>

using namespace mxn;
using namespace mxn::runtime;

mxn_context::~mxn_context() {
  if (queue)
    model->driver->queue_close(queue);
  arena.release(account);
  for (MemoryBlock &owned : ownedOutputs)
    owned.release(account);
}

void mxn_context::log(const char *text) const {
  if (logFunction)
    logFunction(logUser, text);
}

mxn_status_t mxn_context::create(mxn_model &sharedModel, const mxn_context_options_t *callerOptions) {
  model = &sharedModel;
  mxn_context_options_t options = {};
  if (callerOptions) {
    if (callerOptions->struct_size < sizeof(uint32_t))
      return fail(MXN_STATUS_INVALID_ARGUMENT, "struct_size of the context's options isn't set");
    memcpy(&options, callerOptions, std::min<size_t>(callerOptions->struct_size, sizeof(options)));
  }
  account.allocator = defaultAllocator();
  account.limit = options.memory_limit;
  if (options.allocator) {
    if (options.allocator->struct_size < sizeof(mxn_allocator_t) || !options.allocator->allocate ||
        !options.allocator->release)
      return fail(MXN_STATUS_INVALID_ARGUMENT, "the allocator lacks a function, or its struct_size isn't set");
    account.allocator = *options.allocator;
  }
  logFunction = options.log;
  logUser = options.log_user;
  cancel = options.cancel;
  MXN_RETURN_IF_FAILED(model->load());
  if (!(model->driver->flags & MXN_DRIVER_HOST_MEMORY))
    return fail(MXN_STATUS_UNSUPPORTED, "driver \"%s\" has memory of its own, which this version doesn't serve",
                model->driver->name);
  mxn_queue_options_t queueOptions = {sizeof(queueOptions), options.threads};
  mxn_driver_error_t error = noError();
  if (mxn_status_t status = model->driver->queue_open(model->device, &queueOptions, &queue, &error)) {
    queue = nullptr;
    return runtime::failFromDriver(status, "can't open a queue", error);
  }
  stats.struct_size = sizeof(stats);
  stats.threads = model->driver->queue_threads(queue);
  if (model->codeObject != none && logFunction) {
    std::string text = std::string("runs on \"") + model->driver->name + "\" with code for " +
                       model->plan.code[model->codeObject].level;
    log(text.c_str());
  }
  return MXN_STATUS_OK;
}

mxn_status_t mxn_context::setOutput(uint32_t index, void *data, uint64_t bytes) {
  if (!function)
    return fail(MXN_STATUS_WRONG_STATE, "bind inputs before outputs");
  if (index >= function->outputs.size())
    return fail(MXN_STATUS_INVALID_ARGUMENT, "function \"%s\" has no output %u", function->name, index);
  const TensorInfo &info = function->outputs[index];
  BufferState &state = buffers[function->outputBuffers[index]];
  if (bytes < static_cast<uint64_t>(state.size))
    return fail(MXN_STATUS_INVALID_ARGUMENT, "output \"%s\" needs %lld bytes, %llu came", info.name,
                static_cast<long long>(state.size), static_cast<unsigned long long>(bytes));
  if (!data && state.size > 0)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "output \"%s\" got no memory", info.name);
  if (reinterpret_cast<uintptr_t>(data) % elementAlignment(info.type))
    return fail(MXN_STATUS_INVALID_ARGUMENT, "memory for output \"%s\" isn't aligned to its elements of %u bytes",
                info.name, elementAlignment(info.type));
  state.data = static_cast<uint8_t *>(data);
  outputMemory[index] = OutputMemory::Caller;
  return MXN_STATUS_OK;
}

mxn_status_t mxn_context::output(uint32_t index, mxn_tensor_t &out) const {
  if (!function)
    return fail(MXN_STATUS_WRONG_STATE, "bind inputs before asking for outputs");
  if (index >= function->outputs.size())
    return fail(MXN_STATUS_INVALID_ARGUMENT, "function \"%s\" has no output %u", function->name, index);
  shapeOf(function->outputs[index], registers.data(), out);
  out.bytes = outputBytes[index];
  if (hasRun)
    out.data = buffers[function->outputBuffers[index]].data;
  return MXN_STATUS_OK;
}
