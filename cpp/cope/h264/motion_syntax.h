#pragma once

#include <cstdint>

#include "cope/base/buffer.h"
#include "cope/prim/motion_field.h"

namespace cope::h264 {

/// Inter prediction of one macroblock as coded: what derivation (8.4.1) starts from. Written for
/// macroblocks whose `BlockMap::type` is kInter and that are not direct predicted as a whole.
struct MbMotionSyntax {
  std::uint32_t
      first_mvd;  ///< into MotionSyntax::mvd; list 0's differences, then list 1's, in parse order
  std::uint8_t mb_type;         ///< MbTypeP or MbTypeB
  std::uint8_t is_b;            ///< mb_type and sub_mb_type are of a B slice
  std::uint8_t sub_mb_type[4];  ///< SubMbTypeP or SubMbTypeB; of 8x8 types
  std::int8_t ref_idx[2][4];    ///< [LX][mbPartIdx], 8x8 types: [mbPartIdx 0..3]; -1 where unused
};

/// The motion syntax of a picture, by CurrMbAddr.
struct MotionSyntax {
  Buffer<MbMotionSyntax> mbs;
  Buffer<prim::MotionVector> mvd;  ///< quarter samples (mvd_l0, mvd_l1)
};

/// At most 16 partitions with two vectors each.
inline constexpr std::uint32_t kMaxMvdPerMb = 32;

}  // namespace cope::h264
