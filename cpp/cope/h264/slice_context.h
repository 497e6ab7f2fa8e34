#pragma once

#include <cstdint>

#include "cope/h264/mb_state.h"
#include "cope/h264/motion_syntax.h"
#include "cope/prim/coeff_stream.h"

namespace cope::h264 {

/// What slice_data() needs of the headers, as plain values.
struct SliceParams {
  // slice_header()
  std::uint8_t slice_type = 2;                  ///< SliceType: 0 P, 1 B, 2 I, 3 SP, 4 SI
  std::uint8_t cabac_init_idc = 0;              ///< 0..2
  std::uint8_t num_ref_idx_active[2] = {0, 0};  ///< 0..32, of the slice's own structure
  std::int32_t first_mb_addr = 0;               ///< first_mb_in_slice * (1 + MbaffFrameFlag)
  std::int32_t SliceQPY = 26;                   ///< -QpBdOffsetY..51
  bool MbaffFrameFlag = false;
  bool field_pic_flag = false;
  // picture parameter set
  std::int8_t chroma_qp_index_offset[2] = {0, 0};  ///< Cb, Cr: -12..12
  bool transform_8x8_mode_flag = false;
  bool constrained_intra_pred_flag = false;
  // sequence parameter set
  std::uint8_t ChromaArrayType = 1;  ///< 0..3
  std::uint8_t BitDepthY = 8;        ///< 8..14
  std::uint8_t BitDepthC = 8;
  std::uint8_t QpBdOffsetY = 0;  ///< 6 * (BitDepthY - 8)
  std::uint8_t QpBdOffsetC = 0;
  bool qpprime_y_zero_transform_bypass_flag = false;
  bool direct_8x8_inference_flag = false;
  std::int32_t PicWidthInMbs = 0;
  std::int32_t PicSizeInMbs = 0;  ///< of the picture: a field counts its own
  // ours
  std::uint32_t slice_id = 1;        ///< unique in the life of the parser, not 0
  std::uint16_t slice_idx = 0;       ///< in the picture
  std::uint8_t scaling_idx = 0;      ///< into PicturePrimitives::scaling
  std::uint8_t first_plane = 0;      ///< colour_plane_id: where this slice's "luma" levels belong
  bool has_data_partitions = false;  ///< nal_unit_type 2..4
  bool keep_coefficients = true;
  /// x264 before build 151 wrote 4:4:4 CABAC streams that take a neighbour without 8x8 transform
  /// for one that is not available (9.3.3.1.1.9): no standard decoder reads them, libavcodec does.
  bool x264_444_context_error = false;
};

/// Arrays of one picture, sized by the caller: PicSizeInMbs elements where nothing else is said.
struct PictureArrays {
  // neighbour state
  MbState* mbs = nullptr;                        ///< [CurrMbAddr]
  std::uint8_t (*total_coeff)[48] = nullptr;     ///< [CurrMbAddr][plane * 16 + block], CAVLC only
  std::int8_t (*intra_pred_mode)[16] = nullptr;  ///< [CurrMbAddr][4 * y + x], lossless streams only
  // prim::BlockMap
  std::uint8_t* type = nullptr;
  std::uint8_t* flags = nullptr;
  std::uint8_t* partition = nullptr;
  std::uint8_t* partition_shape = nullptr;
  std::int8_t* qp = nullptr;
  std::uint16_t* slice_idx = nullptr;
  std::uint32_t* bits = nullptr;
  // pass 2's input
  MbMotionSyntax* motion = nullptr;  ///< [CurrMbAddr]
  prim::MotionVector* mvd = nullptr;
  // prim::CoeffStream
  prim::CoeffRecord* records = nullptr;
  std::uint16_t* positions = nullptr;
  std::int32_t* levels = nullptr;
  std::uint32_t max_mvds = 0;
  std::uint32_t max_records = 0;
  std::uint32_t max_levels = 0;

  const std::uint8_t* mb_to_slice_group_map = nullptr;  ///< null: one slice group
};

/// How far the arrays of a picture are filled; slices append one after another.
struct OutputCursor {
  std::uint32_t num_mvds = 0;
  std::uint32_t num_records = 0;
  std::uint32_t num_levels = 0;
};

/// Most that one macroblock appends: 4:4:4 with all 16x16x3 levels, in 4x4 blocks with their DC.
inline constexpr std::uint32_t kMaxLevelsPerMb = 768;
inline constexpr std::uint32_t kMaxRecordsPerMb = 51;

/// Why a slice ended.
enum class SliceEnd : std::uint8_t {
  kComplete,       ///< end_of_slice_flag, or no more_rbsp_data
  kInvalidSyntax,  ///< an element out of range
  kOverrun,        ///< the data ended inside a macroblock
  kTooManyMbs,     ///< macroblocks beyond the picture
  kOutputFull,     ///< more levels than the picture has samples: slices overlap
  kOverlap,        ///< a macroblock that another slice holds
  kTrailingData,   ///< end_of_slice_flag before the data end
};

struct SliceResult {
  SliceEnd end = SliceEnd::kComplete;
  const char* element = nullptr;  ///< of kInvalidSyntax
  std::int64_t bit_pos = 0;       ///< in the RBSP, where parsing stopped
  std::int32_t num_mbs = 0;       ///< macroblocks parsed
};

}  // namespace cope::h264
