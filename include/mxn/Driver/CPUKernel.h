/* CPUKernel.h - what a CPU kernel looks like to the code that calls it.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A code object of a bundle exports one function of this type for each kernel. It is called once for every point of
 * the dispatch's grid, from any thread, in any order. It keeps no state and calls nothing.
 */
#ifndef MXN_DRIVER_CPUKERNEL_H
#define MXN_DRIVER_CPUKERNEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a kernel returns. Anything but MXN_KERNEL_OK makes the call of the model fail. */
#define MXN_KERNEL_OK 0
/* An index read from data was out of range (it was clamped), or, in code compiled with bounds checks, an access left
 * its binding. */
#define MXN_KERNEL_OUT_OF_BOUNDS 1
#define MXN_KERNEL_BAD_VALUE 2 /* a value that the op forbids, such as an integer division by zero */

/* bindings:  one pointer each, aligned to the element type at least
 * lengths:   bytes behind each pointer
 * constants: the dispatch's registers
 * x, y, z:   the position in the grid */
typedef int32_t (*mxn_cpu_kernel_t)(void *const *bindings, const uint64_t *lengths, const int64_t *constants,
                                    uint64_t x, uint64_t y, uint64_t z);

#ifdef __cplusplus
}
#endif
#endif
