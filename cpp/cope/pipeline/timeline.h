#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cope/cpu/fields.h"
#include "cope/prim/picture_primitives.h"

namespace cope::pipeline {

/// Presentation times of one picture and its references, apart from those of the rest of the
/// stream.
struct ReferenceTimes {
  std::vector<double> seconds;  ///< of the pictures from `first` to this one
  std::int64_t first = 0;       ///< decode_index

  cpu::PictureTimes view() const noexcept { return {seconds, first}; }
};

/// Presentation times of the pictures met lately, by decode_index.
///
/// Bounded: at least the last `kMaxTimes` pictures are known. A reference that is older still, a
/// long-term picture of half an hour ago, has no time.
class PictureTimeline {
 public:
  static constexpr std::size_t kMaxTimes = std::size_t{1} << 16;
  /// Decoding distance to a reference beyond which `times_of` leaves it out.
  static constexpr std::int64_t kMaxTimeSpan = 4096;

  /// Pictures come in decoding order, without gaps.
  void push(std::int64_t decode_index, double seconds);
  ReferenceTimes times_of(const prim::PicturePrimitives& picture) const;

  /// decode_index of the next picture.
  std::int64_t end() const noexcept { return first_ + static_cast<std::int64_t>(seconds_.size()); }

 private:
  std::vector<double> seconds_;
  std::int64_t first_ = 0;
};

}  // namespace cope::pipeline
