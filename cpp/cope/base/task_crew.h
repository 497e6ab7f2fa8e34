#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "cope/base/thread_pool.h"

namespace cope {

/// Tasks of one owner and the threads of `ThreadPool::shared()` that run them, first in, first out.
///
/// With one thread, that is the owner's own, which runs the tasks while it waits for one of them.
/// With more, all are borrowed from the pool as long as there is work, and the owner's only waits;
/// but for a system that has no thread to give. Crews that have work take turns. All methods are
/// the owner's, except that tasks may submit tasks.
class TaskCrew {
 public:
  /// \param num_threads  1..; 1 runs every task inside `wait`
  explicit TaskCrew(int num_threads);
  ~TaskCrew() { clear(); }
  TaskCrew(const TaskCrew&) = delete;
  TaskCrew& operator=(const TaskCrew&) = delete;

  int num_threads() const noexcept { return num_threads_; }
  /// Threads that are this crew's when all crews with work get the same share, at least 1.
  int fair_share() const noexcept;

  void submit(Task task) { submit(task, false); }
  /// Before the tasks that have not begun.
  void submit_first(Task task) { submit(task, true); }

  /// Drops the tasks that have not begun, and those that the others submit, and waits for the
  /// others.
  void clear();

  /// Waits, and alone runs tasks, until `is_done()`, which a task makes true.
  /// \param poll  called now and then, may throw
  template <class IsDone, class Poll>
  void wait(IsDone is_done, const Poll& poll) {
    std::unique_lock lock(mutex_);
    while (!is_done()) {
      if (num_helpers_ == 0 && !tasks_.empty()) {
        run_here(lock);
      } else {
        finished_.wait_for(lock, std::chrono::milliseconds(20));
      }
      lock.unlock();
      poll();
      lock.lock();
    }
  }

 private:
  void submit(Task task, bool is_first);
  void help() noexcept;
  void run_here(std::unique_lock<std::mutex>& lock);

  const pid_t pid_;  // pool threads do not follow into a forked child
  const int num_threads_;
  std::mutex mutex_;
  std::condition_variable finished_;
  TaskRing tasks_;
  std::size_t num_helpers_ = 0;  // pool threads at work for this crew, or asked for
  std::size_t num_running_ = 0;  // tasks that they run
  bool is_clearing_ = false;
};

}  // namespace cope
