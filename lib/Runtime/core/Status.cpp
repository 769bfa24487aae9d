// Status.cpp - the text of a thread's last failure, and the names of statuses.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Status.h"
#include "mxn/Runtime/Runtime.h"

#include <cstdarg>
#include <cstdio>

namespace {
// Plain memory, so that it needs no destructor when a thread ends and can't fail.
thread_local char lastError[2048];
} // namespace

mxn_status_t mxn::runtime::fail(mxn_status_t status, const char *format, ...) {
  // An argument may point into the old text, hence the second buffer.
  char text[sizeof(lastError)];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  snprintf(lastError, sizeof(lastError), "%s", text);
  return status;
}

mxn_status_t mxn::runtime::failFromDriver(mxn_status_t status, const char *what, const mxn_driver_error_t &error) {
  const char *text = error.text[0] ? error.text : mxn_status_name(status);
  return fail(status, "%s: %.*s", what, static_cast<int>(sizeof(error.text)), text);
}

const char *mxn_last_error(void) { return lastError; }

const char *mxn_version(void) { return MXN_VERSION; }

const char *mxn_status_name(mxn_status_t status) {
  switch (status) {
  case MXN_STATUS_OK:
    return "ok";
  case MXN_STATUS_INVALID_ARGUMENT:
    return "invalid argument";
  case MXN_STATUS_NOT_FOUND:
    return "not found";
  case MXN_STATUS_IO_ERROR:
    return "I/O error";
  case MXN_STATUS_BAD_BUNDLE:
    return "bad bundle";
  case MXN_STATUS_UNSUPPORTED:
    return "unsupported";
  case MXN_STATUS_OUT_OF_MEMORY:
    return "out of memory";
  case MXN_STATUS_CHECK_FAILED:
    return "check failed";
  case MXN_STATUS_KERNEL_FAILED:
    return "kernel failed";
  case MXN_STATUS_CANCELLED:
    return "cancelled";
  case MXN_STATUS_WRONG_STATE:
    return "wrong state";
  case MXN_STATUS_DRIVER_ERROR:
    return "driver error";
  default:
    return "unknown status";
  }
}
