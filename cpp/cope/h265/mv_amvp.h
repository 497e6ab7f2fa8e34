#pragma once

#include "cope/h265/motion_syntax.h"
#include "cope/h265/mv_neighbours.h"
#include "cope/h265/slice_motion.h"

namespace cope::h265 {

/// mvpLX of a prediction unit for list X and refIdxLX: the candidate that mvp_lX_flag names
/// (8.5.3.2.6, 8.5.3.2.7).
MotionVector derive_mvp(SliceMotion& slice, const MotionNeighbours& neighbours,
                        const PredictionUnit& unit, int list, int refIdxLX, int mvp_flag) noexcept;

}  // namespace cope::h265
