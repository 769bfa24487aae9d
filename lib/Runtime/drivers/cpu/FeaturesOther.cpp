// FeaturesOther.cpp - what AArch64 and RISC-V processors can run.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/drivers/cpu/Features.h"

#if !defined(__x86_64__)

#include <cstring>
#include <sys/auxv.h>

namespace {
// Where the kernel tells of a feature.
struct Feature {
  const char *name;
  unsigned long vector; // AT_HWCAP or AT_HWCAP2
  unsigned bit;
};

// Numbers of Linux's <asm/hwcap.h>, by LLVM's names.
#if defined(__aarch64__)
constexpr const char *architecture = "aarch64";
constexpr Feature features[] = {
    {"neon", AT_HWCAP, 1},   {"fullfp16", AT_HWCAP, 10}, {"dotprod", AT_HWCAP, 20},
    {"sve", AT_HWCAP, 22},   {"fp16fml", AT_HWCAP, 23},  {"sve2", AT_HWCAP2, 1},
    {"i8mm", AT_HWCAP2, 13}, {"bf16", AT_HWCAP2, 14},    {"sme", AT_HWCAP2, 23},
};
#elif defined(__riscv)
constexpr const char *architecture = "riscv64";
constexpr Feature features[] = {{"v", AT_HWCAP, 'v' - 'a'}, {"c", AT_HWCAP, 'c' - 'a'}, {"d", AT_HWCAP, 'd' - 'a'}};
#else
constexpr const char *architecture = "";
constexpr Feature features[] = {{"", AT_HWCAP, 63}};
#endif
} // namespace

bool mxn::cpu::hasFeature(const char *name) {
  for (const Feature &feature : features)
    if (!strcmp(feature.name, name))
      return getauxval(feature.vector) >> feature.bit & 1;
  return false;
}

uint32_t mxn::cpu::levelRank(const char *level) { return architecture[0] && !strcmp(level, architecture) ? 1 : 0; }

uint32_t mxn::cpu::machineRank() { return 1; }

#endif
