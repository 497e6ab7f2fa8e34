#include "cope/h265/pps.h"

namespace cope::h265 {
namespace {

Status parse_reference_defaults(bits::BitReader& r, Pps& pps) {
  const std::uint32_t num_ref_idx_l0_default_active_minus1 = r.ue();
  COPE_REQUIRE(num_ref_idx_l0_default_active_minus1 <= 14, "num_ref_idx_l0_default_active_minus1",
               "H.265 7.4.3.3.1");
  const std::uint32_t num_ref_idx_l1_default_active_minus1 = r.ue();
  COPE_REQUIRE(num_ref_idx_l1_default_active_minus1 <= 14, "num_ref_idx_l1_default_active_minus1",
               "H.265 7.4.3.3.1");
  pps.num_ref_idx_l0_default_active_minus1 =
      static_cast<std::uint8_t>(num_ref_idx_l0_default_active_minus1);
  pps.num_ref_idx_l1_default_active_minus1 =
      static_cast<std::uint8_t>(num_ref_idx_l1_default_active_minus1);
  return {};
}

/// init_qp_minus26 up to pps_slice_chroma_qp_offsets_present_flag.
Status parse_quantiser(bits::BitReader& r, Pps& pps) {
  const std::int32_t init_qp_minus26 = r.se();
  COPE_REQUIRE(init_qp_minus26 >= -(26 + 48) && init_qp_minus26 <= 25, "init_qp_minus26",
               "H.265 7.4.3.3.1");
  pps.init_qp_minus26 = static_cast<std::int8_t>(init_qp_minus26);
  pps.constrained_intra_pred_flag = r.flag();
  pps.transform_skip_enabled_flag = r.flag();
  pps.cu_qp_delta_enabled_flag = r.flag();
  if (pps.cu_qp_delta_enabled_flag) {
    const std::uint32_t diff_cu_qp_delta_depth = r.ue();
    COPE_REQUIRE(diff_cu_qp_delta_depth <= 3, "diff_cu_qp_delta_depth", "H.265 7.4.3.3.1");
    pps.diff_cu_qp_delta_depth = static_cast<std::uint8_t>(diff_cu_qp_delta_depth);
  }
  const std::int32_t pps_cb_qp_offset = r.se();
  COPE_REQUIRE(pps_cb_qp_offset >= -12 && pps_cb_qp_offset <= 12, "pps_cb_qp_offset",
               "H.265 7.4.3.3.1");
  const std::int32_t pps_cr_qp_offset = r.se();
  COPE_REQUIRE(pps_cr_qp_offset >= -12 && pps_cr_qp_offset <= 12, "pps_cr_qp_offset",
               "H.265 7.4.3.3.1");
  pps.pps_cb_qp_offset = static_cast<std::int8_t>(pps_cb_qp_offset);
  pps.pps_cr_qp_offset = static_cast<std::int8_t>(pps_cr_qp_offset);
  pps.pps_slice_chroma_qp_offsets_present_flag = r.flag();
  return {};
}

/// num_tile_columns_minus1 up to loop_filter_across_tiles_enabled_flag.
Status parse_tiles(bits::BitReader& r, Pps& pps) {
  const std::uint32_t num_tile_columns_minus1 = r.ue();
  COPE_REQUIRE(num_tile_columns_minus1 < kMaxTileColumns, "num_tile_columns_minus1", "H.265 A.4.1");
  const std::uint32_t num_tile_rows_minus1 = r.ue();
  COPE_REQUIRE(num_tile_rows_minus1 < kMaxTileRows, "num_tile_rows_minus1", "H.265 A.4.1");
  pps.num_tile_columns_minus1 = static_cast<std::uint8_t>(num_tile_columns_minus1);
  pps.num_tile_rows_minus1 = static_cast<std::uint8_t>(num_tile_rows_minus1);
  pps.uniform_spacing_flag = r.flag();
  if (!pps.uniform_spacing_flag) {
    for (std::uint32_t i = 0; i < num_tile_columns_minus1; ++i) {
      const std::uint32_t column_width_minus1 = r.ue();
      COPE_REQUIRE(column_width_minus1 < 65535, "column_width_minus1", "H.265 7.4.3.3.1");
      pps.column_width_minus1[i] = static_cast<std::uint16_t>(column_width_minus1);
    }
    for (std::uint32_t i = 0; i < num_tile_rows_minus1; ++i) {
      const std::uint32_t row_height_minus1 = r.ue();
      COPE_REQUIRE(row_height_minus1 < 65535, "row_height_minus1", "H.265 7.4.3.3.1");
      pps.row_height_minus1[i] = static_cast<std::uint16_t>(row_height_minus1);
    }
  }
  pps.loop_filter_across_tiles_enabled_flag = r.flag();
  return {};
}

Status parse_deblocking(bits::BitReader& r, Pps& pps) {
  pps.deblocking_filter_override_enabled_flag = r.flag();
  pps.pps_deblocking_filter_disabled_flag = r.flag();
  if (pps.pps_deblocking_filter_disabled_flag) return {};
  const std::int32_t pps_beta_offset_div2 = r.se();
  COPE_REQUIRE(pps_beta_offset_div2 >= -6 && pps_beta_offset_div2 <= 6, "pps_beta_offset_div2",
               "H.265 7.4.3.3.1");
  const std::int32_t pps_tc_offset_div2 = r.se();
  COPE_REQUIRE(pps_tc_offset_div2 >= -6 && pps_tc_offset_div2 <= 6, "pps_tc_offset_div2",
               "H.265 7.4.3.3.1");
  pps.pps_beta_offset_div2 = static_cast<std::int8_t>(pps_beta_offset_div2);
  pps.pps_tc_offset_div2 = static_cast<std::int8_t>(pps_tc_offset_div2);
  return {};
}

/// The list of pps_range_extension() that cu_chroma_qp_offset_idx points into.
Status parse_chroma_qp_offset_list(bits::BitReader& r, PpsRangeExtension& range) {
  const std::uint32_t diff_cu_chroma_qp_offset_depth = r.ue();
  COPE_REQUIRE(diff_cu_chroma_qp_offset_depth <= 3, "diff_cu_chroma_qp_offset_depth",
               "H.265 7.4.3.3.2");
  range.diff_cu_chroma_qp_offset_depth = static_cast<std::uint8_t>(diff_cu_chroma_qp_offset_depth);
  const std::uint32_t chroma_qp_offset_list_len_minus1 = r.ue();
  COPE_REQUIRE(chroma_qp_offset_list_len_minus1 <= 5, "chroma_qp_offset_list_len_minus1",
               "H.265 7.4.3.3.2");
  range.chroma_qp_offset_list_len_minus1 =
      static_cast<std::uint8_t>(chroma_qp_offset_list_len_minus1);
  for (std::uint32_t i = 0; i <= chroma_qp_offset_list_len_minus1; ++i) {
    const std::int32_t cb_qp_offset_list = r.se();
    COPE_REQUIRE(cb_qp_offset_list >= -12 && cb_qp_offset_list <= 12, "cb_qp_offset_list",
                 "H.265 7.4.3.3.2");
    const std::int32_t cr_qp_offset_list = r.se();
    COPE_REQUIRE(cr_qp_offset_list >= -12 && cr_qp_offset_list <= 12, "cr_qp_offset_list",
                 "H.265 7.4.3.3.2");
    range.cb_qp_offset_list[i] = static_cast<std::int8_t>(cb_qp_offset_list);
    range.cr_qp_offset_list[i] = static_cast<std::int8_t>(cr_qp_offset_list);
  }
  return {};
}

Status parse_range_extension(bits::BitReader& r, Pps& pps) {
  PpsRangeExtension& range = pps.range;
  if (pps.transform_skip_enabled_flag) {
    const std::uint32_t log2_max_transform_skip_block_size_minus2 = r.ue();
    COPE_REQUIRE(log2_max_transform_skip_block_size_minus2 <= 3,
                 "log2_max_transform_skip_block_size_minus2", "H.265 7.4.3.3.2");
    range.log2_max_transform_skip_block_size_minus2 =
        static_cast<std::uint8_t>(log2_max_transform_skip_block_size_minus2);
  }
  range.cross_component_prediction_enabled_flag = r.flag();
  range.chroma_qp_offset_list_enabled_flag = r.flag();
  if (range.chroma_qp_offset_list_enabled_flag) {
    COPE_RETURN_IF_ERROR(parse_chroma_qp_offset_list(r, range));
  }
  const std::uint32_t log2_sao_offset_scale_luma = r.ue();
  COPE_REQUIRE(log2_sao_offset_scale_luma <= 6, "log2_sao_offset_scale_luma", "H.265 7.4.3.3.2");
  const std::uint32_t log2_sao_offset_scale_chroma = r.ue();
  COPE_REQUIRE(log2_sao_offset_scale_chroma <= 6, "log2_sao_offset_scale_chroma",
               "H.265 7.4.3.3.2");
  range.log2_sao_offset_scale_luma = static_cast<std::uint8_t>(log2_sao_offset_scale_luma);
  range.log2_sao_offset_scale_chroma = static_cast<std::uint8_t>(log2_sao_offset_scale_chroma);
  return {};
}

Status parse_extensions(bits::BitReader& r, Pps& pps) {
  const bool pps_range_extension_flag = r.flag();
  const bool pps_multilayer_extension_flag = r.flag();
  const bool pps_3d_extension_flag = r.flag();
  const bool pps_scc_extension_flag = r.flag();
  r.skip(4);  // pps_extension_4bits
  if (pps_range_extension_flag) COPE_RETURN_IF_ERROR(parse_range_extension(r, pps));
  COPE_REQUIRE(!r.overrun(), "rbsp_overrun", "H.265 7.3.2.3");
  if (!pps_scc_extension_flag) return {};
  // The extensions of layers and depth change nothing about layer 0, but pps_scc_extension() is
  // found only behind them; no profile has both.
  if (pps_multilayer_extension_flag || pps_3d_extension_flag) {
    return Status::unsupported("pps_scc_extension");
  }
  if (r.flag()) return Status::unsupported("pps_curr_pic_ref_enabled_flag");
  if (r.flag()) return Status::unsupported("residual_adaptive_colour_transform_enabled_flag");
  return {};  // pps_palette_predictor_initializers: without palette mode nothing uses them
}

/// The bounds of tiles along one axis, in CTBs: (6-3) to (6-6).
Status derive_bounds(int num_tiles, bool uniform_spacing_flag, const std::uint16_t* size_minus1,
                     std::int32_t size_in_ctbs, const char* element,
                     std::vector<std::uint16_t>& bounds) {
  bounds.assign(static_cast<std::size_t>(num_tiles) + 1, 0);
  std::int32_t bound = 0;
  for (int i = 1; i < num_tiles; ++i) {
    const std::int32_t next =
        uniform_spacing_flag ? i * size_in_ctbs / num_tiles : bound + size_minus1[i - 1] + 1;
    if (next <= bound || next >= size_in_ctbs) return Status::invalid(element, "H.265 7.4.3.3.1");
    bound = next;
    bounds[static_cast<std::size_t>(i)] = static_cast<std::uint16_t>(bound);
  }
  bounds.back() = static_cast<std::uint16_t>(size_in_ctbs);
  return {};
}

/// CtbAddrRsToTs, CtbAddrTsToRs and TileId, 6.5.1.
void derive_tile_scan(const Sps& sps, Pps& pps) {
  const auto num_ctbs = static_cast<std::size_t>(sps.PicSizeInCtbsY);
  pps.CtbAddrRsToTs.resize(num_ctbs);
  pps.CtbAddrTsToRs.resize(num_ctbs);
  pps.TileId.resize(num_ctbs);
  std::uint32_t ts = 0;
  std::uint16_t tile_id = 0;
  for (std::size_t j = 0; j + 1 < pps.rowBd.size(); ++j) {
    for (std::size_t i = 0; i + 1 < pps.colBd.size(); ++i, ++tile_id) {
      for (std::uint32_t y = pps.rowBd[j]; y < pps.rowBd[j + 1]; ++y) {
        for (std::uint32_t x = pps.colBd[i]; x < pps.colBd[i + 1]; ++x, ++ts) {
          const std::uint32_t rs = y * static_cast<std::uint32_t>(sps.PicWidthInCtbsY) + x;
          pps.CtbAddrRsToTs[rs] = ts;
          pps.CtbAddrTsToRs[ts] = rs;
          pps.TileId[ts] = tile_id;
        }
      }
    }
  }
}

}  // namespace

Status parse_pps(bits::BitReader& r, Pps& out) {
  out = Pps{};
  const std::uint32_t pps_pic_parameter_set_id = r.ue();
  COPE_REQUIRE(pps_pic_parameter_set_id <= 63, "pps_pic_parameter_set_id", "H.265 7.4.3.3.1");
  out.pps_pic_parameter_set_id = static_cast<std::uint8_t>(pps_pic_parameter_set_id);
  const std::uint32_t pps_seq_parameter_set_id = r.ue();
  COPE_REQUIRE(pps_seq_parameter_set_id <= 15, "pps_seq_parameter_set_id", "H.265 7.4.3.3.1");
  out.pps_seq_parameter_set_id = static_cast<std::uint8_t>(pps_seq_parameter_set_id);
  out.dependent_slice_segments_enabled_flag = r.flag();
  out.output_flag_present_flag = r.flag();
  out.num_extra_slice_header_bits = static_cast<std::uint8_t>(r.u(3));
  out.sign_data_hiding_enabled_flag = r.flag();
  out.cabac_init_present_flag = r.flag();
  COPE_RETURN_IF_ERROR(parse_reference_defaults(r, out));
  COPE_RETURN_IF_ERROR(parse_quantiser(r, out));
  out.weighted_pred_flag = r.flag();
  out.weighted_bipred_flag = r.flag();
  out.transquant_bypass_enabled_flag = r.flag();
  out.tiles_enabled_flag = r.flag();
  out.entropy_coding_sync_enabled_flag = r.flag();
  if (out.tiles_enabled_flag) COPE_RETURN_IF_ERROR(parse_tiles(r, out));
  out.pps_loop_filter_across_slices_enabled_flag = r.flag();
  out.deblocking_filter_control_present_flag = r.flag();
  if (out.deblocking_filter_control_present_flag) COPE_RETURN_IF_ERROR(parse_deblocking(r, out));
  out.pps_scaling_list_data_present_flag = r.flag();
  if (out.pps_scaling_list_data_present_flag) {
    COPE_RETURN_IF_ERROR(parse_scaling_list_data(r, out.scaling_list));
  }
  out.lists_modification_present_flag = r.flag();
  const std::uint32_t log2_parallel_merge_level_minus2 = r.ue();
  COPE_REQUIRE(log2_parallel_merge_level_minus2 <= 4, "log2_parallel_merge_level_minus2",
               "H.265 7.4.3.3.1");
  out.log2_parallel_merge_level_minus2 =
      static_cast<std::uint8_t>(log2_parallel_merge_level_minus2);
  out.slice_segment_header_extension_present_flag = r.flag();
  const bool pps_extension_present_flag = r.flag();
  COPE_REQUIRE(!r.overrun(), "rbsp_overrun", "H.265 7.3.2.3");
  if (pps_extension_present_flag) COPE_RETURN_IF_ERROR(parse_extensions(r, out));
  return {};
}

Status activate_pps(const Sps& sps, Pps& pps) {
  const auto require = [](bool condition, const char* element) {
    return condition ? Status{} : Status::invalid(element, "H.265 7.4.3.3");
  };
  COPE_RETURN_IF_ERROR(
      require(pps.init_qp_minus26 >= -(26 + sps.QpBdOffsetY()), "init_qp_minus26"));
  COPE_RETURN_IF_ERROR(
      require(pps.diff_cu_qp_delta_depth <= sps.log2_diff_max_min_luma_coding_block_size,
              "diff_cu_qp_delta_depth"));
  COPE_RETURN_IF_ERROR(require(
      pps.range.diff_cu_chroma_qp_offset_depth <= sps.log2_diff_max_min_luma_coding_block_size,
      "diff_cu_chroma_qp_offset_depth"));
  COPE_RETURN_IF_ERROR(
      require(pps.Log2ParMrgLevel() <= sps.CtbLog2SizeY, "log2_parallel_merge_level_minus2"));
  COPE_RETURN_IF_ERROR(require(pps.Log2MaxTransformSkipSize() <= sps.MaxTbLog2SizeY,
                               "log2_max_transform_skip_block_size_minus2"));
  COPE_RETURN_IF_ERROR(
      require(!pps.range.cross_component_prediction_enabled_flag || sps.ChromaArrayType() == 3,
              "cross_component_prediction_enabled_flag"));
  COPE_RETURN_IF_ERROR(
      require(!pps.range.chroma_qp_offset_list_enabled_flag || sps.ChromaArrayType() != 0,
              "chroma_qp_offset_list_enabled_flag"));
  pps.Log2MinCuQpDeltaSize = sps.CtbLog2SizeY - pps.diff_cu_qp_delta_depth;
  pps.Log2MinCuChromaQpOffsetSize = sps.CtbLog2SizeY - pps.range.diff_cu_chroma_qp_offset_depth;

  const ScalingList* list = nullptr;
  if (sps.scaling_list_enabled_flag) {
    list = pps.pps_scaling_list_data_present_flag ? &pps.scaling_list : &sps.scaling_list;
  }
  make_scaling_matrices(list, pps.scaling);
  COPE_RETURN_IF_ERROR(derive_bounds(pps.num_tile_columns(), pps.uniform_spacing_flag,
                                     pps.column_width_minus1, sps.PicWidthInCtbsY,
                                     "column_width_minus1", pps.colBd));
  COPE_RETURN_IF_ERROR(derive_bounds(pps.num_tile_rows(), pps.uniform_spacing_flag,
                                     pps.row_height_minus1, sps.PicHeightInCtbsY,
                                     "row_height_minus1", pps.rowBd));
  derive_tile_scan(sps, pps);
  return {};
}

}  // namespace cope::h265
