// Trace.cpp - records what a context's runs did, and writes it as a Chrome trace.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Trace.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <sys/stat.h>
#include <time.h>

using namespace mxn;
using namespace mxn::runtime;

uint64_t runtime::now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return uint64_t(time.tv_sec) * 1000000000u + uint64_t(time.tv_nsec);
}

void Trace::start() {
  events.clear();
  origin = now();
  on = true;
}

void Trace::add(const TraceEvent &event) {
  if (events.size() < maxEvents)
    events.push_back(event);
}

// The loader lets no control characters but tab and newline through.
static void writeString(FILE *file, const char *text) {
  fputc('"', file);
  for (; *text; ++text) {
    if (*text == '\n')
      fputs("\\n", file);
    else if (*text == '\t')
      fputs("\\t", file);
    else {
      if (*text == '"' || *text == '\\')
        fputc('\\', file);
      fputc(*text, file);
    }
  }
  fputc('"', file);
}

static void writeEvent(FILE *file, const TraceEvent &event, const Plan &plan, uint64_t origin) {
  bool isDispatch = event.kind == bundle::Op_Dispatch;
  fputs("{\"name\":", file);
  writeString(file, isDispatch ? plan.kernels[event.kernel].name : event.kind == bundle::Op_Copy ? "copy" : "fill");
  // The format's times are microseconds.
  fprintf(file,
          ",\"cat\":\"%s\",\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":%.3f,\"dur\":%.3f,\"args\":{\"instruction\":%u",
          isDispatch ? "kernel" : "memory", (event.start - origin) / 1e3, event.duration / 1e3, event.number);
  if (event.location >= 0) {
    fputs(",\"location\":", file);
    writeString(file, plan.locations[event.location]);
  }
  if (isDispatch)
    fprintf(file, ",\"grid\":[%llu,%llu,%llu]}}", static_cast<unsigned long long>(event.grid[0]),
            static_cast<unsigned long long>(event.grid[1]), static_cast<unsigned long long>(event.grid[2]));
  else
    fprintf(file, ",\"bytes\":%llu}}", static_cast<unsigned long long>(event.bytes));
}

mxn_status_t Trace::write(const char *path, const Plan &plan) const {
  // Written beside its place and then moved there, so that nobody sees half a trace; but a device or a pipe must not be
  // replaced by a file.
  struct stat status;
  const bool inPlace = stat(path, &status) == 0 && !S_ISREG(status.st_mode);
  const std::string temporary = inPlace ? path : std::string(path) + ".partial";
  FILE *file = fopen(temporary.c_str(), "wbe");
  if (!file)
    return fail(MXN_STATUS_IO_ERROR, "can't write %s: %s", path, strerror(errno));
  fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", file);
  for (size_t i = 0; i < events.size(); ++i) {
    if (i)
      fputs(",\n", file);
    writeEvent(file, events[i], plan, origin);
  }
  fputs("\n]}\n", file);
  bool written = !ferror(file);
  written &= fclose(file) == 0;
  if (!written || (!inPlace && rename(temporary.c_str(), path) != 0)) {
    int reason = errno;
    if (!inPlace)
      remove(temporary.c_str());
    return fail(MXN_STATUS_IO_ERROR, "can't write %s: %s", path, strerror(reason));
  }
  return MXN_STATUS_OK;
}
