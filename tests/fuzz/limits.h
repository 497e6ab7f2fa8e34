#pragma once

#include "cope/base/limits.h"

namespace cope::fuzz {

/// Small enough that a run stays quick, large enough for every coding tool.
inline constexpr Limits kLimits{
    .max_luma_samples = 1 << 19,
    .max_dimension = 4096,
    .max_nal_bytes = 1 << 18,
    .max_slices_per_picture = 64,
    .max_coefficients_per_picture = 1 << 20,
    .max_pictures_in_flight = 16,
};

}  // namespace cope::fuzz
