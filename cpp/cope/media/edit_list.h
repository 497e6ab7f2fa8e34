#pragma once

// Internal to cope/media.

#include <cstdint>
#include <optional>
#include <vector>

namespace cope::media {

/// Longest time in an edit. Sums and products of such stay inside 64 bits, and 2^48 units of
/// 1/90000 second are a hundred years.
inline constexpr std::int64_t kMaxEditTime = std::int64_t{1} << 48;

/// One entry of an EditListBox, ISO/IEC 14496-12 8.6.6. media_rate is taken as 1.
struct Edit {
  std::int64_t segment_duration = 0;  ///< movie timescale; 0 in a fragmented file: to the end
  std::int64_t media_time = 0;        ///< media timescale; -1: nothing is shown
};

/// The edits of one track.
///
/// libavformat reads them too, but drops the samples that are not shown, or repeats those that are
/// shown twice. A parser of coded pictures needs every sample once, in decoding order.
struct EditList {
  std::uint32_t movie_timescale = 0;
  std::uint32_t media_timescale = 0;
  std::vector<Edit> edits;
};

/// Turns composition times into presentation times, both in the media timescale.
class EditTimeline {
 public:
  /// The identity.
  EditTimeline() = default;
  explicit EditTimeline(const EditList& list);

  struct Time {
    std::int64_t pts = 0;
    bool is_shown =
        true;  ///< some edit contains the sample; else pts continues the nearest edit before it
  };

  /// A sample that several edits show gets the time of the first of them.
  Time present(std::int64_t composition_time) const noexcept;

  /// Decoding times move along with the first edit.
  std::int64_t shift_dts(std::int64_t dts) const noexcept;

  /// The composition time that is shown at `pts`, for seeking.
  std::int64_t composition_time(std::int64_t pts) const noexcept;

  bool is_identity() const noexcept { return segments_.empty(); }

  /// When the first edit that shows something starts.
  std::int64_t start() const noexcept { return segments_.empty() ? 0 : segments_.front().start; }

  /// From `start()` to the end of the last edit; none when that is the end of the media.
  std::optional<std::int64_t> duration() const noexcept { return duration_; }

 private:
  struct Segment {
    std::int64_t media_start = 0;
    std::int64_t media_end = 0;  // exclusive
    std::int64_t start = 0;      // presentation
  };
  std::vector<Segment> segments_;  // in presentation order
  std::optional<std::int64_t> duration_;
};

}  // namespace cope::media
