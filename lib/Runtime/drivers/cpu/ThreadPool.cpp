// ThreadPool.cpp - runs the points of a grid on several threads.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Runtime/drivers/cpu/ThreadPool.h"

#include <algorithm>
#include <sched.h>
#include <signal.h>

using namespace mxn::cpu;

static void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static uint32_t coreCount() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? std::max(CPU_COUNT(&set), 1) : 1;
}

void ThreadPool::start(uint32_t threads) {
  uint32_t cores = coreCount();
  threads = std::min(threads ? threads : cores, uint32_t(1024));
  // About 50 microseconds. With more threads than cores, whoever looks for work keeps another from doing it.
  spins = threads <= cores ? 1500 : 0;
  // Signals are the host program's business; its own threads get them.
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  for (uint32_t i = 1; i < threads; ++i) {
    pthread_t worker;
    if (pthread_create(&worker, nullptr, workerMain, this) != 0)
      break;
    workers.push_back(worker);
  }
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    stopping = true;
    epoch.fetch_add(1);
  }
  wake.notify_all();
  for (pthread_t worker : workers)
    pthread_join(worker, nullptr);
}

bool ThreadPool::join() {
  if (!(gate.fetch_add(1, std::memory_order_acquire) & closed))
    return true;
  gate.fetch_sub(1, std::memory_order_release);
  return false;
}

void ThreadPool::work() {
  for (;;) {
    uint64_t begin = next.fetch_add(chunk, std::memory_order_relaxed);
    if (begin >= job.count)
      return;
    uint64_t end = std::min(begin + chunk, job.count);
    for (uint64_t i = begin; i < end; ++i) {
      if (int32_t code = job.function(job.argument, i)) {
        int32_t none = 0;
        result.compare_exchange_strong(none, code, std::memory_order_relaxed);
        next.store(job.count, std::memory_order_relaxed);
        return;
      }
    }
  }
}

void *ThreadPool::workerMain(void *argument) {
  auto *pool = static_cast<ThreadPool *>(argument);
  uint32_t seen = 0;
  for (;;) {
    for (uint32_t i = 0; i < pool->spins && pool->epoch.load(std::memory_order_acquire) == seen; ++i)
      relax();
    if (pool->epoch.load() == seen) {
      std::unique_lock<std::mutex> lock(pool->mutex);
      pool->sleepers.fetch_add(1);
      // run() raises the epoch before it looks for sleepers, so one of the two always sees the other.
      while (pool->epoch.load() == seen)
        pool->wake.wait(lock);
      pool->sleepers.fetch_sub(1);
    }
    seen = pool->epoch.load();
    if (pool->stopping.load())
      return nullptr;
    if (pool->join()) {
      pool->work();
      pool->gate.fetch_sub(1, std::memory_order_release);
    }
  }
}

int32_t ThreadPool::run(const Job &newJob) {
  if (newJob.count == 1 || workers.empty()) {
    for (uint64_t i = 0; i < newJob.count; ++i)
      if (int32_t code = newJob.function(newJob.argument, i))
        return code;
    return 0;
  }
  job = newJob;
  // Chunks keep the counter from being the bottleneck, and are small enough to even out the threads' speed.
  chunk = std::max<uint64_t>(1, job.count / (uint64_t(threadCount()) * 8));
  next.store(0, std::memory_order_relaxed);
  result.store(0, std::memory_order_relaxed);
  gate.fetch_and(~closed, std::memory_order_release);
  epoch.fetch_add(1);
  if (sleepers.load() > 0) {
    std::lock_guard<std::mutex> lock(mutex);
    wake.notify_all();
  }
  work();
  gate.fetch_or(closed, std::memory_order_acq_rel);
  for (uint32_t i = 0; gate.load(std::memory_order_acquire) != closed; ++i) {
    if (i < spins)
      relax();
    else
      sched_yield();
  }
  return result.load(std::memory_order_relaxed);
}
