// ThreadPool.h - runs the points of a grid on several threads.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MXN_LIB_RUNTIME_DRIVERS_CPU_THREADPOOL_H
#define MXN_LIB_RUNTIME_DRIVERS_CPU_THREADPOOL_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <pthread.h>
#include <vector>

namespace mxn::cpu {

// What to run: `function(argument, index)` for every index below `count`. A result other than 0 stops the rest.
struct Job {
  int32_t (*function)(const void *argument, uint64_t index);
  const void *argument;
  uint64_t count;
};

// One thread at a time may call run(), which takes part in the work. The others look for work for a short while after
// each job and then sleep, so that a model's many short dispatches don't pay for waking them.
class ThreadPool {
public:
  ThreadPool() = default;
  ThreadPool(const ThreadPool &) = delete;
  ~ThreadPool();

  // Starts threads - 1 workers; fewer if the system refuses some. 0: one thread for each core this process may use.
  void start(uint32_t threads);
  uint32_t threadCount() const { return workers.size() + 1; }

  // The first result other than 0 that was seen, or 0.
  int32_t run(const Job &job);

private:
  static void *workerMain(void *pool);
  void work();
  bool join();

  static constexpr uint32_t closed = 1u << 31;

  // Only changed while the gate is closed and nobody is inside.
  Job job = {};
  uint64_t chunk = 1;
  std::atomic<uint64_t> next{0};
  std::atomic<int32_t> result{0};

  // The highest bit says that there is no work; the rest counts the workers that are inside. A worker that comes late
  // finds the gate closed and leaves, so that a job needn't wait for those who sleep.
  alignas(64) std::atomic<uint32_t> gate{closed};
  alignas(64) std::atomic<uint32_t> epoch{0}; // goes up with each job
  std::atomic<uint32_t> sleepers{0};
  std::atomic<bool> stopping{false};
  uint32_t spins = 0;
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<pthread_t> workers;
};

} // namespace mxn::cpu

#endif
