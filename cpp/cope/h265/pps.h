#pragma once

#include <cstdint>
#include <vector>

#include "cope/base/status.h"
#include "cope/bits/bit_reader.h"
#include "cope/h265/scaling_list.h"
#include "cope/h265/sps.h"
#include "cope/prim/coeff_stream.h"

namespace cope::h265 {

inline constexpr int kMaxTileColumns = 20;  // MaxTileCols of level 6.2, Table A.8
inline constexpr int kMaxTileRows = 22;     // MaxTileRows of level 6.2, Table A.8

/// pps_range_extension(), 7.3.2.3.2.
struct PpsRangeExtension {
  std::uint8_t log2_max_transform_skip_block_size_minus2 = 0;
  bool cross_component_prediction_enabled_flag = false;
  bool chroma_qp_offset_list_enabled_flag = false;
  std::uint8_t diff_cu_chroma_qp_offset_depth = 0;    // 0..log2_diff_max_min_luma_coding_block_size
  std::uint8_t chroma_qp_offset_list_len_minus1 = 0;  // 0..5
  std::int8_t cb_qp_offset_list[6] = {};              // -12..12
  std::int8_t cr_qp_offset_list[6] = {};              // -12..12
  std::uint8_t log2_sao_offset_scale_luma = 0;        // 0..Max(0, BitDepthY - 10)
  std::uint8_t log2_sao_offset_scale_chroma = 0;      // 0..Max(0, BitDepthC - 10)
};

/// pic_parameter_set_rbsp(), 7.3.2.3. Fields as coded; absent ones hold the inferred value.
struct Pps {
  std::uint8_t pps_pic_parameter_set_id = 0;  // 0..63
  std::uint8_t pps_seq_parameter_set_id = 0;  // 0..15
  bool dependent_slice_segments_enabled_flag = false;
  bool output_flag_present_flag = false;
  std::uint8_t num_extra_slice_header_bits = 0;  // 0..7
  bool sign_data_hiding_enabled_flag = false;
  bool cabac_init_present_flag = false;
  std::uint8_t num_ref_idx_l0_default_active_minus1 = 0;  // 0..14
  std::uint8_t num_ref_idx_l1_default_active_minus1 = 0;  // 0..14
  std::int8_t init_qp_minus26 = 0;                        // -(26 + QpBdOffsetY)..25
  bool constrained_intra_pred_flag = false;
  bool transform_skip_enabled_flag = false;
  bool cu_qp_delta_enabled_flag = false;
  std::uint8_t diff_cu_qp_delta_depth = 0;  // 0..log2_diff_max_min_luma_coding_block_size
  std::int8_t pps_cb_qp_offset = 0;         // -12..12
  std::int8_t pps_cr_qp_offset = 0;         // -12..12
  bool pps_slice_chroma_qp_offsets_present_flag = false;
  bool weighted_pred_flag = false;
  bool weighted_bipred_flag = false;
  bool transquant_bypass_enabled_flag = false;
  bool tiles_enabled_flag = false;
  bool entropy_coding_sync_enabled_flag = false;
  std::uint8_t num_tile_columns_minus1 = 0;  // 0..kMaxTileColumns - 1
  std::uint8_t num_tile_rows_minus1 = 0;     // 0..kMaxTileRows - 1
  bool uniform_spacing_flag = true;
  std::uint16_t column_width_minus1[kMaxTileColumns] = {};  // [num_tile_columns_minus1], CTBs
  std::uint16_t row_height_minus1[kMaxTileRows] = {};       // [num_tile_rows_minus1], CTBs
  bool loop_filter_across_tiles_enabled_flag = true;
  bool pps_loop_filter_across_slices_enabled_flag = false;
  bool deblocking_filter_control_present_flag = false;
  bool deblocking_filter_override_enabled_flag = false;
  bool pps_deblocking_filter_disabled_flag = false;
  std::int8_t pps_beta_offset_div2 = 0;  // -6..6
  std::int8_t pps_tc_offset_div2 = 0;    // -6..6
  bool pps_scaling_list_data_present_flag = false;
  ScalingList scaling_list;  // pps_scaling_list_data_present_flag
  bool lists_modification_present_flag = false;
  std::uint8_t log2_parallel_merge_level_minus2 = 0;  // 0..CtbLog2SizeY - 2
  bool slice_segment_header_extension_present_flag = false;
  PpsRangeExtension range;

  // derived, once the PPS is activated together with its SPS
  prim::ScalingMatrices scaling = {};  ///< ScalingFactor in force; flat without scaling lists
  std::vector<std::uint16_t> colBd;    ///< [i], CTBs; [num_tile_columns_minus1 + 1] is the width
  std::vector<std::uint16_t> rowBd;    ///< [j], CTBs; [num_tile_rows_minus1 + 1] is the height
  std::vector<std::uint32_t> CtbAddrRsToTs;      ///< [PicSizeInCtbsY] (6-7)
  std::vector<std::uint32_t> CtbAddrTsToRs;      ///< [PicSizeInCtbsY] (6-8)
  std::vector<std::uint16_t> TileId;             ///< [tile-scan address] (6-9)
  std::int32_t Log2MinCuQpDeltaSize = 0;         // CtbLog2SizeY - diff_cu_qp_delta_depth
  std::int32_t Log2MinCuChromaQpOffsetSize = 0;  // CtbLog2SizeY - diff_cu_chroma_qp_offset_depth

  std::int32_t Log2ParMrgLevel() const noexcept { return log2_parallel_merge_level_minus2 + 2; }
  std::int32_t Log2MaxTransformSkipSize() const noexcept {
    return range.log2_max_transform_skip_block_size_minus2 + 2;
  }
  std::int32_t num_tile_columns() const noexcept { return num_tile_columns_minus1 + 1; }
  std::int32_t num_tile_rows() const noexcept { return num_tile_rows_minus1 + 1; }
};

/// Reads a PPS of nuh_layer_id 0 from an RBSP without its NAL unit header.
Status parse_pps(bits::BitReader& r, Pps& out);

/// Fills the derived part and checks what relates the two (7.4.3.3).
Status activate_pps(const Sps& sps, Pps& pps);

}  // namespace cope::h265
