#pragma once

#include <bit>
#include <cstdint>

#include "cope/base/host_device.h"
#include "cope/h264/cabac_reader.h"
#include "cope/h264/local_reader.h"
#include "cope/h264/mb_state.h"
#include "cope/h264/qp.h"
#include "cope/h264/slice_context.h"
#include "cope/prim/coeff_stream.h"

namespace cope::h264 {

/// What residual() needs to know of the macroblock it belongs to.
struct ResidualMb {
  std::int32_t CurrMbAddr = 0;
  std::int32_t mb_x = 0;
  std::int32_t mb_row = 0;  ///< row by macroblock address
  bool is_intra = false;
  bool is_intra16x16 = false;
  bool transform_size_8x8_flag = false;
  bool is_field = false;  ///< field macroblock or field picture: field scan and contexts
  unsigned coded_block_pattern = 0;
  bool transform_bypass = false;  ///< TransformBypassModeFlag
  std::uint8_t qp[3] = {};        ///< qP of Y, Cb, Cr: QP'Y and QP'C
  std::uint8_t intra16x16_pred_mode = 2;
  std::uint8_t intra_chroma_pred_mode = 0;
  const std::int8_t* intra_pred_mode = nullptr;  ///< [4 * y + x] of I_NxN in lossless streams
};

/// x and y in 4x4 blocks of luma4x4BlkIdx (6.4.3).
COPE_HD constexpr unsigned block_x(unsigned blk) noexcept { return (blk & 1) | (blk >> 1 & 2); }
COPE_HD constexpr unsigned block_y(unsigned blk) noexcept {
  return (blk >> 1 & 1) | (blk >> 2 & 2);
}

/// Parses residual() (7.3.5.3) of one macroblock and appends its levels to the coefficient stream.
template <class Reader, bool kMbaff>
class ResidualParser {
 public:
  COPE_HD ResidualParser(const SliceParams& slice, const PictureArrays& out, OutputCursor& cursor,
                         Reader& reader, const MbNeighbours<kMbaff>& neighbours,
                         const ResidualMb& mb) noexcept
      : s_(slice), out_(out), cursor_(cursor), r_(reader), n_(neighbours), mb_(mb) {}

  /// False for a code that does not exist. `coded` receives MbState::coded.
  COPE_HD bool parse(std::uint32_t& coded) noexcept {
    flags_ = (mb_.is_intra ? unsigned{prim::kCoeffIntra} : 0u) |
             (mb_.transform_bypass ? unsigned{prim::kCoeffBypass} : 0u) |
             (mb_.is_field ? unsigned{prim::kCoeffFieldScan} : 0u);
    if constexpr (!Reader::kIsCabac) r_.begin_residual(mb_.is_intra);
    LocalReader<Reader> r(r_);
    const unsigned num_luma = s_.ChromaArrayType == 3 ? 3 : 1;
    bool ok = true;
    for (unsigned plane = 0; plane < num_luma && ok; ++plane) ok = residual_luma(r, plane);
    if (ok && num_luma == 1 && s_.ChromaArrayType != 0 && (mb_.coded_block_pattern >> 4) != 0) {
      ok = residual_chroma(r);
    }
    coded = coded_;
    return ok;
  }

 private:
  // ctxBlockCat of Table 9-42 for the planes of residual_luma.
  COPE_HD static constexpr unsigned cat_dc(unsigned plane) noexcept {
    return plane == 0 ? 0 : (plane == 1 ? 6 : 10);
  }
  COPE_HD static constexpr unsigned cat_ac(unsigned plane) noexcept { return cat_dc(plane) + 1; }
  COPE_HD static constexpr unsigned cat_4x4(unsigned plane) noexcept { return cat_dc(plane) + 2; }
  COPE_HD static constexpr unsigned cat_8x8(unsigned plane) noexcept {
    return plane == 0 ? 5 : (plane == 1 ? 9 : 13);
  }

  COPE_HD std::uint16_t* positions() const noexcept { return out_.positions + cursor_.num_levels; }
  COPE_HD std::int32_t* levels() const noexcept { return out_.levels + cursor_.num_levels; }

  COPE_HD COPE_FORCE_INLINE void emit(prim::CoeffKind kind, unsigned block_idx, unsigned x,
                                      unsigned y, int count, unsigned extra_flags) noexcept {
    if (!s_.keep_coefficients) return;
    prim::CoeffRecord& record = out_.records[cursor_.num_records++];
    record.first = cursor_.num_levels;
    record.mb_addr = static_cast<std::uint32_t>(mb_.CurrMbAddr);
    record.x = static_cast<std::uint16_t>(x);
    record.y = static_cast<std::uint16_t>(y);
    record.count = static_cast<std::uint16_t>(count);
    record.plane = plane_;
    record.kind = static_cast<std::uint8_t>(kind);
    record.block_idx = static_cast<std::uint8_t>(block_idx);
    record.flags = static_cast<std::uint8_t>(flags_ | extra_flags);
    record.qp = qp_;
    record.scaling_idx = s_.scaling_idx;
    cursor_.num_levels += static_cast<std::uint32_t>(count);
  }

  COPE_HD void begin_plane(unsigned plane) noexcept {
    plane_ = static_cast<std::uint8_t>(s_.first_plane + plane);
    qp_ = mb_.qp[plane];
  }

  /// Prediction direction of a bypassed intra block: its residual accumulates (8.5.15).
  COPE_HD unsigned bypass_direction(unsigned pred_mode, unsigned vertical,
                                    unsigned horizontal) const noexcept {
    if (!mb_.transform_bypass || !mb_.is_intra) return 0;
    return pred_mode == vertical ? prim::kCoeffBypassVertical
                                 : (pred_mode == horizontal ? prim::kCoeffBypassHorizontal : 0);
  }
  COPE_HD unsigned luma_bypass_direction(unsigned x, unsigned y) const noexcept {
    if (mb_.is_intra16x16) return bypass_direction(mb_.intra16x16_pred_mode, 0, 1);
    if (mb_.intra_pred_mode == nullptr) return 0;
    return bypass_direction(static_cast<unsigned>(mb_.intra_pred_mode[4 * y + x]), 0, 1);
  }

  // ---- contexts and nC from neighbours
  // -----------------------------------------------------------

  /// A byte of MbState::coded while its blocks are parsed: the flags beside the next block, by row
  /// in bits 0..3, and above it, by column in bits 4..7. Blocks come in an order in which the flag
  /// last put there is the neighbour's. It starts with what lies around the macroblock and ends as
  /// the border that the macroblock leaves.
  struct CodedBorder {
    std::uint32_t flags = 0;

    /// ctxIdxInc of coded_block_flag.
    COPE_HD COPE_FORCE_INLINE unsigned inc(unsigned x, unsigned y) const noexcept {
      return (flags >> y & 1) | (flags >> (x + 4) & 1) << 1;
    }
    COPE_HD COPE_FORCE_INLINE void put(unsigned x, unsigned y, unsigned size, bool coded) noexcept {
      const std::uint32_t ones = (1u << size) - 1;
      const std::uint32_t mask = ones << y | ones << (x + 4);
      flags = coded ? flags | mask : flags & ~mask;
    }
  };

  /// What is not available counts as coded to intra macroblocks alone.
  COPE_HD std::uint32_t missing() const noexcept { return mb_.is_intra ? ~std::uint32_t{0} : 0; }

  /// The flags that blocks of this macroblock see of another one. A transform block of 8x8 has no
  /// 4x4 block as its neighbour (9.3.3.1.1.9); outside 4:4:4 its flag is not coded.
  COPE_HD std::uint32_t luma_flags_of(const MbState& mb) const noexcept {
    if (!mb_.transform_size_8x8_flag || (mb.flags & kMbTransform8x8) != 0) return mb.coded;
    if (s_.x264_444_context_error) return missing();
    return (mb.flags & kMbPcm) != 0 ? mb.coded : 0;
  }

  COPE_HD CodedBorder luma_border(unsigned plane) const noexcept {
    const unsigned shift = plane * 8;
    std::uint32_t left = missing();
    if (n_.has_left()) {
      if constexpr (kMbaff) {
        left = 0;
        for (unsigned y = 0; y < 4; ++y) {
          left |= (luma_flags_of(n_.left_of(y)) >> shift >> n_.left_row(y) & 1) << y;
        }
      } else {
        left = luma_flags_of(*n_.left) >> shift;
      }
    }
    const std::uint32_t above = n_.has_above() ? luma_flags_of(*n_.above) >> shift : missing();
    return {(left & 0x0f) | (above & 0xf0)};
  }

  COPE_HD CodedBorder chroma_border(unsigned plane, unsigned rows) const noexcept {
    const unsigned shift = plane * 8;
    std::uint32_t left = missing();
    if (n_.has_left()) {
      if constexpr (kMbaff) {
        left = 0;
        for (unsigned y = 0; y < rows; ++y) {
          left |= (n_.left_of(4 * y / rows).coded >> shift >> n_.left_row_chroma(y) & 1) << y;
        }
      } else {
        left = n_.left->coded >> shift;
      }
    }
    const std::uint32_t above = n_.has_above() ? n_.above->coded >> shift : missing();
    return {(left & 0x0f) | (above & 0xf0)};
  }

  COPE_HD unsigned coded_inc_dc(unsigned plane) const noexcept {
    const std::uint32_t left = n_.has_left() ? n_.left->coded : missing();
    const std::uint32_t above = n_.has_above() ? n_.above->coded : missing();
    return (left >> (kCodedDcShift + plane) & 1) + 2 * (above >> (kCodedDcShift + plane) & 1);
  }

  /// Total coefficients of a neighbouring block as 9.2.1 sees it.
  COPE_HD int neighbour_total(const MbState& mb, std::int32_t addr, unsigned block) const noexcept {
    // Partitions B and C may be lost independently, so intra residual does not rely on inter
    // residual.
    if (mb_.is_intra && s_.constrained_intra_pred_flag && s_.has_data_partitions &&
        (mb.flags & kMbIntra) == 0) {
      return 0;
    }
    return out_.total_coeff[addr][block];
  }

  /// nC of the block at (x, y) of a plane's grid, `width` x `rows` blocks (9.2.1).
  COPE_HD int derive_nC(unsigned plane, unsigned x, unsigned y, unsigned width,
                        unsigned rows) const noexcept {
    const std::uint8_t* const current = out_.total_coeff[mb_.CurrMbAddr] + plane * 16;
    int nA = -1;
    int nB = -1;
    if (x != 0) {
      nA = current[y * width + x - 1];
    } else if (n_.has_left()) {
      const unsigned row = width == 4 ? n_.left_row(y) : n_.left_row_chroma(y);
      const unsigned y4 = 4 * y / rows;
      nA = neighbour_total(n_.left_of(y4), n_.left_addr_of(y4),
                           plane * 16 + row * width + width - 1);
    }
    if (y != 0) {
      nB = current[(y - 1) * width + x];
    } else if (n_.has_above()) {
      nB = neighbour_total(*n_.above, n_.above_addr, plane * 16 + (rows - 1) * width + x);
    }
    if (nA >= 0 && nB >= 0) return (nA + nB + 1) >> 1;
    return nA >= 0 ? nA : (nB >= 0 ? nB : 0);
  }

  // ---- one block
  // ---------------------------------------------------------------------------------

  /// A block of the 4x4 grid: 16 coefficients, or the 15 behind a DC. Returns its count, -1 for an
  /// invalid code.
  COPE_HD COPE_FORCE_INLINE int read_grid_block(LocalReader<Reader>& r, CodedBorder& border,
                                                unsigned ctxBlockCat, unsigned plane, unsigned x,
                                                unsigned y, unsigned width, unsigned rows,
                                                unsigned maxNumCoeff) noexcept {
    if constexpr (Reader::kIsCabac) {
      const bool coded = r->coded_block_flag(ctxBlockCat, border.inc(x, y));
      border.put(x, y, 1, coded);
      if (!coded) return 0;
      return static_cast<int>(r->template residual_block<CabacBlockShape::k4x4>(
          ctxBlockCat, mb_.is_field, maxNumCoeff, 16 - maxNumCoeff, 1, positions(), levels()));
    } else {
      const int count = r->residual_block(derive_nC(plane, x, y, width, rows), maxNumCoeff,
                                          16 - maxNumCoeff, positions(), levels());
      if (count > 0)
        out_.total_coeff[mb_.CurrMbAddr][plane * 16 + y * width + x] =
            static_cast<std::uint8_t>(count);
      return count;
    }
  }

  /// One 8x8 block. CAVLC codes it as four interleaved lists of 16, merged here (7.3.5.3.2).
  COPE_HD COPE_FORCE_INLINE int read_8x8_block(LocalReader<Reader>& r, CodedBorder& border,
                                               unsigned plane, unsigned blk8) noexcept {
    const unsigned x = 2 * (blk8 & 1);
    const unsigned y = 2 * (blk8 >> 1);
    if constexpr (Reader::kIsCabac) {
      const bool coded =
          s_.ChromaArrayType != 3 || r->coded_block_flag(cat_8x8(plane), border.inc(x, y));
      border.put(x, y, 2, coded);
      if (!coded) return 0;
      return static_cast<int>(r->template residual_block<CabacBlockShape::k8x8>(
          cat_8x8(plane), mb_.is_field, 64, 0, 1, positions(), levels()));
    } else {
      std::int32_t merged[64];
      std::uint64_t present = 0;
      for (unsigned i = 0; i < 4; ++i) {
        const unsigned bx = x + (i & 1);
        const unsigned by = y + (i >> 1);
        const int count =
            r->residual_block(derive_nC(plane, bx, by, 4, 4), 16, 0, positions(), levels());
        if (count < 0) return -1;
        out_.total_coeff[mb_.CurrMbAddr][plane * 16 + by * 4 + bx] =
            static_cast<std::uint8_t>(count);
        for (int c = 0; c < count; ++c) {
          const unsigned k = 4u * positions()[c] + i;
          merged[k] = levels()[c];
          present |= std::uint64_t{1} << k;
        }
      }
      int count = 0;
      for (; present != 0; present &= present - 1) {
        const auto k = static_cast<unsigned>(std::countr_zero(present));
        positions()[count] = static_cast<std::uint16_t>(k);
        levels()[count++] = merged[k];
      }
      return count;
    }
  }

  // ---- residual_luma(), residual of chroma (7.3.5.3)
  // ----------------------------------------------

  COPE_HD COPE_FORCE_INLINE bool residual_luma(LocalReader<Reader>& r, unsigned plane) noexcept {
    const unsigned left_column = static_cast<unsigned>(mb_.mb_x) * 16;
    const unsigned top_row = static_cast<unsigned>(mb_.mb_row) * 16;
    begin_plane(plane);
    if (mb_.is_intra16x16 && !intra16x16_dc(r, plane, left_column, top_row)) return false;
    if ((mb_.coded_block_pattern & 15) == 0) return true;
    CodedBorder border;
    if constexpr (Reader::kIsCabac) border = luma_border(plane);
    const unsigned maxNumCoeff = mb_.is_intra16x16 ? 15 : 16;
    const unsigned cat = mb_.is_intra16x16 ? cat_ac(plane) : cat_4x4(plane);
    const unsigned separate_dc = mb_.is_intra16x16 ? unsigned{prim::kCoeffSeparateDc} : 0u;
    for (unsigned blk8 = 0; blk8 < 4; ++blk8) {
      const unsigned x8 = 2 * (blk8 & 1);
      const unsigned y8 = 2 * (blk8 >> 1);
      if ((mb_.coded_block_pattern >> blk8 & 1) == 0) {
        border.put(x8, y8, 2, false);
        continue;
      }
      if (mb_.transform_size_8x8_flag) {
        const int count = read_8x8_block(r, border, plane, blk8);
        if (count < 0) return false;
        if (count > 0) {
          emit(prim::CoeffKind::kBlock8x8, blk8, left_column + 4 * x8, top_row + 4 * y8, count,
               luma_bypass_direction(x8, y8));
        }
        continue;
      }
      for (unsigned blk4 = 0; blk4 < 4; ++blk4) {
        const unsigned x = x8 + (blk4 & 1);
        const unsigned y = y8 + (blk4 >> 1);
        const int count = read_grid_block(r, border, cat, plane, x, y, 4, 4, maxNumCoeff);
        if (count < 0) return false;
        if (count > 0) {
          emit(prim::CoeffKind::kBlock4x4, 4 * blk8 + blk4, left_column + 4 * x, top_row + 4 * y,
               count, luma_bypass_direction(x, y) | separate_dc);
        }
      }
    }
    coded_ |= border.flags << (plane * 8);
    return true;
  }

  COPE_HD COPE_FORCE_INLINE bool intra16x16_dc(LocalReader<Reader>& r, unsigned plane, unsigned x,
                                               unsigned y) noexcept {
    int count = 0;
    if constexpr (Reader::kIsCabac) {
      if (r->coded_block_flag(cat_dc(plane), coded_inc_dc(plane))) {
        coded_ |= 1u << (kCodedDcShift + plane);
        count = static_cast<int>(r->template residual_block<CabacBlockShape::k4x4>(
            cat_dc(plane), mb_.is_field, 16, 0, 1, positions(), levels()));
      }
    } else {
      count = r->residual_block(derive_nC(plane, 0, 0, 4, 4), 16, 0, positions(), levels());
    }
    if (count > 0) {
      emit(prim::CoeffKind::kIntra16x16Dc, 0, x, y, count, luma_bypass_direction(0, 0));
    }
    return count >= 0;
  }

  COPE_HD COPE_FORCE_INLINE bool residual_chroma(LocalReader<Reader>& r) noexcept {
    const unsigned NumC8x8 = s_.ChromaArrayType;  // 1 (4:2:0) or 2 (4:2:2)
    const unsigned rows = 2 * NumC8x8;
    const unsigned left_column = static_cast<unsigned>(mb_.mb_x) * 8;
    const unsigned top_row = static_cast<unsigned>(mb_.mb_row) * 4 * rows;
    const unsigned direction = bypass_direction(mb_.intra_chroma_pred_mode, 2, 1);
    for (unsigned plane = 1; plane < 3; ++plane) {
      begin_plane(plane);
      int count = 0;
      if constexpr (Reader::kIsCabac) {
        if (r->coded_block_flag(3, coded_inc_dc(plane))) {
          coded_ |= 1u << (kCodedDcShift + plane);
          count = static_cast<int>(r->template residual_block<CabacBlockShape::kChromaDc>(
              3, mb_.is_field, 4 * NumC8x8, 0, NumC8x8, positions(), levels()));
        }
      } else {
        count =
            r->residual_block(-static_cast<int>(NumC8x8), 4 * NumC8x8, 0, positions(), levels());
      }
      if (count < 0) return false;
      if (count > 0) {
        emit(prim::CoeffKind::kChromaDc, 0, left_column, top_row, count, direction);
      }
    }
    if ((mb_.coded_block_pattern >> 4) != 2) return true;
    for (unsigned plane = 1; plane < 3; ++plane) {
      begin_plane(plane);
      CodedBorder border;
      if constexpr (Reader::kIsCabac) border = chroma_border(plane, rows);
      for (unsigned blk = 0; blk < 4 * NumC8x8; ++blk) {
        const unsigned x = blk & 1;
        const unsigned y = blk >> 1;
        const int count = read_grid_block(r, border, 4, plane, x, y, 2, rows, 15);
        if (count < 0) return false;
        if (count > 0) {
          emit(prim::CoeffKind::kBlock4x4, blk, left_column + 4 * x, top_row + 4 * y, count,
               direction | prim::kCoeffSeparateDc);
        }
      }
      coded_ |= border.flags << (plane * 8);
    }
    return true;
  }

  const SliceParams& s_;
  const PictureArrays& out_;
  OutputCursor& cursor_;
  Reader& r_;
  const MbNeighbours<kMbaff>& n_;
  const ResidualMb& mb_;
  std::uint32_t coded_ = 0;  // MbState::coded
  unsigned flags_ = 0;       // CoeffFlag that the records of the macroblock have in common
  std::uint8_t plane_ = 0;   // of the records of the plane
  std::uint8_t qp_ = 0;
};

}  // namespace cope::h264
