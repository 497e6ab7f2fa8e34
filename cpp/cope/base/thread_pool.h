#pragma once

#include <atomic>
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
  /// Puts a task before all others.
  void push_front(Task task);
  /// Pre: not `empty()`.
  const Task& front() const noexcept { return tasks_[head_]; }
  /// Pre: not `empty()`.
  Task pop() noexcept;
  void clear() noexcept { count_ = 0; }

 private:
  void grow();

  std::vector<Task> tasks_ = std::vector<Task>(64);
  std::size_t head_ = 0;
  std::size_t count_ = 0;
};

/// At most `num_threads` tasks at a time and one queue, first in first out. Thread-safe.
///
/// Knows nothing of what the tasks do, returns no futures, and allocates nothing once its queue has
/// grown to what its users keep waiting. Threads start when there is work for them. A caller may
/// lend its own thread to a task, which then counts like one of the pool's.
class ThreadPool {
 public:
  explicit ThreadPool(int num_threads);
  /// Runs what is still queued, then joins.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// The pool of this process, for `available_cpus()` threads, made on first use and never
  /// destroyed. A forked child gets a pool of its own.
  static ThreadPool& shared();

  int num_threads() const noexcept { return static_cast<int>(num_places_); }
  /// Throws std::system_error when there is no thread and the system has none to give.
  void submit(Task task);
  /// Runs a task in the caller's thread, when its turn comes. Not from within a task.
  void run_here(Task task);
  /// Whether others wait for a thread, as a hint.
  bool has_queued() const noexcept { return num_queued_.load(std::memory_order_relaxed) != 0; }

  /// Among how many the threads are shared at present, as far as they say so.
  int num_sharers() const noexcept { return num_sharers_.load(std::memory_order_relaxed); }
  void add_sharer() noexcept { num_sharers_.fetch_add(1, std::memory_order_relaxed); }
  void remove_sharer() noexcept { num_sharers_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  struct Visitor;

  void work();
  void start_thread();
  void fill_places();

  const std::size_t num_places_;
  std::mutex mutex_;
  std::condition_variable ready_;
  TaskRing queue_;  // a task without a function stands for a visitor, its context
  std::atomic<std::size_t> num_queued_ = 0;  // size of `queue_`
  std::atomic<int> num_sharers_ = 0;
  std::size_t num_taken_ = 0;  // places in use, at most `num_places_`
  std::size_t num_idle_ = 0;   // threads that wait for work
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace cope
