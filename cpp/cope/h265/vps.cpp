#include "cope/h265/vps.h"

namespace cope::h265 {

Status parse_vps(bits::BitReader& r, Vps& out) {
  out = Vps{};
  out.vps_video_parameter_set_id = static_cast<std::uint8_t>(r.u(4));
  out.vps_base_layer_internal_flag = r.flag();
  out.vps_base_layer_available_flag = r.flag();
  out.vps_max_layers_minus1 = static_cast<std::uint8_t>(r.u(6));
  out.vps_max_sub_layers_minus1 = static_cast<std::uint8_t>(r.u(3));
  COPE_REQUIRE(out.vps_max_sub_layers_minus1 <= 6, "vps_max_sub_layers_minus1", "H.265 7.4.3.1");
  out.vps_temporal_id_nesting_flag = r.flag();
  r.skip(16);  // vps_reserved_0xffff_16bits
  COPE_RETURN_IF_ERROR(
      parse_profile_tier_level(r, true, out.vps_max_sub_layers_minus1, out.profile_tier_level));
  out.vps_sub_layer_ordering_info_present_flag = r.flag();
  const int last = out.vps_max_sub_layers_minus1;
  for (int i = out.vps_sub_layer_ordering_info_present_flag ? 0 : last; i <= last; ++i) {
    const std::uint32_t vps_max_dec_pic_buffering_minus1 = r.ue();
    COPE_REQUIRE(vps_max_dec_pic_buffering_minus1 <= 15, "vps_max_dec_pic_buffering_minus1",
                 "H.265 7.4.3.1");
    const std::uint32_t vps_max_num_reorder_pics = r.ue();
    COPE_REQUIRE(vps_max_num_reorder_pics <= vps_max_dec_pic_buffering_minus1,
                 "vps_max_num_reorder_pics", "H.265 7.4.3.1");
    out.vps_max_dec_pic_buffering_minus1[i] =
        static_cast<std::uint8_t>(vps_max_dec_pic_buffering_minus1);
    out.vps_max_num_reorder_pics[i] = static_cast<std::uint8_t>(vps_max_num_reorder_pics);
    out.vps_max_latency_increase_plus1[i] = r.ue();
  }
  out.vps_max_layer_id = static_cast<std::uint8_t>(r.u(6));
  const std::uint32_t vps_num_layer_sets_minus1 = r.ue();
  COPE_REQUIRE(vps_num_layer_sets_minus1 <= 1023, "vps_num_layer_sets_minus1", "H.265 7.4.3.1");
  out.vps_num_layer_sets_minus1 = static_cast<std::uint16_t>(vps_num_layer_sets_minus1);
  r.skip(std::size_t{vps_num_layer_sets_minus1} *
         (out.vps_max_layer_id + 1u));  // layer_id_included_flag
  out.vps_timing_info_present_flag = r.flag();
  if (out.vps_timing_info_present_flag) {
    out.vps_num_units_in_tick = r.u(32);
    out.vps_time_scale = r.u(32);
    out.vps_poc_proportional_to_timing_flag = r.flag();
    if (out.vps_poc_proportional_to_timing_flag) out.vps_num_ticks_poc_diff_one_minus1 = r.ue();
  }
  COPE_REQUIRE(!r.overrun(), "rbsp_overrun", "H.265 7.3.2.1");
  return {};
}

}  // namespace cope::h265
