#pragma once

#include "cope/h265/motion_syntax.h"
#include "cope/h265/mv_neighbours.h"
#include "cope/h265/slice_motion.h"

namespace cope::h265 {

/// Motion of a prediction unit in merge mode (8.5.3.2.2 to 8.5.3.2.5). Pre: merge_idx is coded.
UnitMotion derive_merge(SliceMotion& slice, const MotionNeighbours& neighbours,
                        const PredictionUnit& unit) noexcept;

}  // namespace cope::h265
