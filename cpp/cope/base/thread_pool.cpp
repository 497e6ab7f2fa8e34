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

void TaskRing::push(Task task) {
  if (count_ == tasks_.size()) {
    std::rotate(tasks_.begin(), tasks_.begin() + static_cast<std::ptrdiff_t>(head_), tasks_.end());
    head_ = 0;
    tasks_.resize(2 * tasks_.size());
  }
  tasks_[(head_ + count_) % tasks_.size()] = task;
  ++count_;
}

Task TaskRing::pop() noexcept {
  const Task task = tasks_[head_];
  head_ = (head_ + 1) % tasks_.size();
  --count_;
  return task;
}

ThreadPool::ThreadPool(int num_threads) {
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
    queue_.push(task);
  }
  ready_.notify_one();
}

bool ThreadPool::take(Task& task) {
  std::unique_lock lock(mutex_);
  ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  if (queue_.empty()) return false;
  task = queue_.pop();
  return true;
}

void ThreadPool::work() {
  Task task;
  while (take(task)) task.run(task.context);
}

}  // namespace cope
