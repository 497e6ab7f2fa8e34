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

/// State of a parsed macroblock, at most one cache line. Later macroblocks of the slice derive
/// contexts from it (6.4.11, 9.3.3.1.1); it outlives the slice, so `slice_id` says to which one it
/// belongs.
struct MbState {
  std::uint32_t coded = 0;               ///< see kCodedDcShift; I_PCM: all ones
  std::uint32_t slice_id = 0;            ///< unique in the life of the parser; 0: never parsed
  std::uint16_t flags = 0;               ///< MbStateFlag
  std::uint8_t coded_block_pattern = 0;  ///< CodedBlockPatternLuma | Chroma << 4; I_PCM 0x2f
  std::uint8_t reserved = 0;
  std::uint8_t ref_idx[2][4] = {};  ///< [LX][mbPartIdx8x8]; 0 also where direct predicted or unused
  AbsMvd mvd_right[2][4] = {};      ///< [LX][y4] of the right column
  AbsMvd mvd_bottom[2][4] = {};     ///< [LX][x4] of the bottom row
};
static_assert(sizeof(MbState) == 52);

/// Neighbours A (left) and B (above) of the current macroblock (6.4.11, 6.4.12). In MBAFF frames
/// the left neighbour may be two macroblocks, each row of blocks having its own.
struct MbNeighbours {
  const MbState* left[2] = {nullptr,
                            nullptr};  ///< of the upper and the lower half; null: not available
  const MbState* above = nullptr;
  std::int32_t left_addr[2] = {-1, -1};
  std::int32_t above_addr = -1;
  std::uint8_t left_row[4] = {0, 1, 2, 3};  ///< row of 4x4 blocks in `left[y4 / 2]` beside row y4
  std::uint8_t left_row_chroma[4] = {0, 1, 2,
                                     3};  ///< the same for chroma blocks, `left[y4 * 2 / num_rows]`
};

/// Picture-wide lookup of neighbours: where the current macroblock is and what lies beside it.
struct MbLocator {
  const MbState* mbs = nullptr;
  std::int32_t PicWidthInMbs = 0;
  std::uint32_t slice_id = 0;
  bool MbaffFrameFlag = false;
  std::uint8_t chroma_rows = 2;  ///< rows of 4x4 chroma blocks: 2 (4:2:0) or 4 (4:2:2)

  COPE_HD const MbState* available(std::int32_t mb_addr) const noexcept {
    return mbs[mb_addr].slice_id == slice_id ? &mbs[mb_addr] : nullptr;
  }

  /// 6.4.9 and 6.4.12.1. Macroblock addresses ascend within a slice, so belonging to the same slice
  /// is all that availability asks.
  COPE_HD MbNeighbours find(std::int32_t CurrMbAddr, std::int32_t mb_x,
                            bool is_field) const noexcept {
    if (MbaffFrameFlag) return find_mbaff(CurrMbAddr, mb_x, is_field);
    MbNeighbours n;
    if (mb_x > 0) {
      n.left_addr[0] = n.left_addr[1] = CurrMbAddr - 1;
      n.left[0] = n.left[1] = available(CurrMbAddr - 1);
    }
    if (CurrMbAddr >= PicWidthInMbs) {
      n.above_addr = CurrMbAddr - PicWidthInMbs;
      n.above = available(n.above_addr);
    }
    return n;
  }

  /// Top macroblock of the pair to the left (mbAddrA of 6.4.10), or -1.
  COPE_HD std::int32_t left_pair(std::int32_t CurrMbAddr, std::int32_t mb_x) const noexcept {
    const std::int32_t top = (CurrMbAddr & ~1) - 2;
    return mb_x > 0 && available(top) != nullptr ? top : -1;
  }

  /// Top macroblock of the pair above (mbAddrB of 6.4.10), or -1.
  COPE_HD std::int32_t above_pair(std::int32_t CurrMbAddr) const noexcept {
    const std::int32_t top = (CurrMbAddr & ~1) - 2 * PicWidthInMbs;
    return top >= 0 && available(top) != nullptr ? top : -1;
  }

 private:
  /// 6.4.12.2, Table 6-4, for the luma locations (-1, 4 * y4) and (x, -1).
  COPE_HD MbNeighbours find_mbaff(std::int32_t CurrMbAddr, std::int32_t mb_x,
                                  bool is_field) const noexcept {
    MbNeighbours n;
    const bool is_bottom = (CurrMbAddr & 1) != 0;
    if (const std::int32_t a = left_pair(CurrMbAddr, mb_x); a >= 0) {
      const bool left_field = (mbs[a].flags & kMbField) != 0;
      if (left_field == is_field) {
        n.left_addr[0] = n.left_addr[1] = a + is_bottom;
      } else if (!is_field) {
        // Rows 4 * y4 of a frame macroblock are even, so they meet the top field macroblock.
        n.left_addr[0] = n.left_addr[1] = a;
        for (int y4 = 0; y4 < 4; ++y4)
          n.left_row[y4] = static_cast<std::uint8_t>(y4 / 2 + 2 * is_bottom);
        for (int y4 = 0; y4 < 4; ++y4) {
          n.left_row_chroma[y4] = static_cast<std::uint8_t>(y4 / 2 + (chroma_rows / 2) * is_bottom);
        }
      } else {
        n.left_addr[0] = a;
        n.left_addr[1] = a + 1;
        for (int y4 = 0; y4 < 4; ++y4) n.left_row[y4] = static_cast<std::uint8_t>(2 * (y4 & 1));
        for (int y4 = 0; y4 < 4; ++y4) {
          n.left_row_chroma[y4] = static_cast<std::uint8_t>(2 * y4 % chroma_rows);
        }
      }
      n.left[0] = &mbs[n.left_addr[0]];
      n.left[1] = &mbs[n.left_addr[1]];
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
