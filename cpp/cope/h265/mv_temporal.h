#pragma once

#include "cope/h265/slice_motion.h"

namespace cope::h265 {

/// Temporal luma motion vector prediction of a prediction block to RefPicListX[refIdxLX], X being
/// `list`. Spec: H.265 8.5.3.2.8, 8.5.3.2.9.
/// \returns availableFlagLXCol; `mvLXCol` is written where it is true
bool derive_temporal_vector(SliceMotion& slice, const PredictionBlock& block, int list,
                            int refIdxLX, MotionVector& mvLXCol) noexcept;

/// Copies what temporal prediction of later pictures looks at: the upper left one of 4x4 blocks of
/// motion, and its block. So the picture itself need not be kept for it. Spec: H.265 8.5.3.2.8.
void keep_collocated(const prim::PicturePrimitives& picture, prim::PicturePrimitives& out);

}  // namespace cope::h265
