// Drivers.cpp - registering drivers and finding them by name.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Drivers.h"

#include "lib/Runtime/core/Status.h"
#include "mxn/Runtime/Runtime.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <dlfcn.h>

using namespace mxn::runtime;

namespace {
// Few and never removed, so readers need no lock: a slot is written before the count that shows it.
constexpr unsigned maxDrivers = 64;
std::atomic<const mxn_driver_t *> drivers[maxDrivers];
std::atomic<unsigned> driverCount{0};
} // namespace

const mxn_driver_t *mxn::runtime::findDriver(const char *name) {
  for (unsigned i = std::min(driverCount.load(), maxDrivers); i-- > 0;)
    if (const mxn_driver_t *driver = drivers[i].load(); driver && !strcmp(driver->name, name))
      return driver;
  return strcmp(cpuDriver()->name, name) == 0 ? cpuDriver() : nullptr;
}

mxn_status_t mxn_driver_register(const mxn_driver_t *driver) {
  if (!driver || !driver->name)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "there is no driver to register");
  if (driver->version != MXN_DRIVER_VERSION)
    return fail(MXN_STATUS_UNSUPPORTED, "driver \"%s\" is of driver version %u, this runtime takes %u", driver->name,
                driver->version, MXN_DRIVER_VERSION);
  if (driver->struct_size < sizeof(mxn_driver_t))
    return fail(MXN_STATUS_INVALID_ARGUMENT, "driver \"%s\" has a struct of %u bytes, %zu are needed", driver->name,
                driver->struct_size, sizeof(mxn_driver_t));
  bool hostMemory = driver->flags & MXN_DRIVER_HOST_MEMORY;
  bool complete =
      driver->score && driver->open && driver->close && driver->code_load && driver->code_unload &&
      driver->queue_open && driver->queue_close && driver->queue_threads && driver->dispatch && driver->copy &&
      driver->fill && driver->synchronize &&
      (hostMemory || (driver->memory_allocate && driver->memory_release && driver->upload && driver->download));
  if (!complete)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "driver \"%s\" lacks a function", driver->name);
  unsigned slot = driverCount.fetch_add(1);
  if (slot >= maxDrivers)
    return fail(MXN_STATUS_UNSUPPORTED, "%u drivers are registered, there is no room for another", maxDrivers);
  drivers[slot].store(driver);
  return MXN_STATUS_OK;
}

mxn_status_t mxn_driver_load(const char *path) {
  if (!path)
    return fail(MXN_STATUS_INVALID_ARGUMENT, "there is no path of a driver");
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return fail(MXN_STATUS_IO_ERROR, "can't load a driver: %s", dlerror());
  auto query = reinterpret_cast<mxn_driver_query_t>(dlsym(library, "mxn_driver_query"));
  if (!query)
    return fail(MXN_STATUS_UNSUPPORTED, "%s is no driver: it has no mxn_driver_query", path);
  const mxn_driver_t *driver = query(MXN_DRIVER_VERSION);
  if (!driver)
    return fail(MXN_STATUS_UNSUPPORTED, "%s doesn't serve driver version %u", path, MXN_DRIVER_VERSION);
  return mxn_driver_register(driver);
}
