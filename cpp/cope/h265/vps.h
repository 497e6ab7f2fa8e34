#pragma once

#include <cstdint>

#include "cope/base/status.h"
#include "cope/bits/bit_reader.h"
#include "cope/h265/profile_tier_level.h"

namespace cope::h265 {

/// video_parameter_set_rbsp(), 7.3.2.1, up to the timing. Nothing in it is needed to decode layer
/// 0.
struct Vps {
  std::uint8_t vps_video_parameter_set_id = 0;  // 0..15
  bool vps_base_layer_internal_flag = true;
  bool vps_base_layer_available_flag = true;
  std::uint8_t vps_max_layers_minus1 = 0;      // 0..62
  std::uint8_t vps_max_sub_layers_minus1 = 0;  // 0..6
  bool vps_temporal_id_nesting_flag = false;
  ProfileTierLevel profile_tier_level;
  bool vps_sub_layer_ordering_info_present_flag = false;
  std::uint8_t vps_max_dec_pic_buffering_minus1[7] = {};  // [TemporalId], 0..15
  std::uint8_t vps_max_num_reorder_pics[7] = {};          // [TemporalId], 0..15
  std::uint32_t vps_max_latency_increase_plus1[7] = {};   // [TemporalId]
  std::uint8_t vps_max_layer_id = 0;                      // 0..62
  std::uint16_t vps_num_layer_sets_minus1 = 0;            // 0..1023
  bool vps_timing_info_present_flag = false;
  std::uint32_t vps_num_units_in_tick = 0;  // vps_timing_info_present_flag
  std::uint32_t vps_time_scale = 0;         // vps_timing_info_present_flag
  bool vps_poc_proportional_to_timing_flag = false;
  std::uint32_t vps_num_ticks_poc_diff_one_minus1 = 0;  // vps_poc_proportional_to_timing_flag
};

/// Reads a VPS from an RBSP without its NAL unit header.
Status parse_vps(bits::BitReader& r, Vps& out);

}  // namespace cope::h265
