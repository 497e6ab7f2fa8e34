#include "cope/pipeline/header_ahead.h"

#include <new>
#include <utility>

namespace cope::pipeline {

HeaderAhead::HeaderAhead(std::unique_ptr<HeaderSource> headers, TaskCrew& crew, bool stop_at_damage)
    : headers_(std::move(headers)),
      crew_(crew),
      stop_at_damage_(stop_at_damage),
      is_direct_(crew.num_threads() == 1 || headers_->needs_own_thread()) {}

SourceCounts HeaderAhead::counts() const {
  return is_direct_ && headers_ ? headers_->counts() : counts_;
}

void HeaderAhead::recycle(std::unique_ptr<CodedUnit> unit) {
  if (!unit) return;
  if (is_direct_) {
    headers_->recycle(std::move(unit));
    return;
  }
  const std::scoped_lock lock(mutex_);
  recycled_.push_back(std::move(unit));
}

Status HeaderAhead::next(HeaderPicture& out, const Poll& poll) {
  if (is_direct_) return headers_->next(out, stop_at_damage_, poll);
  if (!end_.ok()) return end_;
  if (num_ready_.load(std::memory_order_relaxed) <= kMaxPictures / 2) start_reading();
  while (num_ready_.load(std::memory_order_acquire) == 0) {
    start_reading();  // the task may have seen no room just before there was some
    crew_.wait([this] { return num_ready_.load(std::memory_order_acquire) != 0 || !is_reading_; },
               [&poll] {
                 if (poll) poll();
               });
  }
  Entry& entry = entries_[first_];
  first_ = (first_ + 1) % kMaxPictures;
  recycle(std::move(out.unit));
  out = std::move(entry.picture);
  counts_ = entry.counts;
  end_ = entry.status;
  bytes_.fetch_sub(entry.bytes, std::memory_order_relaxed);
  num_ready_.fetch_sub(1, std::memory_order_release);
  return end_;
}

bool HeaderAhead::has_room() const noexcept {
  // Acquire: what the owner took from an entry is out of it.
  return num_ready_.load(std::memory_order_acquire) < kMaxPictures &&
         bytes_.load(std::memory_order_relaxed) < kMaxBytes;
}

void HeaderAhead::start_reading() {
  if (is_finished_ || is_reading_ || !has_room()) return;
  is_reading_ = true;
  crew_.submit_first(
      {[](void* context) { static_cast<HeaderAhead*>(context)->read_batch(); }, this});
}

void HeaderAhead::read_batch() noexcept {
  {
    const std::scoped_lock lock(mutex_);
    std::swap(recycled_, recycling_);
  }
  for (auto& unit : recycling_) headers_->recycle(std::move(unit));
  recycling_.clear();
  for (std::size_t i = 0; i < kBatch && !is_finished_ && has_room(); ++i) {
    Entry& entry = entries_[next_entry_];
    next_entry_ = (next_entry_ + 1) % kMaxPictures;
    read_one(entry);
    if (!entry.status.ok()) is_finished_ = true;
    bytes_.fetch_add(entry.bytes, std::memory_order_relaxed);
    num_ready_.fetch_add(1, std::memory_order_release);
  }
  if (is_finished_ || !has_room()) {
    is_reading_ = false;
    return;
  }
  crew_.submit_first(
      {[](void* context) { static_cast<HeaderAhead*>(context)->read_batch(); }, this});
}

void HeaderAhead::read_one(Entry& entry) {
  entry.bytes = 0;
  try {
    entry.status = headers_->next(entry.picture, stop_at_damage_, {});
  } catch (const std::bad_alloc&) {
    entry.status = Status::limit("memory");
  }
  entry.counts = headers_->counts();
  if (!entry.status.ok()) return;
  entry.bytes = entry.picture.unit->size_bytes();
  if (entry.picture.packet) entry.bytes += entry.picture.packet->view().data.size();
}

}  // namespace cope::pipeline
