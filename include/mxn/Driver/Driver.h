/* Driver.h - what a driver is to the runtime: a struct of functions that run kernels on one kind of device.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The runtime's own CPU driver is used through this struct too. A driver in its own library exports mxn_driver_query;
 * one that is linked into the program calls mxn_driver_register.
 *
 * Every function that can fail returns an mxn_status_t and fills the error it is given; no driver ends the process,
 * prints or throws. `device` functions may be called by several threads at once, those of one queue by one at a time.
 * Functions of one queue take effect in the order of the calls. Pointers called `target` and `source` lie in the
 * device's memory unless the comment says otherwise.
 */
#ifndef MXN_DRIVER_DRIVER_H
#define MXN_DRIVER_DRIVER_H

#include "mxn/Runtime/Types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when a function changes its meaning. Functions are added at the end and seen by struct_size. */
#define MXN_DRIVER_VERSION 1u

/* The device reads and writes host memory in place, so nothing is uploaded; allocation is the context's. */
#define MXN_DRIVER_HOST_MEMORY 1u

typedef struct mxn_device mxn_device_t; /* these are the driver's own */
typedef struct mxn_code mxn_code_t;
typedef struct mxn_queue mxn_queue_t;

typedef struct mxn_driver_error {
  uint32_t struct_size;
  int32_t kernel_code; /* with MXN_STATUS_KERNEL_FAILED: what the kernel returned, see CPUKernel.h */
  uint32_t kernel;     /* and its number in the plan */
  char text[500];      /* a message that ends with a NUL */
} mxn_driver_error_t;

/* One code object of a bundle. `data` is valid while the code is loaded. */
typedef struct mxn_code_object {
  uint32_t struct_size;
  uint32_t feature_count;
  const char *level;
  const char *const *features;
  const void *data;
  uint64_t length;
} mxn_code_object_t;

typedef struct mxn_queue_options {
  uint32_t struct_size;
  uint32_t threads; /* for devices that run on the host's threads; 0: one for each core */
} mxn_queue_options_t;

typedef struct mxn_dispatch {
  uint32_t struct_size;
  uint32_t kernel; /* its number in the names that code_load got */
  uint32_t binding_count;
  uint32_t constant_count;
  void *const *bindings;   /* device pointers, valid until the queue has run the dispatch... */
  const uint64_t *lengths; /* ...while these arrays are valid during the call only */
  const int64_t *constants;
  uint64_t grid[3]; /* each at least 1, their product below 2^63 */
} mxn_dispatch_t;

typedef struct mxn_driver {
  uint32_t struct_size;
  uint32_t version; /* MXN_DRIVER_VERSION */
  const char *name; /* what a plan of a bundle calls it, such as "cpu" */
  uint32_t flags;
  uint32_t reserved; /* 0 */

  /* How well this machine runs a code object, from its level and features alone: 0 not at all, with the reason in the
   * error; plans are compared by it. */
  uint32_t (*score)(const mxn_code_object_t *object, mxn_driver_error_t *error);

  mxn_status_t (*open)(mxn_device_t **out_device, mxn_driver_error_t *error);
  void (*close)(mxn_device_t *device);

  /* Device memory, aligned to 64 bytes at least. NULL with MXN_DRIVER_HOST_MEMORY, like the two after them. */
  mxn_status_t (*memory_allocate)(mxn_device_t *device, uint64_t bytes, void **out_memory, mxn_driver_error_t *error);
  void (*memory_release)(mxn_device_t *device, void *memory, uint64_t bytes);
  /* From and to host memory, which the call is done with when it returns. */
  mxn_status_t (*upload)(mxn_queue_t *queue, void *target, const void *source, uint64_t bytes,
                         mxn_driver_error_t *error);
  mxn_status_t (*download)(mxn_queue_t *queue, void *target, const void *source, uint64_t bytes,
                           mxn_driver_error_t *error);

  /* Loads a code object and looks up the kernels of the plan; a missing one is an error. */
  mxn_status_t (*code_load)(mxn_device_t *device, const mxn_code_object_t *object, const char *const *kernel_names,
                            uint32_t kernel_count, mxn_code_t **out_code, mxn_driver_error_t *error);
  void (*code_unload)(mxn_code_t *code);

  mxn_status_t (*queue_open)(mxn_device_t *device, const mxn_queue_options_t *options, mxn_queue_t **out_queue,
                             mxn_driver_error_t *error);
  void (*queue_close)(mxn_queue_t *queue);
  uint32_t (*queue_threads)(mxn_queue_t *queue); /* host threads that it runs kernels on; 0: none */

  /* Work. A driver may do it at once or later; failures of later work are told by `synchronize`. */
  mxn_status_t (*dispatch)(mxn_queue_t *queue, mxn_code_t *code, const mxn_dispatch_t *dispatch,
                           mxn_driver_error_t *error);
  mxn_status_t (*copy)(mxn_queue_t *queue, void *target, const void *source, uint64_t bytes,
                       mxn_driver_error_t *error); /* the two may overlap */
  mxn_status_t (*fill)(mxn_queue_t *queue, void *target, uint8_t value, uint64_t bytes, mxn_driver_error_t *error);
  /* Waits for all work before it. */
  mxn_status_t (*synchronize)(mxn_queue_t *queue, mxn_driver_error_t *error);

  /* A mark in the queue: event_wait makes what follows in another queue wait for it. May be NULL where
   * every call has done its work when it returns. */
  mxn_status_t (*event_record)(mxn_queue_t *queue, void **out_event, mxn_driver_error_t *error);
  mxn_status_t (*event_wait)(mxn_queue_t *queue, void *event, mxn_driver_error_t *error);
  void (*event_release)(mxn_queue_t *queue, void *event);
} mxn_driver_t;

/* Makes a driver known to the models opened from now on. The struct stays the caller's and must stay valid. */
MXN_API mxn_status_t mxn_driver_register(const mxn_driver_t *driver);

/* Loads the shared library at `path` and registers the driver that its mxn_driver_query returns. It is never unloaded.
 */
MXN_API mxn_status_t mxn_driver_load(const char *path);

/* What a driver's library exports under the name "mxn_driver_query": its struct for the runtime's driver version, or
 * NULL where it can't serve it. */
typedef const mxn_driver_t *(*mxn_driver_query_t)(uint32_t runtime_driver_version);

#ifdef __cplusplus
}
#endif
#endif
