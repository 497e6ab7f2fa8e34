#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>

namespace cope::pipeline {

/// More frames than this never wait for output in H.264 and H.265: MaxDpbFrames is at most 16.
inline constexpr std::size_t kMaxReorderFrames = 16;

/// How densely a video is read. Every member is finite where nothing else is said, and not
/// negative.
struct Density {
  /// 0: none. Infinity: every random access point.
  double keyframes_per_second = 0.125;
  /// 0: none.
  double deltas_per_second = 1.0;
  /// Span of a delta window, seconds. 0: from one delta to the next.
  double window_seconds = 0.0;

  double window() const noexcept {
    return window_seconds > 0.0 ? window_seconds : 1.0 / deltas_per_second;
  }
  /// Whether one window begins before its predecessor ends.
  bool has_overlap() const noexcept {
    return deltas_per_second > 0.0 && window_seconds * deltas_per_second > 1.0 + 1e-9;
  }
};

/// A frame as the plan sees it (a field pair is one frame).
struct PlanFrame {
  std::int64_t decode_index = 0;  ///< of a field pair: of the first field
  double seconds = 0.0;           ///< presentation time
  bool is_reference = false;
  bool is_random_access = false;
  bool starts_sequence = false;  ///< nothing decoded before it is shown after it
  bool is_discard = false;       ///< not presented: neither counted nor a start or target
};

/// One thing to make.
struct PlanStep {
  enum class Kind : std::uint8_t { kKeyframe, kDelta };
  Kind kind = Kind::kKeyframe;
  std::int64_t target = 0;       ///< decode_index
  double seconds = 0.0;          ///< presentation time of the target
  std::int64_t frame_index = 0;  ///< presented frames before the target
  std::int64_t start = 0;      ///< decode_index of the picture that the window starts from; kDelta
  double start_seconds = 0.0;  ///< kDelta
};

/// Chooses keyframes and windows from headers alone, while the stream is being read.
///
/// Keyframes. Every time n / keyframes_per_second after the first frame gets the random access
/// point nearest to it, if there is one less than half a period away.
///
/// Deltas. Window k ends at k / deltas_per_second after the first frame. Its target is the last
/// reference picture at or before its end; it starts from the last reference picture at or before
/// its begin, or from the last keyframe if that is later. A window without a target later than its
/// start is left out. The last window ends with the stream.
///
/// Steps come in the order of their targets' presentation times. Holds back as little as these
/// rules allow: `kMaxReorderFrames` frames, and half a keyframe period behind a random access point
/// that comes early.
class Planner {
 public:
  explicit Planner(const Density& density);

  /// Takes the next frame in decoding order.
  void push(const PlanFrame& frame);
  /// Says that no frame is left.
  void finish();
  bool pop(PlanStep& step);
  bool has_steps() const noexcept { return !steps_.empty(); }

  /// Stops looking for a nearer keyframe: what is at hand is taken.
  void decide_now();

  struct Start {
    std::int64_t decode_index = 0;
    double seconds = 0.0;
  };
  /// Where the window that is being gathered starts, as far as is known. Pre: no step is waiting.
  std::optional<Start> open_start() const;

  /// Pictures that no step still to come, or waiting, looks at except as the start of a window:
  /// those decoded up to this one's place that are shown up to its time.
  Start finished() const;

 private:
  struct Presented {
    PlanFrame frame;
    std::int64_t frame_index = 0;
  };

  void release(const PlanFrame& frame);
  void choose(const PlanFrame& frame);
  void take_candidate(bool is_chosen);
  void plan(const PlanFrame& frame, bool is_keyframe);
  void close_window();
  void prune_history();
  bool has_windows() const noexcept { return density_.deltas_per_second > 0.0; }
  double end_of_window() const noexcept {
    return first_seconds_ + window_index_ / density_.deltas_per_second;
  }

  Density density_;
  std::deque<PlanFrame> reordering_;                                  // ascending in time
  double newest_seconds_ = -std::numeric_limits<double>::infinity();  // released
  Start planned_{-1, -std::numeric_limits<double>::infinity()};
  double first_seconds_ = 0.0;
  bool has_first_ = false;

  std::deque<PlanFrame> undecided_;  // from the candidate keyframe on; its front is the candidate
  double candidate_asked_ = 0.0;     // the time that asks for it
  double served_bucket_ = -1.0;      // the last n that got its keyframe

  double window_index_ = 1.0;
  std::int64_t num_presented_ = 0;
  std::deque<Presented> history_;  // reference pictures from the next window's start on
  std::optional<Presented> last_keyframe_;
  std::deque<PlanStep> steps_;
};

}  // namespace cope::pipeline
