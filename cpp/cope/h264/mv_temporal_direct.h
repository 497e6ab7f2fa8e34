#pragma once

#include "cope/h264/mv_direct.h"

namespace cope::h264 {

/// What temporal direct prediction gives a 4x4 block; refIdxL1 is 0.
struct TemporalDirect {
  int refIdxL0 = 0;
  MotionVector mvL0{0, 0};
  MotionVector mvL1{0, 0};
};

/// Derives a block in temporal direct mode (8.4.1.2.3).
///
/// \param info          of the current picture
/// \param refs          of the current slice
/// \param is_field      field macroblock of an MBAFF frame
/// \param is_bottom_mb  the lower one of its pair, in an MBAFF frame
/// \param col           the collocated block
TemporalDirect derive_temporal_direct(const prim::PictureInfo& info, const prim::SliceRefs& refs,
                                      bool is_field, bool is_bottom_mb,
                                      const ColocatedBlock& col) noexcept;

}  // namespace cope::h264
