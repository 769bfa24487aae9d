// Planner.h - places transient buffers in one arena.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_RUNTIME_CORE_PLANNER_H
#define MXN_LIB_RUNTIME_CORE_PLANNER_H

#include <cstdint>
#include <vector>

namespace mxn::runtime {

// One buffer to place. Two whose [first, last] meet get places that don't overlap.
struct Placement {
  int64_t size;
  uint32_t first, last;
  int64_t offset = 0;   // result
  int64_t capacity = 0; // result: bytes at offset that belong to it, at least `size`
};

class Planner {
public:
  std::vector<Placement> placements;

  // Places everything; returns the arena's size. With `slack`, buffers get up to an eighth more than they need, so that
  // a plan lasts while sizes rise a little from call to call, as in generating text.
  int64_t plan(bool slack);

  // Whether the current plan also serves the sizes in `placements`, without wasting more than half of the arena.
  bool stillFits() const;

private:
  std::vector<uint32_t> order, placed; // kept for their memory
  int64_t plannedSizes = 0;
};

} // namespace mxn::runtime

#endif
