#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "cope/base/limits.h"
#include "cope/base/status.h"
#include "cope/media/demuxer.h"
#include "cope/media/timestamps.h"
#include "cope/pipeline/codec.h"
#include "cope/pipeline/parse_queue.h"

namespace cope::pipeline {

/// A coded picture with what the container knows of it.
struct HeaderPicture {
  std::unique_ptr<CodedUnit> unit;
  /// Its packet, for decoding to pixels; only at random access points, both fields of a field pair.
  std::shared_ptr<const media::Packet> packet;
  double seconds = 0.0;     ///< presentation time since the start of the stream
  bool is_discard = false;  ///< outside the edit list, or not for output: not presented
};

struct SourceCounts {
  std::int64_t num_packets = 0;
  std::int64_t num_packets_corrupt = 0;  ///< by the container's account, or unreadable
  std::int64_t num_pictures = 0;
  CodecCounts codec;
  double seconds = 0.0;  ///< spent on reading and headers
};

/// Coded pictures of one video stream in decoding order, all with presentation times: demuxing and
/// headers, no slice data. Not thread-safe.
///
/// Times. The container's pts where it gives one. Otherwise decoding times, or multiples of the
/// frame rate (25 per second when nothing says better), in output order, which the picture order
/// count tells; this holds pictures back until no earlier one can come, 16 frames and 256 MiB at
/// most.
class HeaderSource {
 public:
  static Result<std::unique_ptr<HeaderSource>> open(const media::Source& source,
                                                    const media::DemuxerOptions& options);

  const media::StreamInfo& info() const noexcept { return demuxer_.info(); }
  const Codec& codec() const noexcept { return *codec_; }
  const Limits& limits() const noexcept { return limits_; }
  SourceCounts counts() const;
  /// Whether `next` is to be called in the thread that called `open`, and may throw.
  bool needs_own_thread() const noexcept { return needs_own_thread_; }

  /// The next picture. kEndOfStream when none is left; kUnsupported naming a coding tool;
  /// errors of the demuxer. Damaged NAL units are counted; with `stop_at_damage`, returned.
  Status next(HeaderPicture& out, bool stop_at_damage, const Poll& poll);

  /// Gives a coded picture's memory back.
  void recycle(std::unique_ptr<CodedUnit> unit);

  /// Starts again at the first packet. kMediaRead when the source cannot seek.
  Status restart();

 private:
  struct PacketNote {
    std::int64_t packet_index;
    std::shared_ptr<media::Packet> packet;
  };
  struct Pending {
    HeaderPicture picture;
    std::int32_t output_poc = 0;
    bool is_second_field = false;
    bool is_timed = false;
    std::size_t size_bytes = 0;
  };

  HeaderSource(media::Demuxer demuxer, std::unique_ptr<Codec> codec, const Limits& limits,
               bool needs_own_thread);
  Status read_packet(bool stop_at_damage);
  void take_pictures();
  void drop_packets();
  void drop_packet(PacketNote& note);
  void enqueue(HeaderPicture picture);
  void time_first_in_output_order();
  void time_all_pending();
  void set_time(HeaderPicture& picture, std::int64_t pts);

  Limits limits_;
  bool needs_own_thread_;
  media::Demuxer demuxer_;
  std::unique_ptr<Codec> codec_;
  media::DtsRepair dts_repair_;
  media::PresentationClock clock_;
  bool is_reordering_ = false;        // a pts was missing: times come from the output order
  bool is_at_random_access_ = false;  // of the frame taken last
  bool is_finished_ = false;
  Status end_;  // why it is finished: kEndOfStream, or a read error that damaged the tail
  std::deque<PacketNote> packets_;  // those whose picture may still come
  std::deque<Pending> pending_;     // decoding order; pictures leave when timed
  std::size_t pending_bytes_ = 0;
  std::vector<std::unique_ptr<CodedUnit>> free_units_;
  std::vector<std::shared_ptr<media::Packet>> free_packets_;
  std::optional<std::int64_t> origin_pts_;
  std::int64_t offset_pts_ = 0;                    // makes up for presentation times that restart
  std::int64_t newest_pts_ = media::kNoPts;        // offset applied
  std::int64_t newest_field_pts_ = media::kNoPts;  // of the picture timed last
  SourceCounts counts_;
};

}  // namespace cope::pipeline
