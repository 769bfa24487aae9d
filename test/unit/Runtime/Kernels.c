/* Kernels.c - the code object of the unit tests' bundles.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#include "mxn/Driver/CPUKernel.h"

#define KERNEL(name)                                                                                                   \
  __attribute__((visibility("default"))) int32_t name(void *const *bindings, const uint64_t *lengths,                  \
                                                      const int64_t *constants, uint64_t x, uint64_t y, uint64_t z)

/* Through a table of addresses, so that the object has relocations. */
static float plus(float a, float b) { return a + b; }
static float times(float a, float b) { return a * b; }
static float (*const operations[])(float, float) = {plus, times};

/* out[x] = operation(a[x], b[x]); constants: operation */
KERNEL(binary) {
  if ((x + 1) * sizeof(float) > lengths[2])
    return MXN_KERNEL_OUT_OF_BOUNDS;
  float (*volatile operation)(float, float) = operations[constants[0] != 0];
  ((float *)bindings[2])[x] = operation(((const float *)bindings[0])[x], ((const float *)bindings[1])[x]);
  return (int32_t)(y + z);
}

/* counter[0] += constants[0]; keep_going[0] = counter[0] < constants[1] */
KERNEL(count) {
  int64_t *counter = bindings[0];
  *counter += constants[0];
  *(uint8_t *)bindings[1] = *counter < constants[1];
  return (int32_t)(x + y + z);
}

/* Fails at grid point constants[0] with constants[1]. */
KERNEL(complain) { return (int64_t)x == constants[0] ? (int32_t)constants[1] : (int32_t)(y + z); }
