// BlockPool.h - the blocks of one cache group: memory, reference counts, and which are free.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_RUNTIME_CORE_BLOCKPOOL_H
#define MXN_LIB_RUNTIME_CORE_BLOCKPOOL_H

#include "lib/Runtime/core/Program.h"
#include "lib/Runtime/core/Status.h"

#include <vector>

namespace mxn::runtime {

class BlockPool {
public:
  explicit BlockPool(const CacheGroup &group) : group(&group) {}
  BlockPool(BlockPool &&other) noexcept;
  BlockPool &operator=(BlockPool &&) = delete;
  ~BlockPool();

  // Takes memory for `blocks` blocks, all zero: from `allocator`, or mapped where that is null.
  mxn_status_t create(uint64_t blocks, const mxn_allocator_t *allocator);

  // A free block with one reference. There must be one.
  int32_t take();
  void share(int32_t block);
  void release(int32_t block);
  bool isShared(int32_t block) const { return references[block] > 1; }

  uint8_t *data(int32_t block) const { return memory + static_cast<uint64_t>(block) * group->blockBytes; }
  uint64_t blockCount() const { return references.size(); }
  uint64_t freeCount() const { return freeBlocks.size(); }
  uint64_t sharedCount() const { return shared; }
  uint64_t bytes() const { return memoryBytes; }

  const CacheGroup *group; // of the model

private:
  uint8_t *memory = nullptr;
  uint64_t memoryBytes = 0;
  mxn_allocator_t owner = {}; // without functions: the memory is mapped
  std::vector<uint32_t> references;
  std::vector<int32_t> freeBlocks; // the last is taken first, so that memory that was touched is used again
  uint64_t shared = 0;
};

} // namespace mxn::runtime

#endif
