#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
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

/// Parses coded pictures with the threads of a crew and hands them out in the order they came.
///
/// Pictures are parsed in any order, and where there are fewer of them than threads, the parts of
/// one (slices, tiles, rows) at the same time. The motion of one that looks at others is derived
/// behind theirs, by whichever thread makes that possible: row by row if the codec can, or else as
/// soon as theirs is complete. So the owner has nothing to do for a picture but to push and to pop
/// it. All methods are the owner's.
class ParseQueue {
 public:
  /// `crew` and `codec` outlive the queue. \param max_pictures  in the queue at a time, at most
  ParseQueue(const Codec& codec, TaskCrew& crew, std::int32_t max_pictures);
  /// Clears the crew: no task of it may look at a picture any more.
  ~ParseQueue();
  ParseQueue(const ParseQueue&) = delete;
  ParseQueue& operator=(const ParseQueue&) = delete;

  bool empty() const noexcept { return count_ == 0; }
  std::size_t size() const noexcept { return count_; }
  /// Whether so many pictures are under way that no thread is short of work. Depends on how many
  /// crews share the threads at present.
  bool full() const noexcept { return count_ >= capacity(); }
  /// The number of pictures at which it is full.
  std::size_t capacity() const noexcept;

  /// Queues a picture. Those that it may look at come before it, here or by `add_parsed`.
  void push(std::unique_ptr<CodedUnit> unit, bool keep_coefficients);

  /// A picture that left this queue before and that later ones may look at again.
  void add_parsed(std::shared_ptr<const prim::PicturePrimitives> picture);
  /// Whether later pictures can look at this one.
  bool knows(std::int64_t decode_index) const noexcept;

  /// Whether `pop` has nothing to wait for. Pre: not `empty()`.
  bool has_parsed() const noexcept { return jobs_[head_].is_done.load(std::memory_order_acquire); }

  /// The picture that was pushed first, its motion derived. Pre: not `empty()`.
  /// \param poll  see `Poll`; may be empty
  ParsedPicture pop(const Poll& poll);

 private:
  struct Job;
  // A picture that others may look at.
  struct Known {
    std::int64_t decode_index = 0;
    std::shared_ptr<const prim::PicturePrimitives>
        picture;         // null until some of its motion is derived
    Job* job = nullptr;  // as long as it is in the queue; of a collocated one, until it is derived
  };

  static constexpr std::size_t kMaxParts = 16;

  struct Part {
    Job* job = nullptr;
    std::size_t index = 0;
  };

  struct Job {
    ParseQueue* queue = nullptr;
    std::int64_t decode_index = 0;
    std::unique_ptr<CodedUnit> unit;
    std::shared_ptr<prim::PicturePrimitives> picture;  // from the beginning of its parse on
    std::shared_ptr<prim::PicturePrimitives> kept;     // what does instead once it left, or null
    bool keep_coefficients = true;
    std::size_t max_idle_bytes = 0;         // of coefficients
    std::unique_ptr<PictureWorker> worker;  // while it is parsed and derived
    Damage damage;
    bool may_split = false;  // threads were idle when it came
    std::array<Part, kMaxParts> parts;
    std::atomic<std::size_t> num_parts_left = 0;
    std::atomic<bool> out_of_memory = false;
    std::vector<Known> collocated;  // pictures that its motion looks at
    std::atomic<bool> is_done = false;

    // Guarded by `mutex_`, as is `job` of those in `collocated`.
    bool is_parsed = false;
    bool is_deriving = false;       // a thread is at it, or will be
    std::int32_t rows_allowed = 0;  // that derivation may go to
    std::int32_t rows_derived = 0;  // that it came to
    std::vector<Job*> dependants;   // jobs that look at this one
  };

  const Known* find(std::int64_t decode_index) const noexcept;
  void link_collocated(Job& job);
  void retain(std::int64_t decode_index, std::span<const std::int64_t> live);
  std::unique_ptr<PictureWorker> take_worker();
  void parse(Job& job) noexcept;
  void start_part(Job& job, std::size_t part) noexcept;
  void parse_part(Job& job, std::size_t part) noexcept;
  void finish_parse(Job& job) noexcept;
  static bool advance(Job& job) noexcept;
  void publish(Job& job);
  void derive(Job& job) noexcept;
  void keep_collocated(Job& job) noexcept;
  void finish(Job& job) noexcept;

  const Codec& codec_;
  TaskCrew& crew_;
  prim::PicturePool pool_;
  prim::PicturePool kept_pool_;
  std::size_t num_jobs_;
  std::size_t max_jobs_;         // of the picture size met last
  std::unique_ptr<Job[]> jobs_;  // ring: `count_` jobs from `head_` on
  std::size_t head_ = 0;
  std::size_t count_ = 0;
  std::int64_t mean_bytes_ = 0;  // of the coded pictures met last
  std::vector<Known> known_;     // at most a DPB and a bit
  std::vector<std::int64_t> names_;

  std::mutex mutex_;
  std::vector<std::unique_ptr<PictureWorker>> workers_;  // not at work
};

}  // namespace cope::pipeline
