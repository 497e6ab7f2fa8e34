#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "cope/base/status.h"
#include "cope/base/task_crew.h"
#include "cope/pipeline/header_source.h"

namespace cope::pipeline {

/// Reads a `HeaderSource` ahead with the threads of a crew, so that demuxing and headers take no
/// time of the owner's. A bounded number of pictures waits. With a crew of one thread, or a source
/// that needs its own, nothing is read ahead.
///
/// All methods are the owner's; the crew is cleared before this ends.
class HeaderAhead {
 public:
  /// \param stop_at_damage  as of `HeaderSource::next`
  HeaderAhead(std::unique_ptr<HeaderSource> headers, TaskCrew& crew, bool stop_at_damage);

  /// What is being read; `info`, `codec` and `limits` may be looked at. Pre: not released.
  const HeaderSource& headers() const noexcept { return *headers_; }

  /// The next picture, as of `HeaderSource::next`.
  Status next(HeaderPicture& out, const Poll& poll);

  /// Whether `next` has a picture, or the reason for none, at hand.
  bool has_next() const noexcept {
    return num_ready_.load(std::memory_order_relaxed) != 0 || !end_.ok();
  }

  /// Gives a coded picture's memory back.
  void recycle(std::unique_ptr<CodedUnit> unit);

  /// Of the stream up to the picture that came last.
  SourceCounts counts() const;

  /// Gives the source back, for another pass. Pre: the crew is cleared.
  std::unique_ptr<HeaderSource> release() noexcept { return std::move(headers_); }

 private:
  static constexpr std::size_t kMaxPictures = 64;
  static constexpr std::size_t kMaxBytes = std::size_t{32} << 20;
  static constexpr std::size_t kBatch = 16;  // pictures read before others get the thread

  struct Entry {
    HeaderPicture picture;
    Status status;  // why no picture comes
    SourceCounts counts;
    std::size_t bytes = 0;
  };

  void start_reading();
  void read_batch() noexcept;
  void read_one(Entry& entry);
  bool has_room() const noexcept;

  std::unique_ptr<HeaderSource> headers_;
  TaskCrew& crew_;
  bool stop_at_damage_;
  bool is_direct_;
  SourceCounts counts_;
  Status end_;

  // One task at most reads, into the entry behind the last ready one; the owner takes the first.
  std::array<Entry, kMaxPictures> entries_;
  std::size_t first_ = 0;
  std::size_t next_entry_ = 0;  // the task's
  std::atomic<std::size_t> num_ready_ = 0;
  std::atomic<std::size_t> bytes_ = 0;
  std::atomic<bool> is_reading_ = false;  // a task is at work, or will be
  std::atomic<bool> is_finished_ = false;

  std::mutex mutex_;  // of the next one
  std::vector<std::unique_ptr<CodedUnit>> recycled_;
  std::vector<std::unique_ptr<CodedUnit>> recycling_;  // the task's
};

}  // namespace cope::pipeline
