// Status.h - failing with a status and a text, without exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_RUNTIME_CORE_STATUS_H
#define MXN_LIB_RUNTIME_CORE_STATUS_H

#include "mxn/Driver/Driver.h"

namespace mxn::runtime {

// Stores the text for mxn_last_error() and returns `status`.
[[gnu::format(printf, 2, 3)]] mxn_status_t fail(mxn_status_t status, const char *format, ...);

// Stores a driver's text, led by what was being done.
mxn_status_t failFromDriver(mxn_status_t status, const char *what, const mxn_driver_error_t &error);

} // namespace mxn::runtime

#define MXN_RETURN_IF_FAILED(expression)                                                                               \
  do {                                                                                                                 \
    if (mxn_status_t statusOfCall = (expression); statusOfCall != MXN_STATUS_OK)                                       \
      return statusOfCall;                                                                                             \
  } while (false)

#endif
