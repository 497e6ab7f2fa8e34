#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

struct AVPacket;

namespace cope::media {

/// A pts or dts that the container does not give (FFmpeg's AV_NOPTS_VALUE).
inline constexpr std::int64_t kNoPts = std::numeric_limits<std::int64_t>::min();

/// Largest magnitude of a time from a `Demuxer`, so that few of them can be added without care.
inline constexpr std::int64_t kMaxTime = std::int64_t{1} << 60;

/// Readable zero bytes behind `PacketView::data` of a demuxed packet.
inline constexpr std::size_t kPacketPadding = 64;

/// Codec configuration: avcC, hvcC, or parameter sets in Annex B form; empty when all are in band.
using Extradata = std::vector<std::uint8_t>;

/// One packet of the selected stream: an access unit, or one field of a field pair. Times are in
/// `StreamInfo::time_base`, kNoPts when the container has none.
struct PacketView {
  std::span<const std::uint8_t> data;
  std::int64_t pts = kNoPts;       ///< presentation time, edit list applied
  std::int64_t dts = kNoPts;       ///< decoding time, may repeat or go back (see `DtsRepair`)
  std::int64_t duration = 0;       ///< 0 when unknown
  std::int64_t byte_pos = -1;      ///< in the source, -1 when unknown
  std::int64_t packet_index = -1;  ///< packets before it in decoding order, -1 when lost by a seek
  bool is_key = false;             ///< what the container says; a hint
  bool is_discard = false;         ///< not presented (edit list), but others may refer to it
  bool is_corrupt = false;         ///< the container knows that bytes are missing
  bool is_extradata_new = false;   ///< `extradata` differs from that of the packet before
  std::shared_ptr<const Extradata> extradata;  ///< in force; never null from a `Demuxer`
};

/// Owns one demuxed packet; reused by `Demuxer::read_packet`. Moving keeps views of it valid.
class Packet {
 public:
  Packet();
  ~Packet();
  Packet(Packet&&) noexcept;
  Packet& operator=(Packet&&) noexcept;

  const PacketView& view() const noexcept { return view_; }
  const PacketView* operator->() const noexcept { return &view_; }

 private:
  friend class Demuxer;
  struct Deleter {
    void operator()(AVPacket* packet) const noexcept;
  };
  PacketView view_;
  std::unique_ptr<AVPacket, Deleter> owner_;
};

}  // namespace cope::media
