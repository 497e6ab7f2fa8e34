#pragma once

#include <cstdint>
#include <deque>

#include "cope/media/demuxer.h"

namespace cope::media {

/// The length of a frame in units of the stream's time base: from `average_rate`, else 1/25 second
/// as libavformat assumes for elementary streams. At least 1.
std::int64_t frame_duration(const StreamInfo& info);

/// Gives every packet a decoding time that grows strictly.
///
/// A dts that is missing, repeats or goes back becomes the one before plus one frame, kept below
/// the packet's own pts while that leaves room to grow. A jump forward is believed.
class DtsRepair {
 public:
  explicit DtsRepair(std::int64_t frame_duration) : frame_duration_(frame_duration) {}

  std::int64_t next(std::int64_t dts, std::int64_t pts);

  /// After a seek.
  void reset() { last_ = kNoPts; }

 private:
  std::int64_t frame_duration_;
  std::int64_t last_ = kNoPts;
};

/// Gives every frame a presentation time, for streams of which the container tells none (elementary
/// streams), only decoding times (avi), or not all (several frames to a PES packet).
///
/// The caller knows the output order (picture order count), this class the times: the decoding
/// times, as they come, are the presentation times in output order but for a delay. That delay is
/// what the last frame with a pts of its own shows, and 0 before one came, so that the first frame
/// is shown at its decoding time.
class PresentationClock {
 public:
  explicit PresentationClock(std::int64_t frame_duration) : frame_duration_(frame_duration) {}

  /// In decoding order, once per frame (not per field): its dts after `DtsRepair`.
  void push(std::int64_t dts) { waiting_.push_back(dts); }

  /// In output order, once per frame, after its `push`: `pts` itself, or a substitute for kNoPts
  /// that is later than the frame before.
  std::int64_t pop(std::int64_t pts);

  /// After a seek.
  void reset();

 private:
  std::int64_t frame_duration_;
  std::int64_t last_ = kNoPts;
  std::int64_t delay_ = 0;
  std::deque<std::int64_t> waiting_;
};

}  // namespace cope::media
