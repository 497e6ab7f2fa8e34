#pragma once

#include <cstdint>
#include <vector>

#include "cope/base/status.h"
#include "cope/bits/bit_reader.h"
#include "cope/h264/scaling_list.h"
#include "cope/h264/sps.h"
#include "cope/prim/coeff_stream.h"

namespace cope::h264 {

/// pic_parameter_set_rbsp(), 7.3.2.2. Fields as coded; absent ones hold the inferred value.
struct Pps {
  std::uint8_t pic_parameter_set_id = 0;  // 0..255
  std::uint8_t seq_parameter_set_id = 0;  // 0..31
  bool entropy_coding_mode_flag = false;  // 0 CAVLC, 1 CABAC
  bool bottom_field_pic_order_in_frame_present_flag = false;
  std::uint8_t num_slice_groups_minus1 = 0;          // 0..7
  std::uint8_t slice_group_map_type = 0;             // 0..6, num_slice_groups_minus1 > 0
  std::uint32_t run_length_minus1[8] = {};           // [iGroup], 0..PicSizeInMapUnits-1, type 0
  std::uint32_t top_left[7] = {};                    // [iGroup], map unit, type 2
  std::uint32_t bottom_right[7] = {};                // [iGroup], map unit, type 2
  bool slice_group_change_direction_flag = false;    // types 3..5
  std::uint32_t slice_group_change_rate_minus1 = 0;  // 0..PicSizeInMapUnits-1, types 3..5
  std::vector<std::uint8_t> slice_group_id;  // [pic_size_in_map_units_minus1 + 1], 0..7, type 6
  std::uint8_t num_ref_idx_l0_default_active_minus1 = 0;  // 0..31
  std::uint8_t num_ref_idx_l1_default_active_minus1 = 0;  // 0..31
  bool weighted_pred_flag = false;
  std::uint8_t weighted_bipred_idc = 0;    // 0..2: default, explicit, implicit
  std::int8_t pic_init_qp_minus26 = 0;     // -(26 + QpBdOffsetY)..25
  std::int8_t pic_init_qs_minus26 = 0;     // -26..25; -62..-27 is read, SP and SI slices refuse it
  std::int8_t chroma_qp_index_offset = 0;  // -12..12
  bool deblocking_filter_control_present_flag = false;
  bool constrained_intra_pred_flag = false;
  bool redundant_pic_cnt_present_flag = false;
  bool transform_8x8_mode_flag = false;
  bool pic_scaling_matrix_present_flag = false;
  ScalingLists scaling_lists;                     // pic_scaling_matrix_present_flag
  std::int8_t second_chroma_qp_index_offset = 0;  // -12..12

  // derived, once the PPS is activated together with its SPS
  prim::ScalingMatrices scaling = {};  ///< weightScale4x4, weightScale8x8 in force, raster order

  /// SliceGroupChangeRate (7-23).
  std::uint32_t SliceGroupChangeRate() const noexcept { return slice_group_change_rate_minus1 + 1; }
};

/// Reads a PPS from an RBSP without its NAL unit header.
///
/// `sps` is the sequence parameter set that the PPS names, as known now, or null: the number of 8x8
/// scaling lists depends on it, so a PPS is read again when another SPS takes that id.
Status parse_pps(bits::BitReader& r, const Sps* sps, Pps& out);

/// Fills the derived part and checks what relates the two (7.4.2.2). `pps` was parsed with this
/// `sps`.
Status activate_pps(const Sps& sps, Pps& pps) noexcept;

/// seq_parameter_set_id of the PPS that starts here, 32 when unreadable. Consumes the two ids.
std::uint32_t peek_pps_sps_id(bits::BitReader r) noexcept;

}  // namespace cope::h264
