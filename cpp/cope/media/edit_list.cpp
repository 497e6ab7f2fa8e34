#include "cope/media/edit_list.h"

#include <algorithm>
#include <limits>

namespace cope::media {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

}  // namespace

EditTimeline::EditTimeline(const EditList& list) {
  const auto to_media = [&list](std::int64_t movie_time) {
    const auto scaled = static_cast<__int128>(movie_time) * list.media_timescale;
    const auto rounded = (scaled + list.movie_timescale / 2) / list.movie_timescale;
    return static_cast<std::int64_t>(std::min<__int128>(rounded, kMaxEditTime));
  };
  std::int64_t movie_time = 0;
  bool is_open_ended = false;
  for (const Edit& edit : list.edits) {
    const std::int64_t start = to_media(movie_time);
    movie_time = std::min(movie_time + edit.segment_duration, kMaxEditTime);
    if (edit.media_time < 0) continue;
    const bool to_end = edit.segment_duration == 0;
    is_open_ended = is_open_ended || to_end;
    segments_.push_back({edit.media_time,
                         to_end ? kNever : edit.media_time + to_media(edit.segment_duration),
                         start});
  }
  if (!segments_.empty() && !is_open_ended) duration_ = to_media(movie_time) - start();
}

EditTimeline::Time EditTimeline::present(std::int64_t composition_time) const noexcept {
  if (segments_.empty()) return {composition_time, true};
  const Segment* before = &segments_.front();
  for (const Segment& segment : segments_) {
    if (composition_time < segment.media_start) continue;
    if (composition_time < segment.media_end) {
      return {segment.start + (composition_time - segment.media_start), true};
    }
    if (before->media_start > composition_time || segment.media_start > before->media_start) {
      before = &segment;
    }
  }
  return {before->start + (composition_time - before->media_start), false};
}

std::int64_t EditTimeline::shift_dts(std::int64_t dts) const noexcept {
  if (segments_.empty()) return dts;
  return dts - segments_.front().media_start + segments_.front().start;
}

std::int64_t EditTimeline::composition_time(std::int64_t pts) const noexcept {
  if (segments_.empty()) return pts;
  const Segment* shown = &segments_.front();
  for (const Segment& segment : segments_) {
    if (segment.start <= pts) shown = &segment;
  }
  return pts - shown->start + shown->media_start;
}

}  // namespace cope::media
