#pragma once

#include <cstdint>

#include "cope/entropy/context_model.h"
#include "cope/h265/cabac_tables.h"
#include "cope/h265/motion_syntax.h"
#include "cope/prim/coeff_stream.h"

namespace cope::h265 {

/// What slice_segment_data() needs of the headers, as plain values.
struct SliceParams {
  // slice_segment_header()
  std::uint8_t slice_type = 2;  ///< SliceType: 0 B, 1 P, 2 I
  bool dependent_slice_segment_flag = false;
  bool slice_sao_luma_flag = false;
  bool slice_sao_chroma_flag = false;
  bool mvd_l1_zero_flag = false;
  bool cabac_init_flag = false;
  bool cu_chroma_qp_offset_enabled_flag = false;
  std::uint8_t num_ref_idx_active[2] = {0, 0};  ///< 0..15
  std::uint8_t MaxNumMergeCand = 1;             ///< 1..5
  std::int32_t slice_segment_address = 0;
  std::int32_t SliceQpY = 26;                ///< -QpBdOffsetY..51
  std::int8_t chroma_qp_offset[2] = {0, 0};  ///< Cb, Cr: of the PPS and the slice together, -24..24
  // picture parameter set
  bool sign_data_hiding_enabled_flag = false;
  bool transform_skip_enabled_flag = false;
  bool cu_qp_delta_enabled_flag = false;
  bool transquant_bypass_enabled_flag = false;
  bool entropy_coding_sync_enabled_flag = false;
  bool cross_component_prediction_enabled_flag = false;
  std::uint8_t Log2MaxTransformSkipSize = 2;
  std::uint8_t Log2MinCuQpDeltaSize = 6;
  std::uint8_t Log2MinCuChromaQpOffsetSize = 6;
  std::uint8_t chroma_qp_offset_list_len_minus1 = 0;     ///< 0..5
  std::int8_t chroma_qp_offset_list[2][6] = {{0}, {0}};  ///< cb_qp_offset_list, cr_qp_offset_list
  std::int32_t num_tile_columns = 1;
  std::int32_t num_tile_rows = 1;
  const std::uint16_t* colBd = nullptr;  ///< [num_tile_columns + 1], coding tree blocks
  const std::uint16_t* rowBd = nullptr;  ///< [num_tile_rows + 1]
  // sequence parameter set
  std::uint8_t ChromaArrayType = 1;  ///< 0..3
  std::uint8_t BitDepthY = 8;        ///< 8..16
  std::uint8_t BitDepthC = 8;
  std::uint8_t QpBdOffsetY = 0;  ///< 6 * (BitDepthY - 8)
  std::uint8_t QpBdOffsetC = 0;
  std::uint8_t MinCbLog2SizeY = 3;
  std::uint8_t CtbLog2SizeY = 6;
  std::uint8_t MinTbLog2SizeY = 2;
  std::uint8_t MaxTbLog2SizeY = 5;
  std::uint8_t max_transform_hierarchy_depth_inter = 0;
  std::uint8_t max_transform_hierarchy_depth_intra = 0;
  bool amp_enabled_flag = false;
  bool pcm_enabled_flag = false;
  std::uint8_t PcmBitDepthY = 8;
  std::uint8_t PcmBitDepthC = 8;
  std::uint8_t Log2MinIpcmCbSizeY = 3;
  std::uint8_t Log2MaxIpcmCbSizeY = 3;
  bool transform_skip_rotation_enabled_flag = false;
  bool transform_skip_context_enabled_flag = false;
  bool implicit_rdpcm_enabled_flag = false;
  bool explicit_rdpcm_enabled_flag = false;
  bool extended_precision_processing_flag = false;
  bool persistent_rice_adaptation_enabled_flag = false;
  bool cabac_bypass_alignment_enabled_flag = false;
  std::int32_t pic_width_in_luma_samples = 0;
  std::int32_t pic_height_in_luma_samples = 0;
  std::int32_t PicWidthInCtbsY = 0;
  std::int32_t PicHeightInCtbsY = 0;
  // ours
  std::uint32_t slice_id = 1;        ///< of the slice; unique in the life of the parser, not 0
  std::uint32_t first_slice_id = 1;  ///< of the picture: its slices have this one or larger ones
  std::int32_t next_segment_address = -1;  ///< where the segment behind this one starts; -1: none
  std::uint16_t slice_idx = 0;             ///< in the picture
  std::uint8_t scaling_idx = 0;            ///< into PicturePrimitives::scaling
  bool keep_coefficients = true;

  /// Whether residual_coding() needs more than version 1 of the standard has.
  COPE_HD bool extends_residual_coding() const noexcept {
    return transform_skip_context_enabled_flag || implicit_rdpcm_enabled_flag ||
           explicit_rdpcm_enabled_flag || extended_precision_processing_flag ||
           persistent_rice_adaptation_enabled_flag || cabac_bypass_alignment_enabled_flag;
  }
};

/// The adaptive part of entropy decoding: what is stored and synchronised (9.3.2.4).
struct EntropyState {
  entropy::ContextWord contexts[kNumContexts];
  std::uint8_t StatCoeff[4];
};

/// What a dependent slice segment takes over from the segment before it.
struct SegmentCarry {
  EntropyState entropy;
  std::uint32_t slice_id = 0;         ///< of the segment that ended; 0: none, or not complete
  std::int32_t next_ctb_address = 0;  ///< CtbAddrInRs behind it
  std::int32_t QpY = 0;               ///< of its last coding unit
  std::int32_t CuQpOffset[2] = {0, 0};
};

/// Arrays of one picture, sized by the caller.
struct PictureArrays {
  // neighbour state
  std::uint32_t* ctb_slice_id = nullptr;  ///< [CtbAddrInRs]; SliceParams::slice_id once parsed
  std::int32_t first_ctb = 0;     ///< CtbAddrInRs; units before it in its tile are of other slices,
                                  ///< which other threads may be at
  std::uint8_t* above = nullptr;  ///< CuState [4 luma columns], whole coding tree blocks wide
  std::uint8_t* left = nullptr;   ///< CuState [4 luma rows], whole coding tree blocks high
  EntropyState* row_sync = nullptr;  ///< TableStateIdxWpp and its like: one
  SegmentCarry* carry = nullptr;     ///< TableStateIdxDs and its like: one
  // prim::BlockMap, in blocks of MinCbSizeY
  std::int32_t blocks_stride = 0;
  std::uint8_t* type = nullptr;
  std::uint8_t* flags = nullptr;
  std::uint8_t* partition = nullptr;
  std::uint8_t* partition_shape = nullptr;
  std::int8_t* qp = nullptr;
  std::uint16_t* slice_idx = nullptr;
  std::uint32_t* bits = nullptr;
  // pass 2's input
  PredictionUnit* units = nullptr;
  // prim::CoeffStream
  prim::CoeffRecord* records = nullptr;
  std::uint16_t* positions = nullptr;
  std::int32_t* levels = nullptr;
  std::uint32_t max_units = 0;
  std::uint32_t max_records = 0;
  std::uint32_t max_levels = 0;
};

/// How far the arrays of a picture are filled, and its QP statistics; segments append one after
/// another.
struct OutputCursor {
  std::uint32_t num_units = 0;
  std::uint32_t num_records = 0;
  std::uint32_t num_levels = 0;
  std::int32_t qp_min = 127;
  std::int32_t qp_max = -128;
  std::int64_t qp_sum = 0;  ///< QpY times luma samples / 64
};

/// Most that one coding tree unit of the given size appends.
COPE_HD constexpr std::uint32_t max_units_per_ctu(unsigned CtbLog2SizeY) noexcept {
  return 1u << (2 * CtbLog2SizeY - 5);  // of 8x4
}
COPE_HD constexpr std::uint32_t max_levels_per_ctu(unsigned CtbLog2SizeY) noexcept {
  return (3u << (2 * CtbLog2SizeY)) + 16;  // a sub-block's room is written whole
}
COPE_HD constexpr std::uint32_t max_records_per_ctu(unsigned CtbLog2SizeY) noexcept {
  return 3u << (2 * CtbLog2SizeY - 4);
}

/// Why a slice segment ended.
enum class SegmentEnd : std::uint8_t {
  kComplete,           ///< end_of_slice_segment_flag
  kSubstreamComplete,  ///< end_of_subset_one_bit, where only a substream was to be parsed
  kInvalidSyntax,      ///< an element out of range
  kOverrun,            ///< the data ended inside a coding tree unit
  kOutsidePicture,     ///< coding tree units beyond the picture
  kOverlap,            ///< a coding tree unit that an earlier segment has
  kNothingToDependOn,  ///< the segment that a dependent one continues is lost
  kOutputFull,         ///< more levels than the segments' bytes can hold
  kStopped,            ///< by a wavefront that was given up
};

struct SegmentResult {
  SegmentEnd end = SegmentEnd::kComplete;
  const char* element = nullptr;  ///< of kInvalidSyntax
  std::int64_t bit_pos = 0;       ///< in the RBSP, where parsing stopped
  std::int32_t num_ctus = 0;      ///< coding tree units parsed
};

}  // namespace cope::h265
