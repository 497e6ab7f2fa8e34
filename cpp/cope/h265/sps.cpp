#include "cope/h265/sps.h"

#include <algorithm>

namespace cope::h265 {
namespace {

/// Reads the picture size and holds it against the limits.
Status parse_picture_size(bits::BitReader& r, const Limits& limits, Sps& sps) {
  const std::uint32_t pic_width_in_luma_samples = r.ue();
  const std::uint32_t pic_height_in_luma_samples = r.ue();
  COPE_REQUIRE(pic_width_in_luma_samples > 0, "pic_width_in_luma_samples", "H.265 7.4.3.2.1");
  COPE_REQUIRE(pic_height_in_luma_samples > 0, "pic_height_in_luma_samples", "H.265 7.4.3.2.1");
  const auto max_dimension = static_cast<std::int64_t>(limits.max_dimension);
  if (pic_width_in_luma_samples > max_dimension || pic_height_in_luma_samples > max_dimension) {
    return Status::limit("max_dimension");
  }
  if (std::int64_t{pic_width_in_luma_samples} * pic_height_in_luma_samples >
      limits.max_luma_samples) {
    return Status::limit("max_luma_samples");
  }
  // Larger values do not fit the 16-bit coordinates of primitives, whatever the limits say.
  COPE_REQUIRE(pic_width_in_luma_samples <= 65535 && pic_height_in_luma_samples <= 65535,
               "pic_width_in_luma_samples", "H.265 7.4.3.2.1");
  sps.pic_width_in_luma_samples = static_cast<std::uint16_t>(pic_width_in_luma_samples);
  sps.pic_height_in_luma_samples = static_cast<std::uint16_t>(pic_height_in_luma_samples);
  return {};
}

void parse_conformance_window(bits::BitReader& r, Sps& sps) noexcept {
  if (!r.flag()) return;  // conformance_window_flag
  const std::uint32_t left = r.ue();
  const std::uint32_t right = r.ue();
  const std::uint32_t top = r.ue();
  const std::uint32_t bottom = r.ue();
  const auto width = static_cast<std::uint64_t>(sps.pic_width_in_luma_samples / sps.SubWidthC);
  const auto height = static_cast<std::uint64_t>(sps.pic_height_in_luma_samples / sps.SubHeightC);
  if (std::uint64_t{left} + right >= width || std::uint64_t{top} + bottom >= height) return;
  sps.conf_win_left_offset = static_cast<std::uint16_t>(left);
  sps.conf_win_right_offset = static_cast<std::uint16_t>(right);
  sps.conf_win_top_offset = static_cast<std::uint16_t>(top);
  sps.conf_win_bottom_offset = static_cast<std::uint16_t>(bottom);
}

/// chroma_format_idc up to bit_depth_chroma_minus8.
Status parse_sample_format(bits::BitReader& r, const Limits& limits, Sps& sps) {
  const std::uint32_t chroma_format_idc = r.ue();
  COPE_REQUIRE(chroma_format_idc <= 3, "chroma_format_idc", "H.265 7.4.3.2.1");
  sps.chroma_format_idc = static_cast<std::uint8_t>(chroma_format_idc);
  if (chroma_format_idc == 3) sps.separate_colour_plane_flag = r.flag();
  if (sps.separate_colour_plane_flag) return Status::unsupported("separate_colour_plane_flag");
  sps.SubWidthC = chroma_format_idc == 1 || chroma_format_idc == 2 ? 2 : 1;
  sps.SubHeightC = chroma_format_idc == 1 ? 2 : 1;
  COPE_RETURN_IF_ERROR(parse_picture_size(r, limits, sps));
  parse_conformance_window(r, sps);
  const std::uint32_t bit_depth_luma_minus8 = r.ue();
  COPE_REQUIRE(bit_depth_luma_minus8 <= 8, "bit_depth_luma_minus8", "H.265 7.4.3.2.1");
  sps.bit_depth_luma_minus8 = static_cast<std::uint8_t>(bit_depth_luma_minus8);
  const std::uint32_t bit_depth_chroma_minus8 = r.ue();
  COPE_REQUIRE(bit_depth_chroma_minus8 <= 8, "bit_depth_chroma_minus8", "H.265 7.4.3.2.1");
  sps.bit_depth_chroma_minus8 = static_cast<std::uint8_t>(bit_depth_chroma_minus8);
  return {};
}

Status parse_sub_layer_ordering(bits::BitReader& r, const Limits& limits, Sps& sps) {
  const bool sps_sub_layer_ordering_info_present_flag = r.flag();
  const int last = sps.sps_max_sub_layers_minus1;
  const int first = sps_sub_layer_ordering_info_present_flag ? 0 : last;
  for (int i = first; i <= last; ++i) {
    const std::uint32_t sps_max_dec_pic_buffering_minus1 = r.ue();
    COPE_REQUIRE(sps_max_dec_pic_buffering_minus1 <= 15, "sps_max_dec_pic_buffering_minus1",
                 "H.265 7.4.3.2.1");
    if (static_cast<std::int32_t>(sps_max_dec_pic_buffering_minus1) > limits.max_references) {
      return Status::limit("max_references");
    }
    const std::uint32_t sps_max_num_reorder_pics = r.ue();
    COPE_REQUIRE(sps_max_num_reorder_pics <= 15, "sps_max_num_reorder_pics", "H.265 7.4.3.2.1");
    sps.sps_max_dec_pic_buffering_minus1[i] =
        static_cast<std::uint8_t>(sps_max_dec_pic_buffering_minus1);
    sps.sps_max_num_reorder_pics[i] = static_cast<std::uint8_t>(sps_max_num_reorder_pics);
    sps.sps_max_latency_increase_plus1[i] = r.ue();
  }
  for (int i = 0; i < first; ++i) {
    sps.sps_max_dec_pic_buffering_minus1[i] = sps.sps_max_dec_pic_buffering_minus1[last];
    sps.sps_max_num_reorder_pics[i] = sps.sps_max_num_reorder_pics[last];
    sps.sps_max_latency_increase_plus1[i] = sps.sps_max_latency_increase_plus1[last];
  }
  return {};
}

/// log2_min_luma_coding_block_size_minus3 up to max_transform_hierarchy_depth_intra.
Status parse_block_sizes(bits::BitReader& r, Sps& sps) {
  const std::uint32_t log2_min_luma_coding_block_size_minus3 = r.ue();
  COPE_REQUIRE(log2_min_luma_coding_block_size_minus3 <= 3,
               "log2_min_luma_coding_block_size_minus3", "H.265 7.4.3.2.1");
  const std::uint32_t log2_diff_max_min_luma_coding_block_size = r.ue();
  COPE_REQUIRE(log2_diff_max_min_luma_coding_block_size <= 3,
               "log2_diff_max_min_luma_coding_block_size", "H.265 7.4.3.2.1");
  const std::uint32_t log2_min_luma_transform_block_size_minus2 = r.ue();
  COPE_REQUIRE(log2_min_luma_transform_block_size_minus2 <= 3,
               "log2_min_luma_transform_block_size_minus2", "H.265 7.4.3.2.1");
  const std::uint32_t log2_diff_max_min_luma_transform_block_size = r.ue();
  COPE_REQUIRE(log2_diff_max_min_luma_transform_block_size <= 3,
               "log2_diff_max_min_luma_transform_block_size", "H.265 7.4.3.2.1");
  sps.log2_min_luma_coding_block_size_minus3 =
      static_cast<std::uint8_t>(log2_min_luma_coding_block_size_minus3);
  sps.log2_diff_max_min_luma_coding_block_size =
      static_cast<std::uint8_t>(log2_diff_max_min_luma_coding_block_size);
  sps.log2_min_luma_transform_block_size_minus2 =
      static_cast<std::uint8_t>(log2_min_luma_transform_block_size_minus2);
  sps.log2_diff_max_min_luma_transform_block_size =
      static_cast<std::uint8_t>(log2_diff_max_min_luma_transform_block_size);

  sps.MinCbLog2SizeY = sps.log2_min_luma_coding_block_size_minus3 + 3;
  sps.CtbLog2SizeY = sps.MinCbLog2SizeY + sps.log2_diff_max_min_luma_coding_block_size;
  sps.MinTbLog2SizeY = sps.log2_min_luma_transform_block_size_minus2 + 2;
  sps.MaxTbLog2SizeY = sps.MinTbLog2SizeY + sps.log2_diff_max_min_luma_transform_block_size;
  COPE_REQUIRE(sps.CtbLog2SizeY >= 4 && sps.CtbLog2SizeY <= 6,
               "log2_diff_max_min_luma_coding_block_size", "H.265 A.3");
  COPE_REQUIRE(sps.MinTbLog2SizeY < sps.MinCbLog2SizeY, "log2_min_luma_transform_block_size_minus2",
               "H.265 7.4.3.2.1");
  COPE_REQUIRE(sps.MaxTbLog2SizeY <= std::min(sps.CtbLog2SizeY, 5),
               "log2_diff_max_min_luma_transform_block_size", "H.265 7.4.3.2.1");
  const std::int32_t mask = sps.MinCbSizeY() - 1;
  COPE_REQUIRE((sps.pic_width_in_luma_samples & mask) == 0, "pic_width_in_luma_samples",
               "H.265 7.4.3.2.1");
  COPE_REQUIRE((sps.pic_height_in_luma_samples & mask) == 0, "pic_height_in_luma_samples",
               "H.265 7.4.3.2.1");
  sps.PicWidthInMinCbsY = sps.pic_width_in_luma_samples >> sps.MinCbLog2SizeY;
  sps.PicHeightInMinCbsY = sps.pic_height_in_luma_samples >> sps.MinCbLog2SizeY;
  const std::int32_t last = sps.CtbSizeY() - 1;
  sps.PicWidthInCtbsY = (sps.pic_width_in_luma_samples + last) >> sps.CtbLog2SizeY;
  sps.PicHeightInCtbsY = (sps.pic_height_in_luma_samples + last) >> sps.CtbLog2SizeY;
  sps.PicSizeInCtbsY = sps.PicWidthInCtbsY * sps.PicHeightInCtbsY;

  const auto max_depth = static_cast<std::uint32_t>(sps.CtbLog2SizeY - sps.MinTbLog2SizeY);
  const std::uint32_t max_transform_hierarchy_depth_inter = r.ue();
  COPE_REQUIRE(max_transform_hierarchy_depth_inter <= max_depth,
               "max_transform_hierarchy_depth_inter", "H.265 7.4.3.2.1");
  const std::uint32_t max_transform_hierarchy_depth_intra = r.ue();
  COPE_REQUIRE(max_transform_hierarchy_depth_intra <= max_depth,
               "max_transform_hierarchy_depth_intra", "H.265 7.4.3.2.1");
  sps.max_transform_hierarchy_depth_inter =
      static_cast<std::uint8_t>(max_transform_hierarchy_depth_inter);
  sps.max_transform_hierarchy_depth_intra =
      static_cast<std::uint8_t>(max_transform_hierarchy_depth_intra);
  return {};
}

/// pcm_sample_bit_depth_luma_minus1 up to pcm_loop_filter_disabled_flag.
Status parse_pcm(bits::BitReader& r, Sps& sps) {
  sps.pcm_sample_bit_depth_luma_minus1 = static_cast<std::uint8_t>(r.u(4));
  sps.pcm_sample_bit_depth_chroma_minus1 = static_cast<std::uint8_t>(r.u(4));
  COPE_REQUIRE(sps.PcmBitDepthY() <= sps.BitDepthY(), "pcm_sample_bit_depth_luma_minus1",
               "H.265 7.4.3.2.1");
  COPE_REQUIRE(sps.ChromaArrayType() == 0 || sps.PcmBitDepthC() <= sps.BitDepthC(),
               "pcm_sample_bit_depth_chroma_minus1", "H.265 7.4.3.2.1");
  const std::uint32_t log2_min_pcm_luma_coding_block_size_minus3 = r.ue();
  COPE_REQUIRE(log2_min_pcm_luma_coding_block_size_minus3 <= 2,
               "log2_min_pcm_luma_coding_block_size_minus3", "H.265 7.4.3.2.1");
  const std::uint32_t log2_diff_max_min_pcm_luma_coding_block_size = r.ue();
  COPE_REQUIRE(log2_diff_max_min_pcm_luma_coding_block_size <= 2,
               "log2_diff_max_min_pcm_luma_coding_block_size", "H.265 7.4.3.2.1");
  sps.log2_min_pcm_luma_coding_block_size_minus3 =
      static_cast<std::uint8_t>(log2_min_pcm_luma_coding_block_size_minus3);
  sps.log2_diff_max_min_pcm_luma_coding_block_size =
      static_cast<std::uint8_t>(log2_diff_max_min_pcm_luma_coding_block_size);
  sps.Log2MinIpcmCbSizeY = sps.log2_min_pcm_luma_coding_block_size_minus3 + 3;
  sps.Log2MaxIpcmCbSizeY =
      sps.Log2MinIpcmCbSizeY + sps.log2_diff_max_min_pcm_luma_coding_block_size;
  COPE_REQUIRE(sps.Log2MinIpcmCbSizeY >= std::min(sps.MinCbLog2SizeY, 5),
               "log2_min_pcm_luma_coding_block_size_minus3", "H.265 7.4.3.2.1");
  COPE_REQUIRE(sps.Log2MaxIpcmCbSizeY <= std::min(sps.CtbLog2SizeY, 5),
               "log2_diff_max_min_pcm_luma_coding_block_size", "H.265 7.4.3.2.1");
  sps.pcm_loop_filter_disabled_flag = r.flag();
  return {};
}

/// num_short_term_ref_pic_sets up to used_by_curr_pic_lt_sps_flag.
Status parse_ref_pic_sets(bits::BitReader& r, Sps& sps) {
  const std::uint32_t num_short_term_ref_pic_sets = r.ue();
  COPE_REQUIRE(num_short_term_ref_pic_sets <= 64, "num_short_term_ref_pic_sets", "H.265 7.4.3.2.1");
  sps.num_short_term_ref_pic_sets = static_cast<std::uint8_t>(num_short_term_ref_pic_sets);
  sps.short_term_ref_pic_set.resize(num_short_term_ref_pic_sets);
  for (int i = 0; i < sps.num_short_term_ref_pic_sets; ++i) {
    COPE_RETURN_IF_ERROR(parse_st_ref_pic_set(
        r, i, sps.short_term_ref_pic_set.data(), sps.num_short_term_ref_pic_sets,
        sps.short_term_ref_pic_set[static_cast<unsigned>(i)]));
  }
  sps.long_term_ref_pics_present_flag = r.flag();
  if (!sps.long_term_ref_pics_present_flag) return {};
  const std::uint32_t num_long_term_ref_pics_sps = r.ue();
  COPE_REQUIRE(num_long_term_ref_pics_sps <= 32, "num_long_term_ref_pics_sps", "H.265 7.4.3.2.1");
  sps.num_long_term_ref_pics_sps = static_cast<std::uint8_t>(num_long_term_ref_pics_sps);
  for (std::uint32_t i = 0; i < num_long_term_ref_pics_sps; ++i) {
    sps.lt_ref_pic_poc_lsb_sps[i] =
        static_cast<std::uint16_t>(r.u(sps.log2_max_pic_order_cnt_lsb_minus4 + 4u));
    sps.used_by_curr_pic_lt_sps_flag[i] = r.flag();
  }
  return {};
}

void parse_range_extension(bits::BitReader& r, SpsRangeExtension& range) noexcept {
  range.transform_skip_rotation_enabled_flag = r.flag();
  range.transform_skip_context_enabled_flag = r.flag();
  range.implicit_rdpcm_enabled_flag = r.flag();
  range.explicit_rdpcm_enabled_flag = r.flag();
  range.extended_precision_processing_flag = r.flag();
  range.intra_smoothing_disabled_flag = r.flag();
  range.high_precision_offsets_enabled_flag = r.flag();
  range.persistent_rice_adaptation_enabled_flag = r.flag();
  range.cabac_bypass_alignment_enabled_flag = r.flag();
}

/// sps_3d_extension(), 7.3.2.2.5: tools of depth and of dependent views, none of layer 0.
void skip_3d_extension(bits::BitReader& r) noexcept {
  r.skip(2);  // iv_di_mc_enabled_flag, iv_mv_scal_enabled_flag [0]
  r.ue();     // log2_ivmc_sub_pb_size_minus3 [0]
  r.skip(4);  // iv_res_pred_enabled_flag .. dbbp_enabled_flag [0]
  r.skip(3);  // iv_di_mc_enabled_flag, iv_mv_scal_enabled_flag, tex_mc_enabled_flag [1]
  r.ue();     // log2_texmc_sub_pb_size_minus3 [1]
  r.skip(5);  // intra_contour_enabled_flag .. skip_intra_enabled_flag [1]
}

/// sps_scc_extension(), 7.3.2.2.3.
Status parse_scc_extension(bits::BitReader& r) {
  if (r.flag()) return Status::unsupported("sps_curr_pic_ref_enabled_flag");
  if (r.flag()) return Status::unsupported("palette_mode_enabled_flag");
  const std::uint32_t motion_vector_resolution_control_idc = r.u(2);
  if (motion_vector_resolution_control_idc != 0) {
    return Status::unsupported("motion_vector_resolution_control_idc");
  }
  r.skip(1);  // intra_boundary_filtering_disabled_flag
  return {};
}

Status parse_extensions(bits::BitReader& r, Sps& sps) {
  const bool sps_range_extension_flag = r.flag();
  const bool sps_multilayer_extension_flag = r.flag();
  const bool sps_3d_extension_flag = r.flag();
  const bool sps_scc_extension_flag = r.flag();
  r.skip(4);  // sps_extension_4bits: what follows them then is left alone
  if (sps_range_extension_flag) parse_range_extension(r, sps.range);
  if (sps_multilayer_extension_flag) r.skip(1);  // inter_view_mv_vert_constraint_flag
  if (sps_3d_extension_flag) skip_3d_extension(r);
  if (sps_scc_extension_flag) COPE_RETURN_IF_ERROR(parse_scc_extension(r));
  COPE_REQUIRE(!r.overrun(), "rbsp_overrun", "H.265 7.3.2.2");
  return {};
}

}  // namespace

Status parse_sps(bits::BitReader& r, const Limits& limits, Sps& out) {
  out = Sps{};
  out.sps_video_parameter_set_id = static_cast<std::uint8_t>(r.u(4));
  out.sps_max_sub_layers_minus1 = static_cast<std::uint8_t>(r.u(3));
  COPE_REQUIRE(out.sps_max_sub_layers_minus1 <= 6, "sps_max_sub_layers_minus1", "H.265 7.4.3.2.1");
  out.sps_temporal_id_nesting_flag = r.flag();
  COPE_RETURN_IF_ERROR(
      parse_profile_tier_level(r, true, out.sps_max_sub_layers_minus1, out.profile_tier_level));
  const std::uint32_t sps_seq_parameter_set_id = r.ue();
  COPE_REQUIRE(sps_seq_parameter_set_id <= 15, "sps_seq_parameter_set_id", "H.265 7.4.3.2.1");
  out.sps_seq_parameter_set_id = static_cast<std::uint8_t>(sps_seq_parameter_set_id);
  COPE_RETURN_IF_ERROR(parse_sample_format(r, limits, out));
  const std::uint32_t log2_max_pic_order_cnt_lsb_minus4 = r.ue();
  COPE_REQUIRE(log2_max_pic_order_cnt_lsb_minus4 <= 12, "log2_max_pic_order_cnt_lsb_minus4",
               "H.265 7.4.3.2.1");
  out.log2_max_pic_order_cnt_lsb_minus4 =
      static_cast<std::uint8_t>(log2_max_pic_order_cnt_lsb_minus4);
  COPE_RETURN_IF_ERROR(parse_sub_layer_ordering(r, limits, out));
  COPE_RETURN_IF_ERROR(parse_block_sizes(r, out));
  out.scaling_list_enabled_flag = r.flag();
  if (out.scaling_list_enabled_flag) {
    set_default_scaling_list(out.scaling_list);
    out.sps_scaling_list_data_present_flag = r.flag();
    if (out.sps_scaling_list_data_present_flag) {
      COPE_RETURN_IF_ERROR(parse_scaling_list_data(r, out.scaling_list));
    }
  }
  out.amp_enabled_flag = r.flag();
  out.sample_adaptive_offset_enabled_flag = r.flag();
  out.pcm_enabled_flag = r.flag();
  if (out.pcm_enabled_flag) COPE_RETURN_IF_ERROR(parse_pcm(r, out));
  COPE_RETURN_IF_ERROR(parse_ref_pic_sets(r, out));
  out.sps_temporal_mvp_enabled_flag = r.flag();
  out.strong_intra_smoothing_enabled_flag = r.flag();
  COPE_REQUIRE(!r.overrun(), "rbsp_overrun", "H.265 7.3.2.2");
  out.vui_parameters_present_flag = r.flag();
  if (out.vui_parameters_present_flag && !parse_vui(r, out.sps_max_sub_layers_minus1, out.vui)) {
    return {};
  }
  const bool sps_extension_present_flag = r.flag();
  if (sps_extension_present_flag) COPE_RETURN_IF_ERROR(parse_extensions(r, out));
  return {};
}

}  // namespace cope::h265
