// BlockPool.cpp - the blocks of one cache group.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/BlockPool.h"

#include "lib/Runtime/core/Arithmetic.h"

#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

using namespace mxn::runtime;

// More would need much memory for counting alone, and no machine holds them.
static constexpr uint64_t maxBlocks = uint64_t(1) << 24;

static constexpr uint64_t hugePage = uint64_t(2) << 20;

// Maps memory that costs nothing until it is touched. Large blocks begin at a huge page, so that they can consist of
// such.
static uint8_t *mapMemory(uint64_t bytes) {
  uint64_t slack = bytes >= hugePage ? hugePage : 0;
  void *memory =
      mmap(nullptr, bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return nullptr;
  auto *start = static_cast<uint8_t *>(memory);
  if (!slack)
    return start;
  uint64_t before = -reinterpret_cast<uintptr_t>(start) % hugePage;
  if (before)
    munmap(start, before);
  if (before < slack)
    munmap(start + before + bytes, slack - before);
  madvise(start + before, bytes, MADV_HUGEPAGE); // only advice: a refusal costs speed and nothing else
  return start + before;
}

BlockPool::BlockPool(BlockPool &&other) noexcept
    : group(other.group), memory(other.memory), memoryBytes(other.memoryBytes), owner(other.owner),
      references(std::move(other.references)), freeBlocks(std::move(other.freeBlocks)), shared(other.shared) {
  other.memory = nullptr;
}

BlockPool::~BlockPool() {
  if (!memory)
    return;
  if (owner.release)
    owner.release(owner.user, memory, memoryBytes);
  else
    munmap(memory, memoryBytes);
}

mxn_status_t BlockPool::create(uint64_t blocks, const mxn_allocator_t *allocator) {
  uint64_t bytes = 0, page = sysconf(_SC_PAGESIZE);
  if (blocks > maxBlocks || __builtin_mul_overflow(blocks, group->blockBytes, &bytes) ||
      bytes > static_cast<uint64_t>(maxBytes))
    return fail(MXN_STATUS_INVALID_ARGUMENT, "cache group \"%s\" can't have %llu blocks of %llu bytes", group->name,
                static_cast<unsigned long long>(blocks), static_cast<unsigned long long>(group->blockBytes));
  bytes = (bytes + page - 1) / page * page;
  if (allocator) {
    memory = static_cast<uint8_t *>(allocator->allocate(allocator->user, bytes, page));
    owner = *allocator;
  } else {
    memory = mapMemory(bytes);
  }
  if (!memory)
    return fail(MXN_STATUS_OUT_OF_MEMORY, "no memory for cache group \"%s\": %llu blocks of %llu bytes", group->name,
                static_cast<unsigned long long>(blocks), static_cast<unsigned long long>(group->blockBytes));
  memoryBytes = bytes;
  if (allocator)
    memset(memory, 0, bytes);
  references.assign(blocks, 0);
  freeBlocks.reserve(blocks);
  for (uint64_t block = blocks; block > 0; --block)
    freeBlocks.push_back(static_cast<int32_t>(block - 1));
  return MXN_STATUS_OK;
}

int32_t BlockPool::take() {
  int32_t block = freeBlocks.back();
  freeBlocks.pop_back();
  references[block] = 1;
  return block;
}

void BlockPool::share(int32_t block) {
  if (++references[block] == 2)
    ++shared;
}

void BlockPool::release(int32_t block) {
  uint32_t left = --references[block];
  if (left == 1)
    --shared;
  else if (left == 0)
    freeBlocks.push_back(block);
}
