#pragma once

#include <cstdint>

#include "cope/bits/bit_reader.h"

namespace cope::h265 {

/// The part of vui_parameters() (E.2.1) that tells something about pictures.
struct Vui {
  std::uint8_t aspect_ratio_idc = 0;  // 0..255, 255 EXTENDED_SAR
  std::uint16_t sar_width = 0;        // aspect_ratio_idc 255
  std::uint16_t sar_height = 0;       // aspect_ratio_idc 255
  bool video_full_range_flag = false;
  std::uint8_t colour_primaries = 2;          // 0..255, 2 unspecified
  std::uint8_t transfer_characteristics = 2;  // 0..255, 2 unspecified
  std::uint8_t matrix_coeffs = 2;             // 0..255, 2 unspecified
  bool field_seq_flag = false;
  bool frame_field_info_present_flag = false;
  bool vui_timing_info_present_flag = false;
  std::uint32_t vui_num_units_in_tick = 0;  // vui_timing_info_present_flag
  std::uint32_t vui_time_scale = 0;         // vui_timing_info_present_flag
};

/// Reads vui_parameters(). False when it ends early or makes no sense: what was read up to there
/// counts, and where `r` stands means nothing.
bool parse_vui(bits::BitReader& r, int sps_max_sub_layers_minus1, Vui& out) noexcept;

}  // namespace cope::h265
