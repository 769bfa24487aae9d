// Trace.h - records what a context's runs did, and writes it as a Chrome trace.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_RUNTIME_CORE_TRACE_H
#define MXN_LIB_RUNTIME_CORE_TRACE_H

#include "lib/Runtime/core/Program.h"
#include "lib/Runtime/core/Status.h"

namespace mxn::runtime {

// Nanoseconds of a clock that only goes forwards.
uint64_t now();

struct TraceEvent {
  bundle::Op kind; // Dispatch, Copy or Fill
  uint32_t kernel;
  int32_t location;
  uint32_t number; // of the instruction
  uint64_t start, duration;
  uint64_t bytes;   // of a copy or a fill
  uint64_t grid[3]; // of a dispatch
};

class Trace {
public:
  bool on = false;

  void start();
  void add(const TraceEvent &event);
  mxn_status_t write(const char *path, const Plan &plan) const;

private:
  // Enough for minutes of generating text; what comes after isn't recorded.
  static constexpr size_t maxEvents = size_t(1) << 21;
  std::vector<TraceEvent> events;
  uint64_t origin = 0;
};

} // namespace mxn::runtime

#endif
