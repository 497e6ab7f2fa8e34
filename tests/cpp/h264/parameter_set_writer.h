#pragma once

#include <cstdint>
#include <functional>

#include "bit_writer.h"

namespace cope::h264 {

/// A sequence parameter set in the order of 7.3.2.1.1. Defaults: 4:2:0, 8 bit, progressive, 64x48.
struct SpsSyntax {
  unsigned profile_idc = 77;
  unsigned constraint_set_flags = 0;  // 8 bits as coded
  unsigned level_idc = 30;
  unsigned seq_parameter_set_id = 0;
  unsigned chroma_format_idc = 1;
  bool separate_colour_plane_flag = false;
  unsigned bit_depth_luma_minus8 = 0;
  unsigned bit_depth_chroma_minus8 = 0;
  std::function<void(BitWriter&)> scaling_lists;  // present flags and lists
  unsigned log2_max_frame_num_minus4 = 0;
  unsigned pic_order_cnt_type = 0;
  unsigned log2_max_pic_order_cnt_lsb_minus4 = 0;
  std::function<void(BitWriter&)> pic_order_cnt_type_1;  // from delta_pic_order_always_zero_flag
  unsigned max_num_ref_frames = 2;
  bool gaps_in_frame_num_value_allowed_flag = false;
  std::uint64_t pic_width_in_mbs_minus1 = 3;
  std::uint64_t pic_height_in_map_units_minus1 = 2;
  bool frame_mbs_only_flag = true;
  bool mb_adaptive_frame_field_flag = false;
  bool direct_8x8_inference_flag = true;
  std::function<void(BitWriter&)> frame_cropping;  // four offsets
  std::function<void(BitWriter&)> vui;

  BitWriter write() const {
    BitWriter w;
    w.u(8, profile_idc).u(8, constraint_set_flags).u(8, level_idc).ue(seq_parameter_set_id);
    if (profile_idc >= 100) {
      w.ue(chroma_format_idc);
      if (chroma_format_idc == 3) w.flag(separate_colour_plane_flag);
      w.ue(bit_depth_luma_minus8).ue(bit_depth_chroma_minus8);
      w.flag(false);  // qpprime_y_zero_transform_bypass_flag
      w.flag(scaling_lists != nullptr);
      if (scaling_lists) scaling_lists(w);
    }
    w.ue(log2_max_frame_num_minus4).ue(pic_order_cnt_type);
    if (pic_order_cnt_type == 0) w.ue(log2_max_pic_order_cnt_lsb_minus4);
    if (pic_order_cnt_type == 1) pic_order_cnt_type_1(w);
    w.ue(max_num_ref_frames).flag(gaps_in_frame_num_value_allowed_flag);
    w.ue(pic_width_in_mbs_minus1).ue(pic_height_in_map_units_minus1).flag(frame_mbs_only_flag);
    if (!frame_mbs_only_flag) w.flag(mb_adaptive_frame_field_flag);
    w.flag(direct_8x8_inference_flag);
    w.flag(frame_cropping != nullptr);
    if (frame_cropping) frame_cropping(w);
    w.flag(vui != nullptr);
    if (vui) vui(w);
    return w.trailing();
  }
};

/// A picture parameter set in the order of 7.3.2.2.
struct PpsSyntax {
  unsigned pic_parameter_set_id = 0;
  unsigned seq_parameter_set_id = 0;
  bool entropy_coding_mode_flag = false;
  bool bottom_field_pic_order_in_frame_present_flag = false;
  std::function<void(BitWriter&)> slice_groups;  // from num_slice_groups_minus1; absent: one group
  unsigned num_ref_idx_l0_default_active_minus1 = 0;
  unsigned num_ref_idx_l1_default_active_minus1 = 0;
  bool weighted_pred_flag = false;
  unsigned weighted_bipred_idc = 0;
  int pic_init_qp_minus26 = 0;
  int pic_init_qs_minus26 = 0;
  int chroma_qp_index_offset = 0;
  bool deblocking_filter_control_present_flag = false;
  bool redundant_pic_cnt_present_flag = false;
  std::function<void(BitWriter&)> high_profile_fields;  // from transform_8x8_mode_flag

  BitWriter write() const {
    BitWriter w;
    w.ue(pic_parameter_set_id).ue(seq_parameter_set_id).flag(entropy_coding_mode_flag);
    w.flag(bottom_field_pic_order_in_frame_present_flag);
    if (slice_groups) {
      slice_groups(w);
    } else {
      w.ue(0);
    }
    w.ue(num_ref_idx_l0_default_active_minus1).ue(num_ref_idx_l1_default_active_minus1);
    w.flag(weighted_pred_flag).u(2, weighted_bipred_idc);
    w.se(pic_init_qp_minus26).se(pic_init_qs_minus26).se(chroma_qp_index_offset);
    w.flag(deblocking_filter_control_present_flag);
    w.flag(false);  // constrained_intra_pred_flag
    w.flag(redundant_pic_cnt_present_flag);
    if (high_profile_fields) high_profile_fields(w);
    return w.trailing();
  }
};

}  // namespace cope::h264
