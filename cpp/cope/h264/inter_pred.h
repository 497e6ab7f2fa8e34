#pragma once

#include <cstdint>
#include <cstring>

#include "cope/base/host_device.h"
#include "cope/h264/mb_state.h"
#include "cope/h264/mb_type_tables.h"
#include "cope/h264/motion_syntax.h"
#include "cope/h264/slice_context.h"

namespace cope::h264 {

/// Parses the inter half of mb_pred() and sub_mb_pred() (7.3.5.1, 7.3.5.2) of one macroblock:
/// reference indices and vector differences, with the contexts that CABAC takes from neighbours.
template <class Reader>
class InterPredParser {
 public:
  COPE_HD InterPredParser(const SliceParams& slice, const PictureArrays& out, OutputCursor& cursor,
                          Reader& reader, const MbNeighbours& neighbours, MbState& mb,
                          bool is_field) noexcept
      : s_(slice),
        out_(out),
        cursor_(cursor),
        r_(reader),
        n_(neighbours),
        mb_(mb),
        is_field_(is_field) {}

  /// What was out of range, after a parse that returned false.
  COPE_HD const char* element() const noexcept { return element_; }

  /// Macroblocks of one or two partitions.
  COPE_HD bool mb_pred(MbMotionSyntax& motion, const MbTypeInfo& info) noexcept {
    const unsigned mode[2] = {info.MbPartPredMode0, info.MbPartPredMode1};
    const unsigned width4 = info.MbPartWidth / 4u;
    const unsigned height4 = info.MbPartHeight / 4u;
    // mbPartIdx to 8x8 quadrants: one partition covers all, two share them by rows or columns.
    const unsigned second = width4 == 4 ? 2 : 1;
    const unsigned beside = 3 - second;  // from a partition's first quadrant to its other one
    for (int list = 0; list < 2; ++list) {
      for (unsigned part = 0; part < info.NumMbPart; ++part) {
        if ((mode[part] >> list & 1) == 0) continue;
        const unsigned quadrant = part * second;
        std::int8_t ref_idx = 0;
        if (!read_ref_idx(list, quadrant, ref_idx)) return false;
        if (info.NumMbPart == 1) {
          std::memset(motion.ref_idx[list], ref_idx, 4);
          std::memset(mb_.ref_idx[list], ref_idx, 4);
        } else {
          motion.ref_idx[list][quadrant] = motion.ref_idx[list][quadrant + beside] = ref_idx;
          mb_.ref_idx[list][quadrant] = mb_.ref_idx[list][quadrant + beside] =
              static_cast<std::uint8_t>(ref_idx);
        }
      }
    }
    const unsigned used = mode[0] | (info.NumMbPart == 2 ? mode[1] : 0);
    for (int list = 0; list < 2; ++list) {
      if ((used >> list & 1) == 0) continue;
      if constexpr (Reader::kIsCabac) load_mvd_border(list);
      for (unsigned part = 0; part < info.NumMbPart; ++part) {
        if ((mode[part] >> list & 1) == 0) continue;
        const unsigned x = width4 == 2 ? 2 * part : 0;
        const unsigned y = height4 == 2 ? 2 * part : 0;
        read_mvd(list, x, y, width4, height4);
      }
      if constexpr (Reader::kIsCabac) store_mvd_border(list);
    }
    return true;
  }

  /// Macroblocks of four 8x8 partitions. Clears `may_transform_8x8` where transform_size_8x8_flag
  /// cannot follow, and adds to `partition` as BlockMap has it.
  COPE_HD bool sub_mb_pred(MbMotionSyntax& motion, bool& may_transform_8x8,
                           unsigned& partition) noexcept {
    const bool is_b = motion.is_b != 0;
    SubMbTypeInfo info[4];
    for (unsigned q = 0; q < 4; ++q) {
      const unsigned sub_mb_type = is_b ? r_.sub_mb_type_b() : r_.sub_mb_type_p();
      if (sub_mb_type > (is_b ? 12u : 3u)) return invalid("sub_mb_type");
      motion.sub_mb_type[q] = static_cast<std::uint8_t>(sub_mb_type);
      info[q] = is_b ? kSubMbTypeInfoB[sub_mb_type] : kSubMbTypeInfoP[sub_mb_type];
      if (info[q].SubMbPredMode == kDirect) {
        may_transform_8x8 &= s_.direct_8x8_inference_flag;
      } else {
        may_transform_8x8 &= info[q].NumSubMbPart == 1;
        partition |=
            ((info[q].SubMbPartWidth == 4 ? 2u : 0u) | (info[q].SubMbPartHeight == 4 ? 1u : 0u))
            << (2 * q);
      }
    }
    const bool all_zero = !is_b && motion.mb_type == kP_8x8ref0;
    for (int list = 0; list < 2; ++list) {
      for (unsigned q = 0; q < 4; ++q) {
        if ((info[q].SubMbPredMode >> list & 1) == 0) continue;
        std::int8_t ref_idx = 0;
        if (!all_zero && !read_ref_idx(list, q, ref_idx)) return false;
        motion.ref_idx[list][q] = ref_idx;
        mb_.ref_idx[list][q] = static_cast<std::uint8_t>(ref_idx);
      }
    }
    const unsigned used = info[0].SubMbPredMode | info[1].SubMbPredMode | info[2].SubMbPredMode |
                          info[3].SubMbPredMode;
    for (int list = 0; list < 2; ++list) {
      if ((used >> list & 1) == 0) continue;
      if constexpr (Reader::kIsCabac) load_mvd_border(list);
      for (unsigned q = 0; q < 4; ++q) {
        if ((info[q].SubMbPredMode >> list & 1) == 0) continue;
        const unsigned width4 = info[q].SubMbPartWidth / 4u;
        const unsigned height4 = info[q].SubMbPartHeight / 4u;
        for (unsigned y = 0; y < 2; y += height4) {
          for (unsigned x = 0; x < 2; x += width4) {
            read_mvd(list, 2 * (q & 1) + x, (q & 2) + y, width4, height4);
          }
        }
      }
      if constexpr (Reader::kIsCabac) store_mvd_border(list);
    }
    return true;
  }

 private:
  COPE_HD bool invalid(const char* element) noexcept {
    element_ = element;
    return false;
  }

  /// Largest ref_idx_lX; a field macroblock of an MBAFF frame addresses fields (7.4.5.1).
  COPE_HD unsigned max_ref_idx(int list) const noexcept {
    const unsigned num = s_.num_ref_idx_active[list];
    return (s_.MbaffFrameFlag && is_field_ ? 2 * num : num) - 1;
  }

  COPE_HD bool read_ref_idx(int list, unsigned quadrant, std::int8_t& ref_idx) noexcept {
    const unsigned max = max_ref_idx(list);
    unsigned value = 0;
    if (max > 0) {
      value = r_.ref_idx(Reader::kIsCabac ? ref_idx_inc(list, quadrant) : 0, max);
      if (value > max) return invalid(list == 0 ? "ref_idx_l0" : "ref_idx_l1");
    }
    ref_idx = static_cast<std::int8_t>(value);
    return true;
  }

  /// ctxIdxInc of ref_idx_lX (9.3.3.1.1.6).
  COPE_HD int ref_idx_inc(int list, unsigned quadrant) const noexcept {
    const auto greater = [this](const MbState& mb, unsigned ref) {
      // refIdxZeroFlagN: a field neighbour counts its references twice.
      return ref > (s_.MbaffFrameFlag && !is_field_ && (mb.flags & kMbField) != 0 ? 1u : 0u);
    };
    bool a = false;
    bool b = false;
    if ((quadrant & 1) != 0) {
      a = mb_.ref_idx[list][quadrant - 1] > 0;
    } else if (const MbState* const left = n_.left[quadrant >> 1]; left != nullptr) {
      a = greater(*left, left->ref_idx[list][(n_.left_row[quadrant & 2] & 2u) + 1]);
    }
    if (quadrant >= 2) {
      b = mb_.ref_idx[list][quadrant - 2] > 0;
    } else if (n_.above != nullptr) {
      b = greater(*n_.above, n_.above->ref_idx[list][quadrant + 2]);
    }
    return a + 2 * b;
  }

  /// mvd_lX of the partition at (x, y), in 4x4 blocks.
  COPE_HD void read_mvd(int list, unsigned x, unsigned y, unsigned width4,
                        unsigned height4) noexcept {
    prim::MotionVector& mvd = out_.mvd[cursor_.num_mvds++];
    if constexpr (Reader::kIsCabac) {
      AbsMvd* at = mvd_grid_[list] + mvd_cell(x, y);
      const unsigned a = at[-1];
      const unsigned b = *(at - kMvdStride);
      const int dx = r_.mvd(false, (a & 0xff) + (b & 0xff));
      const int dy = r_.mvd(true, (a >> 8) + (b >> 8));
      mvd.x = static_cast<std::int16_t>(dx);
      mvd.y = static_cast<std::int16_t>(dy);
      const auto magnitude = static_cast<AbsMvd>(saturate(dx) | saturate(dy) << 8);
      for (unsigned j = 0; j < height4; ++j, at += kMvdStride) {
        for (unsigned i = 0; i < width4; ++i) at[i] = magnitude;
      }
    } else {
      mvd.x = static_cast<std::int16_t>(r_.mvd(false, 0));
      mvd.y = static_cast<std::int16_t>(r_.mvd(true, 0));
    }
  }

  /// |mvd| for context sums, of which only the comparison with 3 and 32 matters.
  COPE_HD static unsigned saturate(int mvd) noexcept {
    const int magnitude = mvd < 0 ? -mvd : mvd;
    return static_cast<unsigned>(magnitude < 127 ? magnitude : 127);
  }

  /// A neighbour's |mvd| with the vertical part in the units of the current macroblock
  /// (9.3.3.1.1.7).
  COPE_HD AbsMvd scaled(const MbState& mb, AbsMvd mvd) const noexcept {
    const bool other_field = (mb.flags & kMbField) != 0;
    if (other_field == is_field_) return mvd;
    const unsigned vertical = mvd >> 8;
    return static_cast<AbsMvd>((mvd & 0xff) | (other_field ? vertical * 2 : vertical / 2) << 8);
  }

  /// Where block (x, y) stands in a list's grid; its neighbours lie one and kMvdStride before.
  COPE_HD static constexpr unsigned mvd_cell(unsigned x, unsigned y) noexcept {
    return (y + 1) * kMvdStride + x + 4;
  }

  /// Prepares the grid of one list: neighbours' values around, zeros inside.
  COPE_HD void load_mvd_border(int list) noexcept {
    AbsMvd* const grid = mvd_grid_[list];
    std::memset(grid, 0, sizeof mvd_grid_[list]);
    if (n_.above != nullptr) {
      std::memcpy(grid + mvd_cell(0, 0) - kMvdStride, n_.above->mvd_bottom[list],
                  4 * sizeof(AbsMvd));
    }
    for (unsigned y = 0; y < 4; ++y) {
      const MbState* const left = n_.left[y / 2];
      if (left != nullptr) grid[mvd_cell(0, y) - 1] = left->mvd_right[list][n_.left_row[y]];
    }
    if (!s_.MbaffFrameFlag) return;
    for (unsigned i = 0; i < 4; ++i) {
      if (n_.above != nullptr) {
        AbsMvd& above = grid[mvd_cell(i, 0) - kMvdStride];
        above = scaled(*n_.above, above);
      }
      if (const MbState* const left = n_.left[i / 2]; left != nullptr) {
        AbsMvd& beside = grid[mvd_cell(0, i) - 1];
        beside = scaled(*left, beside);
      }
    }
  }

  COPE_HD void store_mvd_border(int list) noexcept {
    const AbsMvd* const grid = mvd_grid_[list];
    for (unsigned y = 0; y < 4; ++y) mb_.mvd_right[list][y] = grid[mvd_cell(3, y)];
    std::memcpy(mb_.mvd_bottom[list], grid + mvd_cell(0, 3), 4 * sizeof(AbsMvd));
  }

  const SliceParams& s_;
  const PictureArrays& out_;
  OutputCursor& cursor_;
  Reader& r_;
  const MbNeighbours& n_;
  MbState& mb_;
  bool is_field_;  // mb_field_decoding_flag
  const char* element_ = nullptr;
  static constexpr unsigned kMvdStride = 8;
  AbsMvd mvd_grid_[2][5 * kMvdStride];  // [LX][mvd_cell]
};

}  // namespace cope::h264
