#pragma once

#include <cstdint>
#include <vector>

#include "cope/base/status.h"
#include "cope/bits/bit_reader.h"
#include "cope/h265/nal_unit.h"
#include "cope/h265/pps.h"
#include "cope/h265/ref_pic_set.h"
#include "cope/h265/sps.h"

namespace cope::h265 {

/// slice_type, Table 7-7.
enum class SliceType : std::uint8_t { B = 0, P = 1, I = 2 };

/// Entries of a reference list: num_ref_idx_lX_active_minus1 is 0..14.
inline constexpr int kMaxRefIdx = 15;
/// Long-term pictures that one slice can list.
inline constexpr int kMaxLongTermPics = 32;

/// One long-term picture of a slice header, 7.4.7.1.
struct LongTermRefPic {
  std::uint16_t PocLsbLt = 0;  // 0..MaxPicOrderCntLsb - 1
  bool UsedByCurrPicLt = false;
  bool delta_poc_msb_present_flag = false;
  std::int64_t DeltaPocMsbCycleLt = 0;  // delta_poc_msb_present_flag (7-52)
};

/// slice_segment_header(), 7.3.6.1. Fields as coded; absent ones hold the inferred value. A
/// dependent slice segment has the values of the independent one before it where it codes none.
struct SliceHeader {
  bool first_slice_segment_in_pic_flag = false;
  bool no_output_of_prior_pics_flag = false;    // IRAP
  std::uint8_t slice_pic_parameter_set_id = 0;  // 0..63
  bool dependent_slice_segment_flag = false;
  std::uint32_t slice_segment_address = 0;  // 0..PicSizeInCtbsY - 1, raster scan

  SliceType slice_type = SliceType::I;
  bool pic_output_flag = true;
  std::uint8_t colour_plane_id = 0;              // 0..2, separate_colour_plane_flag
  std::uint16_t slice_pic_order_cnt_lsb = 0;     // 0..MaxPicOrderCntLsb - 1, not IDR
  bool short_term_ref_pic_set_sps_flag = false;  // not IDR
  std::uint8_t short_term_ref_pic_set_idx = 0;   // short_term_ref_pic_set_sps_flag
  ShortTermRefPicSet short_term_ref_pic_set;     // in force, whoever coded it; IDR: empty
  std::uint8_t num_long_term_pics = 0;           // with those by lt_idx_sps
  LongTermRefPic long_term[kMaxLongTermPics];    // [num_long_term_pics]
  bool slice_temporal_mvp_enabled_flag = false;
  bool slice_sao_luma_flag = false;
  bool slice_sao_chroma_flag = false;
  std::uint8_t num_ref_idx_active[2] = {0, 0};  // [list], num_ref_idx_lX_active_minus1 + 1, 0..15
  bool ref_pic_list_modification_flag[2] = {false, false};  // [list]
  std::uint8_t list_entry[2][kMaxRefIdx] = {};              // [list][i], 0..NumPicTotalCurr - 1
  bool mvd_l1_zero_flag = false;                            // B
  bool cabac_init_flag = false;                             // P, B
  bool collocated_from_l0_flag = true;
  std::uint8_t collocated_ref_idx = 0;  // 0..num_ref_idx_active - 1
  bool has_pred_weight_table = false;
  std::uint8_t five_minus_max_num_merge_cand = 0;  // 0..4
  std::int8_t slice_qp_delta = 0;
  std::int8_t slice_cb_qp_offset = 0;  // -12..12
  std::int8_t slice_cr_qp_offset = 0;  // -12..12
  bool cu_chroma_qp_offset_enabled_flag = false;
  bool deblocking_filter_override_flag = false;
  bool slice_deblocking_filter_disabled_flag = false;
  std::int8_t slice_beta_offset_div2 = 0;  // -6..6
  std::int8_t slice_tc_offset_div2 = 0;    // -6..6
  bool slice_loop_filter_across_slices_enabled_flag = false;

  // Of this segment again.
  std::vector<std::uint32_t> entry_point_offset_minus1;  // [num_entry_point_offsets], bytes of the
                                                         // NAL unit, emulation prevention included

  // derived
  std::int32_t NumPicTotalCurr = 0;
  std::int32_t SliceQpY = 26;  // -QpBdOffsetY..51 (7-54)

  std::int32_t MaxNumMergeCand() const noexcept { return 5 - five_minus_max_num_merge_cand; }
  bool is_intra() const noexcept { return slice_type == SliceType::I; }
  bool is_b() const noexcept { return slice_type == SliceType::B; }
};

/// Reads up to slice_pic_parameter_set_id only, to find the parameter sets. Returns the id, above
/// 63 when the data ends early.
std::uint32_t peek_pic_parameter_set_id(bits::BitReader r, const NalUnitHeader& nal) noexcept;

/// Reads slice_segment_header() from an RBSP without its NAL unit header. Leaves `r` at
/// slice_segment_data(). `pps` is activated against `sps`.
///
/// \param previous  header of the segment before this one in the picture, null where there is none:
///                  a dependent segment continues it
Status parse_slice_header(bits::BitReader& r, const NalUnitHeader& nal, const Sps& sps,
                          const Pps& pps, const SliceHeader* previous, SliceHeader& out);

}  // namespace cope::h265
