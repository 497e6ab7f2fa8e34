#include "cope/h265/slice_header.h"

#include <algorithm>
#include <bit>

namespace cope::h265 {
namespace {

/// Ceil(Log2(num_values)): bits of a value below `num_values`.
unsigned ceil_log2(std::uint32_t num_values) noexcept {
  return static_cast<unsigned>(std::bit_width(num_values - 1));
}

/// One long-term picture: its place in the SPS or its own least significant bits.
Status parse_long_term_pic(bits::BitReader& r, const Sps& sps, bool is_of_sps,
                           LongTermRefPic& out) {
  if (is_of_sps) {
    const std::uint32_t lt_idx_sps =
        sps.num_long_term_ref_pics_sps > 1 ? r.u(ceil_log2(sps.num_long_term_ref_pics_sps)) : 0;
    COPE_REQUIRE(lt_idx_sps < sps.num_long_term_ref_pics_sps, "lt_idx_sps", "H.265 7.4.7.1");
    out.PocLsbLt = sps.lt_ref_pic_poc_lsb_sps[lt_idx_sps];
    out.UsedByCurrPicLt = sps.used_by_curr_pic_lt_sps_flag[lt_idx_sps];
  } else {
    out.PocLsbLt = static_cast<std::uint16_t>(r.u(sps.log2_max_pic_order_cnt_lsb_minus4 + 4u));
    out.UsedByCurrPicLt = r.flag();
  }
  return {};
}

/// num_long_term_sps up to delta_poc_msb_cycle_lt.
Status parse_long_term_pics(bits::BitReader& r, const Sps& sps, SliceHeader& h) {
  std::uint32_t num_long_term_sps = 0;
  if (sps.num_long_term_ref_pics_sps > 0) {
    num_long_term_sps = r.ue();
    COPE_REQUIRE(num_long_term_sps <= sps.num_long_term_ref_pics_sps, "num_long_term_sps",
                 "H.265 7.4.7.1");
  }
  const std::uint32_t num_long_term_pics = r.ue();
  COPE_REQUIRE(num_long_term_pics <= kMaxLongTermPics - num_long_term_sps, "num_long_term_pics",
               "H.265 7.4.7.1");
  h.num_long_term_pics = static_cast<std::uint8_t>(num_long_term_sps + num_long_term_pics);
  for (std::uint32_t i = 0; i < h.num_long_term_pics; ++i) {
    LongTermRefPic& pic = h.long_term[i];
    COPE_RETURN_IF_ERROR(parse_long_term_pic(r, sps, i < num_long_term_sps, pic));
    pic.delta_poc_msb_present_flag = r.flag();
    pic.DeltaPocMsbCycleLt = pic.delta_poc_msb_present_flag ? r.ue() : 0;
    if (i != 0 && i != num_long_term_sps) {
      pic.DeltaPocMsbCycleLt += h.long_term[i - 1].DeltaPocMsbCycleLt;  // (7-52)
    }
  }
  return {};
}

/// slice_pic_order_cnt_lsb up to slice_temporal_mvp_enabled_flag, of pictures other than IDR.
Status parse_picture_references(bits::BitReader& r, const Sps& sps, SliceHeader& h) {
  h.slice_pic_order_cnt_lsb =
      static_cast<std::uint16_t>(r.u(sps.log2_max_pic_order_cnt_lsb_minus4 + 4u));
  h.short_term_ref_pic_set_sps_flag = r.flag();
  const int num_sets = sps.num_short_term_ref_pic_sets;
  if (!h.short_term_ref_pic_set_sps_flag) {
    COPE_RETURN_IF_ERROR(parse_st_ref_pic_set(r, num_sets, sps.short_term_ref_pic_set.data(),
                                              num_sets, h.short_term_ref_pic_set));
  } else {
    const std::uint32_t short_term_ref_pic_set_idx =
        num_sets > 1 ? r.u(ceil_log2(static_cast<std::uint32_t>(num_sets))) : 0;
    COPE_REQUIRE(short_term_ref_pic_set_idx < static_cast<std::uint32_t>(num_sets),
                 "short_term_ref_pic_set_idx", "H.265 7.4.7.1");
    h.short_term_ref_pic_set_idx = static_cast<std::uint8_t>(short_term_ref_pic_set_idx);
    h.short_term_ref_pic_set = sps.short_term_ref_pic_set[short_term_ref_pic_set_idx];
  }
  if (sps.long_term_ref_pics_present_flag) COPE_RETURN_IF_ERROR(parse_long_term_pics(r, sps, h));
  if (sps.sps_temporal_mvp_enabled_flag) h.slice_temporal_mvp_enabled_flag = r.flag();
  return {};
}

/// NumPicTotalCurr (7-55).
std::int32_t count_current_references(const SliceHeader& h) noexcept {
  const ShortTermRefPicSet& set = h.short_term_ref_pic_set;
  auto count = std::count(set.UsedByCurrPicS0, set.UsedByCurrPicS0 + set.NumNegativePics, true) +
               std::count(set.UsedByCurrPicS1, set.UsedByCurrPicS1 + set.NumPositivePics, true);
  for (int i = 0; i < h.num_long_term_pics; ++i) count += h.long_term[i].UsedByCurrPicLt;
  return static_cast<std::int32_t>(count);
}

Status parse_num_ref_idx_active(bits::BitReader& r, const Pps& pps, SliceHeader& h) {
  std::uint32_t num_ref_idx_l0_active_minus1 = pps.num_ref_idx_l0_default_active_minus1;
  std::uint32_t num_ref_idx_l1_active_minus1 = pps.num_ref_idx_l1_default_active_minus1;
  if (r.flag()) {  // num_ref_idx_active_override_flag
    num_ref_idx_l0_active_minus1 = r.ue();
    COPE_REQUIRE(num_ref_idx_l0_active_minus1 < kMaxRefIdx, "num_ref_idx_l0_active_minus1",
                 "H.265 7.4.7.1");
    if (h.is_b()) {
      num_ref_idx_l1_active_minus1 = r.ue();
      COPE_REQUIRE(num_ref_idx_l1_active_minus1 < kMaxRefIdx, "num_ref_idx_l1_active_minus1",
                   "H.265 7.4.7.1");
    }
  }
  h.num_ref_idx_active[0] = static_cast<std::uint8_t>(num_ref_idx_l0_active_minus1 + 1);
  if (h.is_b()) {
    h.num_ref_idx_active[1] = static_cast<std::uint8_t>(num_ref_idx_l1_active_minus1 + 1);
  }
  return {};
}

/// ref_pic_lists_modification(), 7.3.6.2.
Status parse_ref_pic_lists_modification(bits::BitReader& r, SliceHeader& h) {
  const unsigned num_bits = ceil_log2(static_cast<std::uint32_t>(h.NumPicTotalCurr));
  for (int list = 0; list < (h.is_b() ? 2 : 1); ++list) {
    h.ref_pic_list_modification_flag[list] = r.flag();
    if (!h.ref_pic_list_modification_flag[list]) continue;
    for (int i = 0; i < h.num_ref_idx_active[list]; ++i) {
      const std::uint32_t list_entry = r.u(num_bits);
      COPE_REQUIRE(list_entry < static_cast<std::uint32_t>(h.NumPicTotalCurr), "list_entry",
                   "H.265 7.4.7.2");
      h.list_entry[list][i] = static_cast<std::uint8_t>(list_entry);
    }
  }
  return {};
}

/// One weight and offset of pred_weight_table(): read to get past them.
Status skip_weight(bits::BitReader& r, std::int32_t max_offset, const char* weight_name,
                   const char* offset_name) {
  const std::int32_t delta_weight = r.se();
  COPE_REQUIRE(delta_weight >= -128 && delta_weight <= 127, weight_name, "H.265 7.4.7.3");
  const std::int32_t offset = r.se();
  COPE_REQUIRE(offset >= -max_offset && offset < max_offset, offset_name, "H.265 7.4.7.3");
  return {};
}

/// pred_weight_table(), 7.3.6.3: bounds only, since nothing here predicts samples. References of
/// layer 0 all differ from the picture in picture order count, so every entry has its flags.
Status skip_pred_weight_table(bits::BitReader& r, const Sps& sps, const SliceHeader& h) {
  const bool has_chroma = sps.ChromaArrayType() != 0;
  const bool is_precise = sps.range.high_precision_offsets_enabled_flag;
  const std::int32_t WpOffsetHalfRangeY = 1 << (is_precise ? sps.BitDepthY() - 1 : 7);
  const std::int32_t WpOffsetHalfRangeC = 1 << (is_precise ? sps.BitDepthC() - 1 : 7);
  const std::uint32_t luma_log2_weight_denom = r.ue();
  COPE_REQUIRE(luma_log2_weight_denom <= 7, "luma_log2_weight_denom", "H.265 7.4.7.3");
  if (has_chroma) {
    const std::int32_t delta_chroma_log2_weight_denom = r.se();
    const auto luma = static_cast<std::int32_t>(luma_log2_weight_denom);
    COPE_REQUIRE(
        delta_chroma_log2_weight_denom >= -luma && delta_chroma_log2_weight_denom <= 7 - luma,
        "delta_chroma_log2_weight_denom", "H.265 7.4.7.3");
  }
  for (const int num_ref_idx_active : h.num_ref_idx_active) {
    const auto num_flags = static_cast<unsigned>(num_ref_idx_active);
    const std::uint32_t luma_weight_flags = r.u(num_flags);
    const std::uint32_t chroma_weight_flags = has_chroma ? r.u(num_flags) : 0;
    for (unsigned i = num_flags; i-- > 0;) {
      if ((luma_weight_flags >> i & 1) != 0) {
        COPE_RETURN_IF_ERROR(
            skip_weight(r, WpOffsetHalfRangeY, "delta_luma_weight", "luma_offset"));
      }
      if ((chroma_weight_flags >> i & 1) == 0) continue;
      for (int j = 0; j < 2; ++j) {
        COPE_RETURN_IF_ERROR(
            skip_weight(r, 4 * WpOffsetHalfRangeC, "delta_chroma_weight", "delta_chroma_offset"));
      }
    }
  }
  return {};
}

/// num_ref_idx_active_override_flag up to five_minus_max_num_merge_cand, of P and B slices.
Status parse_inter(bits::BitReader& r, const Sps& sps, const Pps& pps, SliceHeader& h) {
  COPE_RETURN_IF_ERROR(parse_num_ref_idx_active(r, pps, h));
  COPE_REQUIRE(h.NumPicTotalCurr > 0, "NumPicTotalCurr", "H.265 7.4.7.1");
  if (pps.lists_modification_present_flag && h.NumPicTotalCurr > 1) {
    COPE_RETURN_IF_ERROR(parse_ref_pic_lists_modification(r, h));
  }
  if (h.is_b()) h.mvd_l1_zero_flag = r.flag();
  if (pps.cabac_init_present_flag) h.cabac_init_flag = r.flag();
  if (h.slice_temporal_mvp_enabled_flag) {
    if (h.is_b()) h.collocated_from_l0_flag = r.flag();
    const std::uint32_t num_candidates = h.num_ref_idx_active[h.collocated_from_l0_flag ? 0 : 1];
    const std::uint32_t collocated_ref_idx = num_candidates > 1 ? r.ue() : 0;
    COPE_REQUIRE(collocated_ref_idx < num_candidates, "collocated_ref_idx", "H.265 7.4.7.1");
    h.collocated_ref_idx = static_cast<std::uint8_t>(collocated_ref_idx);
  }
  h.has_pred_weight_table = h.is_b() ? pps.weighted_bipred_flag : pps.weighted_pred_flag;
  if (h.has_pred_weight_table) COPE_RETURN_IF_ERROR(skip_pred_weight_table(r, sps, h));
  const std::uint32_t five_minus_max_num_merge_cand = r.ue();
  COPE_REQUIRE(five_minus_max_num_merge_cand <= 4, "five_minus_max_num_merge_cand",
               "H.265 7.4.7.1");
  h.five_minus_max_num_merge_cand = static_cast<std::uint8_t>(five_minus_max_num_merge_cand);
  return {};
}

/// slice_qp_delta up to cu_chroma_qp_offset_enabled_flag.
Status parse_quantiser(bits::BitReader& r, const Sps& sps, const Pps& pps, SliceHeader& h) {
  const std::int32_t slice_qp_delta = r.se();
  COPE_REQUIRE(slice_qp_delta >= -128 && slice_qp_delta <= 127, "slice_qp_delta", "H.265 7.4.7.1");
  h.slice_qp_delta = static_cast<std::int8_t>(slice_qp_delta);
  h.SliceQpY = 26 + pps.init_qp_minus26 + slice_qp_delta;
  COPE_REQUIRE(h.SliceQpY >= -sps.QpBdOffsetY() && h.SliceQpY <= 51, "slice_qp_delta",
               "H.265 7.4.7.1");
  if (pps.pps_slice_chroma_qp_offsets_present_flag) {
    const std::int32_t slice_cb_qp_offset = r.se();
    const std::int32_t cb = pps.pps_cb_qp_offset + slice_cb_qp_offset;
    COPE_REQUIRE(slice_cb_qp_offset >= -12 && slice_cb_qp_offset <= 12 && cb >= -12 && cb <= 12,
                 "slice_cb_qp_offset", "H.265 7.4.7.1");
    const std::int32_t slice_cr_qp_offset = r.se();
    const std::int32_t cr = pps.pps_cr_qp_offset + slice_cr_qp_offset;
    COPE_REQUIRE(slice_cr_qp_offset >= -12 && slice_cr_qp_offset <= 12 && cr >= -12 && cr <= 12,
                 "slice_cr_qp_offset", "H.265 7.4.7.1");
    h.slice_cb_qp_offset = static_cast<std::int8_t>(slice_cb_qp_offset);
    h.slice_cr_qp_offset = static_cast<std::int8_t>(slice_cr_qp_offset);
  }
  if (pps.range.chroma_qp_offset_list_enabled_flag) h.cu_chroma_qp_offset_enabled_flag = r.flag();
  return {};
}

/// deblocking_filter_override_flag up to slice_loop_filter_across_slices_enabled_flag.
Status parse_loop_filters(bits::BitReader& r, const Pps& pps, SliceHeader& h) {
  h.slice_deblocking_filter_disabled_flag = pps.pps_deblocking_filter_disabled_flag;
  h.slice_beta_offset_div2 = pps.pps_beta_offset_div2;
  h.slice_tc_offset_div2 = pps.pps_tc_offset_div2;
  if (pps.deblocking_filter_override_enabled_flag) h.deblocking_filter_override_flag = r.flag();
  if (h.deblocking_filter_override_flag) {
    h.slice_deblocking_filter_disabled_flag = r.flag();
    if (!h.slice_deblocking_filter_disabled_flag) {
      const std::int32_t slice_beta_offset_div2 = r.se();
      COPE_REQUIRE(slice_beta_offset_div2 >= -6 && slice_beta_offset_div2 <= 6,
                   "slice_beta_offset_div2", "H.265 7.4.7.1");
      const std::int32_t slice_tc_offset_div2 = r.se();
      COPE_REQUIRE(slice_tc_offset_div2 >= -6 && slice_tc_offset_div2 <= 6, "slice_tc_offset_div2",
                   "H.265 7.4.7.1");
      h.slice_beta_offset_div2 = static_cast<std::int8_t>(slice_beta_offset_div2);
      h.slice_tc_offset_div2 = static_cast<std::int8_t>(slice_tc_offset_div2);
    }
  }
  h.slice_loop_filter_across_slices_enabled_flag = pps.pps_loop_filter_across_slices_enabled_flag;
  if (pps.pps_loop_filter_across_slices_enabled_flag &&
      (h.slice_sao_luma_flag || h.slice_sao_chroma_flag ||
       !h.slice_deblocking_filter_disabled_flag)) {
    h.slice_loop_filter_across_slices_enabled_flag = r.flag();
  }
  return {};
}

/// What an independent slice segment codes: slice_reserved_flag up to
/// slice_loop_filter_across_slices_enabled_flag.
Status parse_slice(bits::BitReader& r, const NalUnitHeader& nal, const Sps& sps, const Pps& pps,
                   SliceHeader& h) {
  r.skip(pps.num_extra_slice_header_bits);  // slice_reserved_flag
  const std::uint32_t slice_type = r.ue();
  COPE_REQUIRE(slice_type <= 2, "slice_type", "H.265 7.4.7.1");
  h.slice_type = static_cast<SliceType>(slice_type);
  COPE_REQUIRE(!nal.is_irap() || h.is_intra(), "slice_type", "H.265 7.4.7.1");
  if (pps.output_flag_present_flag) h.pic_output_flag = r.flag();
  if (!nal.is_idr()) COPE_RETURN_IF_ERROR(parse_picture_references(r, sps, h));
  h.NumPicTotalCurr = count_current_references(h);
  if (sps.sample_adaptive_offset_enabled_flag) {
    h.slice_sao_luma_flag = r.flag();
    if (sps.ChromaArrayType() != 0) h.slice_sao_chroma_flag = r.flag();
  }
  if (!h.is_intra()) COPE_RETURN_IF_ERROR(parse_inter(r, sps, pps, h));
  COPE_RETURN_IF_ERROR(parse_quantiser(r, sps, pps, h));
  return parse_loop_filters(r, pps, h);
}

/// num_entry_point_offsets and what follows it.
Status parse_entry_points(bits::BitReader& r, const Sps& sps, const Pps& pps, SliceHeader& h) {
  const std::uint32_t num_entry_point_offsets = r.ue();
  const std::int32_t num_substreams = pps.entropy_coding_sync_enabled_flag
                                          ? pps.num_tile_columns() * sps.PicHeightInCtbsY
                                          : pps.num_tile_columns() * pps.num_tile_rows();
  COPE_REQUIRE(num_entry_point_offsets < static_cast<std::uint32_t>(num_substreams),
               "num_entry_point_offsets", "H.265 7.4.7.1");
  if (num_entry_point_offsets == 0) return {};
  const std::uint32_t offset_len_minus1 = r.ue();
  COPE_REQUIRE(offset_len_minus1 <= 31, "offset_len_minus1", "H.265 7.4.7.1");
  COPE_REQUIRE(std::uint64_t{num_entry_point_offsets} * (offset_len_minus1 + 1) <= r.bits_left(),
               "entry_point_offset_minus1", "H.265 7.3.6.1");
  h.entry_point_offset_minus1.resize(num_entry_point_offsets);
  for (std::uint32_t& entry_point_offset_minus1 : h.entry_point_offset_minus1) {
    entry_point_offset_minus1 = r.u(offset_len_minus1 + 1);
  }
  return {};
}

/// slice_segment_header_extension_length up to byte_alignment().
Status parse_tail(bits::BitReader& r, const Pps& pps) {
  if (pps.slice_segment_header_extension_present_flag) {
    const std::uint32_t slice_segment_header_extension_length = r.ue();
    COPE_REQUIRE(slice_segment_header_extension_length <= 256,
                 "slice_segment_header_extension_length", "H.265 7.4.7.1");
    r.skip(8 * std::size_t{slice_segment_header_extension_length});
  }
  const bool alignment_bit_equal_to_one = r.flag();
  COPE_REQUIRE(alignment_bit_equal_to_one, "alignment_bit_equal_to_one", "H.265 7.3.2.5");
  while (!r.byte_aligned()) {
    const bool alignment_bit_equal_to_zero = r.flag();
    COPE_REQUIRE(!alignment_bit_equal_to_zero, "alignment_bit_equal_to_zero", "H.265 7.3.2.5");
  }
  COPE_REQUIRE(!r.overrun(), "rbsp_overrun", "H.265 7.3.6.1");
  return {};
}

}  // namespace

std::uint32_t peek_pic_parameter_set_id(bits::BitReader r, const NalUnitHeader& nal) noexcept {
  r.skip(nal.is_irap() ? 2 : 1);  // first_slice_segment_in_pic_flag, no_output_of_prior_pics_flag
  const std::uint32_t slice_pic_parameter_set_id = r.ue();
  return r.overrun() || slice_pic_parameter_set_id > 63 ? 64 : slice_pic_parameter_set_id;
}

Status parse_slice_header(bits::BitReader& r, const NalUnitHeader& nal, const Sps& sps,
                          const Pps& pps, const SliceHeader* previous, SliceHeader& out) {
  const bool first_slice_segment_in_pic_flag = r.flag();
  const bool no_output_of_prior_pics_flag = nal.is_irap() && r.flag();
  const std::uint32_t slice_pic_parameter_set_id = r.ue();
  COPE_REQUIRE(slice_pic_parameter_set_id <= 63, "slice_pic_parameter_set_id", "H.265 7.4.7.1");
  bool dependent_slice_segment_flag = false;
  std::uint32_t slice_segment_address = 0;
  if (!first_slice_segment_in_pic_flag) {
    const auto PicSizeInCtbsY = static_cast<std::uint32_t>(sps.PicSizeInCtbsY);
    if (pps.dependent_slice_segments_enabled_flag) dependent_slice_segment_flag = r.flag();
    slice_segment_address = r.u(ceil_log2(PicSizeInCtbsY));
    COPE_REQUIRE(slice_segment_address > 0 && slice_segment_address < PicSizeInCtbsY,
                 "slice_segment_address", "H.265 7.4.7.1");
  }
  COPE_REQUIRE(!dependent_slice_segment_flag || previous != nullptr, "dependent_slice_segment_flag",
               "H.265 7.4.7.1");

  static const SliceHeader kInferred;
  SliceHeader& h = out;
  h = dependent_slice_segment_flag ? *previous : kInferred;
  h.entry_point_offset_minus1.clear();
  h.first_slice_segment_in_pic_flag = first_slice_segment_in_pic_flag;
  h.no_output_of_prior_pics_flag = no_output_of_prior_pics_flag;
  h.slice_pic_parameter_set_id = static_cast<std::uint8_t>(slice_pic_parameter_set_id);
  h.dependent_slice_segment_flag = dependent_slice_segment_flag;
  h.slice_segment_address = slice_segment_address;
  if (!dependent_slice_segment_flag) COPE_RETURN_IF_ERROR(parse_slice(r, nal, sps, pps, h));
  if (pps.tiles_enabled_flag || pps.entropy_coding_sync_enabled_flag) {
    COPE_RETURN_IF_ERROR(parse_entry_points(r, sps, pps, h));
  }
  return parse_tail(r, pps);
}

}  // namespace cope::h265
