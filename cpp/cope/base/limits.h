#pragma once

#include <cstdint>

namespace cope {

/// What a stream may ask for. Checked before anything is allocated for it.
struct Limits {
  std::int64_t max_luma_samples =
      139264LL * 256;  ///< per picture; MaxFS of level 6.2 (Table A-1), 8192x4320
  std::int32_t max_dimension =
      16880;  ///< width or height, Sqrt(MaxFS * 8) macroblocks of level 6.2 (A.3.1)
  std::int64_t max_nal_bytes = 64LL << 20;  ///< one NAL unit
  std::int32_t max_slices_per_picture = 8192;
};

}  // namespace cope
