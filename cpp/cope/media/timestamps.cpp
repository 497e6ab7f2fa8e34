#include "cope/media/timestamps.h"

#include <algorithm>
#include <cmath>

namespace cope::media {

std::int64_t frame_duration(const StreamInfo& info) {
  constexpr double kDefaultRate = 25;
  constexpr double kLongest = 0x1p40;
  const double rate = info.average_rate.value() > 0 ? info.average_rate.value() : kDefaultRate;
  const double units = 1 / (rate * info.time_base.value());
  return std::isfinite(units) ? std::llround(std::clamp(units, 1.0, kLongest)) : 1;
}

std::int64_t DtsRepair::next(std::int64_t dts, std::int64_t pts) {
  if (last_ == kNoPts) {
    last_ = dts != kNoPts ? dts : pts != kNoPts ? pts : 0;
    return last_;
  }
  if (dts == kNoPts || dts <= last_) {
    const std::int64_t guess = last_ + frame_duration_;
    dts = pts != kNoPts && pts > last_ ? std::min(guess, pts) : guess;
  }
  last_ = dts;
  return dts;
}

std::int64_t PresentationClock::pop(std::int64_t pts) {
  std::int64_t decoded = last_ == kNoPts ? 0 : last_ - delay_ + frame_duration_;
  if (!waiting_.empty()) {
    decoded = waiting_.front();
    waiting_.pop_front();
  }
  if (pts != kNoPts) {
    delay_ = pts - decoded;
    last_ = pts;
    return pts;
  }
  const std::int64_t guess = decoded + delay_;
  last_ = last_ == kNoPts ? guess : std::max(guess, last_ + 1);
  return last_;
}

void PresentationClock::reset() {
  last_ = kNoPts;
  delay_ = 0;
  waiting_.clear();
}

}  // namespace cope::media
