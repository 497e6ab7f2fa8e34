#include "cope/base/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>
#include <system_error>

#include "cope/base/cpu_count.h"

namespace cope {
namespace {

std::atomic<ThreadPool*> shared_pool{nullptr};

// Threads do not survive a fork and the pool's mutex may have been held by one of them, so a child
// abandons the pool of its parent without touching it.
void forget_shared_pool() { shared_pool.store(nullptr, std::memory_order_relaxed); }

}  // namespace

void TaskRing::grow() {
  if (count_ < tasks_.size()) return;
  std::rotate(tasks_.begin(), tasks_.begin() + static_cast<std::ptrdiff_t>(head_), tasks_.end());
  head_ = 0;
  tasks_.resize(2 * tasks_.size());
}

void TaskRing::push(Task task) {
  grow();
  tasks_[(head_ + count_) % tasks_.size()] = task;
  ++count_;
}

void TaskRing::push_front(Task task) {
  grow();
  head_ = (head_ + tasks_.size() - 1) % tasks_.size();
  tasks_[head_] = task;
  ++count_;
}

Task TaskRing::pop() noexcept {
  const Task task = tasks_[head_];
  head_ = (head_ + 1) % tasks_.size();
  --count_;
  return task;
}

/// A caller of `run_here` that waits for its turn.
struct ThreadPool::Visitor {
  bool is_admitted = false;
  std::condition_variable admitted;
};

ThreadPool::ThreadPool(int num_threads)
    : num_places_(static_cast<std::size_t>(std::max(1, num_threads))) {
  threads_.reserve(num_places_);
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

// One more thread, unless the system has none to give and another one is at work.
void ThreadPool::start_thread() {
  // Signals belong to the threads of the host program.
  sigset_t all;
  sigset_t previous;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &previous);
  try {
    threads_.emplace_back([this] { work(); });
    pthread_setname_np(threads_.back().native_handle(), "cope");
  } catch (const std::system_error&) {
    pthread_sigmask(SIG_SETMASK, &previous, nullptr);
    if (threads_.empty()) throw;
    return;
  }
  pthread_sigmask(SIG_SETMASK, &previous, nullptr);
}

void ThreadPool::submit(Task task) {
  const std::scoped_lock lock(mutex_);
  if (num_idle_ <= queue_.size() && threads_.size() < num_places_) start_thread();
  queue_.push(task);
  fill_places();
}

void ThreadPool::run_here(Task task) {
  {
    std::unique_lock lock(mutex_);
    Visitor visitor;
    queue_.push({nullptr, &visitor});
    fill_places();
    // Else all places are taken, or tasks stand before us; both look at the queue when they end.
    visitor.admitted.wait(lock, [&visitor] { return visitor.is_admitted; });
  }
  task.run(task.context);
  const std::scoped_lock lock(mutex_);
  --num_taken_;
  fill_places();
}

// Lets visitors in as long as they stand first and there are places, and wakes a thread when it is
// a task that stands first.
void ThreadPool::fill_places() {
  while (num_taken_ < num_places_ && !queue_.empty() && queue_.front().run == nullptr) {
    Visitor& visitor = *static_cast<Visitor*>(queue_.pop().context);
    visitor.is_admitted = true;
    visitor.admitted.notify_one();  // under the lock: it goes when the visitor does
    ++num_taken_;
  }
  num_queued_.store(queue_.size(), std::memory_order_relaxed);
  if (num_taken_ < num_places_ && !queue_.empty() && num_idle_ > 0) ready_.notify_one();
}

void ThreadPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++num_idle_;
    ready_.wait(lock, [this] { return queue_.empty() ? stopping_ : num_taken_ < num_places_; });
    --num_idle_;
    if (queue_.empty()) return;
    // Visitors in front are let in as soon as there is a place, so this is a task.
    const Task task = queue_.pop();
    ++num_taken_;
    fill_places();
    lock.unlock();
    task.run(task.context);
    lock.lock();
    --num_taken_;
    fill_places();
  }
}

}  // namespace cope
