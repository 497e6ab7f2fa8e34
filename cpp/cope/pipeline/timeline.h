#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cope/cpu/fields.h"

namespace cope::pipeline {

/// Presentation times of the pictures met lately, by decode_index.
///
/// Bounded: at least the last `kMaxTimes` pictures are known. A reference that is older still, a
/// long-term picture of half an hour ago, has no time.
class PictureTimeline {
 public:
  static constexpr std::size_t kMaxTimes = std::size_t{1} << 16;

  /// Pictures come in decoding order, without gaps.
  void push(std::int64_t decode_index, double seconds) {
    if (seconds_.size() >= 2 * kMaxTimes) {
      seconds_.erase(seconds_.begin(), seconds_.begin() + static_cast<std::ptrdiff_t>(kMaxTimes));
      first_ += static_cast<std::int64_t>(kMaxTimes);
    }
    if (seconds_.empty()) first_ = decode_index;
    seconds_.push_back(seconds);
  }

  std::int64_t end() const noexcept { return first_ + static_cast<std::int64_t>(seconds_.size()); }
  cpu::PictureTimes times() const noexcept { return {seconds_, first_}; }

 private:
  std::vector<double> seconds_;
  std::int64_t first_ = 0;
};

}  // namespace cope::pipeline
