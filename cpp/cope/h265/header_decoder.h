#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "cope/base/limits.h"
#include "cope/base/status.h"
#include "cope/h265/coded_picture.h"

namespace cope::h265 {

/// Where a NAL unit came from, copied into the picture it belongs to.
struct NalSource {
  std::int64_t pts = prim::kNoPts;
  std::int64_t dts = prim::kNoPts;
  std::int64_t packet_index = -1;
};

/// What was met and what was done about it, over the life of the decoder.
struct StreamCounts {
  std::int64_t num_nal_units = 0;
  std::int64_t num_nal_units_damaged = 0;   ///< dropped: header or parameter set invalid
  std::int64_t num_nal_units_skipped = 0;   ///< of other layers (nuh_layer_id > 0)
  std::int64_t num_nal_units_repeated = 0;  ///< slice segments that came twice
  std::int64_t num_frames_lost = 0;  ///< pictures that others refer to and that never came, each
                                     ///< once as far as is remembered
  std::int64_t num_pictures_skipped = 0;  ///< RASL pictures that cannot be decoded, because
                                          ///< decoding starts at the IRAP picture before them
  Status first_error;                     ///< of a dropped NAL unit
};

/// Turns NAL units into coded pictures of layer 0: everything of H.265 that precedes slice data.
///
/// Owns parameter sets, picture order count, reference picture sets and lists (a decoded picture
/// buffer of metadata only). Does not look at slice_segment_data(). Not thread-safe.
///
/// A RASL picture of which the IRAP picture has NoRaslOutputFlag 1 is dropped, as the standard has
/// it: it gets no decode_index.
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

  /// NalSource::packet_index of the picture that more NAL units may belong to, -1 when there is
  /// none.
  std::int64_t open_packet_index() const noexcept;

  const StreamCounts& counts() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cope::h265
