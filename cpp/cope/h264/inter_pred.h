#pragma once

#include <cstdint>
#include <cstring>

#include "cope/base/host_device.h"
#include "cope/h264/local_reader.h"
#include "cope/h264/mb_state.h"
#include "cope/h264/mb_type_tables.h"
#include "cope/h264/motion_syntax.h"
#include "cope/h264/slice_context.h"

namespace cope::h264 {

/// Parses the inter half of mb_pred() and sub_mb_pred() (7.3.5.1, 7.3.5.2) of one macroblock:
/// reference indices and vector differences, with the contexts that CABAC takes from neighbours.
template <class Reader, bool kMbaff>
class InterPredParser {
 public:
  COPE_HD InterPredParser(const SliceParams& slice, const PictureArrays& out, OutputCursor& cursor,
                          Reader& reader, const MbNeighbours<kMbaff>& neighbours, MbState& mb,
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
  COPE_HD COPE_FORCE_INLINE bool mb_pred(LocalReader<Reader>& r, MbMotionSyntax& motion,
                                         const MbTypeInfo& info) noexcept {
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
        if (!read_ref_idx(r, list, quadrant, ref_idx)) return false;
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
      MvdBorder border(*this, list);
      for (unsigned part = 0; part < info.NumMbPart; ++part) {
        const unsigned x = width4 == 2 ? 2 * part : 0;
        const unsigned y = height4 == 2 ? 2 * part : 0;
        if ((mode[part] >> list & 1) == 0) {
          border.put(x, y, width4, height4, 0);
        } else {
          read_mvd(r, border, x, y, width4, height4);
        }
      }
      border.store(mb_, list);
    }
    return true;
  }

  /// Macroblocks of four 8x8 partitions. Clears `may_transform_8x8` where transform_size_8x8_flag
  /// cannot follow, and adds to `partition` as BlockMap has it.
  COPE_HD bool sub_mb_pred(MbMotionSyntax& motion, bool& may_transform_8x8,
                           unsigned& partition) noexcept {
    const bool is_b = motion.is_b != 0;
    LocalReader<Reader> r(r_);
    SubMbTypeInfo info[4];
    for (unsigned q = 0; q < 4; ++q) {
      const unsigned sub_mb_type = is_b ? r->sub_mb_type_b() : r->sub_mb_type_p();
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
        if (!all_zero && !read_ref_idx(r, list, q, ref_idx)) return false;
        motion.ref_idx[list][q] = ref_idx;
        mb_.ref_idx[list][q] = static_cast<std::uint8_t>(ref_idx);
      }
    }
    const unsigned used = info[0].SubMbPredMode | info[1].SubMbPredMode | info[2].SubMbPredMode |
                          info[3].SubMbPredMode;
    for (int list = 0; list < 2; ++list) {
      if ((used >> list & 1) == 0) continue;
      MvdBorder border(*this, list);
      for (unsigned q = 0; q < 4; ++q) {
        if ((info[q].SubMbPredMode >> list & 1) == 0) {
          border.put(2 * (q & 1), q & 2, 2, 2, 0);
          continue;
        }
        const unsigned width4 = info[q].SubMbPartWidth / 4u;
        const unsigned height4 = info[q].SubMbPartHeight / 4u;
        for (unsigned y = 0; y < 2; y += height4) {
          for (unsigned x = 0; x < 2; x += width4) {
            read_mvd(r, border, 2 * (q & 1) + x, (q & 2) + y, width4, height4);
          }
        }
      }
      border.store(mb_, list);
    }
    return true;
  }

 private:
  /// |mvd| of the blocks beside the next partition, by row and by column: partitions come in an
  /// order in which the one last put there is the neighbour. Starts with what lies around the
  /// macroblock and ends as the border that the macroblock leaves.
  struct MvdBorder {
    AbsMvdLine right = 0;   // by y4
    AbsMvdLine bottom = 0;  // by x4

    COPE_HD COPE_FORCE_INLINE MvdBorder(const InterPredParser& mb, int list) noexcept {
      if constexpr (!Reader::kIsCabac) return;
      if constexpr (kMbaff) {
        mb.load_mbaff_border(list, *this);
      } else {
        right = mb.n_.left->mvd_right[list];
        bottom = mb.n_.above->mvd_bottom[list];
      }
    }

    COPE_HD COPE_FORCE_INLINE unsigned beside(unsigned y4) const noexcept {
      return static_cast<unsigned>(right >> (16 * y4)) & 0xffff;
    }
    COPE_HD COPE_FORCE_INLINE unsigned above(unsigned x4) const noexcept {
      return static_cast<unsigned>(bottom >> (16 * x4)) & 0xffff;
    }
    COPE_HD COPE_FORCE_INLINE void put(unsigned x4, unsigned y4, unsigned width4, unsigned height4,
                                       unsigned mvd) noexcept {
      if constexpr (!Reader::kIsCabac) return;
      const AbsMvdLine line = mvd * AbsMvdLine{0x0001000100010001};
      const AbsMvdLine rows = ~AbsMvdLine{0} >> (64 - 16 * height4) << (16 * y4);
      const AbsMvdLine columns = ~AbsMvdLine{0} >> (64 - 16 * width4) << (16 * x4);
      right = (right & ~rows) | (line & rows);
      bottom = (bottom & ~columns) | (line & columns);
    }
    COPE_HD COPE_FORCE_INLINE void store(MbState& mb, int list) const noexcept {
      if constexpr (!Reader::kIsCabac) return;
      mb.mvd_right[list] = right;
      mb.mvd_bottom[list] = bottom;
    }
  };

  COPE_HD bool invalid(const char* element) noexcept {
    element_ = element;
    return false;
  }

  /// Largest ref_idx_lX; a field macroblock of an MBAFF frame addresses fields (7.4.5.1).
  COPE_HD unsigned max_ref_idx(int list) const noexcept {
    const unsigned num = s_.num_ref_idx_active[list];
    return (kMbaff && is_field_ ? 2 * num : num) - 1;
  }

  COPE_HD COPE_FORCE_INLINE bool read_ref_idx(LocalReader<Reader>& r, int list, unsigned quadrant,
                                              std::int8_t& ref_idx) noexcept {
    const unsigned max = max_ref_idx(list);
    unsigned value = 0;
    if (max > 0) {
      value = r->ref_idx(Reader::kIsCabac ? ref_idx_inc(list, quadrant) : 0, max);
      if (value > max) return invalid(list == 0 ? "ref_idx_l0" : "ref_idx_l1");
    }
    ref_idx = static_cast<std::int8_t>(value);
    return true;
  }

  /// ctxIdxInc of ref_idx_lX (9.3.3.1.1.6).
  COPE_HD COPE_FORCE_INLINE unsigned ref_idx_inc(int list, unsigned quadrant) const noexcept {
    const auto greater = [this](const MbState& mb, unsigned ref) {
      // refIdxZeroFlagN: a field neighbour counts its references twice.
      return ref > (kMbaff && !is_field_ && (mb.flags & kMbField) != 0 ? 1u : 0u);
    };
    unsigned a = 0;
    unsigned b = 0;
    if ((quadrant & 1) != 0) {
      a = mb_.ref_idx[list][quadrant - 1] > 0;
    } else {
      const MbState& left = n_.left_of(quadrant);
      a = greater(left, left.ref_idx[list][(n_.left_row(quadrant) & 2u) + 1]);
    }
    if (quadrant >= 2) {
      b = mb_.ref_idx[list][quadrant - 2] > 0;
    } else {
      b = greater(*n_.above, n_.above->ref_idx[list][quadrant + 2]);
    }
    return a + 2 * b;
  }

  /// mvd_lX of the partition at (x, y), in 4x4 blocks.
  COPE_HD COPE_FORCE_INLINE void read_mvd(LocalReader<Reader>& r, MvdBorder& border, unsigned x,
                                          unsigned y, unsigned width4, unsigned height4) noexcept {
    const unsigned a = border.beside(y);
    const unsigned b = border.above(x);
    const int dx = r->mvd(false, (a & 0xff) + (b & 0xff));
    const int dy = r->mvd(true, (a >> 8) + (b >> 8));
    out_.mvd[cursor_.num_mvds++] = {static_cast<std::int16_t>(dx), static_cast<std::int16_t>(dy)};
    border.put(x, y, width4, height4, saturate(dx) | saturate(dy) << 8);
  }

  /// |mvd| for context sums, of which only the comparison with 3 and 32 matters.
  COPE_HD static unsigned saturate(int mvd) noexcept {
    const int magnitude = mvd < 0 ? -mvd : mvd;
    return static_cast<unsigned>(magnitude < 127 ? magnitude : 127);
  }

  /// A neighbour's |mvd| with the vertical part in the units of the current macroblock
  /// (9.3.3.1.1.7).
  COPE_HD AbsMvdLine scaled(const MbState& mb, AbsMvdLine mvd) const noexcept {
    mvd &= 0xffff;
    const bool other_field = (mb.flags & kMbField) != 0;
    if (other_field == is_field_) return mvd;
    const AbsMvdLine vertical = mvd >> 8;
    return (mvd & 0xff) | (other_field ? vertical * 2 : vertical / 2) << 8;
  }

  COPE_HD void load_mbaff_border(int list, MvdBorder& border) const noexcept {
    for (unsigned i = 0; i < 4; ++i) {
      const MbState& left = n_.left_of(i);
      border.right |= scaled(left, left.mvd_right[list] >> (16 * n_.left_row(i))) << (16 * i);
      border.bottom |= scaled(*n_.above, n_.above->mvd_bottom[list] >> (16 * i)) << (16 * i);
    }
  }

  const SliceParams& s_;
  const PictureArrays& out_;
  OutputCursor& cursor_;
  Reader& r_;
  const MbNeighbours<kMbaff>& n_;
  MbState& mb_;
  bool is_field_;  // mb_field_decoding_flag
  const char* element_ = nullptr;
};

}  // namespace cope::h264
