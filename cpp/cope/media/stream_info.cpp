#include "cope/media/stream_info.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>
#include <tuple>
#include <vector>

namespace cope::media {
namespace {

constexpr Rational kRawRate{25, 1};  // what libavformat assumes of elementary streams
constexpr double kMinRate = 1.0 / 3600;
constexpr double kMaxRate = 1000;

struct ParserDeleter {
  void operator()(AVCodecParserContext* parser) const noexcept { av_parser_close(parser); }
};

Rational to_rational(AVRational value) { return {value.num, value.den}; }

bool is_plausible_rate(AVRational rate) {
  return rate.num > 0 && rate.den > 0 && av_q2d(rate) >= kMinRate && av_q2d(rate) <= kMaxRate;
}

bool is_video(const AVStream& stream) {
  constexpr int kPictures = AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS;
  return stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO && (stream.disposition & kPictures) == 0;
}

CodecId codec_id_of(AVCodecID id) {
  switch (id) {
    case AV_CODEC_ID_H264:
      return CodecId::kH264;
    case AV_CODEC_ID_HEVC:
      return CodecId::kH265;
    default:
      return CodecId::kOther;
  }
}

// An avcC or hvcC record starts with configurationVersion 1 (hvcC of early muxers: 0); parameter
// sets in Annex B form start with zeros.
bool is_configuration_record(CodecId codec, const Extradata& extradata) {
  constexpr std::size_t kMinAvcC = 7;
  constexpr std::size_t kMinHvcC = 23;
  switch (codec) {
    case CodecId::kH264:
      return extradata.size() >= kMinAvcC && extradata[0] == 1;
    case CodecId::kH265:
      return extradata.size() >= kMinHvcC &&
             (extradata[0] != 0 || extradata[1] != 0 || extradata[2] > 1);
    case CodecId::kOther:
      return false;
  }
  return false;
}

// The upper left 2x2 of a display matrix is, for every orientation in use, a turn by a multiple of
// 90 degrees with or without a mirroring before it. Other angles are left unturned.
void read_orientation(const AVStream& stream, StreamInfo& info) {
  constexpr std::size_t kNumElements = 9;
  const std::span<const std::uint8_t> bytes = stream_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX);
  if (bytes.size() < kNumElements * sizeof(std::int32_t)) return;
  std::int32_t matrix[kNumElements];
  std::memcpy(matrix, bytes.data(), sizeof matrix);

  const double determinant =
      static_cast<double>(matrix[0]) * matrix[4] - static_cast<double>(matrix[1]) * matrix[3];
  const bool is_mirrored = determinant < 0;
  if (is_mirrored) {  // take the mirroring out: (x, y) -> (-x, y) first
    matrix[0] = -matrix[0];
    matrix[1] = -matrix[1];
  }
  const double clockwise = -av_display_rotation_get(matrix);  // FFmpeg counts counter-clockwise
  if (std::isnan(clockwise)) return;
  const double quarter_turns = clockwise / 90;
  if (std::abs(quarter_turns - std::round(quarter_turns)) > 1.0 / 90) return;
  info.is_mirrored = is_mirrored;
  info.rotation = (static_cast<int>(std::lround(quarter_turns)) % 4 + 4) % 4 * 90;
}

// Sizes, sample format, profile and frame rate from the codec's headers. libavcodec's parser reads
// them without a decoder, and so without memory for pictures of whatever size they claim.
void parse_headers(const AVStream& stream, const std::deque<PacketPtr>& first_packets,
                   StreamInfo& info) {
  const std::unique_ptr<AVCodecParserContext, ParserDeleter> parser(
      av_parser_init(stream.codecpar->codec_id));
  const CodecContextPtr codec(avcodec_alloc_context3(nullptr));
  if (parser == nullptr || codec == nullptr ||
      avcodec_parameters_to_context(codec.get(), stream.codecpar) < 0) {
    return;
  }
  parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
  set_ticks_per_frame_of_parser(*codec);
  for (const PacketPtr& packet : first_packets) {
    std::uint8_t* data = nullptr;
    int size = 0;
    av_parser_parse2(parser.get(), codec.get(), &data, &size, packet->data, packet->size,
                     AV_NOPTS_VALUE, AV_NOPTS_VALUE, 0);
    if (parser->width > 0) break;
  }
  if (info.width == 0 || info.height == 0) {
    info.width = std::max(parser->width, 0);
    info.height = std::max(parser->height, 0);
  }
  if (info.pix_fmt.empty()) {
    const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(parser->format));
    if (name != nullptr) info.pix_fmt = name;
  }
  if (info.profile < 0) info.profile = std::max(codec->profile, -1);
  if (info.level < 0) info.level = std::max(codec->level, -1);
  if (info.is_raw && is_plausible_rate(codec->framerate)) {
    info.average_rate = to_rational(codec->framerate);
  }
}

// Times of those of the first packets that are shown, sorted.
std::vector<std::int64_t> first_times(const std::deque<PacketPtr>& first_packets, bool decoding) {
  std::vector<std::int64_t> times;
  for (const PacketPtr& packet : first_packets) {
    const std::int64_t time = decoding ? packet->dts : packet->pts;
    if (time != AV_NOPTS_VALUE && (packet->flags & AV_PKT_FLAG_DISCARD) == 0) times.push_back(time);
  }
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  return times;
}

// The later half of `times` may have holes, which packets further on fill.
Rational estimate_rate(const std::vector<std::int64_t>& times, AVRational time_base) {
  const std::size_t count = times.size() / 2;
  if (count == 0) return {0, 1};
  const double seconds = static_cast<double>(times[count] - times[0]) * av_q2d(time_base);
  constexpr int kMaxTerm = 1 << 20;
  const AVRational rate = av_d2q(static_cast<double>(count) / seconds, kMaxTerm);
  return is_plausible_rate(rate) ? to_rational(rate) : Rational{0, 1};
}

std::optional<double> duration_of(const AVFormatContext& format, const AVStream& stream) {
  if (stream.duration != AV_NOPTS_VALUE && stream.duration > 0) {
    return static_cast<double>(stream.duration) * av_q2d(stream.time_base);
  }
  if (format.duration != AV_NOPTS_VALUE && format.duration > 0 &&
      format.duration_estimation_method != AVFMT_DURATION_FROM_BITRATE) {
    return static_cast<double>(format.duration) / AV_TIME_BASE;
  }
  return std::nullopt;
}

}  // namespace

std::shared_ptr<const Extradata> copy_extradata(const std::uint8_t* data, std::size_t size) {
  return data == nullptr ? std::make_shared<const Extradata>()
                         : std::make_shared<const Extradata>(data, data + size);
}

Result<AVStream*> select_video_stream(const AVFormatContext& format,
                                      std::optional<std::int32_t> asked) {
  const std::span<AVStream* const> streams(format.streams, format.nb_streams);
  if (asked) {
    if (*asked < 0 || static_cast<std::size_t>(*asked) >= streams.size() ||
        streams[static_cast<std::size_t>(*asked)]->codecpar->codec_type != AVMEDIA_TYPE_VIDEO) {
      return Status{StatusCode::kMediaOpen, "stream_index"};
    }
    return streams[static_cast<std::size_t>(*asked)];
  }
  const auto rank = [](const AVStream& stream) {
    return std::tuple((stream.disposition & AV_DISPOSITION_DEFAULT) != 0,
                      static_cast<std::int64_t>(stream.codecpar->width) * stream.codecpar->height);
  };
  AVStream* best = nullptr;
  for (AVStream* stream : streams) {
    if (is_video(*stream) && (best == nullptr || rank(*stream) > rank(*best))) best = stream;
  }
  if (best == nullptr) return Status{StatusCode::kMediaOpen, "no video stream"};
  return best;
}

bool is_encrypted(const AVStream& stream) {
  constexpr std::uint32_t kEncv = MKTAG('e', 'n', 'c', 'v');
  return stream.codecpar->codec_tag == kEncv ||
         !stream_side_data(stream, AV_PKT_DATA_ENCRYPTION_INIT_INFO).empty() ||
         av_dict_get(stream.metadata, "enc_key_id", nullptr, 0) != nullptr;  // matroska
}

bool is_encrypted(const AVPacket& packet) {
  return av_packet_get_side_data(&packet, AV_PKT_DATA_ENCRYPTION_INFO, nullptr) != nullptr;
}

StreamInfo describe_stream(const AVFormatContext& format, const AVStream& stream,
                           const std::deque<PacketPtr>& first_packets) {
  const AVCodecParameters& codec = *stream.codecpar;
  StreamInfo info;
  info.stream_index = stream.index;
  info.codec_id = codec_id_of(codec.codec_id);
  info.codec_name = avcodec_get_name(codec.codec_id);
  info.profile = std::max(codec.profile, -1);
  info.level = std::max(codec.level, -1);
  info.extradata = copy_extradata(codec.extradata, static_cast<std::size_t>(codec.extradata_size));
  info.is_length_prefixed = is_configuration_record(info.codec_id, *info.extradata);
  info.width = codec.width;
  info.height = codec.height;
  for (const AVRational aspect : {codec.sample_aspect_ratio, stream.sample_aspect_ratio}) {
    if (aspect.num > 0 && aspect.den > 0) info.sample_aspect_ratio = to_rational(aspect);
  }
  read_orientation(stream, info);
  info.time_base = to_rational(stream.time_base);
  info.duration_seconds = duration_of(format, stream);
  // Only an index can be trusted: headers count what was planned, or empty packets as well.
  if (stream.nb_frames > 0 && avformat_index_get_entries_count(&stream) == stream.nb_frames) {
    info.num_frames = stream.nb_frames;
  }
  if (codec.bit_rate > 0) info.bit_rate = codec.bit_rate;
  info.container = format.iformat->name;

  // libavformat's demuxers of elementary streams are called like their codec.
  info.is_raw = info.container == info.codec_name;
  const std::vector<std::int64_t> shown = first_times(first_packets, /*decoding=*/false);
  if (!shown.empty()) info.start_pts = shown.front();
  // An avi may count fields, and declares their rate.
  const bool is_avi = std::string_view(format.iformat->name) == "avi";
  if (info.is_raw) {
    info.average_rate = kRawRate;
  } else if (is_plausible_rate(stream.avg_frame_rate) && !is_avi) {
    info.average_rate = to_rational(stream.avg_frame_rate);
  } else {
    info.average_rate = estimate_rate(
        shown.empty() ? first_times(first_packets, /*decoding=*/true) : shown, stream.time_base);
  }
  parse_headers(stream, first_packets, info);
  const char* profile_name = avcodec_profile_name(codec.codec_id, info.profile);
  if (profile_name != nullptr) info.profile_name = profile_name;
  return info;
}

}  // namespace cope::media
