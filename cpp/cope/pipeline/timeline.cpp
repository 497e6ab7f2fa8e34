#include "cope/pipeline/timeline.h"

#include <algorithm>

namespace cope::pipeline {

void PictureTimeline::push(std::int64_t decode_index, double seconds) {
  if (seconds_.size() >= 2 * kMaxTimes) {
    seconds_.erase(seconds_.begin(), seconds_.begin() + static_cast<std::ptrdiff_t>(kMaxTimes));
    first_ += static_cast<std::int64_t>(kMaxTimes);
  }
  if (seconds_.empty()) first_ = decode_index;
  seconds_.push_back(seconds);
}

ReferenceTimes PictureTimeline::times_of(const prim::PicturePrimitives& picture) const {
  const std::int64_t own = picture.info.decode_index;
  ReferenceTimes times;
  times.first = own;
  for (const prim::SliceRefs& refs : picture.slice_refs) {
    for (int list = 0; list < 2; ++list) {
      for (int i = 0; i < refs.num_ref[list]; ++i) {
        const std::int64_t index = refs.ref[list][i].decode_index;
        if (index >= 0) times.first = std::min(times.first, index);
      }
    }
  }
  times.first = std::max(times.first, own - kMaxTimeSpan);
  const cpu::PictureTimes all{seconds_, first_};
  times.seconds.reserve(static_cast<std::size_t>(own - times.first + 1));
  for (std::int64_t i = times.first; i <= own; ++i) times.seconds.push_back(all.at(i));
  return times;
}

}  // namespace cope::pipeline
