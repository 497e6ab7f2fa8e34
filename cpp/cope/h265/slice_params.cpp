#include "cope/h265/slice_params.h"

#include <algorithm>

namespace cope::h265 {
namespace {

void set_sequence_params(const Sps& sps, SliceParams& s) {
  const auto u8 = [](std::int32_t value) { return static_cast<std::uint8_t>(value); };
  s.ChromaArrayType = u8(sps.ChromaArrayType());
  s.BitDepthY = u8(sps.BitDepthY());
  s.BitDepthC = u8(sps.BitDepthC());
  s.QpBdOffsetY = u8(sps.QpBdOffsetY());
  s.QpBdOffsetC = u8(sps.QpBdOffsetC());
  s.MinCbLog2SizeY = u8(sps.MinCbLog2SizeY);
  s.CtbLog2SizeY = u8(sps.CtbLog2SizeY);
  s.MinTbLog2SizeY = u8(sps.MinTbLog2SizeY);
  s.MaxTbLog2SizeY = u8(sps.MaxTbLog2SizeY);
  s.max_transform_hierarchy_depth_inter = sps.max_transform_hierarchy_depth_inter;
  s.max_transform_hierarchy_depth_intra = sps.max_transform_hierarchy_depth_intra;
  s.amp_enabled_flag = sps.amp_enabled_flag;
  s.pcm_enabled_flag = sps.pcm_enabled_flag;
  s.PcmBitDepthY = u8(sps.PcmBitDepthY());
  s.PcmBitDepthC = u8(sps.PcmBitDepthC());
  s.Log2MinIpcmCbSizeY = u8(sps.Log2MinIpcmCbSizeY);
  s.Log2MaxIpcmCbSizeY = u8(sps.Log2MaxIpcmCbSizeY);
  const SpsRangeExtension& range = sps.range;
  s.transform_skip_rotation_enabled_flag = range.transform_skip_rotation_enabled_flag;
  s.transform_skip_context_enabled_flag = range.transform_skip_context_enabled_flag;
  s.implicit_rdpcm_enabled_flag = range.implicit_rdpcm_enabled_flag;
  s.explicit_rdpcm_enabled_flag = range.explicit_rdpcm_enabled_flag;
  s.extended_precision_processing_flag = range.extended_precision_processing_flag;
  s.persistent_rice_adaptation_enabled_flag = range.persistent_rice_adaptation_enabled_flag;
  s.cabac_bypass_alignment_enabled_flag = range.cabac_bypass_alignment_enabled_flag;
  s.pic_width_in_luma_samples = sps.pic_width_in_luma_samples;
  s.pic_height_in_luma_samples = sps.pic_height_in_luma_samples;
  s.PicWidthInCtbsY = sps.PicWidthInCtbsY;
  s.PicHeightInCtbsY = sps.PicHeightInCtbsY;
}

}  // namespace

SliceParams slice_params(const CodedSegment& segment) {
  const SliceHeader& header = segment.header;
  const Pps& pps = *segment.pps;
  SliceParams s;
  s.slice_type = static_cast<std::uint8_t>(header.slice_type);
  s.dependent_slice_segment_flag = header.dependent_slice_segment_flag;
  s.slice_sao_luma_flag = header.slice_sao_luma_flag;
  s.slice_sao_chroma_flag = header.slice_sao_chroma_flag;
  s.mvd_l1_zero_flag = header.mvd_l1_zero_flag;
  s.cabac_init_flag = header.cabac_init_flag;
  s.cu_chroma_qp_offset_enabled_flag = header.cu_chroma_qp_offset_enabled_flag;
  s.num_ref_idx_active[0] = header.num_ref_idx_active[0];
  s.num_ref_idx_active[1] = header.num_ref_idx_active[1];
  s.MaxNumMergeCand = static_cast<std::uint8_t>(header.MaxNumMergeCand());
  s.slice_segment_address = static_cast<std::int32_t>(header.slice_segment_address);
  s.SliceQpY = header.SliceQpY;
  s.chroma_qp_offset[0] =
      static_cast<std::int8_t>(pps.pps_cb_qp_offset + header.slice_cb_qp_offset);
  s.chroma_qp_offset[1] =
      static_cast<std::int8_t>(pps.pps_cr_qp_offset + header.slice_cr_qp_offset);
  s.sign_data_hiding_enabled_flag = pps.sign_data_hiding_enabled_flag;
  s.transform_skip_enabled_flag = pps.transform_skip_enabled_flag;
  s.cu_qp_delta_enabled_flag = pps.cu_qp_delta_enabled_flag;
  s.transquant_bypass_enabled_flag = pps.transquant_bypass_enabled_flag;
  s.entropy_coding_sync_enabled_flag = pps.entropy_coding_sync_enabled_flag;
  s.cross_component_prediction_enabled_flag = pps.range.cross_component_prediction_enabled_flag;
  s.Log2MaxTransformSkipSize = static_cast<std::uint8_t>(pps.Log2MaxTransformSkipSize());
  s.Log2MinCuQpDeltaSize = static_cast<std::uint8_t>(pps.Log2MinCuQpDeltaSize);
  s.Log2MinCuChromaQpOffsetSize = static_cast<std::uint8_t>(pps.Log2MinCuChromaQpOffsetSize);
  s.chroma_qp_offset_list_len_minus1 = pps.range.chroma_qp_offset_list_len_minus1;
  std::copy_n(pps.range.cb_qp_offset_list, 6, s.chroma_qp_offset_list[0]);
  std::copy_n(pps.range.cr_qp_offset_list, 6, s.chroma_qp_offset_list[1]);
  s.num_tile_columns = pps.num_tile_columns();
  s.num_tile_rows = pps.num_tile_rows();
  s.colBd = pps.colBd.data();
  s.rowBd = pps.rowBd.data();
  set_sequence_params(*segment.sps, s);
  return s;
}

}  // namespace cope::h265
