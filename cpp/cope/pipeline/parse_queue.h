#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

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

/// Parses coded pictures with several threads and hands them out in the order they came.
///
/// The calling thread counts as one of `threads`: it parses too while it would otherwise wait. The
/// others are borrowed from `ThreadPool::shared()`. Not thread-safe itself.
class ParseQueue {
 public:
  /// \param threads  1..; 1 does all work in `pop`
  ParseQueue(const Codec& codec, int threads);
  /// Waits for the pictures being parsed.
  ~ParseQueue();
  ParseQueue(const ParseQueue&) = delete;
  ParseQueue& operator=(const ParseQueue&) = delete;

  bool empty() const noexcept { return count_ == 0; }
  bool full() const noexcept { return count_ == jobs_.size(); }

  /// Queues a picture. Pre: not `full()`.
  void push(std::unique_ptr<CodedUnit> unit, bool keep_coefficients);

  /// The picture that was pushed first, parsed and its motion derived with the help of `store`.
  /// Pre: not `empty()`. \param poll  see `Poll`; may be empty
  ParsedPicture pop(const PictureStore& store, const Poll& poll);

 private:
  enum class State : std::uint8_t { kWaiting, kRunning, kDone };
  struct Job {
    std::unique_ptr<PictureWorker> worker;
    std::unique_ptr<CodedUnit> unit;
    bool keep_coefficients = true;
    bool out_of_memory = false;
    State state = State::kWaiting;
  };

  void help() noexcept;
  static void run(Job& job) noexcept;

  const pid_t pid_;  // pool threads do not follow into a forked child
  const std::size_t max_helpers_;
  prim::PicturePool pool_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::vector<Job> jobs_;  // ring: `count_` jobs from `head_` on
  std::size_t head_ = 0;
  std::size_t count_ = 0;
  std::size_t num_waiting_ = 0;  // the last ones of the ring, not yet taken by a thread
  std::size_t num_helpers_ = 0;
  bool stopping_ = false;
};

}  // namespace cope::pipeline
