#pragma once

#include <cstdint>

namespace cope {

/// What a stream may ask for. Checked before anything is allocated for it. The defaults admit 8K:
/// all that level 6.2 of H.264 does (Table A-1). docs/robustness.md says what memory follows from
/// them.
struct Limits {
  std::int64_t max_luma_samples = 139264LL * 256;  ///< per picture; MaxFS of level 6.2, 8192x4320
  std::int32_t max_dimension =
      16880;  ///< width or height, Sqrt(MaxFS * 8) macroblocks of level 6.2 (A.3.1)
  std::int64_t max_nal_bytes = 64LL
                               << 20;  ///< one NAL unit; a picture or a packet: four times that
  std::int32_t max_slices_per_picture = 8192;  ///< at most 65535 whatever is set
  /// Frames that an SPS may keep (max_num_ref_frames, sps_max_dec_pic_buffering_minus1).
  std::int32_t max_references = 16;
  /// Non-zero levels of one picture; one for each sample of 4:4:4.
  std::int64_t max_coefficients_per_picture = 3 * 139264LL * 256;
  /// Coded pictures of one packet, and pictures parsed at a time.
  std::int32_t max_pictures_in_flight = 128;
  /// Wall time of parsing one picture, looked at between slices.
  double max_seconds_per_picture = 60.0;
};

}  // namespace cope
