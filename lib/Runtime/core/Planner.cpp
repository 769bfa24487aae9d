// Planner.cpp - places transient buffers in one arena.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Planner.h"

#include "lib/Runtime/core/Memory.h"

#include <algorithm>

using namespace mxn::runtime;

// Sizes are below 2^48 and fewer than 2^32, so nothing here overflows in practice; the binder bounds their sum.
static int64_t roundedSize(int64_t size, bool slack) {
  int64_t unit = memoryAlignment;
  while (slack && unit < size / 16)
    unit *= 2;
  return (size + unit - 1) / unit * unit;
}

int64_t Planner::plan(bool slack) {
  order.clear();
  plannedSizes = 0;
  for (uint32_t i = 0; i < placements.size(); ++i) {
    placements[i].capacity = roundedSize(placements[i].size, slack);
    placements[i].offset = 0;
    plannedSizes += placements[i].capacity;
    if (placements[i].capacity > 0)
      order.push_back(i);
  }
  // Big ones first: small ones then fill the gaps. Ties by number, so that the same sizes give the same plan.
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return placements[a].capacity != placements[b].capacity ? placements[a].capacity > placements[b].capacity : a < b;
  });
  placed.clear(); // by offset
  int64_t total = 0;
  for (uint32_t i : order) {
    Placement &buffer = placements[i];
    // The smallest gap that is big enough among those that live at the same time, else the end.
    int64_t end = 0, best = -1, bestGap = 0;
    for (uint32_t j : placed) {
      const Placement &other = placements[j];
      if (other.last < buffer.first || buffer.last < other.first)
        continue;
      int64_t gap = other.offset - end;
      if (gap >= buffer.capacity && (best < 0 || gap < bestGap)) {
        best = end;
        bestGap = gap;
      }
      end = std::max(end, other.offset + other.capacity);
    }
    buffer.offset = best >= 0 ? best : end;
    total = std::max(total, buffer.offset + buffer.capacity);
    auto after = std::upper_bound(placed.begin(), placed.end(), i,
                                  [&](uint32_t a, uint32_t b) { return placements[a].offset < placements[b].offset; });
    placed.insert(after, i);
  }
  return total;
}

bool Planner::stillFits() const {
  int64_t needed = 0;
  for (const Placement &buffer : placements) {
    if (buffer.size > buffer.capacity)
      return false;
    needed += roundedSize(buffer.size, false);
  }
  return needed >= plannedSizes / 2;
}
