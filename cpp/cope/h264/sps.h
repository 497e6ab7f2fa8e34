#pragma once

#include <cstdint>
#include <span>

#include "cope/base/limits.h"
#include "cope/base/status.h"
#include "cope/bits/bit_reader.h"
#include "cope/h264/scaling_list.h"

namespace cope::h264 {

/// The part of vui_parameters() (E.1.1) that tells something about pictures.
struct Vui {
  std::uint8_t aspect_ratio_idc = 0;  // 0..255, 255 Extended_SAR
  std::uint16_t sar_width = 0;        // aspect_ratio_idc 255
  std::uint16_t sar_height = 0;       // aspect_ratio_idc 255
  bool video_full_range_flag = false;
  std::uint8_t colour_primaries = 2;          // 0..255, 2 unspecified
  std::uint8_t transfer_characteristics = 2;  // 0..255, 2 unspecified
  std::uint8_t matrix_coefficients = 2;       // 0..255, 2 unspecified
  bool timing_info_present_flag = false;
  std::uint32_t num_units_in_tick = 0;  // timing_info_present_flag
  std::uint32_t time_scale = 0;         // timing_info_present_flag
  bool fixed_frame_rate_flag = false;
  bool CpbDpbDelaysPresentFlag = false;               // HRD parameters of either kind are there
  std::uint8_t cpb_removal_delay_length_minus1 = 23;  // 0..31
  std::uint8_t dpb_output_delay_length_minus1 = 23;   // 0..31
  bool pic_struct_present_flag = false;
  bool bitstream_restriction_flag = false;
  std::uint32_t max_num_reorder_frames =
      0;  // bitstream_restriction_flag; 0..max_dec_frame_buffering
  std::uint32_t max_dec_frame_buffering = 0;  // bitstream_restriction_flag
};

/// seq_parameter_set_data(), 7.3.2.1.1. Fields as coded; absent ones hold the inferred value.
struct Sps {
  std::uint8_t profile_idc = 0;           // Annex A
  std::uint8_t constraint_set_flags = 0;  // bit i: constraint_set<i>_flag, i 0..5
  std::uint8_t level_idc = 0;
  std::uint8_t seq_parameter_set_id = 0;     // 0..31
  std::uint8_t chroma_format_idc = 1;        // 0..3
  bool separate_colour_plane_flag = false;   // chroma_format_idc 3
  std::uint8_t bit_depth_luma_minus8 = 0;    // 0..6
  std::uint8_t bit_depth_chroma_minus8 = 0;  // 0..6
  bool qpprime_y_zero_transform_bypass_flag = false;
  bool seq_scaling_matrix_present_flag = false;
  ScalingLists scaling_lists;                              // seq_scaling_matrix_present_flag
  std::uint8_t log2_max_frame_num_minus4 = 0;              // 0..12
  std::uint8_t pic_order_cnt_type = 0;                     // 0..2
  std::uint8_t log2_max_pic_order_cnt_lsb_minus4 = 0;      // 0..12, pic_order_cnt_type 0
  bool delta_pic_order_always_zero_flag = false;           // pic_order_cnt_type 1
  std::int32_t offset_for_non_ref_pic = 0;                 // pic_order_cnt_type 1
  std::int32_t offset_for_top_to_bottom_field = 0;         // pic_order_cnt_type 1
  std::uint8_t num_ref_frames_in_pic_order_cnt_cycle = 0;  // 0..255, pic_order_cnt_type 1
  std::int32_t offset_for_ref_frame[255] = {};  // [num_ref_frames_in_pic_order_cnt_cycle]
  std::uint8_t max_num_ref_frames = 0;          // 0..16
  bool gaps_in_frame_num_value_allowed_flag = false;
  std::uint16_t pic_width_in_mbs_minus1 = 0;
  std::uint16_t pic_height_in_map_units_minus1 = 0;
  bool frame_mbs_only_flag = true;
  bool mb_adaptive_frame_field_flag = false;  // frame_mbs_only_flag 0
  bool direct_8x8_inference_flag = false;     // 1 where frame_mbs_only_flag is 0
  bool frame_cropping_flag = false;
  std::uint16_t frame_crop_left_offset = 0;    // CropUnitX samples, frame_cropping_flag
  std::uint16_t frame_crop_right_offset = 0;   // CropUnitX samples, frame_cropping_flag
  std::uint16_t frame_crop_top_offset = 0;     // CropUnitY samples, frame_cropping_flag
  std::uint16_t frame_crop_bottom_offset = 0;  // CropUnitY samples, frame_cropping_flag
  bool vui_parameters_present_flag = false;
  Vui vui;

  // derived
  std::int32_t PicWidthInMbs() const noexcept { return pic_width_in_mbs_minus1 + 1; }
  std::int32_t PicHeightInMapUnits() const noexcept { return pic_height_in_map_units_minus1 + 1; }
  std::int32_t PicSizeInMapUnits() const noexcept {
    return PicWidthInMbs() * PicHeightInMapUnits();
  }
  std::int32_t FrameHeightInMbs() const noexcept {
    return (frame_mbs_only_flag ? 1 : 2) * PicHeightInMapUnits();
  }
  std::int32_t ChromaArrayType() const noexcept {
    return separate_colour_plane_flag ? 0 : chroma_format_idc;
  }
  std::int32_t BitDepthY() const noexcept { return 8 + bit_depth_luma_minus8; }
  std::int32_t BitDepthC() const noexcept { return 8 + bit_depth_chroma_minus8; }
  std::int32_t QpBdOffsetY() const noexcept { return 6 * bit_depth_luma_minus8; }
  std::int32_t QpBdOffsetC() const noexcept { return 6 * bit_depth_chroma_minus8; }
  /// Width of a macroblock's chroma in samples, 0 without chroma arrays (6-1).
  std::int32_t MbWidthC() const noexcept {
    return ChromaArrayType() == 0 ? 0 : ChromaArrayType() == 3 ? 16 : 8;
  }
  /// Height of a macroblock's chroma in samples, 0 without chroma arrays (6-2).
  std::int32_t MbHeightC() const noexcept {
    return ChromaArrayType() == 0 ? 0 : ChromaArrayType() == 1 ? 8 : 16;
  }
  std::int32_t MaxFrameNum() const noexcept { return 1 << (log2_max_frame_num_minus4 + 4); }
  std::int32_t MaxPicOrderCntLsb() const noexcept {
    return 1 << (log2_max_pic_order_cnt_lsb_minus4 + 4);
  }
  /// Luma samples per horizontal cropping unit (7-19, 7-21).
  std::int32_t CropUnitX() const noexcept {
    return ChromaArrayType() == 1 || ChromaArrayType() == 2 ? 2 : 1;
  }
  /// Luma samples per vertical cropping unit (7-20, 7-22).
  std::int32_t CropUnitY() const noexcept {
    return (ChromaArrayType() == 1 ? 2 : 1) * (frame_mbs_only_flag ? 1 : 2);
  }
  // Luma samples of a frame outside the cropping window.
  std::int32_t crop_left() const noexcept { return CropUnitX() * frame_crop_left_offset; }
  std::int32_t crop_right() const noexcept { return CropUnitX() * frame_crop_right_offset; }
  std::int32_t crop_top() const noexcept { return CropUnitY() * frame_crop_top_offset; }
  std::int32_t crop_bottom() const noexcept { return CropUnitY() * frame_crop_bottom_offset; }
};

/// Reads seq_parameter_set_data() from an RBSP without its NAL unit header.
///
/// A cropping window that leaves nothing is dropped, and a VUI that ends early or makes no sense is
/// kept as far as it was read: neither matters to decoding, and both exist in otherwise good files.
Status parse_sps(bits::BitReader& r, const Limits& limits, Sps& out);

/// Whether references and picture order count can go on under another SPS.
bool is_same_sequence(const Sps& a, const Sps& b) noexcept;

}  // namespace cope::h264
