#pragma once

#include <cstdint>

#include "cope/base/status.h"
#include "cope/bits/bit_reader.h"
#include "cope/h264/nal_unit.h"
#include "cope/h264/pps.h"
#include "cope/h264/sps.h"

namespace cope::h264 {

/// slice_type % 5, Table 7-6.
enum class SliceType : std::uint8_t { P = 0, B = 1, I = 2, SP = 3, SI = 4 };

/// Entries of a reference list: 16 frames, or the 32 fields of them (7.4.3).
inline constexpr int kMaxRefIdx = 32;
/// Commands that dec_ref_pic_marking() can hold: one per field of a full DPB and one of each kind
/// that stands alone.
inline constexpr int kMaxMmco = 66;

/// One command of ref_pic_list_modification(), 7.3.3.1.
struct RefPicListModification {
  std::uint8_t modification_of_pic_nums_idc = 3;  // 0..2 (3 ends the list and is not stored)
  std::uint32_t abs_diff_pic_num_minus1 = 0;      // 0..MaxPicNum-1, idc 0 and 1
  std::uint32_t long_term_pic_num = 0;            // idc 2
};

/// One command of dec_ref_pic_marking(), 7.3.3.3.
struct MemoryManagementControl {
  std::uint8_t memory_management_control_operation = 0;  // 1..6 (0 ends the list and is not stored)
  std::uint32_t difference_of_pic_nums_minus1 = 0;       // 0..MaxPicNum-1, operations 1 and 3
  std::uint32_t long_term_pic_num = 0;                   // operation 2
  std::uint32_t long_term_frame_idx = 0;                 // 0..15, operations 3 and 6
  std::uint32_t max_long_term_frame_idx_plus1 = 0;       // 0..16, operation 4
};

/// dec_ref_pic_marking(), 7.3.3.3; nal_ref_idc != 0.
struct DecRefPicMarking {
  bool no_output_of_prior_pics_flag = false;  // IdrPicFlag
  bool long_term_reference_flag = false;      // IdrPicFlag
  bool adaptive_ref_pic_marking_mode_flag = false;
  std::uint8_t num_mmco = 0;               // 0..kMaxMmco
  MemoryManagementControl mmco[kMaxMmco];  // [num_mmco], adaptive_ref_pic_marking_mode_flag

  /// Whether the picture resets all references and picture order count (operation 5).
  bool has_operation_5() const noexcept {
    for (int i = 0; i < num_mmco; ++i) {
      if (mmco[i].memory_management_control_operation == 5) return true;
    }
    return false;
  }
};

/// pred_weight_table(), 7.3.3.2. Entries without a flag hold the inferred weight 2^denom and offset
/// 0.
struct PredWeightTable {
  std::uint8_t luma_log2_weight_denom = 0;            // 0..7
  std::uint8_t chroma_log2_weight_denom = 0;          // 0..7, ChromaArrayType != 0
  std::int16_t luma_weight[2][kMaxRefIdx] = {};       // [list][refIdx], -128..128
  std::int16_t luma_offset[2][kMaxRefIdx] = {};       // [list][refIdx], -128..127
  std::int16_t chroma_weight[2][kMaxRefIdx][2] = {};  // [list][refIdx][Cb, Cr], -128..128
  std::int16_t chroma_offset[2][kMaxRefIdx][2] = {};  // [list][refIdx][Cb, Cr], -128..127
};

/// slice_header(), 7.3.3. Fields as coded; absent ones hold the inferred value.
struct SliceHeader {
  std::uint32_t first_mb_in_slice =
      0;  // 0..PicSizeInMbs-1, of a pair: 0..PicSizeInMbs/2-1 when MbaffFrameFlag
  SliceType slice_type = SliceType::I;    // coded value % 5
  std::uint8_t pic_parameter_set_id = 0;  // 0..255
  std::uint8_t colour_plane_id = 0;       // 0..2, separate_colour_plane_flag
  std::uint16_t frame_num = 0;            // 0..MaxFrameNum-1
  bool field_pic_flag = false;
  bool bottom_field_flag = false;                 // field_pic_flag
  std::uint16_t idr_pic_id = 0;                   // 0..65535, IdrPicFlag
  std::uint16_t pic_order_cnt_lsb = 0;            // 0..MaxPicOrderCntLsb-1, pic_order_cnt_type 0
  std::int32_t delta_pic_order_cnt_bottom = 0;    // pic_order_cnt_type 0
  std::int32_t delta_pic_order_cnt[2] = {0, 0};   // pic_order_cnt_type 1
  std::uint8_t redundant_pic_cnt = 0;             // 0..127
  bool direct_spatial_mv_pred_flag = false;       // B
  bool num_ref_idx_active_override_flag = false;  // P, SP, B
  std::uint8_t num_ref_idx_l0_active_minus1 =
      0;  // 0..31, with the PPS default where not overridden; P, SP, B
  std::uint8_t num_ref_idx_l1_active_minus1 =
      0;  // 0..31, with the PPS default where not overridden; B
  bool ref_pic_list_modification_flag[2] = {false, false};  // [list]
  std::uint8_t num_ref_pic_list_modifications[2] = {0, 0};  // [list], 0..kMaxRefIdx
  RefPicListModification
      ref_pic_list_modification[2][kMaxRefIdx];  // [list][num_ref_pic_list_modifications]
  bool has_pred_weight_table =
      false;                          // weighted_pred_flag and P or SP, weighted_bipred_idc 1 and B
  PredWeightTable pred_weight_table;  // has_pred_weight_table
  DecRefPicMarking dec_ref_pic_marking;  // nal_ref_idc != 0
  std::uint8_t cabac_init_idc = 0;       // 0..2, CABAC and not I, SI
  std::int8_t slice_qp_delta = 0;
  bool sp_for_switch_flag = false;                 // SP
  std::int8_t slice_qs_delta = 0;                  // SP, SI
  std::uint8_t disable_deblocking_filter_idc = 0;  // 0..2
  std::int8_t slice_alpha_c0_offset_div2 = 0;      // -6..6
  std::int8_t slice_beta_offset_div2 = 0;          // -6..6
  std::uint32_t slice_group_change_cycle = 0;      // slice_group_map_type 3..5
  std::uint32_t slice_id = 0;  // slice_data_partition_a_layer_rbsp() only (7.3.2.9.1)

  // derived
  bool MbaffFrameFlag = false;
  std::int32_t PicHeightInMbs = 0;
  std::int32_t PicSizeInMbs = 0;
  std::int32_t MaxPicNum = 0;                   // 2 * MaxFrameNum for fields
  std::int32_t CurrPicNum = 0;                  // 2 * frame_num + 1 for fields
  std::int32_t SliceQPY = 0;                    // -QpBdOffsetY..51
  std::int32_t QSY = 0;                         // 0..51, SP and SI
  std::uint8_t num_ref_idx_active[2] = {0, 0};  // [list], 0 where the slice type has no such list

  bool is_intra() const noexcept {
    return slice_type == SliceType::I || slice_type == SliceType::SI;
  }
  bool is_b() const noexcept { return slice_type == SliceType::B; }
};

/// Reads first_mb_in_slice, slice_type and pic_parameter_set_id only, to find the parameter sets.
/// Returns pic_parameter_set_id, above 255 when the data ends early.
std::uint32_t peek_pic_parameter_set_id(bits::BitReader r) noexcept;

/// Reads slice_header() from an RBSP without its NAL unit header, and slice_id of a data partition
/// A. Leaves `r` at slice_data(). `pps` is activated against `sps`.
Status parse_slice_header(bits::BitReader& r, const NalUnitHeader& nal, const Sps& sps,
                          const Pps& pps, SliceHeader& out);

}  // namespace cope::h264
