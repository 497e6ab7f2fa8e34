#include "cope/h265/substreams.h"

namespace cope::h265 {
namespace {

/// Turns distances in the NAL unit into places in the RBSP. Where an emulation prevention byte was
/// taken out shows there: behind two zero bytes, before one of at most 3 (7.4.2).
class NalDistance {
 public:
  /// \param begin  byte of the RBSP that distances are counted from
  NalDistance(const std::uint8_t* rbsp, std::size_t size, std::size_t begin)
      : rbsp_(rbsp), size_(size), byte_(begin) {
    while (num_zeros_ < 2 && begin > num_zeros_ && rbsp[begin - 1 - num_zeros_] == 0) ++num_zeros_;
  }

  /// The place so many bytes of the NAL unit behind the last one; the size of the RBSP or more when
  /// there is none.
  std::size_t advance(std::uint64_t num_bytes) {
    left_ += num_bytes;
    for (; left_ > 0 && byte_ < size_; ++byte_) {
      if (num_zeros_ >= 2 && rbsp_[byte_] <= 3) {
        num_zeros_ = 0;
        if (--left_ == 0) break;
      }
      num_zeros_ = rbsp_[byte_] == 0 ? num_zeros_ + 1 : 0;
      --left_;
    }
    return left_ > 0 ? size_ : byte_;
  }

 private:
  const std::uint8_t* rbsp_;
  std::size_t size_;
  std::size_t byte_;
  std::size_t num_zeros_ = 0;
  std::uint64_t left_ = 0;
};

/// Where the substream `n` of a segment begins, CtbAddrInRs; -1 outside the picture.
std::int32_t first_ctb(const CodedSegment& segment, std::int32_t n) {
  const Sps& sps = *segment.sps;
  const Pps& pps = *segment.pps;
  const auto address = static_cast<std::int32_t>(segment.header.slice_segment_address);
  if (address >= sps.PicSizeInCtbsY) return -1;
  if (n == 0) return address;
  if (!pps.tiles_enabled_flag) {
    const std::int32_t row = address / sps.PicWidthInCtbsY + n;
    return row < sps.PicHeightInCtbsY ? row * sps.PicWidthInCtbsY : -1;
  }
  const std::int32_t tile = pps.TileId[pps.CtbAddrRsToTs[static_cast<std::size_t>(address)]] + n;
  if (tile >= pps.num_tile_columns() * pps.num_tile_rows()) return -1;
  const auto column = static_cast<std::size_t>(tile % pps.num_tile_columns());
  const auto row = static_cast<std::size_t>(tile / pps.num_tile_columns());
  return pps.rowBd[row] * sps.PicWidthInCtbsY + pps.colBd[column];
}

}  // namespace

bool find_substreams(const CodedPicture& coded, std::vector<Substream>& out) {
  out.clear();
  const auto num_segments = static_cast<std::size_t>(coded.info.num_slice_segments);
  const CodedSegment& first = coded.segments.front();
  if (first.pps->tiles_enabled_flag && first.pps->entropy_coding_sync_enabled_flag) return false;
  for (std::size_t i = 0; i < num_segments; ++i) {
    const CodedSegment& segment = coded.segments[i];
    if (segment.sps != first.sps || segment.pps != first.pps) return false;
    const auto& offsets = segment.header.entry_point_offset_minus1;
    const std::size_t begin = (segment.data_bit_offset + 7) / 8;
    NalDistance distance(coded.rbsp.data() + segment.rbsp.offset, segment.rbsp.size, begin);
    std::size_t byte = begin;
    for (std::size_t n = 0; byte < segment.rbsp.size; ++n) {
      Substream s;
      s.segment = i;
      s.byte = byte;
      s.end_byte = segment.rbsp.size;
      // Kvazaar's segments name those of the segments that depend on them, which lie behind.
      if (n < offsets.size()) s.end_byte = distance.advance(std::uint64_t{offsets[n]} + 1);
      s.is_last = s.end_byte >= segment.rbsp.size;
      s.first_ctb = first_ctb(segment, static_cast<std::int32_t>(n));
      if (s.first_ctb < 0) return false;
      out.push_back(s);
      byte = s.end_byte;
    }
  }
  if (out.empty()) return false;

  const auto address_in_tile_scan = [&first](const Substream& s) {
    return static_cast<std::int32_t>(
        first.pps->CtbAddrRsToTs[static_cast<std::size_t>(s.first_ctb)]);
  };
  if (out.front().first_ctb != 0) return false;
  std::int32_t end = first.sps->PicSizeInCtbsY;
  for (std::size_t i = out.size(); i-- > 0;) {
    const std::int32_t begin = address_in_tile_scan(out[i]);
    out[i].num_ctbs = end - begin;
    if (out[i].num_ctbs <= 0) return false;
    end = begin;
  }
  return true;
}

}  // namespace cope::h265
