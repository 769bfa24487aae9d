// Drivers.h - the drivers that this process knows.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_RUNTIME_CORE_DRIVERS_H
#define MXN_LIB_RUNTIME_CORE_DRIVERS_H

#include "mxn/Driver/Driver.h"

namespace mxn::runtime {

// The in-tree CPU driver.
const mxn_driver_t *cpuDriver();

// The driver of that name; null if there is none. Registered drivers hide the in-tree ones.
const mxn_driver_t *findDriver(const char *name);

inline mxn_driver_error_t noError() {
  mxn_driver_error_t error = {};
  error.struct_size = sizeof(error);
  return error;
}

} // namespace mxn::runtime

#endif
