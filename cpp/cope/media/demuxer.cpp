#include "cope/media/demuxer.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "cope/media/byte_io.h"
#include "cope/media/edit_list.h"
#include "cope/media/ffmpeg_error.h"
#include "cope/media/ffmpeg_log.h"
#include "cope/media/ffmpeg_ptr.h"
#include "cope/media/interrupt.h"
#include "cope/media/iso_movie.h"
#include "cope/media/stream_info.h"

namespace cope::media {
namespace {

// Packets looked at when opening: more than the deepest reordering (16 frames), so that the first
// presentation time is among them.
constexpr std::size_t kNumLookahead = 20;
// A demuxer that keeps asking to be called again gets a second.
constexpr int kMaxRetries = 1000;
constexpr std::chrono::milliseconds kRetryPause{1};
constexpr double kMaxSeekUnits = 0x1p52;

// Damaged files hold any 64 bits. Without this every later sum and difference would have to beware.
std::int64_t sane_time(std::int64_t time) {
  return time >= -kMaxTime && time <= kMaxTime ? time : AV_NOPTS_VALUE;
}

bool is_format(const AVFormatContext& format, std::string_view name) {
  return std::string_view(format.iformat->name).starts_with(name);
}

class OpenOptions {
 public:
  ~OpenOptions() { av_dict_free(&dictionary_); }
  OpenOptions() = default;
  OpenOptions(const OpenOptions&) = delete;
  OpenOptions& operator=(const OpenOptions&) = delete;

  void set(const char* key, const char* value) { av_dict_set(&dictionary_, key, value, 0); }
  AVDictionary** get() { return &dictionary_; }

 private:
  AVDictionary* dictionary_ = nullptr;
};

}  // namespace

struct Demuxer::Impl {
  Impl(const Source& source, const DemuxerOptions& options)
      : interrupt(options.cancel, options.timeout), location(source.name()) {}

  /// Runs one operation of libav and returns its AVERROR; throws what a ByteSource threw meanwhile.
  template <class Operation>
  int run(Operation operation) {
    int result = 0;
    {
      const QuietScope quiet;
      result = operation();
    }
    if (bytes != nullptr) bytes->rethrow_pending();
    return interrupt.explain(result);
  }

  Status open(const Source& source, const DemuxerOptions& options);
  int open_io(const Source& source, IsoMovie& movie);
  int open_format(bool is_url);
  void use_edits(const IsoMovie& movie);
  int read_raw(AVPacket& packet);
  void present(AVPacket& packet) const;
  int fetch_pending();
  int restart();
  int seek_near(std::int64_t target);
  std::int64_t index_of(const AVPacket& packet) const;
  Status deliver(Packet& packet);

  Interrupt interrupt;
  std::string location;
  std::unique_ptr<ByteIo> bytes;  // this or `file`, neither for a URL
  IoFilePtr file;
  AVIOContext* io = nullptr;  // of either, which come before `format` because it reads until closed
  FormatContextPtr format;
  AVStream* stream = nullptr;  // of `format`
  StreamInfo info;
  EditTimeline timeline;
  bool can_seek = false;
  bool has_dts = true;
  std::deque<PacketPtr> pending;  // fetched ahead, in presentation time
  int pending_error = 0;          // what follows `pending`
  struct First {
    std::int64_t time = 0;  // as stored
    std::int64_t byte_pos = -1;
  };
  std::optional<First> first;   // the stream's first packet
  std::int64_t next_index = 0;  // -1 unknown
  std::shared_ptr<const Extradata> extradata;
};

Status Demuxer::Impl::open(const Source& source, const DemuxerOptions& options) {
  interrupt.arm();
  IsoMovie movie;
  int error = run([&] { return open_io(source, movie); });
  if (error == 0) error = run([&] { return open_format(source.is_url()); });
  // Text passes for video with this one: terminal art.
  if (error >= 0 && is_format(*format, "tty")) error = AVERROR_INVALIDDATA;
  if (error < 0) return status_from_averror(StatusCode::kMediaOpen, error);

  const Result<AVStream*> selected = select_video_stream(*format, options.stream_index);
  if (!selected.ok()) return selected.status();
  stream = selected.value();
  if (is_encrypted(*stream)) return Status::unsupported("encrypted");
  for (unsigned i = 0; i < format->nb_streams; ++i) {
    if (format->streams[i] != stream) format->streams[i]->discard = AVDISCARD_ALL;
  }
  // Matroska stores no decoding times, and libavformat can only guess them with a decoder's help.
  has_dts = !is_format(*format, "matroska");
  if (is_format(*format, "mov")) use_edits(movie);

  while (pending.size() < kNumLookahead && pending_error == 0) {
    pending_error = run([&] { return fetch_pending(); });
  }
  if (pending_error == AVERROR_EXIT || pending_error == AVERROR(ETIMEDOUT)) {
    return status_from_averror(StatusCode::kMediaOpen, pending_error);
  }
  for (const PacketPtr& packet : pending) {
    if (is_encrypted(*packet)) return Status::unsupported("encrypted");
  }
  run([&] {
    info = describe_stream(*format, *stream, pending);
    return 0;
  });
  if (info.width > options.limits.max_dimension || info.height > options.limits.max_dimension) {
    return Status::limit("max_dimension");
  }
  if (static_cast<std::int64_t>(info.width) * info.height > options.limits.max_luma_samples) {
    return Status::limit("max_luma_samples");
  }
  if (!timeline.is_identity()) {
    info.start_pts = timeline.start();
    if (timeline.duration()) {
      info.duration_seconds = static_cast<double>(*timeline.duration()) * info.time_base.value();
    }
  }
  extradata = info.extradata;
  return {};
}

// Opens what is not a URL, and looks at it before libavformat does.
int Demuxer::Impl::open_io(const Source& source, IsoMovie& movie) {
  can_seek = true;  // what the protocol of a URL can do is for libavformat to say
  if (source.is_url()) return 0;
  if (source.byte_source() != nullptr) {
    if (location.empty()) location = "bytes";  // playlists are taken relative to it
    bytes = ByteIo::create(source.byte_source(), interrupt);
    if (bytes == nullptr) return AVERROR(ENOMEM);
    io = bytes->context();
  } else {
    std::error_code ignored;  // libavformat has its own words for it
    if (std::filesystem::is_directory(location, ignored)) return AVERROR(EISDIR);
    location.insert(0, "file:");
    const AVIOInterruptCB callback{&Interrupt::callback, &interrupt};
    if (const int error = avio_open2(&io, location.c_str(), AVIO_FLAG_READ, &callback, nullptr);
        error < 0) {
      return error;
    }
    file.reset(io);
  }
  // Elsewhere libavformat may not notice that seeking failed.
  can_seek = (io->seekable & AVIO_SEEKABLE_NORMAL) != 0;
  if (!can_seek) return 0;
  IoReader reader(io);
  movie = read_iso_movie(reader);
  if (!movie.is_plausible) return AVERROR_INVALIDDATA;
  const std::int64_t position = avio_seek(io, 0, SEEK_SET);
  return position < 0 ? static_cast<int>(position) : 0;
}

int Demuxer::Impl::open_format(bool is_url) {
  AVFormatContext* context = avformat_alloc_context();
  if (context == nullptr) return AVERROR(ENOMEM);
  context->interrupt_callback = {&Interrupt::callback, &interrupt};
  context->pb = io;

  OpenOptions options;
  // No decoder may run while streams are probed: it would take time, and memory for whatever size a
  // damaged header claims. `describe_stream` finds out in a cheaper way what is missing for it.
  options.set("codec_whitelist", "none");
  options.set("ignore_chapters", "1");
  if (io != nullptr && can_seek) options.set("ignore_editlist", "1");  // `movie` has it
  // A playlist from an untrusted place must not make us open other files or hosts.
  if (!is_url) options.set("protocol_whitelist", file != nullptr ? "file" : "none");

  // On failure this frees `context`.
  const int error = avformat_open_input(&context, location.c_str(), nullptr, options.get());
  if (error < 0) return error;
  format.reset(context);
  return avformat_find_stream_info(context, nullptr);
}

void Demuxer::Impl::use_edits(const IsoMovie& movie) {
  const AVRational time_base = stream->time_base;
  for (const IsoMovie::Track& track : movie.tracks) {
    if (static_cast<int>(track.track_id) == stream->id && time_base.num == 1 &&
        static_cast<std::uint32_t>(time_base.den) == track.edit_list.media_timescale) {
      timeline = EditTimeline(track.edit_list);
    }
  }
}

int Demuxer::Impl::read_raw(AVPacket& packet) {
  for (int retries = 0;;) {
    const int error = av_read_frame(format.get(), &packet);
    if (error == AVERROR(EAGAIN) && ++retries < kMaxRetries && !interrupt.requested()) {
      std::this_thread::sleep_for(kRetryPause);
      continue;
    }
    if (error < 0) {
      // Demuxers call every failure to read the end of the file.
      const bool failed = error == AVERROR_EOF && format->pb != nullptr && format->pb->error < 0;
      return failed ? format->pb->error : error;
    }
    if (packet.stream_index == stream->index) break;
    av_packet_unref(&packet);
  }
  packet.pts = sane_time(packet.pts);
  packet.dts = has_dts ? sane_time(packet.dts) : AV_NOPTS_VALUE;
  if (packet.duration < 0 || packet.duration > kMaxTime) packet.duration = 0;
  return 0;
}

void Demuxer::Impl::present(AVPacket& packet) const {
  if (timeline.is_identity()) return;
  if (packet.pts != AV_NOPTS_VALUE) {
    const EditTimeline::Time time = timeline.present(packet.pts);
    packet.pts = time.pts;
    if (!time.is_shown) packet.flags |= AV_PKT_FLAG_DISCARD;
  }
  if (packet.dts != AV_NOPTS_VALUE) packet.dts = timeline.shift_dts(packet.dts);
}

int Demuxer::Impl::fetch_pending() {
  PacketPtr packet(av_packet_alloc());
  if (packet == nullptr) return AVERROR(ENOMEM);
  if (const int error = read_raw(*packet); error < 0) return error;
  if (!first) first = {packet->dts != AV_NOPTS_VALUE ? packet->dts : packet->pts, packet->pos};
  if (pending.empty()) next_index = info.is_raw ? 0 : index_of(*packet);
  present(*packet);
  pending.push_back(std::move(packet));
  return 0;
}

Status Demuxer::Impl::deliver(Packet& out) {
  AVPacket& packet = *out.owner_;
  if (is_encrypted(packet)) return Status::unsupported("encrypted");
  bool is_extradata_new = false;
  std::size_t size = 0;
  const std::uint8_t* data = av_packet_get_side_data(&packet, AV_PKT_DATA_NEW_EXTRADATA, &size);
  if (data != nullptr && !std::equal(data, data + size, extradata->begin(), extradata->end())) {
    extradata = copy_extradata(data, size);
    is_extradata_new = true;
  }
  out.view_ = {.data = {packet.data, static_cast<std::size_t>(packet.size)},
               .pts = packet.pts,
               .dts = packet.dts,
               .duration = packet.duration,
               .byte_pos = packet.pos,
               .packet_index = next_index,
               .is_key = (packet.flags & AV_PKT_FLAG_KEY) != 0,
               .is_discard = (packet.flags & AV_PKT_FLAG_DISCARD) != 0,
               .is_corrupt = (packet.flags & AV_PKT_FLAG_CORRUPT) != 0,
               .is_extradata_new = is_extradata_new,
               .extradata = extradata};
  if (next_index >= 0) ++next_index;
  return {};
}

int Demuxer::Impl::restart() {
  int error = -1;
  if (!info.is_raw) {
    error = avformat_seek_file(format.get(), stream->index, INT64_MIN, first->time, first->time, 0);
  }
  if (error < 0) error = av_seek_frame(format.get(), -1, 0, AVSEEK_FLAG_BYTE);
  if (error < 0) return error;
  pending_error = fetch_pending();
  return 0;
}

// Tries ever earlier times until a keyframe at or before `target` (presentation time) comes first:
// only some containers have an index of keyframes, and where it lists decoding times the keyframe
// found by it may be shown after the target.
int Demuxer::Impl::seek_near(std::int64_t target) {
  const std::int64_t time = timeline.composition_time(target);
  const double units_per_second = 1 / info.time_base.value();
  PacketPtr packet(av_packet_alloc());
  if (packet == nullptr) return AVERROR(ENOMEM);
  for (double back_seconds = 0;; back_seconds = std::max(0.5, 2 * back_seconds)) {
    const double earlier = static_cast<double>(time) - back_seconds * units_per_second;
    if (earlier <= static_cast<double>(first->time)) break;
    if (av_seek_frame(format.get(), stream->index, static_cast<std::int64_t>(earlier),
                      AVSEEK_FLAG_BACKWARD) < 0) {
      break;
    }
    int error = 0;
    do {
      av_packet_unref(packet.get());
      error = read_raw(*packet);
    } while (error == 0 && (packet->flags & AV_PKT_FLAG_KEY) == 0);
    if (interrupt.explain(error) != error) return error;
    if (error < 0) continue;
    next_index = index_of(*packet);
    present(*packet);
    const std::int64_t shown = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (shown > target) continue;
    pending.push_back(std::move(packet));
    return 0;
  }

  return restart();
}

// Which packet this is, as far as the container's own index covers all of them.
std::int64_t Demuxer::Impl::index_of(const AVPacket& packet) const {
  const auto is_first = [&] { return packet.pos >= 0 && packet.pos == first->byte_pos; };
  if (!is_format(*format, "mov") || avformat_index_get_entries_count(stream) != stream->nb_frames) {
    return is_first() ? 0 : -1;
  }
  const int index =
      av_index_search_timestamp(stream, packet.dts, AVSEEK_FLAG_BACKWARD | AVSEEK_FLAG_ANY);
  const AVIndexEntry* entry = avformat_index_get_entry(stream, index);
  return entry != nullptr && entry->pos == packet.pos ? index : -1;
}

Result<Demuxer> Demuxer::open(const Source& source, const DemuxerOptions& options) {
  auto impl = std::make_unique<Impl>(source, options);
  COPE_RETURN_IF_ERROR(impl->open(source, options));
  return Demuxer(std::move(impl));
}

Demuxer::Demuxer(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Demuxer::Demuxer(Demuxer&&) noexcept = default;
Demuxer& Demuxer::operator=(Demuxer&&) noexcept = default;
Demuxer::~Demuxer() = default;

const StreamInfo& Demuxer::info() const noexcept { return impl_->info; }

Status Demuxer::read_packet(Packet& packet) {
  Impl& impl = *impl_;
  impl.interrupt.arm();
  int error = 0;
  if (!impl.pending.empty()) {
    packet.owner_.reset(impl.pending.front().release());
    impl.pending.pop_front();
  } else if (impl.pending_error != 0) {
    error = std::exchange(impl.pending_error, 0);
  } else {
    if (packet.owner_ == nullptr) packet.owner_.reset(av_packet_alloc());
    if (packet.owner_ == nullptr) {
      return status_from_averror(StatusCode::kMediaRead, AVERROR(ENOMEM));
    }
    av_packet_unref(packet.owner_.get());
    error = impl.run([&] { return impl.read_raw(*packet.owner_); });
    if (error == 0) impl.present(*packet.owner_);
  }
  if (error == AVERROR_EOF) return Status{StatusCode::kEndOfStream};
  if (error < 0) return status_from_averror(StatusCode::kMediaRead, error);
  return impl.deliver(packet);
}

Status Demuxer::seek(double seconds) {
  Impl& impl = *impl_;
  if (!impl.can_seek) return status_from_averror(StatusCode::kMediaRead, AVERROR(ESPIPE));
  impl.interrupt.arm();
  impl.pending.clear();
  impl.pending_error = 0;
  impl.next_index = -1;
  if (!impl.first) return {};  // a stream without packets
  const int error = impl.run([&] {
    if (impl.info.is_raw || !(seconds > 0)) return impl.restart();
    const std::int64_t start =
        impl.info.start_pts != kNoPts ? impl.info.start_pts : impl.first->time;
    const double units = std::min(seconds / impl.info.time_base.value(), kMaxSeekUnits);
    return impl.seek_near(start + std::llround(units));
  });
  return error < 0 ? status_from_averror(StatusCode::kMediaRead, error) : Status{};
}

}  // namespace cope::media
