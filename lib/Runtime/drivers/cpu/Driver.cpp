// Driver.cpp - the CPU driver: the struct of functions behind which kernels run on the host's own threads.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Drivers.h"
#include "lib/Runtime/drivers/cpu/ElfLoader.h"
#include "lib/Runtime/drivers/cpu/Features.h"
#include "lib/Runtime/drivers/cpu/ThreadPool.h"
#include "mxn/Driver/CPUKernel.h"

#include <cstdio>
#include <cstring>
#include <new>

using namespace mxn::cpu;

// The structs that Driver.h leaves to the driver. The device has no state: it is this process.
struct mxn_code {
  LoadedObject object;
  std::vector<mxn_cpu_kernel_t> kernels;
};

struct mxn_queue {
  ThreadPool pool;
};

namespace {

char theDevice;

mxn_status_t refuse(mxn_status_t status, mxn_driver_error_t *error, const std::string &text) {
  snprintf(error->text, sizeof(error->text), "%s", text.c_str());
  return status;
}

uint32_t scoreObject(const mxn_code_object_t *object, mxn_driver_error_t *error) { return score(*object, *error); }

mxn_status_t open(mxn_device_t **out, mxn_driver_error_t *) {
  *out = reinterpret_cast<mxn_device_t *>(&theDevice);
  return MXN_STATUS_OK;
}

void close(mxn_device_t *) {}

mxn_status_t loadCode(mxn_device_t *, const mxn_code_object_t *object, const char *const *names, uint32_t count,
                      mxn_code_t **out, mxn_driver_error_t *error) {
  auto *code = new (std::nothrow) mxn_code;
  if (!code)
    return refuse(MXN_STATUS_OUT_OF_MEMORY, error, "no memory for a code object");
  std::string wrong = code->object.load(object->data, object->length);
  for (uint32_t i = 0; i < count && wrong.empty(); ++i) {
    auto kernel = reinterpret_cast<mxn_cpu_kernel_t>(code->object.findFunction(names[i]));
    if (!kernel)
      wrong = std::string("the code object has no function \"") + names[i] + "\"";
    code->kernels.push_back(kernel);
  }
  if (!wrong.empty()) {
    delete code;
    return refuse(MXN_STATUS_BAD_BUNDLE, error, wrong);
  }
  *out = code;
  return MXN_STATUS_OK;
}

void unloadCode(mxn_code_t *code) { delete code; }

mxn_status_t openQueue(mxn_device_t *, const mxn_queue_options_t *options, mxn_queue_t **out,
                       mxn_driver_error_t *error) {
  auto *queue = new (std::nothrow) mxn_queue;
  if (!queue)
    return refuse(MXN_STATUS_OUT_OF_MEMORY, error, "no memory for a queue");
  queue->pool.start(options->threads);
  *out = queue;
  return MXN_STATUS_OK;
}

void closeQueue(mxn_queue_t *queue) { delete queue; }

uint32_t queueThreads(mxn_queue_t *queue) { return queue->pool.threadCount(); }

struct Call {
  mxn_cpu_kernel_t kernel;
  const mxn_dispatch_t *dispatch;
};

int32_t runPoint(const void *argument, uint64_t index) {
  const auto *call = static_cast<const Call *>(argument);
  const mxn_dispatch_t &work = *call->dispatch;
  uint64_t x = index % work.grid[0], row = index / work.grid[0];
  return call->kernel(work.bindings, work.lengths, work.constants, x, row % work.grid[1], row / work.grid[1]);
}

mxn_status_t dispatch(mxn_queue_t *queue, mxn_code_t *code, const mxn_dispatch_t *work, mxn_driver_error_t *error) {
  Call call = {code->kernels[work->kernel], work};
  int32_t result = queue->pool.run({runPoint, &call, work->grid[0] * work->grid[1] * work->grid[2]});
  if (result == MXN_KERNEL_OK)
    return MXN_STATUS_OK;
  error->kernel_code = result;
  error->kernel = work->kernel;
  return refuse(MXN_STATUS_KERNEL_FAILED, error, "the kernel returned " + std::to_string(result));
}

mxn_status_t copy(mxn_queue_t *, void *target, const void *source, uint64_t bytes, mxn_driver_error_t *) {
  memmove(target, source, bytes);
  return MXN_STATUS_OK;
}

mxn_status_t fill(mxn_queue_t *, void *target, uint8_t value, uint64_t bytes, mxn_driver_error_t *) {
  memset(target, value, bytes);
  return MXN_STATUS_OK;
}

mxn_status_t synchronize(mxn_queue_t *, mxn_driver_error_t *) { return MXN_STATUS_OK; }

// Every call has done its work when it returns, so there are no events; memory is the host's.
constexpr mxn_driver_t driver = {
    sizeof(mxn_driver_t),
    MXN_DRIVER_VERSION,
    "cpu",
    MXN_DRIVER_HOST_MEMORY,
    0,
    scoreObject,
    open,
    close,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    loadCode,
    unloadCode,
    openQueue,
    closeQueue,
    queueThreads,
    dispatch,
    copy,
    fill,
    synchronize,
    nullptr,
    nullptr,
    nullptr,
};

} // namespace

const mxn_driver_t *mxn::runtime::cpuDriver() { return &driver; }
