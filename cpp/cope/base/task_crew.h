#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "cope/base/thread_pool.h"

namespace cope {

/// Tasks of one owner and the threads that run them, first in, first out.
///
/// The owner's own thread counts as one: it runs tasks while it waits for one of them. The others
/// are borrowed from `ThreadPool::shared()` as long as there is work. All methods are the owner's,
/// except that tasks may submit tasks.
class TaskCrew {
 public:
  /// \param num_threads  1..; 1 runs every task inside `wait`
  explicit TaskCrew(int num_threads);
  ~TaskCrew() { clear(); }
  TaskCrew(const TaskCrew&) = delete;
  TaskCrew& operator=(const TaskCrew&) = delete;

  int num_threads() const noexcept { return static_cast<int>(max_helpers_) + 1; }
  void submit(Task task);

  /// Drops the tasks that have not begun, and those that the others submit, and waits for the
  /// others.
  void clear();

  /// Runs tasks, or waits for those that run, until `is_done()`, which a task makes true.
  /// \param poll  called now and then, may throw
  template <class IsDone, class Poll>
  void wait(IsDone is_done, const Poll& poll) {
    std::unique_lock lock(mutex_);
    while (!is_done()) {
      if (!tasks_.empty()) {
        run_one(lock);
      } else {
        finished_.wait_for(lock, std::chrono::milliseconds(20));
      }
      lock.unlock();
      poll();
      lock.lock();
    }
  }

 private:
  void help() noexcept;
  void run_one(std::unique_lock<std::mutex>& lock);

  const pid_t pid_;  // pool threads do not follow into a forked child
  const std::size_t max_helpers_;
  std::mutex mutex_;
  std::condition_variable finished_;
  TaskRing tasks_;
  std::size_t num_helpers_ = 0;
  bool is_clearing_ = false;
};

}  // namespace cope
