// ThreadPoolTest.cpp - every point of a grid runs exactly once.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/drivers/cpu/ThreadPool.h"

#include <gtest/gtest.h>

#include <unistd.h>

using namespace mxn::cpu;

TEST(ThreadPool, RunsEachIndexOnce) {
  for (uint32_t threads : {1, 2, 5}) {
    ThreadPool pool;
    pool.start(threads);
    EXPECT_EQ(pool.threadCount(), threads);
    for (uint64_t count = 0; count < 300; ++count) {
      std::vector<std::atomic<int>> seen(count);
      auto function = [](const void *argument, uint64_t index) -> int32_t {
        (*static_cast<std::vector<std::atomic<int>> *>(const_cast<void *>(argument)))[index].fetch_add(1);
        return 0;
      };
      EXPECT_EQ(pool.run({function, &seen, count}), 0);
      for (auto &once : seen)
        ASSERT_EQ(once.load(), 1);
      if (count % 100 == 50)
        usleep(2000); // long enough for the workers to sleep
    }
  }
}

TEST(ThreadPool, ReturnsAFailure) {
  ThreadPool pool;
  pool.start(3);
  auto function = [](const void *, uint64_t index) -> int32_t { return index == 77 ? 5 : 0; };
  EXPECT_EQ(pool.run({function, nullptr, 1000}), 5);
  auto fine = [](const void *, uint64_t) -> int32_t { return 0; };
  EXPECT_EQ(pool.run({fine, nullptr, 1000}), 0);
}
