// ElfLoaderTest.cpp - loading code objects, good and damaged.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/drivers/cpu/ElfLoader.h"
#include "mxn/Driver/CPUKernel.h"
#include "test/unit/Runtime/TestBundle.h"

#include <gtest/gtest.h>

#include <random>

using namespace mxn::cpu;
using namespace mxn::test;

TEST(ElfLoader, LoadsAndRelocates) {
  AlignedBytes file(readKernels());
  LoadedObject object;
  ASSERT_EQ(object.load(file.data, file.length), "");
  auto binary = reinterpret_cast<mxn_cpu_kernel_t>(object.findFunction("binary"));
  ASSERT_NE(binary, nullptr);
  float a[] = {3}, b[] = {4}, c[] = {0};
  void *bindings[] = {a, b, c};
  uint64_t lengths[] = {4, 4, 4};
  int64_t product[] = {1};
  EXPECT_EQ(binary(bindings, lengths, product, 0, 0, 0), 0);
  EXPECT_EQ(c[0], 12) << "the operation comes from a table of relocated addresses";
  EXPECT_EQ(object.findFunction("operations"), nullptr);
  EXPECT_EQ(object.findFunction("nothing"), nullptr);
}

TEST(ElfLoader, RefusesOtherProcessors) {
  AlignedBytes file(readKernels());
  reinterpret_cast<Elf64_Ehdr *>(file.data)->e_machine = EM_S390;
  LoadedObject object;
  EXPECT_NE(object.load(file.data, file.length).find("another processor"), std::string::npos);
}

TEST(ElfLoader, SurvivesDamage) {
  Bytes good = readKernels();
  std::mt19937 random(11);
  for (int round = 0; round < 20000; ++round) {
    Bytes bad = good;
    // The parts that the loader reads are near the start; code further on is anybody's.
    size_t region = round % 2 ? std::min<size_t>(bad.size(), 0x800) : bad.size();
    for (unsigned flips = 1 + random() % 6; flips > 0; --flips)
      bad[random() % region] ^= 1u << random() % 8;
    if (round % 5 == 0)
      bad.resize(random() % (bad.size() + 1));
    AlignedBytes file(bad);
    LoadedObject object;
    if (object.load(file.data, file.length).empty())
      object.findFunction("binary");
  }
}
