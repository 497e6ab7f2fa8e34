#pragma once

#include <algorithm>
#include <chrono>

namespace cope {

/// The end of a time that begins now.
class Deadline {
 public:
  explicit Deadline(double seconds)
      : end_(Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                std::chrono::duration<double>(std::min(seconds, kMaxSeconds)))) {}

  bool has_time() const { return Clock::now() < end_; }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr double kMaxSeconds = 1e6;  // what a duration can hold

  Clock::time_point end_;
};

}  // namespace cope
