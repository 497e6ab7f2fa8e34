#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "cope/base/limits.h"
#include "cope/base/status.h"
#include "cope/h264/coded_picture.h"

namespace cope::h264 {

/// Where a NAL unit came from, copied into the picture it belongs to.
struct NalSource {
  std::int64_t pts = prim::kNoPts;
  std::int64_t dts = prim::kNoPts;
  std::int64_t packet_index = -1;
};

/// What was met and what was done about it, over the life of the decoder.
struct StreamCounts {
  std::int64_t num_nal_units = 0;
  /// Dropped: header or parameter set invalid, or a slice that came behind a later picture's.
  std::int64_t num_nal_units_damaged = 0;
  /// Other layers and views (types 14, 15, 20, 21), auxiliary and redundant slices.
  std::int64_t num_nal_units_skipped = 0;
  std::int64_t num_nal_units_repeated = 0;  ///< slices and partitions that came twice
  std::int64_t num_frame_num_gaps = 0;      ///< frames inferred by 8.2.5.2
  std::int64_t num_frames_lost = 0;         ///< of these, those that the SPS does not allow
  Status first_error;                       ///< of a dropped NAL unit
};

/// Turns NAL units into coded pictures: everything of H.264 that precedes slice data.
///
/// Owns parameter sets, picture order count, reference lists and marking (a decoded picture buffer
/// of metadata only). Does not look at slice_data(). Not thread-safe.
class HeaderDecoder {
 public:
  explicit HeaderDecoder(const Limits& limits);
  ~HeaderDecoder();
  HeaderDecoder(const HeaderDecoder&) = delete;
  HeaderDecoder& operator=(const HeaderDecoder&) = delete;

  /// Takes one NAL unit, without start code or length. A damaged unit is dropped, counted, and its
  /// error returned; the decoder stays usable. kUnsupported names a coding tool that is not read:
  /// the caller decides whether to stop.
  Status push_nal(std::span<const std::uint8_t> nal, const NalSource& source);

  /// Says that no NAL unit of the present access unit is left (end of a container sample or of the
  /// stream): its picture becomes available without waiting for the next one.
  void end_access_unit();

  /// Swaps the next finished picture into `out`, in decoding order; the old content's buffers are
  /// reused. False when none is ready.
  bool pop_picture(CodedPicture& out);

  /// Forgets references and the unfinished picture, keeps parameter sets: for seeking.
  void reset();

  /// `NalSource::packet_index` of the picture that is still incomplete, -1 when there is none.
  std::int64_t open_packet_index() const noexcept;

  const StreamCounts& counts() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cope::h264
