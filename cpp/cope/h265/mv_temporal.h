#pragma once

#include "cope/h265/slice_motion.h"

namespace cope::h265 {

/// Temporal luma motion vector prediction of a prediction block to RefPicListX[refIdxLX], X being
/// `list`. Spec: H.265 8.5.3.2.8, 8.5.3.2.9.
/// \returns availableFlagLXCol; `mvLXCol` is written where it is true
bool derive_temporal_vector(SliceMotion& slice, const PredictionBlock& block, int list,
                            int refIdxLX, MotionVector& mvLXCol) noexcept;

}  // namespace cope::h265
