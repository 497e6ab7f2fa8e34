#include "cope/h264/sps.h"

namespace cope::h264 {
namespace {

/// Profiles whose SPS holds chroma format, bit depths and scaling lists (7.3.2.1.1).
bool has_high_profile_fields(std::uint8_t profile_idc) noexcept {
  switch (profile_idc) {
    case 44:
    case 83:
    case 86:
    case 100:
    case 110:
    case 118:
    case 122:
    case 128:
    case 134:
    case 135:
    case 138:
    case 139:
    case 244:
      return true;
    default:
      return false;
  }
}

/// hrd_parameters(), E.1.2, of which only the lengths of delays matter. False when it makes no
/// sense.
bool parse_hrd_parameters(bits::BitReader& r, Vui& vui) noexcept {
  const std::uint32_t cpb_cnt_minus1 = r.ue();
  if (cpb_cnt_minus1 > 31) return false;
  r.skip(4 + 4);  // bit_rate_scale, cpb_size_scale
  for (std::uint32_t i = 0; i <= cpb_cnt_minus1; ++i) {
    r.ue();     // bit_rate_value_minus1
    r.ue();     // cpb_size_value_minus1
    r.skip(1);  // cbr_flag
  }
  r.skip(5);  // initial_cpb_removal_delay_length_minus1
  const std::uint32_t cpb_removal_delay_length_minus1 = r.u(5);
  const std::uint32_t dpb_output_delay_length_minus1 = r.u(5);
  r.skip(5);  // time_offset_length
  if (r.overrun()) return false;
  vui.CpbDpbDelaysPresentFlag = true;
  vui.cpb_removal_delay_length_minus1 = static_cast<std::uint8_t>(cpb_removal_delay_length_minus1);
  vui.dpb_output_delay_length_minus1 = static_cast<std::uint8_t>(dpb_output_delay_length_minus1);
  return true;
}

/// vui_parameters(), E.1.1. Whatever cannot be read whole is left absent.
void parse_vui(bits::BitReader r, Vui& vui) noexcept {
  if (r.flag()) {  // aspect_ratio_info_present_flag
    vui.aspect_ratio_idc = static_cast<std::uint8_t>(r.u(8));
    if (vui.aspect_ratio_idc == 255) {
      vui.sar_width = static_cast<std::uint16_t>(r.u(16));
      vui.sar_height = static_cast<std::uint16_t>(r.u(16));
    }
  }
  if (r.flag()) r.skip(1);  // overscan_info_present_flag, overscan_appropriate_flag
  if (r.flag()) {           // video_signal_type_present_flag
    r.skip(3);              // video_format
    vui.video_full_range_flag = r.flag();
    if (r.flag()) {  // colour_description_present_flag
      vui.colour_primaries = static_cast<std::uint8_t>(r.u(8));
      vui.transfer_characteristics = static_cast<std::uint8_t>(r.u(8));
      vui.matrix_coefficients = static_cast<std::uint8_t>(r.u(8));
    }
  }
  if (r.flag()) {  // chroma_loc_info_present_flag
    r.ue();        // chroma_sample_loc_type_top_field
    r.ue();        // chroma_sample_loc_type_bottom_field
  }
  const bool timing_info_present_flag = r.flag();
  if (timing_info_present_flag) {
    const std::uint32_t num_units_in_tick = r.u(32);
    const std::uint32_t time_scale = r.u(32);
    const bool fixed_frame_rate_flag = r.flag();
    if (r.overrun()) return;
    vui.timing_info_present_flag = true;
    vui.num_units_in_tick = num_units_in_tick;
    vui.time_scale = time_scale;
    vui.fixed_frame_rate_flag = fixed_frame_rate_flag;
  }
  const bool nal_hrd_parameters_present_flag = r.flag();
  if (nal_hrd_parameters_present_flag && !parse_hrd_parameters(r, vui)) return;
  const bool vcl_hrd_parameters_present_flag = r.flag();
  if (vcl_hrd_parameters_present_flag && !parse_hrd_parameters(r, vui)) return;
  if (nal_hrd_parameters_present_flag || vcl_hrd_parameters_present_flag) {
    r.skip(1);  // low_delay_hrd_flag
  }
  vui.pic_struct_present_flag = r.flag();
  if (r.flag()) {  // bitstream_restriction_flag
    r.skip(1);     // motion_vectors_over_pic_boundaries_flag
    r.ue();        // max_bytes_per_pic_denom
    r.ue();        // max_bits_per_mb_denom
    r.ue();        // log2_max_mv_length_horizontal
    r.ue();        // log2_max_mv_length_vertical
    const std::uint32_t max_num_reorder_frames = r.ue();
    const std::uint32_t max_dec_frame_buffering = r.ue();
    if (r.overrun() || max_dec_frame_buffering > 16 ||
        max_num_reorder_frames > max_dec_frame_buffering) {
      return;
    }
    vui.bitstream_restriction_flag = true;
    vui.max_num_reorder_frames = max_num_reorder_frames;
    vui.max_dec_frame_buffering = max_dec_frame_buffering;
  }
}

Status parse_high_profile_fields(bits::BitReader& r, Sps& sps) {
  const std::uint32_t chroma_format_idc = r.ue();
  COPE_REQUIRE(chroma_format_idc <= 3, "chroma_format_idc", "H.264 7.4.2.1.1");
  sps.chroma_format_idc = static_cast<std::uint8_t>(chroma_format_idc);
  if (chroma_format_idc == 3) sps.separate_colour_plane_flag = r.flag();
  const std::uint32_t bit_depth_luma_minus8 = r.ue();
  COPE_REQUIRE(bit_depth_luma_minus8 <= 6, "bit_depth_luma_minus8", "H.264 7.4.2.1.1");
  sps.bit_depth_luma_minus8 = static_cast<std::uint8_t>(bit_depth_luma_minus8);
  const std::uint32_t bit_depth_chroma_minus8 = r.ue();
  COPE_REQUIRE(bit_depth_chroma_minus8 <= 6, "bit_depth_chroma_minus8", "H.264 7.4.2.1.1");
  sps.bit_depth_chroma_minus8 = static_cast<std::uint8_t>(bit_depth_chroma_minus8);
  sps.qpprime_y_zero_transform_bypass_flag = r.flag();
  sps.seq_scaling_matrix_present_flag = r.flag();
  if (sps.seq_scaling_matrix_present_flag) {
    COPE_RETURN_IF_ERROR(
        parse_scaling_lists(r, sps.chroma_format_idc != 3 ? 8 : 12, sps.scaling_lists));
  }
  return {};
}

Status parse_pic_order_cnt_fields(bits::BitReader& r, Sps& sps) {
  const std::uint32_t pic_order_cnt_type = r.ue();
  COPE_REQUIRE(pic_order_cnt_type <= 2, "pic_order_cnt_type", "H.264 7.4.2.1.1");
  sps.pic_order_cnt_type = static_cast<std::uint8_t>(pic_order_cnt_type);
  if (pic_order_cnt_type == 0) {
    const std::uint32_t log2_max_pic_order_cnt_lsb_minus4 = r.ue();
    COPE_REQUIRE(log2_max_pic_order_cnt_lsb_minus4 <= 12, "log2_max_pic_order_cnt_lsb_minus4",
                 "H.264 7.4.2.1.1");
    sps.log2_max_pic_order_cnt_lsb_minus4 =
        static_cast<std::uint8_t>(log2_max_pic_order_cnt_lsb_minus4);
  } else if (pic_order_cnt_type == 1) {
    sps.delta_pic_order_always_zero_flag = r.flag();
    sps.offset_for_non_ref_pic = r.se();
    sps.offset_for_top_to_bottom_field = r.se();
    const std::uint32_t num_ref_frames_in_pic_order_cnt_cycle = r.ue();
    COPE_REQUIRE(num_ref_frames_in_pic_order_cnt_cycle <= 255,
                 "num_ref_frames_in_pic_order_cnt_cycle", "H.264 7.4.2.1.1");
    sps.num_ref_frames_in_pic_order_cnt_cycle =
        static_cast<std::uint8_t>(num_ref_frames_in_pic_order_cnt_cycle);
    for (std::uint32_t i = 0; i < num_ref_frames_in_pic_order_cnt_cycle; ++i) {
      sps.offset_for_ref_frame[i] = r.se();
    }
  }
  return {};
}

/// Reads the picture size and holds it against the limits.
Status parse_picture_size(bits::BitReader& r, const Limits& limits, Sps& sps) {
  const std::uint32_t pic_width_in_mbs_minus1 = r.ue();
  const std::uint32_t pic_height_in_map_units_minus1 = r.ue();
  sps.frame_mbs_only_flag = r.flag();
  COPE_REQUIRE(!r.overrun(), "rbsp_overrun", "H.264 7.3.2.1.1");
  const std::int64_t width = 16 * (std::int64_t{pic_width_in_mbs_minus1} + 1);
  const std::int64_t height =
      (sps.frame_mbs_only_flag ? 16 : 32) * (std::int64_t{pic_height_in_map_units_minus1} + 1);
  if (width > limits.max_dimension || height > limits.max_dimension) {
    return Status::limit("max_dimension");
  }
  if (width * height > limits.max_luma_samples) return Status::limit("max_luma_samples");
  // Larger values fit neither these fields nor the 16-bit coordinates of primitives, whatever the
  // limits say.
  COPE_REQUIRE(width <= 65536 && height <= 65536, "pic_width_in_mbs_minus1", "H.264 7.4.2.1.1");
  sps.pic_width_in_mbs_minus1 = static_cast<std::uint16_t>(pic_width_in_mbs_minus1);
  sps.pic_height_in_map_units_minus1 = static_cast<std::uint16_t>(pic_height_in_map_units_minus1);
  return {};
}

void parse_frame_cropping(bits::BitReader& r, Sps& sps) noexcept {
  sps.frame_cropping_flag = r.flag();
  if (!sps.frame_cropping_flag) return;
  const std::uint32_t left = r.ue();
  const std::uint32_t right = r.ue();
  const std::uint32_t top = r.ue();
  const std::uint32_t bottom = r.ue();
  const std::uint64_t width =
      static_cast<std::uint64_t>(16 * sps.PicWidthInMbs() / sps.CropUnitX());
  const std::uint64_t height =
      static_cast<std::uint64_t>(16 * sps.FrameHeightInMbs() / sps.CropUnitY());
  if (std::uint64_t{left} + right >= width || std::uint64_t{top} + bottom >= height) {
    sps.frame_cropping_flag = false;
    return;
  }
  sps.frame_crop_left_offset = static_cast<std::uint16_t>(left);
  sps.frame_crop_right_offset = static_cast<std::uint16_t>(right);
  sps.frame_crop_top_offset = static_cast<std::uint16_t>(top);
  sps.frame_crop_bottom_offset = static_cast<std::uint16_t>(bottom);
}

}  // namespace

Status parse_sps(bits::BitReader& r, const Limits& limits, Sps& out) {
  out = Sps{};
  out.profile_idc = static_cast<std::uint8_t>(r.u(8));
  for (unsigned i = 0; i < 6; ++i) {
    out.constraint_set_flags = static_cast<std::uint8_t>(out.constraint_set_flags | (r.u(1) << i));
  }
  r.skip(2);  // reserved_zero_2bits
  out.level_idc = static_cast<std::uint8_t>(r.u(8));
  const std::uint32_t seq_parameter_set_id = r.ue();
  COPE_REQUIRE(seq_parameter_set_id <= 31, "seq_parameter_set_id", "H.264 7.4.2.1.1");
  out.seq_parameter_set_id = static_cast<std::uint8_t>(seq_parameter_set_id);
  if (has_high_profile_fields(out.profile_idc)) {
    COPE_RETURN_IF_ERROR(parse_high_profile_fields(r, out));
  }
  const std::uint32_t log2_max_frame_num_minus4 = r.ue();
  COPE_REQUIRE(log2_max_frame_num_minus4 <= 12, "log2_max_frame_num_minus4", "H.264 7.4.2.1.1");
  out.log2_max_frame_num_minus4 = static_cast<std::uint8_t>(log2_max_frame_num_minus4);
  COPE_RETURN_IF_ERROR(parse_pic_order_cnt_fields(r, out));
  const std::uint32_t max_num_ref_frames = r.ue();
  COPE_REQUIRE(max_num_ref_frames <= 16, "max_num_ref_frames", "H.264 A.3.1");
  if (static_cast<std::int32_t>(max_num_ref_frames) > limits.max_references) {
    return Status::limit("max_references");
  }
  out.max_num_ref_frames = static_cast<std::uint8_t>(max_num_ref_frames);
  out.gaps_in_frame_num_value_allowed_flag = r.flag();
  COPE_RETURN_IF_ERROR(parse_picture_size(r, limits, out));
  if (!out.frame_mbs_only_flag) out.mb_adaptive_frame_field_flag = r.flag();
  out.direct_8x8_inference_flag = r.flag();
  COPE_REQUIRE(out.frame_mbs_only_flag || out.direct_8x8_inference_flag,
               "direct_8x8_inference_flag", "H.264 7.4.2.1.1");
  parse_frame_cropping(r, out);
  COPE_REQUIRE(!r.overrun(), "rbsp_overrun", "H.264 7.3.2.1.1");
  out.vui_parameters_present_flag = r.flag();
  if (out.vui_parameters_present_flag && !r.overrun()) parse_vui(r, out.vui);
  return {};
}

bool is_same_sequence(const Sps& a, const Sps& b) noexcept {
  return a.chroma_format_idc == b.chroma_format_idc &&
         a.separate_colour_plane_flag == b.separate_colour_plane_flag &&
         a.log2_max_frame_num_minus4 == b.log2_max_frame_num_minus4 &&
         a.pic_order_cnt_type == b.pic_order_cnt_type &&
         a.log2_max_pic_order_cnt_lsb_minus4 == b.log2_max_pic_order_cnt_lsb_minus4 &&
         a.max_num_ref_frames == b.max_num_ref_frames &&
         a.pic_width_in_mbs_minus1 == b.pic_width_in_mbs_minus1 &&
         a.pic_height_in_map_units_minus1 == b.pic_height_in_map_units_minus1 &&
         a.frame_mbs_only_flag == b.frame_mbs_only_flag;
}

}  // namespace cope::h264
