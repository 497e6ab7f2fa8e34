#pragma once

#include "cope/cpu/residual.h"

namespace cope::cpu::h265 {

/// `cpu::write_residual` of an H.265 picture, onto planes that are all zero. Spec: H.265 8.6.
void add_residual(const prim::PicturePrimitives& picture, const Plane<std::int16_t> (&out)[3]);

/// `cpu::write_scaled_residual` of an H.265 picture, onto planes that are all zero.
void add_scaled_residual(const prim::PicturePrimitives& picture, const ResidualScale (&scale)[3],
                         const Plane<float> (&out)[3]);

}  // namespace cope::cpu::h265
