// PlannerTest.cpp - places of transient buffers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/core/Planner.h"

#include <gtest/gtest.h>

#include <random>

using namespace mxn::runtime;

static void expectNoOverlap(const Planner &planner, int64_t total) {
  for (size_t i = 0; i < planner.placements.size(); ++i) {
    const Placement &a = planner.placements[i];
    EXPECT_EQ(a.offset % 64, 0);
    EXPECT_GE(a.capacity, a.size);
    EXPECT_LE(a.offset + a.capacity, total);
    for (size_t k = 0; k < i; ++k) {
      const Placement &b = planner.placements[k];
      bool meet = a.first <= b.last && b.first <= a.last;
      bool overlap = a.offset < b.offset + b.capacity && b.offset < a.offset + a.capacity;
      EXPECT_FALSE(meet && overlap && a.size && b.size) << i << " and " << k;
    }
  }
}

TEST(Planner, SharesMemoryOfBuffersThatNeverMeet) {
  Planner planner;
  planner.placements = {{1000, 0, 1}, {1000, 2, 3}, {100, 1, 2}};
  int64_t total = planner.plan(false);
  EXPECT_EQ(total, 1024 + 128);
  expectNoOverlap(planner, total);
}

TEST(Planner, NeverOverlapsBuffersThatMeet) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    Planner planner;
    for (int i = 0; i < 60; ++i) {
      uint32_t first = random() % 100, last = first + random() % 20;
      planner.placements.push_back({static_cast<int64_t>(random() % 5000), first, last});
    }
    expectNoOverlap(planner, planner.plan(round % 2));
  }
}

TEST(Planner, KeepsAPlanWithSlackWhileSizesRise) {
  Planner planner;
  planner.placements = {{100000, 0, 1}, {50000, 1, 2}};
  planner.plan(true);
  planner.placements[0].size += 64;
  EXPECT_TRUE(planner.stillFits());
  planner.placements[0].size = 200000;
  EXPECT_FALSE(planner.stillFits());
  planner.placements[0].size = 10;
  planner.placements[1].size = 10;
  EXPECT_FALSE(planner.stillFits()) << "a small call shouldn't hold a large one's memory plan";
}
