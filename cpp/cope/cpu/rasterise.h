#pragma once

#include "cope/cpu/fields.h"
#include "cope/prim/picture_primitives.h"

namespace cope::cpu {

/// Writes the motion of one picture in physical units, averaged over cells.
///
/// A vector v says: predict x from the reference at x + v. What leaves is v / (t - t_ref), the
/// displacement towards the past per second, whichever way the reference lies: a vector to a future
/// reference changes its sign, so that the fields of P and B pictures agree. x is in widths and y
/// in heights of the displayed picture; something that moves right by a tenth of the width per
/// second reads -0.1.
///
/// Intra and lost blocks have no motion, nor have those whose reference has no time or the
/// picture's own. Field macroblocks of an MBAFF frame count double in y and stand on their rows of
/// the frame.
///
/// \param motion  float32 [2][grid.height][grid.width], order (x, y); mean over the 4x4 blocks of
///                the cell that have motion, 0 where none has
/// \param valid   float32 [grid.height][grid.width], 0..1: share of the cell's blocks that have
///                motion
void rasterise_motion(const prim::PicturePrimitives& picture, const PictureTimes& times,
                      const CellGrid& grid, BiPrediction bi_prediction, float* motion,
                      float* valid);

}  // namespace cope::cpu
