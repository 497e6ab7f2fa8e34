#pragma once

#include <cstdint>

#include "cope/base/buffer.h"
#include "cope/prim/motion_field.h"

namespace cope::h265 {

/// One prediction unit as coded (7.3.8.5, 7.3.8.6): what derivation (8.5.3.2) starts from.
struct PredictionUnit {
  std::uint16_t x;            ///< luma samples
  std::uint16_t y;            ///< luma samples
  std::uint8_t width;         ///< nPbW, 4..64 luma samples
  std::uint8_t height;        ///< nPbH, 4..64 luma samples
  std::uint8_t log2_cb_size;  ///< of its coding unit, 3..6
  std::uint8_t part_mode;     ///< PartMode, 0..7
  std::uint8_t part_idx;      ///< partIdx, 0..3
  std::uint8_t merge_idx;     ///< kNoMerge when merge_flag is 0
  std::uint8_t mvp_flags;     ///< mvp_l0_flag | mvp_l1_flag << 1
  std::int8_t ref_idx[2];     ///< ref_idx_lX, -1 where the list is unused or the unit merged
  prim::MotionVector mvd[2];  ///< MvdLX in quarter samples; 0 where unused or merged
};
static_assert(sizeof(PredictionUnit) == 22);

inline constexpr std::uint8_t kNoMerge = 0xff;

/// The prediction units of a picture in decoding order. Which slice one belongs to stands in
/// `BlockMap::slice_idx`.
struct MotionSyntax {
  Buffer<PredictionUnit> units;
};

}  // namespace cope::h265
