#include "cope/base/task_crew.h"

#include <unistd.h>

#include <algorithm>
#include <system_error>

namespace cope {

TaskCrew::TaskCrew(int num_threads) : pid_(getpid()), num_threads_(std::max(1, num_threads)) {}

int TaskCrew::fair_share() const noexcept {
  if (num_threads_ == 1) return 1;
  const ThreadPool& pool = ThreadPool::shared();
  const int threads = std::min(num_threads_, pool.num_threads());
  return std::max(1, threads / std::max(1, pool.num_sharers()));
}

void TaskCrew::submit(Task task, bool is_first) {
  bool needs_helper = false;
  {
    const std::scoped_lock lock(mutex_);
    if (is_clearing_) return;
    if (is_first) {
      tasks_.push_front(task);
    } else {
      tasks_.push(task);
    }
    const auto max_helpers = num_threads_ == 1 ? 0 : static_cast<std::size_t>(num_threads_);
    needs_helper = num_helpers_ < max_helpers && num_helpers_ - num_running_ < tasks_.size();
    if (needs_helper && num_helpers_++ == 0) ThreadPool::shared().add_sharer();
  }
  if (!needs_helper) return;
  try {
    ThreadPool::shared().submit({[](void* crew) { static_cast<TaskCrew*>(crew)->help(); }, this});
  } catch (const std::system_error&) {  // the pool has no thread and gets none: see `wait`
    const std::scoped_lock lock(mutex_);
    if (--num_helpers_ == 0) ThreadPool::shared().remove_sharer();
  }
}

void TaskCrew::clear() {
  if (getpid() != pid_) return;
  std::unique_lock lock(mutex_);
  tasks_.clear();
  is_clearing_ = true;
  finished_.wait(lock, [this] { return num_helpers_ == 0; });
  is_clearing_ = false;
}

void TaskCrew::run_here(std::unique_lock<std::mutex>& lock) {
  const Task task = tasks_.pop();
  lock.unlock();
  ThreadPool::shared().run_here(task);
  lock.lock();
}

// Runs tasks; when other crews wait for a thread, one, to stand behind them again.
void TaskCrew::help() noexcept {
  std::unique_lock lock(mutex_);
  while (!tasks_.empty()) {
    const Task task = tasks_.pop();
    ++num_running_;
    lock.unlock();
    task.run(task.context);
    lock.lock();
    --num_running_;
    finished_.notify_all();
    if (!tasks_.empty() && ThreadPool::shared().has_queued()) {
      lock.unlock();
      ThreadPool::shared().submit({[](void* crew) { static_cast<TaskCrew*>(crew)->help(); }, this});
      return;
    }
  }
  if (--num_helpers_ == 0) ThreadPool::shared().remove_sharer();
  finished_.notify_all();
}

}  // namespace cope
