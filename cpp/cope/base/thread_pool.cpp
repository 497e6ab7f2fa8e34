#include "cope/base/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>

#include "cope/base/cpu_count.h"

namespace cope {
namespace {

std::atomic<ThreadPool*> shared_pool{nullptr};

// Threads do not survive a fork and the pool's mutex may have been held by one of them, so a child
// abandons the pool of its parent without touching it.
void forget_shared_pool() { shared_pool.store(nullptr, std::memory_order_relaxed); }

}  // namespace

ThreadPool::ThreadPool(int num_threads) : queue_(64) {
  // Signals belong to the threads of the host program.
  sigset_t all;
  sigset_t previous;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &previous);
  const int count = std::max(1, num_threads);
  threads_.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
  pthread_sigmask(SIG_SETMASK, &previous, nullptr);
}

ThreadPool::~ThreadPool() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

ThreadPool& ThreadPool::shared() {
  static const int registered = pthread_atfork(nullptr, nullptr, forget_shared_pool);
  static_cast<void>(registered);
  ThreadPool* pool = shared_pool.load(std::memory_order_acquire);
  if (pool == nullptr) {
    auto fresh = std::make_unique<ThreadPool>(available_cpus());
    if (shared_pool.compare_exchange_strong(pool, fresh.get(), std::memory_order_acq_rel)) {
      pool = fresh.release();
    }
  }
  return *pool;
}

void ThreadPool::submit(Task task) {
  {
    const std::scoped_lock lock(mutex_);
    if (count_ == queue_.size()) {
      std::rotate(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(head_),
                  queue_.end());
      head_ = 0;
      queue_.resize(2 * queue_.size());
    }
    queue_[(head_ + count_) % queue_.size()] = task;
    ++count_;
  }
  ready_.notify_one();
}

bool ThreadPool::take(Task& task) {
  std::unique_lock lock(mutex_);
  ready_.wait(lock, [this] { return stopping_ || count_ != 0; });
  if (count_ == 0) return false;
  task = queue_[head_];
  head_ = (head_ + 1) % queue_.size();
  --count_;
  return true;
}

void ThreadPool::work() {
  Task task;
  while (take(task)) task.run(task.context);
}

}  // namespace cope
