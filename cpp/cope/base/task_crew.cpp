#include "cope/base/task_crew.h"

#include <unistd.h>

#include <algorithm>

namespace cope {

TaskCrew::TaskCrew(int num_threads)
    : pid_(getpid()), max_helpers_(static_cast<std::size_t>(std::max(1, num_threads) - 1)) {}

void TaskCrew::submit(Task task) {
  bool needs_helper = false;
  {
    const std::scoped_lock lock(mutex_);
    if (is_clearing_) return;
    tasks_.push(task);
    needs_helper = num_helpers_ < std::min(max_helpers_, tasks_.size());
    if (needs_helper) ++num_helpers_;
  }
  if (needs_helper) {
    ThreadPool::shared().submit({[](void* crew) { static_cast<TaskCrew*>(crew)->help(); }, this});
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

void TaskCrew::run_one(std::unique_lock<std::mutex>& lock) {
  const Task task = tasks_.pop();
  lock.unlock();
  task.run(task.context);
  lock.lock();
}

void TaskCrew::help() noexcept {
  std::unique_lock lock(mutex_);
  while (!tasks_.empty()) {
    run_one(lock);
    finished_.notify_all();
  }
  --num_helpers_;
  finished_.notify_all();
}

}  // namespace cope
