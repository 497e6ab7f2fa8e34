#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "cope/base/limits.h"
#include "cope/base/status.h"
#include "cope/media/packet.h"
#include "cope/media/source.h"

namespace cope::media {

enum class CodecId : std::uint8_t { kH264, kH265, kOther };

struct Rational {
  std::int32_t num = 0;
  std::int32_t den = 1;

  double value() const noexcept { return den == 0 ? 0.0 : static_cast<double>(num) / den; }
};

/// What the container says of the selected stream. Sizes are of the picture as coded by the
/// container's account (cropped, not rotated); the parameter sets have the last word.
struct StreamInfo {
  std::int32_t stream_index = 0;
  CodecId codec_id = CodecId::kOther;
  std::string codec_name;     ///< FFmpeg's: "h264", "hevc", "vp9", ...
  std::int32_t profile = -1;  ///< profile_idc plus FFmpeg's constraint bits 9 and 11, -1 unknown
  std::string profile_name;   ///< "Constrained Baseline", "High", ...; empty when unknown
  std::int32_t level = -1;    ///< level_idc (H.265: general_level_idc), -1 unknown
  std::shared_ptr<const Extradata> extradata;  ///< of the first packet; null only before opening
  bool is_length_prefixed = false;  ///< NAL units follow avcC/hvcC lengths, else start codes
  std::int32_t width = 0;           ///< luma samples, 0 unknown
  std::int32_t height = 0;
  std::string pix_fmt;                 ///< FFmpeg's name ("yuv420p"), empty when unknown
  Rational sample_aspect_ratio{0, 1};  ///< 0/1 unknown
  bool is_mirrored = false;            ///< display: mirror left-right first,
  std::int32_t rotation = 0;           ///< then turn clockwise by 0, 90, 180 or 270 degrees
  Rational time_base{1, 1};            ///< seconds per unit of pts and dts
  Rational average_rate{0, 1};      ///< frames per second, estimated where not stored; 0/1 unknown
  std::int64_t start_pts = kNoPts;  ///< of the first presented picture, kNoPts unknown
  std::optional<double> duration_seconds;  ///< of the presentation
  std::optional<std::int64_t> num_frames;  ///< packets, where the container lists them
  std::optional<std::int64_t> bit_rate;    ///< bits per second
  std::string container;  ///< FFmpeg's name: "mov,mp4,m4a,3gp,3g2,mj2", "h264", ...
  bool is_raw = false;    ///< an elementary stream: no times, no index
};

struct DemuxerOptions {
  std::optional<std::int32_t> stream_index{};  ///< none: the best video stream
  std::chrono::milliseconds timeout{0};        ///< of one open, read or seek; 0: wait for ever
  std::stop_token cancel{};                    ///< makes a blocked operation return kCancelled
  Limits limits{};                             ///< of the picture size that the stream announces
};

/// Yields the packets of one video stream in decoding order. Does no decoding. Not thread-safe.
///
/// The best stream is the one that the container calls default, then the one with most pixels, then
/// the first. Cover pictures and thumbnails are not video streams here.
///
/// Errors: kMediaOpen with the AVERROR (`error_text()`), or with `element` saying what is missing;
/// kUnsupported "encrypted"; kLimitExceeded for a picture size; kMediaRead for I/O errors after
/// opening; kCancelled. An exception of a `ByteSource` leaves through the method that was reading.
class Demuxer {
 public:
  static Result<Demuxer> open(const Source& source, const DemuxerOptions& options = {});
  ~Demuxer();
  Demuxer(Demuxer&&) noexcept;
  Demuxer& operator=(Demuxer&&) noexcept;

  const StreamInfo& info() const noexcept;

  /// Replaces `packet` by the next one. kEndOfStream when none is left. After kMediaRead reading
  /// may be tried again: some containers find the next intact packet.
  Status read_packet(Packet& packet);

  /// Goes to the last keyframe at or before `seconds` of presentation time (0: `start_pts`), as far
  /// as the container can tell, or to the start. An elementary stream has no times and restarts.
  /// kMediaRead when the source cannot seek (nothing changes), or fails to (the position is
  /// unspecified).
  Status seek(double seconds);

 private:
  struct Impl;
  explicit Demuxer(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cope::media
