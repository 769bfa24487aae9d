// Memory.cpp - blocks of memory of a context.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Memory.h"

#include <algorithm>
#include <cstdlib>
#include <sys/mman.h>

using namespace mxn::runtime;

// From here on memory is mapped: a huge page of the usual size.
static constexpr uint64_t mappedFrom = uint64_t(2) << 20;

static uint64_t roundUp(uint64_t bytes, uint64_t to) { return (bytes + to - 1) / to * to; }

static void *allocateDefault(void *, uint64_t bytes, uint64_t alignment) {
  if (bytes < mappedFrom)
    return aligned_alloc(alignment, roundUp(bytes, alignment));
  void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return nullptr;
  madvise(memory, bytes, MADV_HUGEPAGE); // only advice: a refusal costs speed and nothing else
  return memory;
}

static void releaseDefault(void *, void *memory, uint64_t bytes) {
  if (bytes < mappedFrom)
    free(memory);
  else
    munmap(memory, bytes);
}

mxn_allocator_t mxn::runtime::defaultAllocator() {
  return {sizeof(mxn_allocator_t), 0, nullptr, allocateDefault, releaseDefault};
}

mxn_status_t MemoryBlock::reserve(uint64_t needed, const char *what, MemoryAccount &account) {
  if (needed <= bytes)
    return MXN_STATUS_OK;
  uint64_t others = account.used - bytes;
  uint64_t wanted = roundUp(bytes ? std::max(needed, bytes + bytes / 2) : needed, memoryAlignment);
  if (account.limit) {
    uint64_t available = account.limit > others ? account.limit - others : 0;
    if (needed > available)
      return fail(MXN_STATUS_OUT_OF_MEMORY, "%s needs %llu bytes, the context's limit leaves %llu", what,
                  static_cast<unsigned long long>(needed), static_cast<unsigned long long>(available));
    wanted = std::min(wanted, available);
  }
  release(account);
  data = static_cast<uint8_t *>(account.allocator.allocate(account.allocator.user, wanted, memoryAlignment));
  if (!data)
    return fail(MXN_STATUS_OUT_OF_MEMORY, "no memory for %s: %llu bytes", what,
                static_cast<unsigned long long>(wanted));
  bytes = wanted;
  account.used += wanted;
  return MXN_STATUS_OK;
}

void MemoryBlock::release(MemoryAccount &account) {
  if (!data)
    return;
  account.allocator.release(account.allocator.user, data, bytes);
  account.used -= bytes;
  data = nullptr;
  bytes = 0;
}
