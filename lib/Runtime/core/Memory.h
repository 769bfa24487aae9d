// Memory.h - blocks of memory of a context, from the caller's allocator or the runtime's own.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_RUNTIME_CORE_MEMORY_H
#define MXN_LIB_RUNTIME_CORE_MEMORY_H

#include "lib/Runtime/core/Status.h"

namespace mxn::runtime {

constexpr uint64_t memoryAlignment = 64; // of every buffer: a cache line and the widest vector

// The runtime's own: large blocks are mapped, with huge pages where the system gives them.
mxn_allocator_t defaultAllocator();

// Counts what a context takes and holds it to its limit.
struct MemoryAccount {
  mxn_allocator_t allocator;
  uint64_t limit; // 0: none
  uint64_t used = 0;
};

// One block that only grows. Growing forgets what it held.
class MemoryBlock {
public:
  MemoryBlock() = default;
  MemoryBlock(MemoryBlock &&other) noexcept : data(other.data), bytes(other.bytes) {
    other.data = nullptr, other.bytes = 0;
  }
  MemoryBlock &operator=(MemoryBlock &&) = delete;

  // Makes room for `needed` bytes. A block that has to grow a second time gets half as much again, so that sizes that
  // rise with every call (a cache) don't allocate with every call.
  mxn_status_t reserve(uint64_t needed, const char *what, MemoryAccount &account);
  void release(MemoryAccount &account); // must be called before the end

  uint8_t *get() const { return data; }
  uint64_t capacity() const { return bytes; }

private:
  uint8_t *data = nullptr;
  uint64_t bytes = 0;
};

} // namespace mxn::runtime

#endif
