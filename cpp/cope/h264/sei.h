#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "cope/bits/bit_reader.h"
#include "cope/h264/sps.h"

namespace cope::h264 {

/// What one sei_rbsp() (7.3.2.3) says that matters to reading pictures.
struct Sei {
  bool has_recovery_point = false;
  std::uint32_t recovery_frame_cnt = 0;  // has_recovery_point; 0..MaxFrameNum-1
  bool exact_match_flag = false;         // has_recovery_point
  bool broken_link_flag = false;         // has_recovery_point
  std::int32_t x264_build = -1;          // N of "x264 - core N" in user data, -1 without

  /// frame_packing_arrangement(), D.1.26 (D.2.26).
  bool has_frame_packing = false;
  bool frame_packing_arrangement_cancel_flag = false;  // has_frame_packing
  std::uint8_t frame_packing_arrangement_type = 0;     // has_frame_packing, not cancelled
  std::uint32_t frame_packing_arrangement_repetition_period = 0;  // likewise; 0: this picture only

  /// pic_timing() up to pic_struct, unread: what it holds depends on the SPS of its picture.
  std::array<std::uint8_t, 9 + 8> pic_timing =
      {};                           // two delays of up to 32 bits before it; padding
  std::size_t pic_timing_size = 0;  // bytes of it, 0 without
};

/// pic_struct (Table D-1), 0..8, of a pic_timing() (D.1.3); -1 when the SPS says that there is
/// none, or it cannot be read.
std::int32_t read_pic_struct(const Sei& sei, const Sps& sps) noexcept;

/// Reads every message of an SEI RBSP without its NAL unit header. SEI is advice: damaged messages
/// are passed over, and what precedes the damage counts.
Sei parse_sei(bits::BitReader& r) noexcept;

}  // namespace cope::h264
