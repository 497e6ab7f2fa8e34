#include "cope/pipeline/window_task.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "cope/pipeline/orient.h"

namespace cope::pipeline {

std::unique_ptr<cpu::WindowComposer> ComposerPool::take() {
  {
    const std::scoped_lock lock(mutex_);
    if (!composers_.empty()) {
      auto composer = std::move(composers_.back());
      composers_.pop_back();
      return composer;
    }
  }
  return std::make_unique<cpu::WindowComposer>(options_);
}

void ComposerPool::give_back(std::unique_ptr<cpu::WindowComposer> composer) {
  if (!composer) return;
  const std::scoped_lock lock(mutex_);
  composers_.push_back(std::move(composer));
}

void WindowTask::begin(std::span<const std::int64_t> start, double seconds) {
  num_start_ = std::min(start.size(), start_.size());
  std::copy_n(start.begin(), num_start_, start_.begin());
  start_seconds_ = seconds;
  composers_.give_back(std::move(composer_));
  has_end_ = false;
  is_done_.store(false, std::memory_order_relaxed);
  seconds_spent_ = 0.0;
  out_of_memory_ = false;
  item_.reset();
}

void WindowTask::add(std::shared_ptr<const prim::PicturePrimitives> picture, ReferenceTimes times,
                     std::span<const std::int64_t> live) {
  push({std::move(picture), std::move(times), {live.begin(), live.end()}});
}

void WindowTask::finish(const PlanStep& step, const media::StreamInfo& info) {
  step_ = step;
  is_mirrored_ = info.is_mirrored;
  rotation_ = info.rotation;
  has_end_ = true;
  push({});
}

void WindowTask::push(Added added) {
  backlog_.fetch_add(1, std::memory_order_relaxed);
  {
    const std::scoped_lock lock(mutex_);
    added_.push_back(std::move(added));
    if (std::exchange(is_running_, true)) return;
  }
  submit();
}

// Before what is still to be parsed: composing gives memory back.
void WindowTask::submit() {
  crew_.submit_first({[](void* task) { static_cast<WindowTask*>(task)->run(); }, this});
}

// Composes one picture, and as long as there are more, asks for a thread again: pictures are
// composed in the order they came, and no window keeps the threads to itself.
void WindowTask::run() noexcept {
  Added added;
  {
    const std::scoped_lock lock(mutex_);
    added = std::move(added_.front());
    added_.pop_front();
  }
  const auto begin = std::chrono::steady_clock::now();
  try {
    if (!out_of_memory_) compose(added);
  } catch (const std::bad_alloc&) {
    out_of_memory_ = true;
  }
  seconds_spent_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const bool is_end = added.picture == nullptr;
  added = {};  // its buffers go back to the pool now
  bool has_more = false;
  {
    const std::scoped_lock lock(mutex_);
    has_more = !added_.empty();
    is_running_ = has_more;
    backlog_.fetch_sub(1, std::memory_order_release);
    if (is_end) is_done_.store(true, std::memory_order_release);
  }
  if (has_more) submit();
}

void WindowTask::compose(const Added& added) {
  if (added.picture) {
    if (!composer_) {
      composer_ = composers_.take();
      composer_->begin({start_.data(), num_start_}, start_seconds_);
    }
    composer_->add(*added.picture, added.times.view());
    composer_->retain(added.live);
  } else if (composer_) {
    item_ = make_item();
    composers_.give_back(std::move(composer_));
  }
}

std::unique_ptr<WindowItem> WindowTask::make_item() const {
  auto item = std::make_unique<WindowItem>();
  const cpu::CellGrid& grid = composer_->grid();
  const cpu::CellGrid& residual_grid = composer_->residual_grid();
  item->step = step_;
  item->height = grid.height;
  item->width = grid.width;
  item->residual_height = residual_grid.height;
  item->residual_width = residual_grid.width;
  item->motion.resize_uninitialized(2 * grid.size());
  item->valid.resize_uninitialized(grid.size());
  item->intra.resize_uninitialized(grid.size());
  item->lost.resize_uninitialized(grid.size());
  item->scaled.resize_uninitialized(grid.size());
  item->saliency.resize_uninitialized(3 * grid.size());
  item->residual.resize_uninitialized(3 * residual_grid.size());
  const bool is_composed = composer_->result(
      step_.target, {item->motion.data(), item->valid.data(), item->intra.data(), item->lost.data(),
                     item->scaled.data(), item->residual.data(), item->saliency.data()});
  if (!is_composed) return nullptr;
  orient(*item, is_mirrored_, rotation_);
  return item;
}

Result<std::unique_ptr<WindowItem>> WindowTask::take() {
  if (out_of_memory_) return Status::limit("memory");
  return std::move(item_);
}

}  // namespace cope::pipeline
