/* Types.h - the statuses, element types and structs of the runtime's C interface.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#ifndef MXN_RUNTIME_TYPES_H
#define MXN_RUNTIME_TYPES_H

#include <stdint.h>

#if defined(__GNUC__)
#define MXN_API __attribute__((visibility("default")))
#else
#define MXN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers never change their meaning; new ones may be added. */
typedef int32_t mxn_status_t;
enum {
  MXN_STATUS_OK = 0,
  MXN_STATUS_INVALID_ARGUMENT = 1, /* the caller passed something that the call or the model doesn't take */
  MXN_STATUS_NOT_FOUND = 2,        /* no function, section or key of that name */
  MXN_STATUS_IO_ERROR = 3,         /* the operating system refused a file */
  MXN_STATUS_BAD_BUNDLE = 4,       /* the file is damaged or breaks a rule of the format */
  MXN_STATUS_UNSUPPORTED = 5,      /* another format version, or no code for this machine */
  MXN_STATUS_OUT_OF_MEMORY = 6,
  MXN_STATUS_CHECK_FAILED = 7,  /* sizes or values that the model forbids: a guard of the model says no */
  MXN_STATUS_KERNEL_FAILED = 8, /* a kernel met an index or a value that its op forbids */
  MXN_STATUS_CANCELLED = 9,     /* the cancel flag was set */
  MXN_STATUS_WRONG_STATE = 10,  /* such as running before binding */
  MXN_STATUS_DRIVER_ERROR = 11  /* the device or its driver failed */
};

/* Numbers are those of ONNX's TensorProto.DataType. */
typedef uint32_t mxn_type_t;
enum {
  MXN_TYPE_UNDEFINED = 0,
  MXN_TYPE_FLOAT32 = 1,
  MXN_TYPE_UINT8 = 2,
  MXN_TYPE_INT8 = 3,
  MXN_TYPE_UINT16 = 4,
  MXN_TYPE_INT16 = 5,
  MXN_TYPE_INT32 = 6,
  MXN_TYPE_INT64 = 7,
  MXN_TYPE_STRING = 8,
  MXN_TYPE_BOOL = 9,
  MXN_TYPE_FLOAT16 = 10,
  MXN_TYPE_FLOAT64 = 11,
  MXN_TYPE_UINT32 = 12,
  MXN_TYPE_UINT64 = 13,
  MXN_TYPE_COMPLEX64 = 14,
  MXN_TYPE_COMPLEX128 = 15,
  MXN_TYPE_BFLOAT16 = 16,
  MXN_TYPE_FLOAT8E4M3FN = 17,
  MXN_TYPE_FLOAT8E4M3FNUZ = 18,
  MXN_TYPE_FLOAT8E5M2 = 19,
  MXN_TYPE_FLOAT8E5M2FNUZ = 20,
  MXN_TYPE_UINT4 = 21,
  MXN_TYPE_INT4 = 22,
  MXN_TYPE_FLOAT4E2M1 = 23,
  MXN_TYPE_FLOAT8E8M0 = 24,
  MXN_TYPE_UINT2 = 25,
  MXN_TYPE_INT2 = 26
};

#define MXN_MAX_RANK 16

typedef struct mxn_model mxn_model_t;
typedef struct mxn_context mxn_context_t;

typedef struct mxn_model_options {
  uint32_t struct_size;
  uint32_t reserved;  /* 0 */
  const char *driver; /* take only plans of this driver, such as "cpu"; NULL: the plan that scores best */
} mxn_model_options_t;

/* An input or output of a function. Strings belong to the model. */
typedef struct mxn_tensor_info {
  uint32_t struct_size;
  const char *name;
  mxn_type_t type;
  uint32_t rank;
  int64_t dims[MXN_MAX_RANK];          /* -1 where the dimension is known only when inputs are bound */
  const char *dim_names[MXN_MAX_RANK]; /* such as "batch_size" or "past + 1"; "" where it has no name */
} mxn_tensor_info_t;

/* The call may overwrite this input's data, and an output that can grow out of it may take over its memory. `bytes` is
 * the capacity of that memory, which may be more than the shape needs. */
#define MXN_TENSOR_DONATE 1u

/* A dense tensor in row-major order. */
typedef struct mxn_tensor {
  uint32_t struct_size;
  mxn_type_t type;
  uint32_t rank;
  int64_t dims[MXN_MAX_RANK];
  void *data; /* aligned to the element type; may be NULL where there are no elements */
  uint64_t bytes;
  uint32_t flags;
} mxn_tensor_t;

/* Memory for outputs and intermediate results. `allocate` returns NULL when it has none; `alignment` is a power of two.
 * Called only from the thread that calls the context. */
typedef struct mxn_allocator {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */
  void *user;
  void *(*allocate)(void *user, uint64_t bytes, uint64_t alignment);
  void (*release)(void *user, void *memory, uint64_t bytes);
} mxn_allocator_t;

typedef void (*mxn_log_t)(void *user, const char *text);

typedef struct mxn_context_options {
  uint32_t struct_size;
  uint32_t threads;                 /* threads that run kernels, the caller's included; 0: one for each core */
  const mxn_allocator_t *allocator; /* copied; NULL: the runtime's own */
  mxn_log_t log;                    /* gets one line for each notable event; NULL: none */
  void *log_user;
  const volatile int32_t *cancel; /* looked at between instructions: non-zero ends the run with
                                     MXN_STATUS_CANCELLED; may be set by any thread; NULL: none */
  uint64_t memory_limit;          /* most bytes that the context may take for outputs and intermediate results;
                                     0: no limit */
} mxn_context_options_t;

typedef struct mxn_stats {
  uint32_t struct_size;
  uint32_t threads;         /* that kernels run on */
  uint64_t transient_bytes; /* memory for intermediate results */
  uint64_t output_bytes;    /* memory of outputs that the context owns */
  uint64_t bytes_copied;    /* by copy instructions in the last run */
  uint64_t dispatches;      /* in the last run */
  uint64_t plans;           /* how often memory was planned since the context was made */
  uint64_t run_nanoseconds; /* of the last run */
} mxn_stats_t;

#ifdef __cplusplus
}
#endif
#endif
