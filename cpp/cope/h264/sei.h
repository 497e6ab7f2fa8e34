#pragma once

#include <cstdint>

#include "cope/bits/bit_reader.h"

namespace cope::h264 {

/// What one sei_rbsp() (7.3.2.3) says that matters to reading pictures.
struct Sei {
  bool has_recovery_point = false;
  std::uint32_t recovery_frame_cnt = 0;  // has_recovery_point; 0..MaxFrameNum-1
  bool exact_match_flag = false;         // has_recovery_point
  bool broken_link_flag = false;         // has_recovery_point
  std::int32_t x264_build = -1;          // N of "x264 - core N" in user data, -1 without
};

/// Reads every message of an SEI RBSP without its NAL unit header. SEI is advice: damaged messages
/// are passed over, and what precedes the damage counts.
Sei parse_sei(bits::BitReader& r) noexcept;

}  // namespace cope::h264
