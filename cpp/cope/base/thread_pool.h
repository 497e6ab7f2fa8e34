#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace cope {

/// A function and its argument. The caller keeps `context` alive until the task has run; tasks do
/// not throw.
struct Task {
  void (*run)(void* context) = nullptr;
  void* context = nullptr;
};

/// A growing first-in-first-out queue of tasks that keeps its memory.
class TaskRing {
 public:
  bool empty() const noexcept { return count_ == 0; }
  std::size_t size() const noexcept { return count_; }
  void push(Task task);
  /// Pre: not `empty()`.
  Task pop() noexcept;
  void clear() noexcept { count_ = 0; }

 private:
  std::vector<Task> tasks_ = std::vector<Task>(64);
  std::size_t head_ = 0;
  std::size_t count_ = 0;
};

/// A fixed number of threads and one queue, first in first out. Thread-safe.
///
/// Knows nothing of what the tasks do, returns no futures, and allocates nothing once its queue has
/// grown to what its users keep waiting.
class ThreadPool {
 public:
  explicit ThreadPool(int num_threads);
  /// Runs what is still queued, then joins.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// The pool of this process, with `available_cpus()` threads, made on first use and never
  /// destroyed. A forked child gets a pool of its own.
  static ThreadPool& shared();

  int num_threads() const noexcept { return static_cast<int>(threads_.size()); }
  void submit(Task task);

 private:
  void work();
  bool take(Task& task);

  std::mutex mutex_;
  std::condition_variable ready_;
  TaskRing queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // last, so that they start when all else exists
};

}  // namespace cope
