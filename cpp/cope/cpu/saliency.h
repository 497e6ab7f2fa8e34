#pragma once

#include "cope/cpu/fields.h"
#include "cope/prim/picture_primitives.h"

namespace cope::cpu {

/// Adds what a picture spent on each cell, times `weight`. Both arrays are float32
/// [grid.height][grid.width] and may be null.
///
/// The energy comes from the levels alone, for the transform's basis is orthogonal (Parseval). What
/// a macroblock spent, and the energy of a transform block, count as spread evenly over it. I_PCM
/// macroblocks have no residual.
///
/// \param bits    bits per luma sample
/// \param energy  mean square of the full-size luma residual, in samples of 8 bits / 255
void accumulate_saliency(const prim::PicturePrimitives& picture, const CellGrid& grid, float weight,
                         float* bits, float* energy);

/// Writes the saliency of one picture: what codec-guided models choose patches by.
///
/// \param motion  float32 [2][grid.height][grid.width] from `rasterise_motion` with the same grid
/// \param out     float32 [3][grid.height][grid.width]: bits per luma sample; root mean square of
///                the luma residual in samples of 8 bits / 255; length of the motion in picture
///                heights per second
void write_saliency(const prim::PicturePrimitives& picture, const CellGrid& grid,
                    const float* motion, float* out);

}  // namespace cope::cpu
