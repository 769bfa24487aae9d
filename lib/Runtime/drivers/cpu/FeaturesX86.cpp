// FeaturesX86.cpp - what an x86-64 processor can run.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/drivers/cpu/Features.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <cstring>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

enum Register { EAX, EBX, ECX, EDX };

// Where cpuid tells of a feature, and which parts of the register state the system must save for it.
struct Feature {
  const char *name;
  uint32_t leaf, subleaf;
  Register reg;
  uint32_t bit;
  uint64_t state; // bits of XCR0
};

constexpr uint64_t avxState = 0x6, avx512State = 0xe6, amxState = 0x60000;

constexpr Feature features[] = {
    {"sse3", 1, 0, ECX, 0, 0},
    {"ssse3", 1, 0, ECX, 9, 0},
    {"cx16", 1, 0, ECX, 13, 0},
    {"sse4.1", 1, 0, ECX, 19, 0},
    {"sse4.2", 1, 0, ECX, 20, 0},
    {"popcnt", 1, 0, ECX, 23, 0},
    {"sahf", 0x80000001, 0, ECX, 0, 0},
    {"fma", 1, 0, ECX, 12, avxState},
    {"movbe", 1, 0, ECX, 22, 0},
    {"avx", 1, 0, ECX, 28, avxState},
    {"f16c", 1, 0, ECX, 29, avxState},
    {"lzcnt", 0x80000001, 0, ECX, 5, 0},
    {"bmi", 7, 0, EBX, 3, 0},
    {"avx2", 7, 0, EBX, 5, avxState},
    {"bmi2", 7, 0, EBX, 8, 0},
    {"avx512f", 7, 0, EBX, 16, avx512State},
    {"avx512dq", 7, 0, EBX, 17, avx512State},
    {"avx512ifma", 7, 0, EBX, 21, avx512State},
    {"avx512cd", 7, 0, EBX, 28, avx512State},
    {"avx512bw", 7, 0, EBX, 30, avx512State},
    {"avx512vl", 7, 0, EBX, 31, avx512State},
    {"avx512vbmi", 7, 0, ECX, 1, avx512State},
    {"avx512vbmi2", 7, 0, ECX, 6, avx512State},
    {"gfni", 7, 0, ECX, 8, 0},
    {"vaes", 7, 0, ECX, 9, avxState},
    {"vpclmulqdq", 7, 0, ECX, 10, avxState},
    {"avx512vnni", 7, 0, ECX, 11, avx512State},
    {"avx512bitalg", 7, 0, ECX, 12, avx512State},
    {"avx512vpopcntdq", 7, 0, ECX, 14, avx512State},
    {"amx-bf16", 7, 0, EDX, 22, amxState},
    {"avx512fp16", 7, 0, EDX, 23, avx512State},
    {"amx-tile", 7, 0, EDX, 24, amxState},
    {"amx-int8", 7, 0, EDX, 25, amxState},
    {"avxvnni", 7, 1, EAX, 4, avxState},
    {"avx512bf16", 7, 1, EAX, 5, avx512State},
    {"amx-fp16", 7, 1, EAX, 21, amxState},
    {"avxifma", 7, 1, EAX, 23, avxState},
    {"avxvnniint8", 7, 1, EDX, 4, avxState},
    {"avxneconvert", 7, 1, EDX, 5, avxState},
    {"avxvnniint16", 7, 1, EDX, 10, avxState},
};

// The levels of the x86-64 psABI: what each adds to the one before.
constexpr const char *level2[] = {"sse3", "ssse3", "cx16", "sse4.1", "sse4.2", "popcnt", "sahf"};
constexpr const char *level3[] = {"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"};
constexpr const char *level4[] = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"};

uint64_t enabledState() {
  uint32_t eax, ebx, ecx, edx;
  constexpr uint32_t osxsave = 1u << 27;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & osxsave))
    return 0;
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

// Linux gives a process the tile registers only when it asks: ARCH_REQ_XCOMP_PERM for XTILEDATA.
bool tilesAllowed() { return syscall(SYS_arch_prctl, 0x1023, 18) == 0; }

template <size_t N> bool hasAll(const char *const (&names)[N]) {
  for (const char *name : names)
    if (!mxn::cpu::hasFeature(name))
      return false;
  return true;
}

} // namespace

bool mxn::cpu::hasFeature(const char *name) {
  for (const Feature &feature : features) {
    if (strcmp(feature.name, name) != 0)
      continue;
    uint32_t registers[4];
    if (!__get_cpuid_count(feature.leaf, feature.subleaf, &registers[EAX], &registers[EBX], &registers[ECX],
                           &registers[EDX]))
      return false;
    if (!(registers[feature.reg] >> feature.bit & 1) || (enabledState() & feature.state) != feature.state)
      return false;
    return feature.state != amxState || tilesAllowed();
  }
  return false;
}

uint32_t mxn::cpu::levelRank(const char *level) {
  constexpr const char *levels[] = {"x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"};
  for (uint32_t i = 0; i < 4; ++i)
    if (!strcmp(levels[i], level))
      return i + 1;
  return 0;
}

uint32_t mxn::cpu::machineRank() {
  if (!hasAll(level2))
    return 1;
  if (!hasAll(level3))
    return 2;
  return hasAll(level4) ? 4 : 3;
}

#endif
