#include "cope/pipeline/header_source.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "cope/pipeline/plan.h"

namespace cope::pipeline {
namespace {

// Read errors in a row after which the rest of the stream is given up.
constexpr int kMaxReadErrors = 16;
// A packet brings a picture, which may hold as much as four NAL units (h264::HeaderDecoder).
constexpr std::int64_t kMaxNalsPerPacket = 4;
// What may wait for presentation times. The first picture may claim to be shown after all that
// follow.
constexpr std::size_t kMaxPending = 4 * kMaxReorderFrames;
constexpr std::size_t kMaxPendingBytes = std::size_t{256} << 20;
constexpr std::size_t kMaxFreePackets = 2;

}  // namespace

Result<std::unique_ptr<HeaderSource>> HeaderSource::open(const media::Source& source,
                                                         const media::DemuxerOptions& options) {
  auto demuxer = media::Demuxer::open(source, options);
  if (!demuxer.ok()) return demuxer.status();
  auto codec = make_codec(demuxer->info(), options.limits);
  if (!codec.ok()) return codec.status();
  const bool needs_own_thread =
      source.byte_source() != nullptr && source.byte_source()->needs_own_thread();
  return std::unique_ptr<HeaderSource>(new HeaderSource(
      std::move(demuxer).value(), std::move(codec).value(), options.limits, needs_own_thread));
}

HeaderSource::HeaderSource(media::Demuxer demuxer, std::unique_ptr<Codec> codec,
                           const Limits& limits, bool needs_own_thread)
    : limits_(limits),
      needs_own_thread_(needs_own_thread),
      demuxer_(std::move(demuxer)),
      codec_(std::move(codec)),
      dts_repair_(media::frame_duration(demuxer_.info())),
      clock_(media::frame_duration(demuxer_.info())) {
  if (info().start_pts != media::kNoPts) origin_pts_ = info().start_pts;
}

Status HeaderSource::restart() {
  COPE_RETURN_IF_ERROR(demuxer_.seek(0.0));
  auto codec = make_codec(info(), limits_);
  if (!codec.ok()) return codec.status();
  codec_ = std::move(codec).value();
  dts_repair_.reset();
  clock_.reset();
  is_reordering_ = false;
  is_finished_ = false;
  end_ = {};
  packets_.clear();
  pending_.clear();
  pending_bytes_ = 0;
  free_units_.clear();
  origin_pts_.reset();
  if (info().start_pts != media::kNoPts) origin_pts_ = info().start_pts;
  offset_pts_ = 0;
  newest_pts_ = media::kNoPts;
  counts_ = {};
  return {};
}

SourceCounts HeaderSource::counts() const {
  SourceCounts counts = counts_;
  counts.codec = codec_->counts();
  return counts;
}

void HeaderSource::recycle(std::unique_ptr<CodedUnit> unit) {
  if (unit) free_units_.push_back(std::move(unit));
}

Status HeaderSource::next(HeaderPicture& out, bool stop_at_damage, const Poll& poll) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  Status status;
  while (pending_.empty() || !pending_.front().is_timed) {
    if (is_finished_) {
      time_all_pending();
      if (pending_.empty()) {
        status = end_;
        break;
      }
      continue;
    }
    status = read_packet(stop_at_damage);
    if (!status.ok()) break;
    if (poll) poll();
  }
  counts_.seconds += std::chrono::duration<double>(Clock::now() - start).count();
  if (!status.ok()) return status;
  if (stop_at_damage && pending_.front().picture.unit->info().num_frames_lost > 0) {
    return Status::invalid("frame_num", "H.264 7.4.3");
  }
  recycle(std::move(out.unit));
  out = std::move(pending_.front().picture);
  pending_bytes_ -= pending_.front().size_bytes;
  pending_.pop_front();
  ++counts_.num_pictures;
  return {};
}

Status HeaderSource::read_packet(bool stop_at_damage) {
  std::shared_ptr<media::Packet> packet;
  if (free_packets_.empty()) {
    packet = std::make_shared<media::Packet>();
  } else {
    packet = std::move(free_packets_.back());
    free_packets_.pop_back();
  }
  Status status = demuxer_.read_packet(*packet);
  for (int errors = 0; status.code == StatusCode::kMediaRead; ++errors) {
    ++counts_.num_packets_corrupt;
    if (stop_at_damage) return status;
    if (errors == kMaxReadErrors) {
      status = {StatusCode::kEndOfStream};
      break;
    }
    status = demuxer_.read_packet(*packet);
  }
  if (status.code == StatusCode::kEndOfStream) {
    is_finished_ = true;
    end_ = status;
    codec_->finish();
    take_pictures();
    return {};
  }
  COPE_RETURN_IF_ERROR(status);

  // Counted here: the demuxer does not know its place after a seek.
  media::PacketView view = packet->view();
  view.packet_index = counts_.num_packets++;
  if (view.is_corrupt) ++counts_.num_packets_corrupt;
  packets_.push_back({view.packet_index, std::move(packet)});
  if (static_cast<std::int64_t>(view.data.size()) > kMaxNalsPerPacket * limits_.max_nal_bytes) {
    return Status::limit("max_nal_bytes");
  }
  status = codec_->push(view);
  take_pictures();
  drop_packets();
  if (status.code == StatusCode::kInvalidBitstream && !stop_at_damage) return {};
  return status;
}

void HeaderSource::take_pictures() {
  for (;;) {
    std::unique_ptr<CodedUnit> unit;
    if (free_units_.empty()) {
      unit = codec_->make_unit();
    } else {
      unit = std::move(free_units_.back());
      free_units_.pop_back();
    }
    if (!codec_->pop(*unit)) {
      recycle(std::move(unit));
      return;
    }
    prim::PictureInfo& info = unit->info();
    info.time_base_num = demuxer_.info().time_base.num;
    info.time_base_den = demuxer_.info().time_base.den;
    while (!packets_.empty() && packets_.front().packet_index < info.packet_index) {
      drop_packet(packets_.front());
    }
    HeaderPicture picture;
    picture.is_discard = !info.is_output;
    if (!packets_.empty() && packets_.front().packet_index == info.packet_index) {
      if (packets_.front().packet->view().is_discard) picture.is_discard = true;
      if (!info.is_second_field) is_at_random_access_ = info.is_random_access;
      if (is_at_random_access_) picture.packet = packets_.front().packet;
    }
    picture.unit = std::move(unit);
    enqueue(std::move(picture));
  }
}

// Of the packets that brought no picture yet, only the one in which a picture began will.
void HeaderSource::drop_packets() {
  const std::int64_t open = codec_->open_packet_index();
  while (!packets_.empty() && packets_.front().packet_index != open) drop_packet(packets_.front());
  while (packets_.size() > 1) drop_packet(packets_.back());
}

void HeaderSource::drop_packet(PacketNote& note) {
  // Only this object makes new holders, so the count cannot rise meanwhile. The fence orders what
  // is written next behind what the last holder read. More than a few would only keep memory: a
  // free packet still has its data.
  if (note.packet.use_count() == 1 && free_packets_.size() < kMaxFreePackets) {
#if defined(__SANITIZE_THREAD__)  // knows no fences, but sees the count go up and down
    std::shared_ptr<media::Packet>(note.packet).reset();
#else
    std::atomic_thread_fence(std::memory_order_acquire);
#endif
    free_packets_.push_back(std::move(note.packet));
  }
  if (&note == &packets_.front()) {
    packets_.pop_front();
  } else {
    packets_.pop_back();
  }
}

void HeaderSource::enqueue(HeaderPicture picture) {
  const prim::PictureInfo& info = picture.unit->info();
  Pending entry;
  entry.size_bytes = picture.unit->size_bytes();
  pending_bytes_ += entry.size_bytes;
  if (info.is_second_field) {  // shown together with the first
    if (pending_.empty() || pending_.back().is_timed || pending_.back().is_second_field) {
      set_time(picture, newest_field_pts_);
      entry.is_timed = true;
    }
    entry.is_second_field = true;
    entry.picture = std::move(picture);
    pending_.push_back(std::move(entry));
    return;
  }
  const bool starts_order_again = info.starts_sequence || info.has_memory_management_5;
  if (starts_order_again) time_all_pending();
  if (info.pts == media::kNoPts) is_reordering_ = true;
  const std::int64_t dts = dts_repair_.next(info.dts, info.pts);
  if (is_reordering_) {
    clock_.push(dts);
    entry.output_poc = info.has_memory_management_5 ? 0 : info.poc;
  } else {
    set_time(picture, info.pts);
    entry.is_timed = true;
  }
  entry.picture = std::move(picture);
  pending_.push_back(std::move(entry));
  const auto num_untimed = std::count_if(pending_.begin(), pending_.end(), [](const Pending& p) {
    return !p.is_timed && !p.is_second_field;
  });
  if (num_untimed > static_cast<std::ptrdiff_t>(kMaxReorderFrames)) time_first_in_output_order();
  if (pending_.size() > kMaxPending || pending_bytes_ > kMaxPendingBytes) time_all_pending();
}

void HeaderSource::time_first_in_output_order() {
  auto first = pending_.end();
  for (auto it = pending_.begin(); it != pending_.end(); ++it) {
    if (it->is_timed || it->is_second_field) continue;
    if (first == pending_.end() || it->output_poc < first->output_poc) first = it;
  }
  if (first == pending_.end()) return;
  set_time(first->picture, clock_.pop(first->picture.unit->info().pts));
  first->is_timed = true;
  const auto second = std::next(first);
  if (second != pending_.end() && second->is_second_field) {
    set_time(second->picture, first->picture.unit->info().pts);
    second->is_timed = true;
  }
}

void HeaderSource::time_all_pending() {
  while (
      std::any_of(pending_.begin(), pending_.end(), [](const Pending& p) { return !p.is_timed; })) {
    time_first_in_output_order();
  }
}

void HeaderSource::set_time(HeaderPicture& picture, std::int64_t pts) {
  prim::PictureInfo& info = picture.unit->info();
  info.pts = pts;
  newest_field_pts_ = pts;
  if (!origin_pts_) origin_pts_ = pts;
  // Everything decoded before the start of a sequence is shown before it: a time that goes back
  // there is that of a second recording, which follows the first.
  if (info.starts_sequence && !info.is_second_field && newest_pts_ != media::kNoPts &&
      pts + offset_pts_ <= newest_pts_) {
    offset_pts_ = newest_pts_ + media::frame_duration(demuxer_.info()) - pts;
  }
  newest_pts_ = std::max(newest_pts_, pts + offset_pts_);
  const media::Rational& time_base = demuxer_.info().time_base;
  picture.seconds = static_cast<double>(pts + offset_pts_ - *origin_pts_) * time_base.num /
                    std::max(1, time_base.den);
}

}  // namespace cope::pipeline
