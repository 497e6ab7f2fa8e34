#pragma once

#include <cstddef>
#include <cstdint>

#include "cope/base/buffer.h"

namespace cope::prim {

/// What a record's levels are. The first four are the kinds of the H.264 golden format.
enum class CoeffKind : std::uint8_t {
  kBlock4x4 = 0,      ///< 4x4 block; position 0 is absent where the DC is coded on its own
  kBlock8x8 = 1,      ///< 8x8 block
  kIntra16x16Dc = 2,  ///< Intra16x16DCLevel of a macroblock: 4x4 DC values
  kChromaDc = 3,      ///< chroma DC: 2x2 (4:2:0) or 2x4 (4:2:2) DC values
  // H.265: transform blocks of one size; levels stand at positions yC * size + xC.
  kTransform4x4 = 4,
  kTransform8x8 = 5,
  kTransform16x16 = 6,
  kTransform32x32 = 7,
};

/// Log2 of the block size of an H.265 record.
constexpr int log2_transform_size(CoeffKind kind) noexcept { return static_cast<int>(kind) - 2; }

enum CoeffFlag : std::uint8_t {
  kCoeffIntra = 1 << 0,      ///< of an intra macroblock (H.265: coding unit)
  kCoeffBypass = 1 << 1,     ///< TransformBypassModeFlag (H.265: cu_transquant_bypass_flag): the
                             ///< levels are residual samples
  kCoeffFieldScan = 1 << 2,  ///< positions follow the field scan, else the zig-zag scan
  kCoeffSeparateDc = 1
      << 3,  ///< 4x4 block of which the DC comes from a DC record of the same macroblock
  kCoeffBypassVertical = 1
      << 4,  ///< bypass with vertical prediction: residuals accumulate down (8.5.15)
  kCoeffBypassHorizontal = 1 << 5,  ///< bypass with horizontal prediction: accumulate rightwards
  // H.265 alone; the bits above that name H.264's scans and DC records are free in its records.
  kCoeffTransformSkip = 1 << 2,  ///< transform_skip_flag
  kCoeffDst = 1 << 3,            ///< trType 1: 4x4 luma of an intra coding unit (8.6.4.2)
  kCoeffRdpcmVertical = kCoeffBypassVertical,      ///< residuals accumulate down (8.6.5, 8.6.6)
  kCoeffRdpcmHorizontal = kCoeffBypassHorizontal,  ///< residuals accumulate rightwards
  kCoeffRotate = 1 << 6,  ///< transform_skip_rotation_enabled_flag applies (8.6.2)
};

/// One transform block with at least one non-zero level. 20 bytes.
///
/// H.265: a chroma block predicted from luma residual (cross-component prediction, 7.3.8.12) has a
/// record even if it has no level.
///
/// Its levels are `levels[first .. first + count)` at scan positions `positions[first ..]`, in
/// ascending position (H.265: as coded, from the last significant one down). All records of a
/// macroblock are consecutive; DC records precede AC records of the same plane.
struct CoeffRecord {
  std::uint32_t first;    ///< index into positions and levels
  std::uint32_t mb_addr;  ///< CurrMbAddr (H.265: CtbAddrInRs)
  std::uint16_t
      x;  ///< samples of its plane; left column of the block (DC kinds: of the macroblock)
  std::uint16_t y;           ///< samples of its plane; MBAFF: row by macroblock address
  std::uint16_t count;       ///< non-zero levels, 1..64 (H.265: 0..1024)
  std::uint8_t plane;        ///< 0 Y, 1 Cb, 2 Cr
  std::uint8_t kind;         ///< CoeffKind
  std::uint8_t block_idx;    ///< luma4x4BlkIdx, luma8x8BlkIdx or chroma blkIdx; 0 for DC kinds.
                             ///< H.265: ResScaleVal, two's complement
  std::uint8_t flags;        ///< CoeffFlag
  std::uint8_t qp;           ///< qP of the scaling process: QP'Y or QP'C with QpBdOffset, 0..93
  std::uint8_t scaling_idx;  ///< into PicturePrimitives::scaling, the weight matrices in force
};
static_assert(sizeof(CoeffRecord) == 20);

/// Every non-zero level of a picture, exactly as parsed (before any scaling).
struct CoeffStream {
  Buffer<CoeffRecord> records;
  Buffer<std::uint16_t> positions;  ///< scan index inside the block, 0..63 (H.265: yC * size + xC)
  Buffer<std::int32_t> levels;

  /// Memory in use.
  std::size_t size_bytes() const noexcept {
    return records.size() * sizeof(CoeffRecord) + positions.size() * sizeof(std::uint16_t) +
           levels.size() * sizeof(std::int32_t);
  }

  /// Gives memory that larger pictures left behind back to the system where it is more than
  /// `max_bytes`. Pre: the sizes are those in use.
  void trim(std::size_t max_bytes) noexcept {
    if (records.idle_bytes() + positions.idle_bytes() + levels.idle_bytes() <= max_bytes) return;
    records.discard_idle();
    positions.discard_idle();
    levels.discard_idle();
  }
};

/// Weight scale matrices (weightScale4x4, weightScale8x8 of 8.5.9), raster order [y * size + x].
/// First index: Intra Y, Cb, Cr, Inter Y, Cb, Cr. H.265: ScalingFactor (7.4.5), index matrixId.
struct ScalingMatrices {
  std::uint8_t weight_4x4[6][16];
  std::uint8_t weight_8x8[6][64];
  // H.265 alone: an entry of the 8x8 lists stands for 2x2 and 4x4 positions, but for the DC.
  std::uint8_t weight_16x16[6][64];
  std::uint8_t weight_32x32[6][64];
  std::uint8_t dc_16x16[6];
  std::uint8_t dc_32x32[6];
};

}  // namespace cope::prim
