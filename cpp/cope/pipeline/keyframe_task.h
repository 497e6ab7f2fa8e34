#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "cope/base/status.h"
#include "cope/base/task_crew.h"
#include "cope/media/keyframe_decoder.h"
#include "cope/media/packet.h"
#include "cope/pipeline/plan.h"

namespace cope::pipeline {

/// Decodes one keyframe with a thread of a crew. Owns a decoder, so it is worth using again.
///
/// All methods are the owner's; the crew is cleared before the task ends.
class KeyframeTask {
 public:
  explicit KeyframeTask(media::KeyframeDecoder decoder) : decoder_(std::move(decoder)) {}

  /// Starts decoding. \param packets  of the keyframe: one, or both fields of a field pair
  void begin(const PlanStep& step, std::span<const std::shared_ptr<const media::Packet>> packets,
             TaskCrew& crew);

  bool is_done() const noexcept { return is_done_.load(std::memory_order_acquire); }

  // Pre: `is_done()`.
  const PlanStep& step() const noexcept { return step_; }
  const Status& status() const noexcept { return status_; }
  media::Image& image() noexcept { return image_; }
  double seconds() const noexcept { return seconds_; }  ///< time spent

 private:
  void run() noexcept;

  media::KeyframeDecoder decoder_;
  PlanStep step_;
  std::array<std::shared_ptr<const media::Packet>, 2> packets_;
  std::size_t num_packets_ = 0;
  media::Image image_;
  Status status_;
  double seconds_ = 0.0;
  std::atomic<bool> is_done_ = false;
};

}  // namespace cope::pipeline
