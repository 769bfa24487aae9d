// Work.cpp - the interpreter's instructions that give work to the device: dispatches, copies and fills.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Arithmetic.h"
#include "lib/Runtime/core/Context.h"
#include "lib/Runtime/core/Drivers.h"
#include "mxn/Driver/CPUKernel.h"

#include <cstdio>

using namespace mxn;
using namespace mxn::runtime;

mxn_status_t mxn_context::checkSlice(const Slice &slice, const Instruction &instruction) const {
  int64_t offset = registers[slice.offset], length = registers[slice.length], size = buffers[slice.buffer].size;
  if (sliceFits(offset, length, size))
    return MXN_STATUS_OK;
  char text[160];
  snprintf(text, sizeof(text), "instruction %u reaches for %lld bytes at %lld of buffer %u, which has %lld",
           instruction.number, static_cast<long long>(length), static_cast<long long>(offset), slice.buffer,
           static_cast<long long>(size));
  return failAt(MXN_STATUS_CHECK_FAILED, instruction, text);
}

mxn_status_t mxn_context::resolve(const Slice &slice, const Instruction &instruction, void **data,
                                  uint64_t *length) const {
  if (!slice.known)
    MXN_RETURN_IF_FAILED(checkSlice(slice, instruction));
  *data = buffers[slice.buffer].data + registers[slice.offset];
  *length = registers[slice.length];
  return MXN_STATUS_OK;
}

static const char *meaningOf(int32_t kernelCode) {
  switch (kernelCode) {
  case MXN_KERNEL_OUT_OF_BOUNDS:
    return "an index that was read from data is out of range";
  case MXN_KERNEL_BAD_VALUE:
    return "a value that the op forbids, such as an integer division by zero";
  default:
    return "an unknown code";
  }
}

mxn_status_t mxn_context::failFromDriver(mxn_status_t status, const Instruction &instruction,
                                         const mxn_driver_error_t &error) const {
  char text[1200];
  const char *kernel = instruction.kind == bundle::Op_Dispatch ? model->plan.kernels[instruction.kernel].name : "copy";
  if (status == MXN_STATUS_KERNEL_FAILED)
    snprintf(text, sizeof(text), "kernel \"%.500s\" failed with code %d: %s", kernel, error.kernel_code,
             meaningOf(error.kernel_code));
  else
    snprintf(text, sizeof(text), "kernel \"%.500s\": %.*s", kernel, static_cast<int>(sizeof(error.text)), error.text);
  return failAt(status, instruction, text);
}

mxn_status_t mxn_context::dispatch(const Instruction &instruction) {
  mxn_dispatch_t work = {};
  work.struct_size = sizeof(work);
  work.kernel = instruction.kernel;
  uint64_t points = 1;
  for (unsigned i = 0; i < 3; ++i) {
    int64_t extent = registers[instruction.grid[i]];
    if (extent < 0)
      return failAt(MXN_STATUS_CHECK_FAILED, instruction, "a dispatch has a negative grid");
    work.grid[i] = extent;
    if (extent == 0)
      points = 0;
    else if (points && (__builtin_mul_overflow(points, work.grid[i], &points) || points > INT64_MAX))
      return failAt(MXN_STATUS_CHECK_FAILED, instruction, "a dispatch has more than 2^63 points");
  }
  if (points == 0)
    return MXN_STATUS_OK;
  for (uint32_t i = 0; i < instruction.sliceCount; ++i)
    MXN_RETURN_IF_FAILED(resolve(function->slices[instruction.firstSlice + i], instruction, &bindings[i], &lengths[i]));
  for (uint32_t i = 0; i < instruction.constantCount; ++i)
    constants[i] = registers[function->constants[instruction.firstConstant + i]];
  work.bindings = bindings.data();
  work.lengths = lengths.data();
  work.binding_count = instruction.sliceCount;
  work.constants = constants.data();
  work.constant_count = instruction.constantCount;

  uint64_t start = trace.on ? now() : 0;
  mxn_driver_error_t error = noError();
  if (mxn_status_t status = model->driver->dispatch(queue, model->code, &work, &error))
    return failFromDriver(status, instruction, error);
  ++stats.dispatches;
  if (trace.on) {
    MXN_RETURN_IF_FAILED(synchronize());
    trace.add({bundle::Op_Dispatch,
               instruction.kernel,
               instruction.location,
               instruction.number,
               start,
               now() - start,
               0,
               {work.grid[0], work.grid[1], work.grid[2]}});
  }
  return MXN_STATUS_OK;
}

mxn_status_t mxn_context::copy(const Instruction &instruction) {
  void *source, *target;
  uint64_t length, targetLength;
  MXN_RETURN_IF_FAILED(resolve(function->slices[instruction.firstSlice], instruction, &source, &length));
  MXN_RETURN_IF_FAILED(resolve(function->slices[instruction.firstSlice + 1], instruction, &target, &targetLength));
  if (length != targetLength)
    return failAt(MXN_STATUS_CHECK_FAILED, instruction, "a copy's source and target differ in length");
  // Source and target are one where an output took over its input's memory: then there is nothing to do.
  if (length == 0 || source == target)
    return MXN_STATUS_OK;
  uint64_t start = trace.on ? now() : 0;
  mxn_driver_error_t error = noError();
  if (mxn_status_t status = model->driver->copy(queue, target, source, length, &error))
    return failFromDriver(status, instruction, error);
  stats.bytes_copied += length;
  if (trace.on) {
    MXN_RETURN_IF_FAILED(synchronize());
    trace.add({bundle::Op_Copy, 0, instruction.location, instruction.number, start, now() - start, length, {}});
  }
  return MXN_STATUS_OK;
}

mxn_status_t mxn_context::fill(const Instruction &instruction) {
  void *target;
  uint64_t length;
  MXN_RETURN_IF_FAILED(resolve(function->slices[instruction.firstSlice], instruction, &target, &length));
  if (length == 0)
    return MXN_STATUS_OK;
  uint64_t start = trace.on ? now() : 0;
  mxn_driver_error_t error = noError();
  if (mxn_status_t status = model->driver->fill(queue, target, instruction.detail, length, &error))
    return failFromDriver(status, instruction, error);
  if (trace.on) {
    MXN_RETURN_IF_FAILED(synchronize());
    trace.add({bundle::Op_Fill, 0, instruction.location, instruction.number, start, now() - start, length, {}});
  }
  return MXN_STATUS_OK;
}
