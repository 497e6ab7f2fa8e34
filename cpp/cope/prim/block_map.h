#pragma once

#include <cstdint>

#include "cope/base/buffer.h"

namespace cope::prim {

/// How a block was predicted. H.264: per macroblock. H.265: per coding unit, repeated in every
/// block of MinCbSizeY that it covers.
enum class BlockType : std::uint8_t {
  kI4x4 = 0,    ///< I_NxN with transform_size_8x8_flag 0 (H.265: intra, part mode NxN)
  kI8x8 = 1,    ///< I_NxN with transform_size_8x8_flag 1
  kI16x16 = 2,  ///< I_16x16 (H.265: intra, part mode 2Nx2N)
  kPcm = 3,
  kInter = 4,  ///< inter with coded syntax, B_Direct_16x16 included
  kSkip = 5,   ///< P_Skip, B_Skip
  kLost = 6,   ///< not parsed: its slice is missing or damaged
};

/// Flags of a block.
enum BlockFlag : std::uint8_t {
  kTransform8x8 = 1 << 0,      ///< transform_size_8x8_flag
  kTransquantBypass = 1 << 1,  ///< TransformBypassModeFlag
  kFieldBlock = 1 << 2,        ///< mb_field_decoding_flag of an MBAFF frame
  kDirect = 1 << 3,            ///< the whole block is direct predicted (B_Skip, B_Direct_16x16)
  kMotionLost = 1
      << 4,  ///< inter, and its vectors depend on a loss in another picture; it has none
};

/// Per block of `block_size` x `block_size` luma samples, raster order [y][x]. MBAFF: rows follow
/// macroblock addresses, as in `MotionField`.
struct BlockMap {
  std::int32_t block_size = 16;    ///< luma samples
  std::int32_t width = 0;          ///< blocks
  std::int32_t height = 0;         ///< blocks
  Buffer<std::uint8_t> type;       ///< BlockType
  Buffer<std::uint8_t> flags;      ///< BlockFlag
  Buffer<std::uint8_t> partition;  ///< 2 bits per 8x8 quadrant: 0 8x8, 1 8x4, 2 4x8, 3 4x4; see
                                   ///< `partition_shape`. H.265: log2CbSize, 3..6, of every block
  Buffer<std::uint8_t> partition_shape;  ///< 0 16x16, 1 16x8, 2 8x16, 3 8x8; of inter blocks.
                                         ///< H.265: PartMode, 0..7, of every block
  Buffer<std::int8_t> qp;                ///< QP_Y without QpBdOffset
  Buffer<std::uint16_t> slice_idx;  ///< slice of the picture, in decoding order; 0xffff where lost
  Buffer<std::uint32_t> bits;  ///< bits spent in the slice data, prediction and residual together.
                               ///< H.265: of a coding unit, shared out evenly among its blocks

  std::size_t size() const noexcept {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  }
};

inline constexpr std::uint16_t kNoSlice = 0xffff;

}  // namespace cope::prim
