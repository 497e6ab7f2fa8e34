#pragma once

#include <bit>
#include <cstdint>

#include "cope/base/host_device.h"
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
  int QPY = 0;
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
template <class Reader>
class ResidualParser {
 public:
  COPE_HD ResidualParser(const SliceParams& slice, const PictureArrays& out, OutputCursor& cursor,
                         Reader& reader, const MbNeighbours& neighbours,
                         const ResidualMb& mb) noexcept
      : s_(slice), out_(out), cursor_(cursor), r_(reader), n_(neighbours), mb_(mb) {}

  /// False for a code that does not exist. `coded` receives MbState::coded.
  COPE_HD bool parse(std::uint32_t& coded) noexcept {
    const bool bypass = s_.qpprime_y_zero_transform_bypass_flag && mb_.QPY + s_.QpBdOffsetY == 0;
    flags_ = static_cast<std::uint8_t>((mb_.is_intra ? prim::kCoeffIntra : 0) |
                                       (bypass ? prim::kCoeffBypass : 0) |
                                       (mb_.is_field ? prim::kCoeffFieldScan : 0));
    if constexpr (!Reader::kIsCabac) r_.begin_residual(mb_.is_intra);
    bool ok = true;
    if (s_.ChromaArrayType == 3) {
      for (unsigned plane = 0; plane < 3 && ok; ++plane) ok = residual_luma(plane);
    } else {
      ok = residual_luma(0);
      if (ok && s_.ChromaArrayType != 0 && (mb_.coded_block_pattern >> 4) != 0)
        ok = residual_chroma();
    }
    coded = coded_;
    return ok;
  }

 private:
  // ctxBlockCat of Table 9-42 for the planes of residual_luma.
  COPE_HD static constexpr int cat_dc(unsigned plane) noexcept {
    return plane == 0 ? 0 : (plane == 1 ? 6 : 10);
  }
  COPE_HD static constexpr int cat_ac(unsigned plane) noexcept { return cat_dc(plane) + 1; }
  COPE_HD static constexpr int cat_4x4(unsigned plane) noexcept { return cat_dc(plane) + 2; }
  COPE_HD static constexpr int cat_8x8(unsigned plane) noexcept {
    return plane == 0 ? 5 : (plane == 1 ? 9 : 13);
  }

  COPE_HD std::uint8_t qp_of(unsigned plane) const noexcept {
    return static_cast<std::uint8_t>(
        plane == 0 ? mb_.QPY + s_.QpBdOffsetY
                   : derive_qp_c(mb_.QPY, s_.chroma_qp_index_offset[plane - 1], s_.QpBdOffsetC));
  }

  COPE_HD std::uint16_t* positions() const noexcept { return out_.positions + cursor_.num_levels; }
  COPE_HD std::int32_t* levels() const noexcept { return out_.levels + cursor_.num_levels; }

  COPE_HD void emit(unsigned plane, prim::CoeffKind kind, unsigned block_idx, unsigned x,
                    unsigned y, unsigned count, unsigned extra_flags, std::uint8_t qp) noexcept {
    if (!s_.keep_coefficients) return;
    prim::CoeffRecord& record = out_.records[cursor_.num_records++];
    record.first = cursor_.num_levels;
    record.mb_addr = static_cast<std::uint32_t>(mb_.CurrMbAddr);
    record.x = static_cast<std::uint16_t>(x);
    record.y = static_cast<std::uint16_t>(y);
    record.count = static_cast<std::uint16_t>(count);
    record.plane = static_cast<std::uint8_t>(s_.first_plane + plane);
    record.kind = static_cast<std::uint8_t>(kind);
    record.block_idx = static_cast<std::uint8_t>(block_idx);
    record.flags = static_cast<std::uint8_t>(flags_ | extra_flags);
    record.qp = qp;
    record.scaling_idx = s_.scaling_idx;
    cursor_.num_levels += count;
  }

  /// Prediction direction of a bypassed intra block: its residual accumulates (8.5.15).
  COPE_HD unsigned bypass_direction(unsigned pred_mode, unsigned vertical,
                                    unsigned horizontal) const noexcept {
    if ((flags_ & prim::kCoeffBypass) == 0 || !mb_.is_intra) return 0;
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

  // coded_block_flags around and inside the macroblock on a grid of 6 bits a row, the neighbours'
  // in row and column 0: the flags that a block's context asks for lie 1 and 6 bits before its own.
  COPE_HD static constexpr unsigned grid_bit(unsigned x, unsigned y) noexcept {
    return 6 * y + x + 7;
  }
  /// Bits 0..3 to column 0 of rows 1..4.
  COPE_HD static constexpr std::uint32_t spread_column(std::uint32_t column) noexcept {
    return (column & 1) << 6 | (column & 2) << 11 | (column & 4) << 16 | (column & 8) << 21;
  }

  /// Starts `grid_` for one plane. What is not available counts as coded to intra macroblocks
  /// alone.
  COPE_HD void gather_luma(unsigned plane) noexcept {
    const std::uint32_t missing = mb_.is_intra ? 0xf : 0;
    const unsigned shift = plane * 8;
    // A transform block of 8x8 has no 4x4 block as its neighbour (9.3.3.1.1.9); outside 4:4:4 its
    // flag is not coded.
    const auto flags = [this, missing](const MbState& mb) {
      if (!mb_.transform_size_8x8_flag || (mb.flags & kMbTransform8x8) != 0) return mb.coded;
      if (s_.x264_444_context_error) return missing * 0x111111;
      return (mb.flags & kMbPcm) != 0 ? mb.coded : 0;
    };
    std::uint32_t left = missing;
    if (s_.MbaffFrameFlag) {
      left = 0;
      for (unsigned y = 0; y < 4; ++y) {
        const MbState* const mb = n_.left[y / 2];
        const std::uint32_t column =
            mb == nullptr ? missing : flags(*mb) >> shift >> n_.left_row[y];
        left |= (column & 1) << y;
      }
    } else if (n_.left[0] != nullptr) {
      left = flags(*n_.left[0]) >> shift;
    }
    const std::uint32_t above =
        n_.above == nullptr ? missing : flags(*n_.above) >> (shift + 4) & 0xf;
    grid_ = spread_column(left) | above << 1;
  }

  COPE_HD void gather_chroma(unsigned plane, unsigned rows) noexcept {
    const std::uint32_t missing = mb_.is_intra ? 0xf : 0;
    const unsigned shift = plane * 8;
    std::uint32_t left = missing;
    if (s_.MbaffFrameFlag) {
      left = 0;
      for (unsigned y = 0; y < rows; ++y) {
        const MbState* const mb = n_.left[y * 2 / rows];
        const std::uint32_t column =
            mb == nullptr ? missing : mb->coded >> shift >> n_.left_row_chroma[y];
        left |= (column & 1) << y;
      }
    } else if (n_.left[0] != nullptr) {
      left = n_.left[0]->coded >> shift;
    }
    const std::uint32_t above = n_.above == nullptr ? missing : n_.above->coded >> (shift + 4);
    grid_ = spread_column(left) | (above & 3) << 1;
  }

  /// Keeps what later macroblocks ask of `grid_`: its right column and bottom row.
  COPE_HD void keep_border(unsigned plane, unsigned width, unsigned rows) noexcept {
    const std::uint32_t right = grid_ >> grid_bit(width - 1, 0);
    const std::uint32_t column =
        (right & 1) | (right >> 5 & 2) | (right >> 10 & 4) | (right >> 15 & 8);
    const std::uint32_t bottom = grid_ >> grid_bit(0, rows - 1) & ((1u << width) - 1);
    coded_ |= (column | bottom << 4) << (plane * 8);
  }

  /// ctxIdxInc of coded_block_flag for the block at (x, y).
  COPE_HD int coded_inc(unsigned x, unsigned y) const noexcept {
    const std::uint32_t around = grid_ >> (grid_bit(x, y) - 6);
    return static_cast<int>((around >> 5 & 1) | (around & 1) << 1);
  }

  COPE_HD int coded_inc_dc(unsigned plane) const noexcept {
    const auto flag = [this, plane](const MbState* mb) -> int {
      return mb == nullptr ? mb_.is_intra
                           : static_cast<int>(mb->coded >> (kCodedDcShift + plane) & 1);
    };
    return flag(n_.left[0]) + 2 * flag(n_.above);
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
    } else if (const unsigned half = y * 2 / rows; n_.left[half] != nullptr) {
      const unsigned row = width == 4 ? n_.left_row[y] : n_.left_row_chroma[y];
      nA =
          neighbour_total(*n_.left[half], n_.left_addr[half], plane * 16 + row * width + width - 1);
    }
    if (y != 0) {
      nB = current[(y - 1) * width + x];
    } else if (n_.above != nullptr) {
      nB = neighbour_total(*n_.above, n_.above_addr, plane * 16 + (rows - 1) * width + x);
    }
    if (nA >= 0 && nB >= 0) return (nA + nB + 1) >> 1;
    return nA >= 0 ? nA : (nB >= 0 ? nB : 0);
  }

  // ---- one block
  // ---------------------------------------------------------------------------------

  /// A block of the 4x4 grid: 16 coefficients, or the 15 behind a DC. Returns its count, -1 for an
  /// invalid code.
  COPE_HD int read_grid_block(int ctxBlockCat, unsigned plane, unsigned x, unsigned y,
                              unsigned width, unsigned rows, unsigned maxNumCoeff) noexcept {
    int count = 0;
    if constexpr (Reader::kIsCabac) {
      if (!r_.coded_block_flag(ctxBlockCat, coded_inc(x, y))) return 0;
      grid_ |= 1u << grid_bit(x, y);
      count = static_cast<int>(r_.residual_block(ctxBlockCat, mb_.is_field, maxNumCoeff,
                                                 16 - maxNumCoeff, 1, positions(), levels()));
    } else {
      count = r_.residual_block(derive_nC(plane, x, y, width, rows), maxNumCoeff, 16 - maxNumCoeff,
                                positions(), levels());
      if (count > 0)
        out_.total_coeff[mb_.CurrMbAddr][plane * 16 + y * width + x] =
            static_cast<std::uint8_t>(count);
    }
    return count;
  }

  /// One 8x8 block. CAVLC codes it as four interleaved lists of 16, merged here (7.3.5.3.2).
  COPE_HD int read_8x8_block(unsigned plane, unsigned blk8) noexcept {
    const unsigned x = 2 * (blk8 & 1);
    const unsigned y = 2 * (blk8 >> 1);
    if constexpr (Reader::kIsCabac) {
      if (s_.ChromaArrayType == 3 && !r_.coded_block_flag(cat_8x8(plane), coded_inc(x, y)))
        return 0;
      grid_ |= 0xc3u << grid_bit(x, y);  // all four 4x4 blocks
      return static_cast<int>(
          r_.residual_block(cat_8x8(plane), mb_.is_field, 64, 0, 1, positions(), levels()));
    } else {
      std::int32_t merged[64];
      std::uint64_t present = 0;
      for (unsigned i = 0; i < 4; ++i) {
        const unsigned bx = x + (i & 1);
        const unsigned by = y + (i >> 1);
        const int count =
            r_.residual_block(derive_nC(plane, bx, by, 4, 4), 16, 0, positions(), levels());
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

  COPE_HD bool residual_luma(unsigned plane) noexcept {
    const unsigned left_column = static_cast<unsigned>(mb_.mb_x) * 16;
    const unsigned top_row = static_cast<unsigned>(mb_.mb_row) * 16;
    const std::uint8_t qp = qp_of(plane);
    if (mb_.is_intra16x16 && !intra16x16_dc(plane, left_column, top_row, qp)) return false;
    if ((mb_.coded_block_pattern & 15) == 0) return true;
    if constexpr (Reader::kIsCabac) gather_luma(plane);
    const unsigned maxNumCoeff = mb_.is_intra16x16 ? 15 : 16;
    const int cat = mb_.is_intra16x16 ? cat_ac(plane) : cat_4x4(plane);
    for (unsigned blk8 = 0; blk8 < 4; ++blk8) {
      if ((mb_.coded_block_pattern >> blk8 & 1) == 0) continue;
      if (mb_.transform_size_8x8_flag) {
        const int count = read_8x8_block(plane, blk8);
        if (count < 0) return false;
        const unsigned x = 2 * (blk8 & 1);
        const unsigned y = 2 * (blk8 >> 1);
        if (count > 0) {
          emit(plane, prim::CoeffKind::kBlock8x8, blk8, left_column + 4 * x, top_row + 4 * y,
               static_cast<unsigned>(count), luma_bypass_direction(x, y), qp);
        }
        continue;
      }
      for (unsigned blk = 4 * blk8; blk < 4 * blk8 + 4; ++blk) {
        const unsigned x = block_x(blk);
        const unsigned y = block_y(blk);
        const int count = read_grid_block(cat, plane, x, y, 4, 4, maxNumCoeff);
        if (count < 0) return false;
        if (count > 0) {
          emit(plane, prim::CoeffKind::kBlock4x4, blk, left_column + 4 * x, top_row + 4 * y,
               static_cast<unsigned>(count),
               luma_bypass_direction(x, y) | (mb_.is_intra16x16 ? prim::kCoeffSeparateDc : 0), qp);
        }
      }
    }
    if constexpr (Reader::kIsCabac) keep_border(plane, 4, 4);
    return true;
  }

  COPE_HD bool intra16x16_dc(unsigned plane, unsigned x, unsigned y, std::uint8_t qp) noexcept {
    int count = 0;
    if constexpr (Reader::kIsCabac) {
      if (r_.coded_block_flag(cat_dc(plane), coded_inc_dc(plane))) {
        coded_ |= 1u << (kCodedDcShift + plane);
        count = static_cast<int>(
            r_.residual_block(cat_dc(plane), mb_.is_field, 16, 0, 1, positions(), levels()));
      }
    } else {
      count = r_.residual_block(derive_nC(plane, 0, 0, 4, 4), 16, 0, positions(), levels());
    }
    if (count > 0) {
      emit(plane, prim::CoeffKind::kIntra16x16Dc, 0, x, y, static_cast<unsigned>(count),
           luma_bypass_direction(0, 0), qp);
    }
    return count >= 0;
  }

  COPE_HD bool residual_chroma() noexcept {
    const unsigned NumC8x8 = s_.ChromaArrayType;  // 1 (4:2:0) or 2 (4:2:2)
    const unsigned rows = 2 * NumC8x8;
    const unsigned left_column = static_cast<unsigned>(mb_.mb_x) * 8;
    const unsigned top_row = static_cast<unsigned>(mb_.mb_row) * 4 * rows;
    const unsigned direction = bypass_direction(mb_.intra_chroma_pred_mode, 2, 1);
    const std::uint8_t qp[3] = {0, qp_of(1), qp_of(2)};
    for (unsigned plane = 1; plane < 3; ++plane) {
      int count = 0;
      if constexpr (Reader::kIsCabac) {
        if (r_.coded_block_flag(3, coded_inc_dc(plane))) {
          coded_ |= 1u << (kCodedDcShift + plane);
          count = static_cast<int>(
              r_.residual_block(3, mb_.is_field, 4 * NumC8x8, 0, NumC8x8, positions(), levels()));
        }
      } else {
        count =
            r_.residual_block(-static_cast<int>(NumC8x8), 4 * NumC8x8, 0, positions(), levels());
      }
      if (count < 0) return false;
      if (count > 0) {
        emit(plane, prim::CoeffKind::kChromaDc, 0, left_column, top_row,
             static_cast<unsigned>(count), direction, qp[plane]);
      }
    }
    if ((mb_.coded_block_pattern >> 4) != 2) return true;
    for (unsigned plane = 1; plane < 3; ++plane) {
      if constexpr (Reader::kIsCabac) gather_chroma(plane, rows);
      for (unsigned blk = 0; blk < 4 * NumC8x8; ++blk) {
        const unsigned x = blk & 1;
        const unsigned y = blk >> 1;
        const int count = read_grid_block(4, plane, x, y, 2, rows, 15);
        if (count < 0) return false;
        if (count > 0) {
          emit(plane, prim::CoeffKind::kBlock4x4, blk, left_column + 4 * x, top_row + 4 * y,
               static_cast<unsigned>(count), direction | prim::kCoeffSeparateDc, qp[plane]);
        }
      }
      if constexpr (Reader::kIsCabac) keep_border(plane, 2, rows);
    }
    return true;
  }

  const SliceParams& s_;
  const PictureArrays& out_;
  OutputCursor& cursor_;
  Reader& r_;
  const MbNeighbours& n_;
  const ResidualMb& mb_;
  std::uint32_t coded_ = 0;  // MbState::coded
  std::uint32_t grid_ = 0;   // see grid_bit
  std::uint8_t flags_ = 0;
};

}  // namespace cope::h264
