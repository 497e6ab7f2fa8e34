#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "cope/base/task_crew.h"
#include "cope/pipeline/codec.h"
#include "cope/prim/picture_primitives.h"

namespace cope::pipeline {

/// Called often while work goes on, so it is cheap; may throw to stop it (a pending
/// KeyboardInterrupt).
using Poll = std::function<void()>;

/// A picture that left the queue, with its coded form for use again.
struct ParsedPicture {
  std::unique_ptr<CodedUnit> unit;
  std::shared_ptr<prim::PicturePrimitives> picture;
  Damage damage;
};

/// Parsed pictures that later ones may look at, by decode_index.
class PictureStore {
 public:
  void add(std::shared_ptr<const prim::PicturePrimitives> picture) {
    pictures_.push_back(std::move(picture));
  }
  const prim::PicturePrimitives* find(std::int64_t decode_index) const noexcept;
  /// Forgets all pictures that `live` does not name.
  void retain(std::span<const std::int64_t> live);
  void clear() noexcept { pictures_.clear(); }

 private:
  std::vector<std::shared_ptr<const prim::PicturePrimitives>> pictures_;  // at most a DPB and a bit
};

/// Parses coded pictures with the threads of a crew and hands them out in the order they came.
/// Not thread-safe itself.
class ParseQueue {
 public:
  /// `crew` outlives the queue. \param max_pictures  parsed at a time, at most
  ParseQueue(const Codec& codec, TaskCrew& crew, std::int32_t max_pictures);
  /// Clears the crew: no task of it may look at a picture any more.
  ~ParseQueue();
  ParseQueue(const ParseQueue&) = delete;
  ParseQueue& operator=(const ParseQueue&) = delete;

  bool empty() const noexcept { return count_ == 0; }
  bool full() const noexcept { return count_ == num_jobs_; }

  /// Queues a picture. Pre: not `full()`.
  void push(std::unique_ptr<CodedUnit> unit, bool keep_coefficients);

  /// The picture that was pushed first, parsed and its motion derived with the help of `store`.
  /// Pre: not `empty()`. \param poll  see `Poll`; may be empty
  ParsedPicture pop(const PictureStore& store, const Poll& poll);

 private:
  struct Job {
    std::unique_ptr<PictureWorker> worker;
    std::unique_ptr<CodedUnit> unit;
    bool keep_coefficients = true;
    bool out_of_memory = false;
    std::atomic<bool> is_done = false;

    void run() noexcept;
  };

  TaskCrew& crew_;
  prim::PicturePool pool_;
  std::size_t num_jobs_;
  std::unique_ptr<Job[]> jobs_;  // ring: `count_` jobs from `head_` on
  std::size_t head_ = 0;
  std::size_t count_ = 0;
};

}  // namespace cope::pipeline
