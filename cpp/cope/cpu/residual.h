#pragma once

#include <cstdint>

#include "cope/cpu/fields.h"
#include "cope/prim/picture_primitives.h"

namespace cope::cpu {

/// Samples of a plane (0 Y, 1 Cb, 2 Cr) of the coded picture; 0 x 0 for the chroma of monochrome.
PlaneSize plane_size(const prim::PictureInfo& info, int plane) noexcept;

/// Writes the residual of a picture at full size: exactly the standard's r_ij, for every coding
/// mode.
///
/// Planes are overwritten whole (0 where nothing is coded); a plane with null data is left out.
/// int16 holds every residual that a conforming stream can have up to 14 bits (8.5.12.2); others,
/// those of H.265 at 16 bits among them, saturate. Field macroblocks of an MBAFF frame land on
/// their rows of the frame. A field picture is written on its own rows.
///
/// Spec: H.264 8.5.2 to 8.5.15, H.265 8.6. Pre: each plane has `plane_size(picture.info, i)`.
void write_residual(const prim::PicturePrimitives& picture, const Plane<std::int16_t> (&out)[3]);

/// How many samples of a plane go into one value, per axis. Each is 2, 4 or 8.
struct ResidualScale {
  std::int32_t x = 4;
  std::int32_t y = 4;
};

/// The scale of `plane` that puts it on the grid of `scale` x `scale` luma samples: for 4:2:0 and
/// scale 4, (4, 4) for luma and (2, 2) for chroma; for 4:2:2, chroma is (2, 4).
/// Pre: `scale` is 4 or 8.
ResidualScale luma_grid_scale(const prim::PictureInfo& info, int plane,
                              std::int32_t scale) noexcept;

/// Size of a plane at a scale. Exact for the scales of `luma_grid_scale`; for every one in H.264,
/// where coded sizes are multiples of 8 in every plane.
PlaneSize scaled_plane_size(const prim::PictureInfo& info, int plane, ResidualScale scale) noexcept;

/// Writes the area average of the residual at reduced size, straight from the levels.
///
/// Every non-zero level adds its area-averaged basis function, so nothing is computed at full size
/// (lossless macroblocks excepted). In units of samples of the plane's bit depth. Differs from the
/// average of `write_residual` by the rounding that the standard does on the way and no more: at
/// most 0.54 in a 4x4 and 0.77 in an 8x8 transform block. H.265: at most 0.5 + 0.23 * 2^(bit depth
/// - 8); what the standard clips between its stages, which takes levels that no picture has, is
/// not clipped here.
///
/// Planes are overwritten whole; a plane with null data is left out.
/// Pre: each plane has `scaled_plane_size(picture.info, i, scale[i])`, and that is exact.
void write_scaled_residual(const prim::PicturePrimitives& picture, const ResidualScale (&scale)[3],
                           const Plane<float> (&out)[3]);

}  // namespace cope::cpu
