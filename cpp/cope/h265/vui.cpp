#include "cope/h265/vui.h"

namespace cope::h265 {
namespace {

/// hrd_parameters() as far as its sub-layers depend on it.
struct Hrd {
  bool nal_hrd_parameters_present_flag = false;
  bool vcl_hrd_parameters_present_flag = false;
  bool sub_pic_hrd_params_present_flag = false;
};

/// sub_layer_hrd_parameters(), E.2.3.
void skip_sub_layer_hrd(bits::BitReader& r, const Hrd& hrd, std::uint32_t cpb_cnt_minus1) noexcept {
  for (std::uint32_t i = 0; i <= cpb_cnt_minus1; ++i) {
    r.ue();  // bit_rate_value_minus1
    r.ue();  // cpb_size_value_minus1
    if (hrd.sub_pic_hrd_params_present_flag) {
      r.ue();  // cpb_size_du_value_minus1
      r.ue();  // bit_rate_du_value_minus1
    }
    r.skip(1);  // cbr_flag
  }
}

/// hrd_parameters(1, maxNumSubLayersMinus1), E.2.2: read to get past it. False when it makes no
/// sense.
bool skip_hrd_parameters(bits::BitReader& r, int maxNumSubLayersMinus1) noexcept {
  Hrd hrd;
  hrd.nal_hrd_parameters_present_flag = r.flag();
  hrd.vcl_hrd_parameters_present_flag = r.flag();
  if (hrd.nal_hrd_parameters_present_flag || hrd.vcl_hrd_parameters_present_flag) {
    hrd.sub_pic_hrd_params_present_flag = r.flag();
    // tick_divisor_minus2, du_cpb_removal_delay_increment_length_minus1,
    // sub_pic_cpb_params_in_pic_timing_sei_flag, dpb_output_delay_du_length_minus1
    if (hrd.sub_pic_hrd_params_present_flag) r.skip(8 + 5 + 1 + 5);
    r.skip(4 + 4);                                       // bit_rate_scale, cpb_size_scale
    if (hrd.sub_pic_hrd_params_present_flag) r.skip(4);  // cpb_size_du_scale
    // initial_cpb_removal_delay_length_minus1, au_cpb_removal_delay_length_minus1,
    // dpb_output_delay_length_minus1
    r.skip(5 + 5 + 5);
  }
  for (int i = 0; i <= maxNumSubLayersMinus1; ++i) {
    const bool fixed_pic_rate_general_flag = r.flag();
    const bool fixed_pic_rate_within_cvs_flag = fixed_pic_rate_general_flag || r.flag();
    bool low_delay_hrd_flag = false;
    if (fixed_pic_rate_within_cvs_flag) {
      r.ue();  // elemental_duration_in_tc_minus1
    } else {
      low_delay_hrd_flag = r.flag();
    }
    const std::uint32_t cpb_cnt_minus1 = low_delay_hrd_flag ? 0 : r.ue();
    if (cpb_cnt_minus1 > 31) return false;
    if (hrd.nal_hrd_parameters_present_flag) skip_sub_layer_hrd(r, hrd, cpb_cnt_minus1);
    if (hrd.vcl_hrd_parameters_present_flag) skip_sub_layer_hrd(r, hrd, cpb_cnt_minus1);
  }
  return !r.overrun();
}

void parse_video_signal_type(bits::BitReader& r, Vui& vui) noexcept {
  r.skip(3);  // video_format
  vui.video_full_range_flag = r.flag();
  if (r.flag()) {  // colour_description_present_flag
    vui.colour_primaries = static_cast<std::uint8_t>(r.u(8));
    vui.transfer_characteristics = static_cast<std::uint8_t>(r.u(8));
    vui.matrix_coeffs = static_cast<std::uint8_t>(r.u(8));
  }
}

}  // namespace

bool parse_vui(bits::BitReader& r, int sps_max_sub_layers_minus1, Vui& out) noexcept {
  if (r.flag()) {  // aspect_ratio_info_present_flag
    out.aspect_ratio_idc = static_cast<std::uint8_t>(r.u(8));
    if (out.aspect_ratio_idc == 255) {
      out.sar_width = static_cast<std::uint16_t>(r.u(16));
      out.sar_height = static_cast<std::uint16_t>(r.u(16));
    }
  }
  if (r.flag()) r.skip(1);  // overscan_info_present_flag, overscan_appropriate_flag
  if (r.flag()) parse_video_signal_type(r, out);  // video_signal_type_present_flag
  if (r.flag()) {                                 // chroma_loc_info_present_flag
    r.ue();                                       // chroma_sample_loc_type_top_field
    r.ue();                                       // chroma_sample_loc_type_bottom_field
  }
  r.skip(1);  // neutral_chroma_indication_flag
  out.field_seq_flag = r.flag();
  out.frame_field_info_present_flag = r.flag();
  if (r.flag()) {                        // default_display_window_flag
    for (int i = 0; i < 4; ++i) r.ue();  // def_disp_win_..._offset
  }
  if (r.flag()) {  // vui_timing_info_present_flag
    const std::uint32_t vui_num_units_in_tick = r.u(32);
    const std::uint32_t vui_time_scale = r.u(32);
    if (r.overrun()) return false;
    out.vui_timing_info_present_flag = true;
    out.vui_num_units_in_tick = vui_num_units_in_tick;
    out.vui_time_scale = vui_time_scale;
    if (r.flag()) r.ue();  // vui_poc_proportional_to_timing_flag, ..._num_ticks_poc_diff_one_minus1
    const bool vui_hrd_parameters_present_flag = r.flag();
    if (vui_hrd_parameters_present_flag && !skip_hrd_parameters(r, sps_max_sub_layers_minus1)) {
      return false;
    }
  }
  if (r.flag()) {  // bitstream_restriction_flag
    r.skip(3);     // tiles_fixed_structure_flag, motion_vectors_over_pic_boundaries_flag,
                   // restricted_ref_pic_lists_flag
    r.ue();        // min_spatial_segmentation_idc
    r.ue();        // max_bytes_per_pic_denom
    r.ue();        // max_bits_per_min_cu_denom
    r.ue();        // log2_max_mv_length_horizontal
    r.ue();        // log2_max_mv_length_vertical
  }
  return !r.overrun();
}

}  // namespace cope::h265
