#pragma once

#include <cstdint>

#include "cope/base/host_device.h"

namespace cope::h264 {

/// What later macroblocks want to know of a parsed one. Flags of `MbState`.
enum MbStateFlag : std::uint16_t {
  kMbIntra = 1 << 0,
  kMbINxN = 1 << 1,  ///< I_NxN
  kMbSI = 1 << 2,    ///< mb_type SI
  kMbPcm = 1 << 3,
  kMbSkip = 1 << 4,             ///< P_Skip or B_Skip
  kMbDirect16x16 = 1 << 5,      ///< B_Skip or B_Direct_16x16
  kMbTransform8x8 = 1 << 6,     ///< transform_size_8x8_flag
  kMbField = 1 << 7,            ///< a field macroblock of an MBAFF frame
  kMbChromaPredNonDc = 1 << 8,  ///< intra_chroma_pred_mode != 0
};

/// MbState::coded holds the `coded_block_flag`s that neighbours ask for (CABAC): a byte for each of
/// Y, Cb, Cr with the right column in bits 0..3 (by y) and the bottom row in bits 4..7 (by x) of
/// its 4x4 blocks, then a bit for the DC block of each.
inline constexpr int kCodedDcShift = 24;

/// |mvd| of a 4x4 block for context sums: Min(|x|, 127) | Min(|y|, 127) << 8.
using AbsMvd = std::uint16_t;

/// Four `AbsMvd` along one side of a macroblock, the first one lowest.
using AbsMvdLine = std::uint64_t;

/// State of a parsed macroblock, at most one cache line. Later macroblocks of the slice derive
/// contexts from it (6.4.11, 9.3.3.1.1); it outlives the slice, so `slice_id` says to which one it
/// belongs.
struct MbState {
  AbsMvdLine mvd_right[2] = {};          ///< [LX], the right column by y4
  AbsMvdLine mvd_bottom[2] = {};         ///< [LX], the bottom row by x4
  std::uint8_t ref_idx[2][4] = {};       ///< [LX][mbPartIdx8x8]; 0 also where direct or unused
  std::uint32_t coded = 0;               ///< see kCodedDcShift; I_PCM: all ones
  std::uint32_t slice_id = 0;            ///< unique in the life of the parser; 0: never parsed
  std::uint16_t flags = 0;               ///< MbStateFlag
  std::uint8_t coded_block_pattern = 0;  ///< CodedBlockPatternLuma | Chroma << 4; I_PCM 0x2f
};
static_assert(sizeof(MbState) == 56);

/// Stands where a neighbour is not available: what it says makes every condTermFlag 0, as 9.3.3.1.1
/// asks. `coded` alone depends on the current macroblock instead.
COPE_HD_TABLE MbState kNotAvailable = {.flags = kMbINxN | kMbSI | kMbSkip | kMbDirect16x16,
                                       .coded_block_pattern = 0x0f};

/// Neighbours A (left) and B (above) of the current macroblock (6.4.11, 6.4.12): `kNotAvailable`
/// where there is none.
template <bool kMbaff>
struct MbNeighbours {
  const MbState* left = nullptr;
  const MbState* above = nullptr;
  std::int32_t left_addr = -1;  ///< -1: not available
  std::int32_t above_addr = -1;

  COPE_HD bool has_left() const noexcept { return left_addr >= 0; }
  COPE_HD bool has_above() const noexcept { return above_addr >= 0; }
  /// The macroblock to the left of block row y4, its address, and the row of blocks there.
  COPE_HD const MbState& left_of(unsigned) const noexcept { return *left; }
  COPE_HD std::int32_t left_addr_of(unsigned) const noexcept { return left_addr; }
  COPE_HD unsigned left_row(unsigned y4) const noexcept { return y4; }
  COPE_HD unsigned left_row_chroma(unsigned y4) const noexcept { return y4; }
};

/// In MBAFF frames the left neighbour may be two macroblocks, each row of blocks having its own.
template <>
struct MbNeighbours<true> {
  const MbState* left = nullptr;  ///< of the upper half
  const MbState* above = nullptr;
  std::int32_t left_addr = -1;
  std::int32_t above_addr = -1;
  const MbState* lower_left = nullptr;  ///< of the lower half
  std::int32_t lower_left_addr = -1;
  std::uint8_t left_rows[4] = {0, 1, 2, 3};         ///< for luma
  std::uint8_t left_rows_chroma[4] = {0, 1, 2, 3};  ///< for chroma

  COPE_HD bool has_left() const noexcept { return left_addr >= 0; }
  COPE_HD bool has_above() const noexcept { return above_addr >= 0; }
  COPE_HD const MbState& left_of(unsigned y4) const noexcept {
    return y4 < 2 ? *left : *lower_left;
  }
  COPE_HD std::int32_t left_addr_of(unsigned y4) const noexcept {
    return y4 < 2 ? left_addr : lower_left_addr;
  }
  COPE_HD unsigned left_row(unsigned y4) const noexcept { return left_rows[y4]; }
  COPE_HD unsigned left_row_chroma(unsigned y4) const noexcept { return left_rows_chroma[y4]; }
};

/// Picture-wide lookup of neighbours: what lies beside the current macroblock.
template <bool kMbaff>
struct MbLocator {
  const MbState* mbs = nullptr;
  std::int32_t PicWidthInMbs = 0;
  std::uint32_t slice_id = 0;
  std::uint8_t chroma_rows = 2;  ///< rows of 4x4 chroma blocks: 2 (4:2:0) or 4 (4:2:2)

  COPE_HD bool is_available(std::int32_t mb_addr) const noexcept {
    return mbs[mb_addr].slice_id == slice_id;
  }

  /// 6.4.9 and 6.4.12.1. Macroblock addresses ascend within a slice, so belonging to the same slice
  /// is all that availability asks.
  COPE_HD COPE_FORCE_INLINE MbNeighbours<kMbaff> find(std::int32_t CurrMbAddr, std::int32_t mb_x,
                                                      bool is_field) const noexcept {
    if constexpr (kMbaff) {
      return find_mbaff(CurrMbAddr, mb_x, is_field);
    } else {
      MbNeighbours<false> n;
      const std::int32_t a = CurrMbAddr - 1;
      const std::int32_t b = CurrMbAddr - PicWidthInMbs;
      const bool has_left = mb_x > 0 && is_available(a);
      const bool has_above = b >= 0 && is_available(b);
      n.left = has_left ? &mbs[a] : &kNotAvailable;
      n.left_addr = has_left ? a : -1;
      n.above = has_above ? &mbs[b] : &kNotAvailable;
      n.above_addr = has_above ? b : -1;
      return n;
    }
  }

  /// Top macroblock of the pair to the left (mbAddrA of 6.4.10), or -1.
  COPE_HD std::int32_t left_pair(std::int32_t CurrMbAddr, std::int32_t mb_x) const noexcept {
    const std::int32_t top = (CurrMbAddr & ~1) - 2;
    return mb_x > 0 && is_available(top) ? top : -1;
  }

  /// Top macroblock of the pair above (mbAddrB of 6.4.10), or -1.
  COPE_HD std::int32_t above_pair(std::int32_t CurrMbAddr) const noexcept {
    const std::int32_t top = (CurrMbAddr & ~1) - 2 * PicWidthInMbs;
    return top >= 0 && is_available(top) ? top : -1;
  }

 private:
  /// 6.4.12.2, Table 6-4, for the luma locations (-1, 4 * y4) and (x, -1).
  COPE_HD MbNeighbours<true> find_mbaff(std::int32_t CurrMbAddr, std::int32_t mb_x,
                                        bool is_field) const noexcept {
    MbNeighbours<true> n;
    n.left = n.lower_left = n.above = &kNotAvailable;
    const bool is_bottom = (CurrMbAddr & 1) != 0;
    if (const std::int32_t a = left_pair(CurrMbAddr, mb_x); a >= 0) {
      const bool left_field = (mbs[a].flags & kMbField) != 0;
      if (left_field == is_field) {
        n.left_addr = n.lower_left_addr = a + is_bottom;
      } else if (!is_field) {
        // Rows 4 * y4 of a frame macroblock are even, so they meet the top field macroblock.
        n.left_addr = n.lower_left_addr = a;
        for (int y4 = 0; y4 < 4; ++y4)
          n.left_rows[y4] = static_cast<std::uint8_t>(y4 / 2 + 2 * is_bottom);
        for (int y4 = 0; y4 < 4; ++y4) {
          n.left_rows_chroma[y4] =
              static_cast<std::uint8_t>(y4 / 2 + (chroma_rows / 2) * is_bottom);
        }
      } else {
        n.left_addr = a;
        n.lower_left_addr = a + 1;
        for (int y4 = 0; y4 < 4; ++y4) n.left_rows[y4] = static_cast<std::uint8_t>(2 * (y4 & 1));
        for (int y4 = 0; y4 < 4; ++y4) {
          n.left_rows_chroma[y4] = static_cast<std::uint8_t>(2 * y4 % chroma_rows);
        }
      }
      n.left = &mbs[n.left_addr];
      n.lower_left = &mbs[n.lower_left_addr];
    }
    if (!is_field && is_bottom) {
      n.above_addr = CurrMbAddr - 1;
    } else if (const std::int32_t b = above_pair(CurrMbAddr); b >= 0) {
      const bool above_field = (mbs[b].flags & kMbField) != 0;
      n.above_addr = is_field && !is_bottom && above_field ? b : b + 1;
    }
    if (n.above_addr >= 0) n.above = &mbs[n.above_addr];
    return n;
  }
};

}  // namespace cope::h264
