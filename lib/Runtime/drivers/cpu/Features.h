// Features.h - what this processor can run.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_RUNTIME_DRIVERS_CPU_FEATURES_H
#define MXN_LIB_RUNTIME_DRIVERS_CPU_FEATURES_H

#include "mxn/Driver/Driver.h"

namespace mxn::cpu {

// 0 if this processor can't run the code object, with the reason in `error`; else more for a higher level and more
// features. The environment variable MXN_CPU, such as "x86-64-v3" or "x86-64-v4,avx512vnni", makes the processor pass
// for one that has no more than that.
uint32_t score(const mxn_code_object_t &object, mxn_driver_error_t &error);

// Rank of a level among those of its architecture, from 1; 0 for a level that this processor's architecture doesn't
// have.
uint32_t levelRank(const char *level);

// The best level that the processor has.
uint32_t machineRank();

// Whether the processor and the system have a feature, by LLVM's name for it.
bool hasFeature(const char *feature);

} // namespace mxn::cpu

#endif
