#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cope/base/host_device.h"
#include "cope/h265/cabac_reader.h"
#include "cope/h265/coding_quadtree.h"
#include "cope/h265/cu_state.h"
#include "cope/h265/slice_context.h"
#include "cope/prim/block_map.h"

namespace cope::h265 {

/// Parses slice_segment_data() (7.3.8.1) of one segment, or a substream of it, into arrays that the
/// caller sized.
///
/// Host and device code: no allocation, no exception, no virtual call. Vectors are not derived
/// here, only their syntax kept. Neighbour state lies in rows and columns of `PictureArrays`, so
/// tiles and rows of a wavefront may be parsed by one such object each.
class SliceSegmentParser {
 public:
  COPE_HD SliceSegmentParser(const SliceParams& slice, const PictureArrays& out,
                             OutputCursor& cursor, CabacReader& reader) noexcept
      : s_(slice),
        out_(out),
        cursor_(cursor),
        r_(reader),
        quadtree_(slice, out, cursor, reader),
        max_units_(max_units_per_ctu(slice.CtbLog2SizeY)),
        max_levels_(max_levels_per_ctu(slice.CtbLog2SizeY)),
        max_records_(max_records_per_ctu(slice.CtbLog2SizeY)) {}

  /// All of the segment, one substream after another.
  COPE_HD SegmentResult parse() noexcept {
    if (s_.slice_segment_address >= s_.PicWidthInCtbsY * s_.PicHeightInCtbsY) {
      return stop(SegmentEnd::kOutsidePicture);
    }
    start_at(s_.slice_segment_address);
    if (!begin_segment()) return stop(SegmentEnd::kNothingToDependOn);
    return parse_substreams(Alone{}, false);
  }

  /// The substream that begins with a coding tree unit of this address (RS), inside the picture.
  /// \param pace  `pace.wait(x)` before and `pace.publish(x)` behind each unit; the first is false
  ///              to stop
  template <class Pace>
  COPE_HD SegmentResult parse_substream(std::int32_t CtbAddrInRs, Pace pace) noexcept {
    start_at(CtbAddrInRs);
    if (!pace.wait(x_)) return stop(SegmentEnd::kStopped);
    if (CtbAddrInRs != s_.slice_segment_address) {
      begin_substream();
    } else if (!begin_segment()) {
      return stop(SegmentEnd::kNothingToDependOn);
    }
    return parse_substreams(pace, true);
  }

 private:
  /// The pace of a thread that parses the whole picture.
  struct Alone {
    COPE_HD static constexpr bool wait(std::int32_t) noexcept { return true; }
    COPE_HD static constexpr void publish(std::int32_t) noexcept {}
  };

  template <class Pace>
  COPE_HD SegmentResult parse_substreams(Pace pace, bool stops_behind_first) noexcept {
    for (;;) {
      if (!pace.wait(x_)) return stop(SegmentEnd::kStopped);
      if (out_.ctb_slice_id[CtbAddrInRs_] >= s_.first_slice_id) return stop(SegmentEnd::kOverlap);
      if (cursor_.num_levels + max_levels_ > out_.max_levels ||
          cursor_.num_records + max_records_ > out_.max_records ||
          cursor_.num_units + max_units_ > out_.max_units) {
        return stop(SegmentEnd::kOutputFull);
      }
      const OutputCursor begin = cursor_;
      if (!coding_tree_unit() || r_.overrun()) {
        cursor_ = begin;
        return stop(quadtree_.element() != nullptr && !r_.overrun() ? SegmentEnd::kInvalidSyntax
                                                                    : SegmentEnd::kOverrun);
      }
      out_.ctb_slice_id[CtbAddrInRs_] = s_.slice_id;
      ++num_ctus_;
      const bool end_of_slice_segment_flag = r_.end_of_slice_segment_flag();
      // Behind the second unit of a row, for the row below (9.3.2.2).
      if (s_.entropy_coding_sync_enabled_flag && x_ == first_x_ + 1) *out_.row_sync = *r_.state;
      pace.publish(x_);
      const bool is_last = !advance();
      if (end_of_slice_segment_flag) {
        keep_for_dependent_segment();
        return stop(SegmentEnd::kComplete);
      }
      if (is_last) return stop(SegmentEnd::kOutsidePicture);
      if (CtbAddrInRs_ == s_.next_segment_address) return stop(SegmentEnd::kOverlap);
      if (starts_substream_) {
        if (!r_.end_of_subset_one_bit()) {
          missing_end_of_subset_ = true;
          return stop(SegmentEnd::kInvalidSyntax);
        }
        if (stops_behind_first) return stop(SegmentEnd::kSubstreamComplete);
        r_.restart_behind(0);
        begin_substream();
      }
    }
  }

  COPE_HD SegmentResult stop(SegmentEnd end) const noexcept {
    return {end, missing_end_of_subset_ ? "end_of_subset_one_bit" : quadtree_.element(),
            static_cast<std::int64_t>(r_.bit_pos()), num_ctus_};
  }

  // ---- the way through the picture (6.5.1) --------------------------------------------------

  COPE_HD void start_at(std::int32_t CtbAddrInRs) noexcept {
    x_ = CtbAddrInRs % s_.PicWidthInCtbsY;
    y_ = CtbAddrInRs / s_.PicWidthInCtbsY;
    CtbAddrInRs_ = CtbAddrInRs;
    while (tile_column_ + 1 < s_.num_tile_columns && s_.colBd[tile_column_ + 1] <= x_) {
      ++tile_column_;
    }
    while (tile_row_ + 1 < s_.num_tile_rows && s_.rowBd[tile_row_ + 1] <= y_) ++tile_row_;
    set_tile();
  }

  COPE_HD void set_tile() noexcept {
    first_x_ = s_.colBd[tile_column_];
    end_x_ = s_.colBd[tile_column_ + 1];
    first_y_ = s_.rowBd[tile_row_];
    end_y_ = s_.rowBd[tile_row_ + 1];
  }

  /// Goes to the next coding tree unit in tile scan; false behind the last one.
  COPE_HD bool advance() noexcept {
    starts_substream_ = false;
    if (++x_ == end_x_) {
      starts_substream_ = s_.entropy_coding_sync_enabled_flag;
      x_ = first_x_;
      if (++y_ == end_y_) {
        starts_substream_ = true;
        if (++tile_column_ == s_.num_tile_columns) {
          tile_column_ = 0;
          ++tile_row_;
        }
        if (tile_row_ == s_.num_tile_rows) {
          CtbAddrInRs_ = s_.PicWidthInCtbsY * s_.PicHeightInCtbsY;
          return false;
        }
        set_tile();
        x_ = first_x_;
        y_ = first_y_;
      }
      CtbAddrInRs_ = y_ * s_.PicWidthInCtbsY + x_;
    } else {
      ++CtbAddrInRs_;
    }
    return true;
  }

  // ---- contexts (9.3.1, 9.3.2) --------------------------------------------------------------

  /// False if a dependent segment finds nothing to continue.
  COPE_HD bool begin_segment() noexcept {
    const SegmentCarry& carry = *out_.carry;
    const bool continues = s_.dependent_slice_segment_flag && carry.slice_id == s_.slice_id &&
                           carry.next_ctb_address == CtbAddrInRs_;
    // Also where contexts start anew: whether they do by those of the row above is not known when
    // part of the slice is lost.
    if (s_.dependent_slice_segment_flag && !continues) return false;
    quadtree_.set_previous_qp(s_.SliceQpY);
    const bool starts_tile = x_ == first_x_ && y_ == first_y_;
    if (starts_tile || (s_.entropy_coding_sync_enabled_flag && x_ == first_x_)) {
      begin_substream();
    } else if (continues) {
      *r_.state = carry.entropy;
      quadtree_.set_previous_qp(carry.QpY);
    } else {
      r_.init_contexts(s_);
    }
    if (continues) {
      for (int c = 0; c < 2; ++c) quadtree_.qp().CuQpOffset[c] = carry.CuQpOffset[c];
      quadtree_.qp().update(s_);
    }
    out_.carry->slice_id = 0;
    return true;
  }

  /// At the first unit of a tile, or of a row of one in a wavefront.
  COPE_HD void begin_substream() noexcept {
    quadtree_.set_previous_qp(s_.SliceQpY);
    const bool has_above_right = y_ != first_y_ && x_ + 1 < end_x_ &&
                                 is_of_this_slice(CtbAddrInRs_ + 1 - s_.PicWidthInCtbsY);
    if (has_above_right) {
      *r_.state = *out_.row_sync;
    } else {
      r_.init_contexts(s_);
    }
  }

  COPE_HD void keep_for_dependent_segment() noexcept {
    SegmentCarry& carry = *out_.carry;
    carry.entropy = *r_.state;
    carry.slice_id = s_.slice_id;
    carry.next_ctb_address = CtbAddrInRs_;
    carry.QpY = quadtree_.qp().QpY;
    for (int c = 0; c < 2; ++c) carry.CuQpOffset[c] = quadtree_.qp().CuQpOffset[c];
  }

  // ---- coding_tree_unit() (7.3.8.2) ---------------------------------------------------------

  COPE_HD bool is_of_this_slice(std::int32_t CtbAddrInRs) const noexcept {
    return CtbAddrInRs >= out_.first_ctb && out_.ctb_slice_id[CtbAddrInRs] == s_.slice_id;
  }

  COPE_HD bool coding_tree_unit() noexcept {
    const std::size_t first_bit = r_.bit_pos();
    const int log2 = s_.CtbLog2SizeY;
    const bool has_left = x_ != first_x_ && is_of_this_slice(CtbAddrInRs_ - 1);
    const bool has_above = y_ != first_y_ && is_of_this_slice(CtbAddrInRs_ - s_.PicWidthInCtbsY);
    const int states = 1 << (log2 - 2);
    if (!has_left) fill_states(out_.left + (y_ << (log2 - 2)), states, kNoState);
    if (!has_above) fill_states(out_.above + (x_ << (log2 - 2)), states, kNoState);
    if (s_.slice_sao_luma_flag || s_.slice_sao_chroma_flag) sao(has_left, has_above);
    return quadtree_.parse(CtbAddrInRs_, x_ << log2, y_ << log2, first_bit);
  }

  /// sao() (7.3.8.3): read and dropped, as nothing here is filtered.
  COPE_HD void sao(bool has_left, bool has_above) noexcept {
    if (has_left && r_.sao_merge_flag()) return;
    if (has_above && r_.sao_merge_flag()) return;
    unsigned sao_type_idx = 0;
    const unsigned num_planes = s_.ChromaArrayType != 0 ? 3 : 1;
    for (unsigned cIdx = 0; cIdx < num_planes; ++cIdx) {
      if (!(cIdx == 0 ? s_.slice_sao_luma_flag : s_.slice_sao_chroma_flag)) continue;
      if (cIdx < 2) sao_type_idx = r_.sao_type_idx();
      if (sao_type_idx == 0) continue;
      const unsigned depth = cIdx == 0 ? s_.BitDepthY : s_.BitDepthC;
      const unsigned cMax = (1u << ((depth < 10 ? depth : 10) - 5)) - 1;
      unsigned num_signs = 0;
      for (int i = 0; i < 4; ++i) num_signs += r_.sao_offset_abs(cMax) != 0;
      if (sao_type_idx == 1) {
        r_.fixed_length(num_signs + 5);  // sao_offset_sign, sao_band_position
      } else if (cIdx < 2) {
        r_.fixed_length(2);  // sao_eo_class_luma, sao_eo_class_chroma
      }
    }
  }

  const SliceParams& s_;
  const PictureArrays& out_;
  OutputCursor& cursor_;
  CabacReader& r_;
  CodingQuadtreeParser quadtree_;
  std::uint32_t max_units_;
  std::uint32_t max_levels_;
  std::uint32_t max_records_;
  std::int32_t CtbAddrInRs_ = 0;
  std::int32_t x_ = 0;  // of the coding tree unit, in units of its size
  std::int32_t y_ = 0;
  std::int32_t tile_column_ = 0;
  std::int32_t tile_row_ = 0;
  std::int32_t first_x_ = 0;  // of the tile
  std::int32_t end_x_ = 0;
  std::int32_t first_y_ = 0;
  std::int32_t end_y_ = 0;
  std::int32_t num_ctus_ = 0;
  bool starts_substream_ = false;
  bool missing_end_of_subset_ = false;
};

}  // namespace cope::h265
