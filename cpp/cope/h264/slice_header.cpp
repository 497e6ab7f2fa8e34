#include "cope/h264/slice_header.h"

namespace cope::h264 {
namespace {

/// Number of bits of slice_group_change_cycle: Ceil(Log2(PicSizeInMapUnits / SliceGroupChangeRate +
/// 1)), the division being exact (7.4.3).
unsigned slice_group_change_cycle_bits(const Sps& sps, const Pps& pps) noexcept {
  const auto PicSizeInMapUnits = static_cast<std::uint64_t>(sps.PicSizeInMapUnits());
  unsigned num_bits = 0;
  while (((std::uint64_t{1} << num_bits) - 1) * pps.SliceGroupChangeRate() < PicSizeInMapUnits) {
    ++num_bits;
  }
  return num_bits;
}

Status parse_num_ref_idx_active(bits::BitReader& r, const Pps& pps, SliceHeader& h) {
  h.num_ref_idx_l0_active_minus1 = pps.num_ref_idx_l0_default_active_minus1;
  if (h.is_b()) h.num_ref_idx_l1_active_minus1 = pps.num_ref_idx_l1_default_active_minus1;
  h.num_ref_idx_active_override_flag = r.flag();
  const std::uint32_t max_active_minus1 = h.field_pic_flag ? 31 : 15;
  if (h.num_ref_idx_active_override_flag) {
    const std::uint32_t num_ref_idx_l0_active_minus1 = r.ue();
    COPE_REQUIRE(num_ref_idx_l0_active_minus1 <= max_active_minus1, "num_ref_idx_l0_active_minus1",
                 "H.264 7.4.3");
    h.num_ref_idx_l0_active_minus1 = static_cast<std::uint8_t>(num_ref_idx_l0_active_minus1);
    if (h.is_b()) {
      const std::uint32_t num_ref_idx_l1_active_minus1 = r.ue();
      COPE_REQUIRE(num_ref_idx_l1_active_minus1 <= max_active_minus1,
                   "num_ref_idx_l1_active_minus1", "H.264 7.4.3");
      h.num_ref_idx_l1_active_minus1 = static_cast<std::uint8_t>(num_ref_idx_l1_active_minus1);
    }
  }
  COPE_REQUIRE(h.num_ref_idx_l0_active_minus1 <= max_active_minus1 &&
                   h.num_ref_idx_l1_active_minus1 <= max_active_minus1,
               "num_ref_idx_active_override_flag", "H.264 7.4.3");
  h.num_ref_idx_active[0] = static_cast<std::uint8_t>(h.num_ref_idx_l0_active_minus1 + 1);
  if (h.is_b()) {
    h.num_ref_idx_active[1] = static_cast<std::uint8_t>(h.num_ref_idx_l1_active_minus1 + 1);
  }
  return {};
}

/// ref_pic_list_modification(), 7.3.3.1.
Status parse_ref_pic_list_modification(bits::BitReader& r, SliceHeader& h) {
  for (int list = 0; list < (h.is_b() ? 2 : 1); ++list) {
    h.ref_pic_list_modification_flag[list] = r.flag();
    if (!h.ref_pic_list_modification_flag[list]) continue;
    for (;;) {
      const std::uint32_t modification_of_pic_nums_idc = r.ue();
      if (modification_of_pic_nums_idc == 3) break;
      COPE_REQUIRE(modification_of_pic_nums_idc <= 2, "modification_of_pic_nums_idc",
                   "H.264 7.4.3.1");
      COPE_REQUIRE(
          h.num_ref_pic_list_modifications[list] < h.num_ref_idx_active[list] && !r.overrun(),
          "modification_of_pic_nums_idc", "H.264 7.4.3.1");
      RefPicListModification& m =
          h.ref_pic_list_modification[list][h.num_ref_pic_list_modifications[list]++];
      m = {};
      m.modification_of_pic_nums_idc = static_cast<std::uint8_t>(modification_of_pic_nums_idc);
      if (modification_of_pic_nums_idc == 2) {
        m.long_term_pic_num = r.ue();
      } else {
        m.abs_diff_pic_num_minus1 = r.ue();
        COPE_REQUIRE(m.abs_diff_pic_num_minus1 < static_cast<std::uint32_t>(h.MaxPicNum),
                     "abs_diff_pic_num_minus1", "H.264 7.4.3.1");
      }
    }
  }
  return {};
}

/// One weight and offset of pred_weight_table().
Status parse_weight(bits::BitReader& r, std::int16_t& weight, std::int16_t& offset,
                    const char* weight_name, const char* offset_name) {
  const std::int32_t coded_weight = r.se();
  const std::int32_t coded_offset = r.se();
  COPE_REQUIRE(coded_weight >= -128 && coded_weight <= 127, weight_name, "H.264 7.4.3.2");
  COPE_REQUIRE(coded_offset >= -128 && coded_offset <= 127, offset_name, "H.264 7.4.3.2");
  weight = static_cast<std::int16_t>(coded_weight);
  offset = static_cast<std::int16_t>(coded_offset);
  return {};
}

/// pred_weight_table(), 7.3.3.2.
Status parse_pred_weight_table(bits::BitReader& r, const Sps& sps, SliceHeader& h) {
  PredWeightTable& t = h.pred_weight_table;
  const bool has_chroma = sps.ChromaArrayType() != 0;
  const std::uint32_t luma_log2_weight_denom = r.ue();
  COPE_REQUIRE(luma_log2_weight_denom <= 7, "luma_log2_weight_denom", "H.264 7.4.3.2");
  t.luma_log2_weight_denom = static_cast<std::uint8_t>(luma_log2_weight_denom);
  if (has_chroma) {
    const std::uint32_t chroma_log2_weight_denom = r.ue();
    COPE_REQUIRE(chroma_log2_weight_denom <= 7, "chroma_log2_weight_denom", "H.264 7.4.3.2");
    t.chroma_log2_weight_denom = static_cast<std::uint8_t>(chroma_log2_weight_denom);
  }
  for (int list = 0; list < 2; ++list) {
    for (int i = 0; i < h.num_ref_idx_active[list]; ++i) {
      t.luma_weight[list][i] = static_cast<std::int16_t>(1 << t.luma_log2_weight_denom);
      t.luma_offset[list][i] = 0;
      if (r.flag()) {  // luma_weight_lX_flag
        COPE_RETURN_IF_ERROR(parse_weight(r, t.luma_weight[list][i], t.luma_offset[list][i],
                                          "luma_weight", "luma_offset"));
      }
      const bool chroma_weight_flag = has_chroma && r.flag();
      for (int j = 0; j < 2; ++j) {
        t.chroma_weight[list][i][j] = static_cast<std::int16_t>(1 << t.chroma_log2_weight_denom);
        t.chroma_offset[list][i][j] = 0;
        if (chroma_weight_flag) {
          COPE_RETURN_IF_ERROR(parse_weight(r, t.chroma_weight[list][i][j],
                                            t.chroma_offset[list][i][j], "chroma_weight",
                                            "chroma_offset"));
        }
      }
    }
  }
  return {};
}

/// dec_ref_pic_marking(), 7.3.3.3.
Status parse_dec_ref_pic_marking(bits::BitReader& r, bool IdrPicFlag, SliceHeader& h) {
  DecRefPicMarking& marking = h.dec_ref_pic_marking;
  if (IdrPicFlag) {
    marking.no_output_of_prior_pics_flag = r.flag();
    marking.long_term_reference_flag = r.flag();
    return {};
  }
  marking.adaptive_ref_pic_marking_mode_flag = r.flag();
  if (!marking.adaptive_ref_pic_marking_mode_flag) return {};
  for (;;) {
    const std::uint32_t operation = r.ue();
    if (operation == 0) return {};
    COPE_REQUIRE(operation <= 6 && marking.num_mmco < kMaxMmco && !r.overrun(),
                 "memory_management_control_operation", "H.264 7.4.3.3");
    MemoryManagementControl& m = marking.mmco[marking.num_mmco++];
    m = {};
    m.memory_management_control_operation = static_cast<std::uint8_t>(operation);
    if (operation == 1 || operation == 3) {
      m.difference_of_pic_nums_minus1 = r.ue();
      COPE_REQUIRE(m.difference_of_pic_nums_minus1 < static_cast<std::uint32_t>(h.MaxPicNum),
                   "difference_of_pic_nums_minus1", "H.264 7.4.3.3");
    }
    if (operation == 2) m.long_term_pic_num = r.ue();
    if (operation == 3 || operation == 6) {
      m.long_term_frame_idx = r.ue();
      COPE_REQUIRE(m.long_term_frame_idx <= 15, "long_term_frame_idx", "H.264 7.4.3.3");
    }
    if (operation == 4) {
      m.max_long_term_frame_idx_plus1 = r.ue();
      COPE_REQUIRE(m.max_long_term_frame_idx_plus1 <= 16, "max_long_term_frame_idx_plus1",
                   "H.264 7.4.3.3");
    }
  }
}

/// frame_num up to delta_pic_order_cnt: what identifies the picture.
Status parse_picture_identification(bits::BitReader& r, const NalUnitHeader& nal, const Sps& sps,
                                    const Pps& pps, SliceHeader& h) {
  h.frame_num = static_cast<std::uint16_t>(r.u(sps.log2_max_frame_num_minus4 + 4u));
  if (!sps.frame_mbs_only_flag) {
    h.field_pic_flag = r.flag();
    if (h.field_pic_flag) h.bottom_field_flag = r.flag();
  }
  h.MbaffFrameFlag = sps.mb_adaptive_frame_field_flag && !h.field_pic_flag;
  h.PicHeightInMbs = sps.FrameHeightInMbs() / (1 + h.field_pic_flag);
  h.PicSizeInMbs = sps.PicWidthInMbs() * h.PicHeightInMbs;
  h.MaxPicNum = sps.MaxFrameNum() * (1 + h.field_pic_flag);
  h.CurrPicNum = h.field_pic_flag ? 2 * h.frame_num + 1 : h.frame_num;
  const auto num_addresses = static_cast<std::uint32_t>(h.PicSizeInMbs / (1 + h.MbaffFrameFlag));
  COPE_REQUIRE(h.first_mb_in_slice < num_addresses, "first_mb_in_slice", "H.264 7.4.3");
  if (nal.IdrPicFlag()) {
    const std::uint32_t idr_pic_id = r.ue();
    COPE_REQUIRE(idr_pic_id <= 65535, "idr_pic_id", "H.264 7.4.3");
    h.idr_pic_id = static_cast<std::uint16_t>(idr_pic_id);
  }
  if (sps.pic_order_cnt_type == 0) {
    h.pic_order_cnt_lsb =
        static_cast<std::uint16_t>(r.u(sps.log2_max_pic_order_cnt_lsb_minus4 + 4u));
    if (pps.bottom_field_pic_order_in_frame_present_flag && !h.field_pic_flag) {
      h.delta_pic_order_cnt_bottom = r.se();
    }
  } else if (sps.pic_order_cnt_type == 1 && !sps.delta_pic_order_always_zero_flag) {
    h.delta_pic_order_cnt[0] = r.se();
    if (pps.bottom_field_pic_order_in_frame_present_flag && !h.field_pic_flag) {
      h.delta_pic_order_cnt[1] = r.se();
    }
  }
  return {};
}

/// slice_qp_delta up to slice_beta_offset_div2.
Status parse_quantiser_and_filter(bits::BitReader& r, const Sps& sps, const Pps& pps,
                                  SliceHeader& h) {
  const std::int32_t slice_qp_delta = r.se();
  COPE_REQUIRE(slice_qp_delta >= -128 && slice_qp_delta <= 127, "slice_qp_delta", "H.264 7.4.3");
  h.slice_qp_delta = static_cast<std::int8_t>(slice_qp_delta);
  h.SliceQPY = 26 + pps.pic_init_qp_minus26 + slice_qp_delta;
  COPE_REQUIRE(h.SliceQPY >= -sps.QpBdOffsetY() && h.SliceQPY <= 51, "slice_qp_delta",
               "H.264 7.4.3");
  if (h.slice_type == SliceType::SP || h.slice_type == SliceType::SI) {
    if (h.slice_type == SliceType::SP) h.sp_for_switch_flag = r.flag();
    const std::int32_t slice_qs_delta = r.se();
    COPE_REQUIRE(slice_qs_delta >= -128 && slice_qs_delta <= 127, "slice_qs_delta", "H.264 7.4.3");
    h.slice_qs_delta = static_cast<std::int8_t>(slice_qs_delta);
    h.QSY = 26 + pps.pic_init_qs_minus26 + slice_qs_delta;
    COPE_REQUIRE(h.QSY >= 0 && h.QSY <= 51, "slice_qs_delta", "H.264 7.4.3");
  }
  if (pps.deblocking_filter_control_present_flag) {
    const std::uint32_t disable_deblocking_filter_idc = r.ue();
    COPE_REQUIRE(disable_deblocking_filter_idc <= 2, "disable_deblocking_filter_idc",
                 "H.264 7.4.3");
    h.disable_deblocking_filter_idc = static_cast<std::uint8_t>(disable_deblocking_filter_idc);
    if (disable_deblocking_filter_idc != 1) {
      const std::int32_t slice_alpha_c0_offset_div2 = r.se();
      COPE_REQUIRE(slice_alpha_c0_offset_div2 >= -6 && slice_alpha_c0_offset_div2 <= 6,
                   "slice_alpha_c0_offset_div2", "H.264 7.4.3");
      h.slice_alpha_c0_offset_div2 = static_cast<std::int8_t>(slice_alpha_c0_offset_div2);
      const std::int32_t slice_beta_offset_div2 = r.se();
      COPE_REQUIRE(slice_beta_offset_div2 >= -6 && slice_beta_offset_div2 <= 6,
                   "slice_beta_offset_div2", "H.264 7.4.3");
      h.slice_beta_offset_div2 = static_cast<std::int8_t>(slice_beta_offset_div2);
    }
  }
  return {};
}

}  // namespace

std::uint32_t peek_pic_parameter_set_id(bits::BitReader r) noexcept {
  r.ue();  // first_mb_in_slice
  r.ue();  // slice_type
  const std::uint32_t pic_parameter_set_id = r.ue();
  return r.overrun() || pic_parameter_set_id > 255 ? 256 : pic_parameter_set_id;
}

Status parse_slice_header(bits::BitReader& r, const NalUnitHeader& nal, const Sps& sps,
                          const Pps& pps, SliceHeader& out) {
  SliceHeader& h = out;
  h = SliceHeader{};
  h.first_mb_in_slice = r.ue();
  const std::uint32_t slice_type = r.ue();
  COPE_REQUIRE(slice_type <= 9, "slice_type", "H.264 7.4.3");
  h.slice_type = static_cast<SliceType>(slice_type % 5);
  COPE_REQUIRE(!nal.IdrPicFlag() || h.is_intra(), "slice_type", "H.264 7.4.3");
  const std::uint32_t pic_parameter_set_id = r.ue();
  COPE_REQUIRE(pic_parameter_set_id <= 255, "pic_parameter_set_id", "H.264 7.4.3");
  h.pic_parameter_set_id = static_cast<std::uint8_t>(pic_parameter_set_id);
  if (sps.separate_colour_plane_flag) {
    h.colour_plane_id = static_cast<std::uint8_t>(r.u(2));
    COPE_REQUIRE(h.colour_plane_id <= 2, "colour_plane_id", "H.264 7.4.3");
  }
  COPE_RETURN_IF_ERROR(parse_picture_identification(r, nal, sps, pps, h));
  if (pps.redundant_pic_cnt_present_flag) {
    const std::uint32_t redundant_pic_cnt = r.ue();
    COPE_REQUIRE(redundant_pic_cnt <= 127, "redundant_pic_cnt", "H.264 7.4.3");
    h.redundant_pic_cnt = static_cast<std::uint8_t>(redundant_pic_cnt);
  }
  if (h.is_b()) h.direct_spatial_mv_pred_flag = r.flag();
  if (!h.is_intra()) {
    COPE_RETURN_IF_ERROR(parse_num_ref_idx_active(r, pps, h));
    COPE_RETURN_IF_ERROR(parse_ref_pic_list_modification(r, h));
    h.has_pred_weight_table = h.is_b() ? pps.weighted_bipred_idc == 1 : pps.weighted_pred_flag;
    if (h.has_pred_weight_table) COPE_RETURN_IF_ERROR(parse_pred_weight_table(r, sps, h));
  }
  if (nal.nal_ref_idc != 0) {
    COPE_RETURN_IF_ERROR(parse_dec_ref_pic_marking(r, nal.IdrPicFlag(), h));
  }
  if (pps.entropy_coding_mode_flag && !h.is_intra()) {
    const std::uint32_t cabac_init_idc = r.ue();
    COPE_REQUIRE(cabac_init_idc <= 2, "cabac_init_idc", "H.264 7.4.3");
    h.cabac_init_idc = static_cast<std::uint8_t>(cabac_init_idc);
  }
  COPE_RETURN_IF_ERROR(parse_quantiser_and_filter(r, sps, pps, h));
  if (pps.num_slice_groups_minus1 > 0 && pps.slice_group_map_type >= 3 &&
      pps.slice_group_map_type <= 5) {
    h.slice_group_change_cycle = r.u(slice_group_change_cycle_bits(sps, pps));
  }
  if (nal.nal_unit_type == NalUnitType::kSliceDataPartitionA) h.slice_id = r.ue();
  COPE_REQUIRE(!r.overrun(), "rbsp_overrun", "H.264 7.3.3");
  return {};
}

}  // namespace cope::h264
