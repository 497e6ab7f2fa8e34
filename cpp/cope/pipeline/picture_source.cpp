#include "cope/pipeline/picture_source.h"

#include <chrono>
#include <utility>

#include "cope/base/cpu_count.h"

namespace cope::pipeline {
int resolve_threads(int threads) { return threads > 0 ? threads : available_cpus(); }

void add_counts(const SourceCounts& counts, ReadStats& stats) {
  stats.num_packets = counts.num_packets;
  stats.num_packets_corrupt = counts.num_packets_corrupt;
  stats.num_nal_units = counts.codec.num_nal_units;
  stats.num_nal_units_damaged = counts.codec.num_nal_units_damaged;
  stats.num_nal_units_skipped = counts.codec.num_nal_units_skipped;
  stats.num_nal_units_repeated = counts.codec.num_nal_units_repeated;
  stats.num_frames_lost = counts.codec.num_frames_lost;
  stats.num_pictures = counts.num_pictures;
  if (stats.first_error.ok()) stats.first_error = counts.codec.first_error;
  stats.seconds_demux = counts.seconds;
}

Status apply_policy(const Damage& damage, OnError on_error, ReadStats& stats, bool& keep) {
  keep = true;
  ++stats.num_parsed;
  const Status& error = damage.first_error;
  if (error.ok() && damage.num_blocks_lost == 0) return {};
  if (error.code == StatusCode::kUnsupported || error.code == StatusCode::kLimitExceeded) {
    return error;
  }
  if (stats.first_error.ok()) stats.first_error = error;
  switch (on_error) {
    case OnError::kRaise:
      return error.ok() ? Status::invalid("slice_data", "missing macroblocks") : error;
    case OnError::kSkip:
      ++stats.num_skipped;
      keep = false;
      break;
    case OnError::kConceal:
      ++stats.num_concealed_pictures;
      stats.num_blocks_lost += damage.num_blocks_lost;
      stats.num_motion_lost += damage.num_motion_lost;
      break;
  }
  return {};
}

PictureSource::PictureSource(std::unique_ptr<HeaderSource> headers, const ReadOptions& options,
                             bool keep_coefficients)
    : options_(options),
      keep_coefficients_(keep_coefficients),
      crew_(resolve_threads(options.threads)),
      headers_(std::move(headers), crew_, options.on_error == OnError::kRaise),
      queue_(std::make_unique<ParseQueue>(headers_.headers().codec(), crew_,
                                          headers_.headers().limits().max_pictures_in_flight)) {}

std::unique_ptr<HeaderSource> PictureSource::release() {
  queue_.reset();
  return headers_.release();
}

ReadStats PictureSource::stats() const {
  ReadStats stats = stats_;
  add_counts(headers_.counts(), stats);
  return stats;
}

Status PictureSource::fill(const Poll& poll) {
  while (end_.ok() && !queue_->full()) {
    end_ = headers_.next(next_, poll);
    if (end_.ok()) end_ = next_.unit->check_supported();
    if (!end_.ok()) break;
    timeline_.push(next_.unit->info().decode_index, next_.seconds);
    queued_.push_back({next_.seconds, next_.is_discard});
    queue_->push(std::move(next_.unit), keep_coefficients_);
  }
  return end_;
}

Result<PictureSource::Item> PictureSource::next(const Poll& poll) {
  for (;;) {
    const Status filled = fill(poll);
    // What precedes an error is handed out before it.
    if (queue_->empty()) return filled;

    const auto start = std::chrono::steady_clock::now();
    ParsedPicture parsed = queue_->pop(poll);
    stats_.seconds_parse +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const Queued queued = queued_.front();
    queued_.pop_front();
    headers_.recycle(std::move(parsed.unit));
    bool keep = true;
    COPE_RETURN_IF_ERROR(apply_policy(parsed.damage, options_.on_error, stats_, keep));
    if (!keep) continue;
    ReferenceTimes times = timeline_.times_of(*parsed.picture);
    return Item{std::move(parsed.picture), queued.seconds, queued.is_discard, std::move(times)};
  }
}

}  // namespace cope::pipeline
