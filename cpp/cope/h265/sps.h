#pragma once

#include <cstdint>
#include <vector>

#include "cope/base/limits.h"
#include "cope/base/status.h"
#include "cope/bits/bit_reader.h"
#include "cope/h265/profile_tier_level.h"
#include "cope/h265/ref_pic_set.h"
#include "cope/h265/scaling_list.h"
#include "cope/h265/vui.h"

namespace cope::h265 {

/// sps_range_extension(), 7.3.2.3.2.
struct SpsRangeExtension {
  bool transform_skip_rotation_enabled_flag = false;
  bool transform_skip_context_enabled_flag = false;
  bool implicit_rdpcm_enabled_flag = false;
  bool explicit_rdpcm_enabled_flag = false;
  bool extended_precision_processing_flag = false;
  bool intra_smoothing_disabled_flag = false;
  bool high_precision_offsets_enabled_flag = false;
  bool persistent_rice_adaptation_enabled_flag = false;
  bool cabac_bypass_alignment_enabled_flag = false;
};

/// seq_parameter_set_rbsp(), 7.3.2.2. Fields as coded; absent ones hold the inferred value.
struct Sps {
  std::uint8_t sps_video_parameter_set_id = 0;  // 0..15
  std::uint8_t sps_max_sub_layers_minus1 = 0;   // 0..6
  bool sps_temporal_id_nesting_flag = false;
  ProfileTierLevel profile_tier_level;
  std::uint8_t sps_seq_parameter_set_id = 0;              // 0..15
  std::uint8_t chroma_format_idc = 1;                     // 0..3
  bool separate_colour_plane_flag = false;                // chroma_format_idc 3
  std::uint16_t pic_width_in_luma_samples = 0;            // multiple of MinCbSizeY
  std::uint16_t pic_height_in_luma_samples = 0;           // multiple of MinCbSizeY
  std::uint16_t conf_win_left_offset = 0;                 // SubWidthC luma samples
  std::uint16_t conf_win_right_offset = 0;                // SubWidthC luma samples
  std::uint16_t conf_win_top_offset = 0;                  // SubHeightC luma samples
  std::uint16_t conf_win_bottom_offset = 0;               // SubHeightC luma samples
  std::uint8_t bit_depth_luma_minus8 = 0;                 // 0..8
  std::uint8_t bit_depth_chroma_minus8 = 0;               // 0..8
  std::uint8_t log2_max_pic_order_cnt_lsb_minus4 = 0;     // 0..12
  std::uint8_t sps_max_dec_pic_buffering_minus1[7] = {};  // [TemporalId], 0..15
  std::uint8_t sps_max_num_reorder_pics[7] = {};          // [TemporalId]
  std::uint32_t sps_max_latency_increase_plus1[7] = {};   // [TemporalId]
  std::uint8_t log2_min_luma_coding_block_size_minus3 = 0;
  std::uint8_t log2_diff_max_min_luma_coding_block_size = 0;
  std::uint8_t log2_min_luma_transform_block_size_minus2 = 0;
  std::uint8_t log2_diff_max_min_luma_transform_block_size = 0;
  std::uint8_t max_transform_hierarchy_depth_inter = 0;  // 0..CtbLog2SizeY - MinTbLog2SizeY
  std::uint8_t max_transform_hierarchy_depth_intra = 0;  // 0..CtbLog2SizeY - MinTbLog2SizeY
  bool scaling_list_enabled_flag = false;
  bool sps_scaling_list_data_present_flag = false;
  ScalingList scaling_list;  // scaling_list_enabled_flag: coded or default
  bool amp_enabled_flag = false;
  bool sample_adaptive_offset_enabled_flag = false;
  bool pcm_enabled_flag = false;
  std::uint8_t pcm_sample_bit_depth_luma_minus1 = 0;              // 0..BitDepthY - 1
  std::uint8_t pcm_sample_bit_depth_chroma_minus1 = 0;            // 0..BitDepthC - 1
  std::uint8_t log2_min_pcm_luma_coding_block_size_minus3 = 0;    // 0..2
  std::uint8_t log2_diff_max_min_pcm_luma_coding_block_size = 0;  // 0..2
  bool pcm_loop_filter_disabled_flag = false;
  std::uint8_t num_short_term_ref_pic_sets = 0;            // 0..64
  std::vector<ShortTermRefPicSet> short_term_ref_pic_set;  // [num_short_term_ref_pic_sets]
  bool long_term_ref_pics_present_flag = false;
  std::uint8_t num_long_term_ref_pics_sps = 0;    // 0..32
  std::uint16_t lt_ref_pic_poc_lsb_sps[32] = {};  // 0..MaxPicOrderCntLsb - 1
  bool used_by_curr_pic_lt_sps_flag[32] = {};
  bool sps_temporal_mvp_enabled_flag = false;
  bool strong_intra_smoothing_enabled_flag = false;
  bool vui_parameters_present_flag = false;
  Vui vui;
  SpsRangeExtension range;

  // derived, 7.4.3.2
  std::int32_t SubWidthC = 2;       ///< Table 6-1: 1 or 2; 1 for monochrome and separate planes
  std::int32_t SubHeightC = 2;      ///< Table 6-1: 1 or 2
  std::int32_t MinCbLog2SizeY = 3;  // 3..6
  std::int32_t CtbLog2SizeY = 4;    // 4..6
  std::int32_t MinTbLog2SizeY = 2;  // 2..5
  std::int32_t MaxTbLog2SizeY = 2;  // 2..5
  std::int32_t PicWidthInMinCbsY = 0;
  std::int32_t PicHeightInMinCbsY = 0;
  std::int32_t PicWidthInCtbsY = 0;
  std::int32_t PicHeightInCtbsY = 0;
  std::int32_t PicSizeInCtbsY = 0;
  std::int32_t Log2MinIpcmCbSizeY = 0;  // 3..5, pcm_enabled_flag
  std::int32_t Log2MaxIpcmCbSizeY = 0;  // 3..5, pcm_enabled_flag

  std::int32_t ChromaArrayType() const noexcept {
    return separate_colour_plane_flag ? 0 : chroma_format_idc;
  }
  std::int32_t BitDepthY() const noexcept { return 8 + bit_depth_luma_minus8; }
  std::int32_t BitDepthC() const noexcept { return 8 + bit_depth_chroma_minus8; }
  std::int32_t QpBdOffsetY() const noexcept { return 6 * bit_depth_luma_minus8; }
  std::int32_t QpBdOffsetC() const noexcept { return 6 * bit_depth_chroma_minus8; }
  std::int32_t MinCbSizeY() const noexcept { return 1 << MinCbLog2SizeY; }
  std::int32_t CtbSizeY() const noexcept { return 1 << CtbLog2SizeY; }
  std::int32_t PcmBitDepthY() const noexcept { return pcm_sample_bit_depth_luma_minus1 + 1; }
  std::int32_t PcmBitDepthC() const noexcept { return pcm_sample_bit_depth_chroma_minus1 + 1; }
  std::int32_t MaxPicOrderCntLsb() const noexcept {
    return 1 << (log2_max_pic_order_cnt_lsb_minus4 + 4);
  }
  /// Log2 of the range of TransCoeffLevel, CoeffMinY = -(1 << this) (7-27, 7-29).
  std::int32_t log2_coeff_range(int cIdx) const noexcept {
    const std::int32_t depth = cIdx == 0 ? BitDepthY() : BitDepthC();
    return range.extended_precision_processing_flag && depth + 6 > 15 ? depth + 6 : 15;
  }
  // Luma samples outside the conformance window.
  std::int32_t crop_left() const noexcept { return SubWidthC * conf_win_left_offset; }
  std::int32_t crop_right() const noexcept { return SubWidthC * conf_win_right_offset; }
  std::int32_t crop_top() const noexcept { return SubHeightC * conf_win_top_offset; }
  std::int32_t crop_bottom() const noexcept { return SubHeightC * conf_win_bottom_offset; }
};

/// Reads an SPS of nuh_layer_id 0 from an RBSP without its NAL unit header.
///
/// A conformance window that leaves nothing is dropped; a VUI that makes no sense is kept as far as
/// it was read, and no extension follows it then. Extensions that change nothing about slices of
/// layer 0 are passed over; the others are kUnsupported by name.
Status parse_sps(bits::BitReader& r, const Limits& limits, Sps& out);

}  // namespace cope::h265
