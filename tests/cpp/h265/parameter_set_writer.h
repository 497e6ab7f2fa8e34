#pragma once

#include <cstdint>
#include <functional>

#include "bit_writer.h"

namespace cope::h265 {

/// profile_tier_level(1, max_sub_layers_minus1) of the Main profile, every sub-layer with both of
/// its parts.
inline void write_profile_tier_level(BitWriter& w, unsigned max_sub_layers_minus1) {
  const auto profile = [&w] {
    w.u(2, 0).u(1, 0).u(5, 1).u(32, 0x60000000).u(4, 0b1001).u(32, 0).u(12, 0);
  };
  profile();
  w.u(8, 93);
  if (max_sub_layers_minus1 == 0) return;
  for (unsigned i = 0; i < 8; ++i) w.u(2, i < max_sub_layers_minus1 ? 3 : 0);
  for (unsigned i = 0; i < max_sub_layers_minus1; ++i) {
    profile();
    w.u(8, 60);
  }
}

/// A video parameter set in the order of 7.3.2.1.
struct VpsSyntax {
  unsigned vps_video_parameter_set_id = 0;
  unsigned vps_max_layers_minus1 = 0;
  unsigned vps_max_sub_layers_minus1 = 0;
  unsigned vps_max_layer_id = 0;
  unsigned vps_num_layer_sets_minus1 = 0;
  std::function<void(BitWriter&)> timing;  // from vps_num_units_in_tick

  BitWriter write() const {
    BitWriter w;
    w.u(4, vps_video_parameter_set_id).u(2, 3).u(6, vps_max_layers_minus1);
    w.u(3, vps_max_sub_layers_minus1).flag(true).u(16, 0xffff);
    write_profile_tier_level(w, vps_max_sub_layers_minus1);
    w.flag(true);
    for (unsigned i = 0; i <= vps_max_sub_layers_minus1; ++i) w.ue(4).ue(2).ue(0);
    w.u(6, vps_max_layer_id).ue(vps_num_layer_sets_minus1);
    for (unsigned i = 0; i < vps_num_layer_sets_minus1; ++i) {
      for (unsigned j = 0; j <= vps_max_layer_id; ++j) w.flag(true);
    }
    w.flag(timing != nullptr);
    if (timing) timing(w);
    w.flag(false);  // vps_extension_flag
    return w.trailing();
  }
};

/// A sequence parameter set in the order of 7.3.2.2. Defaults: 4:2:0, 8 bit, 64x48, coding blocks
/// of 8 to 16, one short-term set {-1}.
struct SpsSyntax {
  unsigned sps_max_sub_layers_minus1 = 0;
  unsigned sps_seq_parameter_set_id = 0;
  unsigned chroma_format_idc = 1;
  bool separate_colour_plane_flag = false;
  std::uint64_t pic_width_in_luma_samples = 64;
  std::uint64_t pic_height_in_luma_samples = 48;
  std::function<void(BitWriter&)> conformance_window;  // four offsets
  unsigned bit_depth_luma_minus8 = 0;
  unsigned bit_depth_chroma_minus8 = 0;
  unsigned log2_max_pic_order_cnt_lsb_minus4 = 0;
  unsigned log2_min_luma_coding_block_size_minus3 = 0;
  unsigned log2_diff_max_min_luma_coding_block_size = 1;
  unsigned log2_min_luma_transform_block_size_minus2 = 0;
  unsigned log2_diff_max_min_luma_transform_block_size = 2;
  unsigned max_transform_hierarchy_depth_inter = 1;
  unsigned max_transform_hierarchy_depth_intra = 2;
  bool scaling_list_enabled_flag = false;
  std::function<void(BitWriter&)> scaling_list_data;
  bool amp_enabled_flag = false;
  bool sample_adaptive_offset_enabled_flag = false;
  std::function<void(BitWriter&)> pcm;                      // from pcm_sample_bit_depth_luma_minus1
  std::function<void(BitWriter&)> short_term_ref_pic_sets;  // from num_short_term_ref_pic_sets
  std::function<void(BitWriter&)> long_term_ref_pics;       // from num_long_term_ref_pics_sps
  bool sps_temporal_mvp_enabled_flag = false;
  std::function<void(BitWriter&)> vui;
  std::function<void(BitWriter&)> extensions;  // from sps_range_extension_flag

  BitWriter write() const {
    BitWriter w;
    w.u(4, 0).u(3, sps_max_sub_layers_minus1).flag(true);
    write_profile_tier_level(w, sps_max_sub_layers_minus1);
    w.ue(sps_seq_parameter_set_id).ue(chroma_format_idc);
    if (chroma_format_idc == 3) w.flag(separate_colour_plane_flag);
    w.ue(pic_width_in_luma_samples).ue(pic_height_in_luma_samples);
    w.flag(conformance_window != nullptr);
    if (conformance_window) conformance_window(w);
    w.ue(bit_depth_luma_minus8).ue(bit_depth_chroma_minus8).ue(log2_max_pic_order_cnt_lsb_minus4);
    w.flag(false).ue(4).ue(2).ue(0);  // of the highest sub-layer alone
    w.ue(log2_min_luma_coding_block_size_minus3).ue(log2_diff_max_min_luma_coding_block_size);
    w.ue(log2_min_luma_transform_block_size_minus2);
    w.ue(log2_diff_max_min_luma_transform_block_size);
    w.ue(max_transform_hierarchy_depth_inter).ue(max_transform_hierarchy_depth_intra);
    w.flag(scaling_list_enabled_flag);
    if (scaling_list_enabled_flag) {
      w.flag(scaling_list_data != nullptr);
      if (scaling_list_data) scaling_list_data(w);
    }
    w.flag(amp_enabled_flag).flag(sample_adaptive_offset_enabled_flag).flag(pcm != nullptr);
    if (pcm) pcm(w);
    if (short_term_ref_pic_sets) {
      short_term_ref_pic_sets(w);
    } else {
      w.ue(1).ue(1).ue(0).ue(0).flag(true);
    }
    w.flag(long_term_ref_pics != nullptr);
    if (long_term_ref_pics) long_term_ref_pics(w);
    w.flag(sps_temporal_mvp_enabled_flag).flag(false);
    w.flag(vui != nullptr);
    if (vui) vui(w);
    w.flag(extensions != nullptr);
    if (extensions) extensions(w);
    return w.trailing();
  }
};

/// A picture parameter set in the order of 7.3.2.3.
struct PpsSyntax {
  unsigned pps_pic_parameter_set_id = 0;
  unsigned pps_seq_parameter_set_id = 0;
  bool dependent_slice_segments_enabled_flag = false;
  bool output_flag_present_flag = false;
  unsigned num_extra_slice_header_bits = 0;
  bool cabac_init_present_flag = false;
  unsigned num_ref_idx_l0_default_active_minus1 = 0;
  unsigned num_ref_idx_l1_default_active_minus1 = 0;
  int init_qp_minus26 = 0;
  bool transform_skip_enabled_flag = false;
  int diff_cu_qp_delta_depth = -1;  // -1: cu_qp_delta_enabled_flag 0
  int pps_cb_qp_offset = 0;
  bool pps_slice_chroma_qp_offsets_present_flag = false;
  bool weighted_pred_flag = false;
  bool weighted_bipred_flag = false;
  bool entropy_coding_sync_enabled_flag = false;
  std::function<void(BitWriter&)> tiles;  // from num_tile_columns_minus1 to the explicit sizes
  bool pps_loop_filter_across_slices_enabled_flag = false;
  std::function<void(BitWriter&)> deblocking;  // from deblocking_filter_override_enabled_flag
  std::function<void(BitWriter&)> scaling_list_data;
  bool lists_modification_present_flag = false;
  unsigned log2_parallel_merge_level_minus2 = 0;
  bool slice_segment_header_extension_present_flag = false;
  std::function<void(BitWriter&)> extensions;  // from pps_range_extension_flag

  BitWriter write() const {
    BitWriter w;
    w.ue(pps_pic_parameter_set_id).ue(pps_seq_parameter_set_id);
    w.flag(dependent_slice_segments_enabled_flag).flag(output_flag_present_flag);
    w.u(3, num_extra_slice_header_bits).flag(false).flag(cabac_init_present_flag);
    w.ue(num_ref_idx_l0_default_active_minus1).ue(num_ref_idx_l1_default_active_minus1);
    w.se(init_qp_minus26).flag(false).flag(transform_skip_enabled_flag);
    w.flag(diff_cu_qp_delta_depth >= 0);
    if (diff_cu_qp_delta_depth >= 0) w.ue(static_cast<unsigned>(diff_cu_qp_delta_depth));
    w.se(pps_cb_qp_offset).se(0).flag(pps_slice_chroma_qp_offsets_present_flag);
    w.flag(weighted_pred_flag).flag(weighted_bipred_flag).flag(false);
    w.flag(tiles != nullptr).flag(entropy_coding_sync_enabled_flag);
    if (tiles) {
      tiles(w);
      w.flag(true);  // loop_filter_across_tiles_enabled_flag
    }
    w.flag(pps_loop_filter_across_slices_enabled_flag).flag(deblocking != nullptr);
    if (deblocking) deblocking(w);
    w.flag(scaling_list_data != nullptr);
    if (scaling_list_data) scaling_list_data(w);
    w.flag(lists_modification_present_flag).ue(log2_parallel_merge_level_minus2);
    w.flag(slice_segment_header_extension_present_flag).flag(extensions != nullptr);
    if (extensions) extensions(w);
    return w.trailing();
  }
};

}  // namespace cope::h265
