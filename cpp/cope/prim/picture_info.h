#pragma once

#include <cstdint>
#include <limits>

namespace cope::prim {

/// A pts or dts that the container does not give (FFmpeg's AV_NOPTS_VALUE).
inline constexpr std::int64_t kNoPts = std::numeric_limits<std::int64_t>::min();

enum class PictureStructure : std::uint8_t { kFrame = 0, kTop = 1, kBottom = 2 };

/// Bits of `PictureInfo::slice_types`: which slice types the picture contains.
enum SliceTypeBit : std::uint8_t {
  kHasB = 1 << 0,
  kHasI = 1 << 1,
  kHasP = 1 << 2,
  kHasSI = 1 << 3,
  kHasSP = 1 << 4,
};

enum class Codec : std::uint8_t { kH264 = 0, kH265 = 1 };

/// What is known of a coded picture besides its blocks. One record per coded picture, so the two
/// fields of a field pair have one each.
struct PictureInfo {
  std::int64_t decode_index =
      0;  ///< coded pictures before this one in decoding order; identifies the picture
  std::int64_t pts = kNoPts;  ///< presentation time in `time_base` units, kNoPts when unknown
  std::int64_t dts = kNoPts;  ///< decoding time in `time_base` units, kNoPts when unknown
  std::int32_t time_base_num = 0;
  std::int32_t time_base_den = 1;
  std::int64_t packet_index = -1;  ///< demuxed packets before the one that held this picture
  std::int64_t size_bytes = 0;     ///< its slice NAL units, as stored

  std::int32_t poc = 0;  ///< PicOrderCnt while decoding; a frame: the smaller of its fields'
  std::int32_t top_poc = 0;
  std::int32_t bottom_poc = 0;
  Codec codec = Codec::kH264;
  PictureStructure structure = PictureStructure::kFrame;
  bool is_second_field = false;  ///< of a complementary field pair
  bool mbaff = false;            ///< MbaffFrameFlag
  bool is_idr = false;
  bool starts_sequence = false;   ///< picture order count starts again; all pictures before it in
                                  ///< decoding order are output before it (IDR; H.265: IRAP with
                                  ///< NoRaslOutputFlag 1)
  bool is_output = true;          ///< shown; H.265: pic_output_flag
  bool is_random_access = false;  ///< decoding may start here (IDR, or a recovery point SEI with an
                                  ///< I picture; H.265: IRAP likewise)
  /// Of a recovery point SEI: so many frame_num later pictures are right if decoding starts here,
  /// whatever the slice types (gradual refresh). -1 without one.
  std::int32_t recovery_frame_cnt = -1;
  /// Fields that the picture shows, of a picture timing SEI (Table D-1): 0 frame, 1 top, 2 bottom,
  /// 3 top and bottom, 4 bottom and top, 5 top, bottom, top, 6 bottom, top, bottom, 7 frame twice,
  /// 8 frame three times. -1 without one.
  std::int8_t pic_struct = -1;
  /// frame_packing_arrangement_type (D.2.26) in force: 0 checkerboard, 1 columns, 2 rows, 3 side by
  /// side, 4 top and bottom, 5 alternating frames, 6 none (2D), 7 tiles. -1 without one.
  std::int8_t frame_packing = -1;
  bool is_reference = false;  ///< nal_ref_idc != 0. H.265: other than a sub-layer non-reference
                              ///< picture of the highest sub-layer, as no other can be known to be
                              ///< without use before later pictures are at hand
  bool is_leading = false;    ///< precedes in output order the random access point it follows
  bool has_missing_references = false;   ///< some entry of its slices' lists `is_missing`
  bool has_memory_management_5 = false;  ///< later pictures see poc 0-based after it (8.2.1)
  std::uint8_t nal_ref_idc = 0;          ///< 0..3
  std::uint8_t nal_unit_type = 0;        ///< H.265: of the picture's slices
  std::uint8_t temporal_id = 0;
  std::uint8_t slice_types = 0;         ///< SliceTypeBit
  std::int32_t num_slices = 0;          ///< slice NAL units of the primary coded picture; H.265:
                                        ///< independent slice segments
  std::int32_t num_slice_segments = 0;  ///< H.265: all slice segments
  /// Reference frames lost right before this picture, by the account of frame_num. Other lost
  /// pictures leave no trace.
  std::int32_t num_frames_lost = 0;

  std::int32_t width =
      0;  ///< coded luma samples, a multiple of 16 (H.265: of 8); of the field for a field picture
  std::int32_t height = 0;
  std::int32_t crop_left = 0;  ///< luma samples outside the cropping window, for a frame
  std::int32_t crop_right = 0;
  std::int32_t crop_top = 0;
  std::int32_t crop_bottom = 0;
  std::uint8_t chroma_format_idc = 1;  ///< 0..3
  bool separate_colour_planes = false;
  std::uint8_t bit_depth_luma = 8;    ///< 8..14 (H.265: ..16)
  std::uint8_t bit_depth_chroma = 8;  ///< 8..14 (H.265: ..16)
  bool extended_precision = false;    ///< H.265: extended_precision_processing_flag

  // Filled by the slice data parser.
  std::int64_t qp_sum = 0;  ///< sum of QP_Y over all macroblocks except I_PCM
  std::int32_t qp_min = 0;
  std::int32_t qp_max = 0;
  std::int32_t num_blocks_lost = 0;  ///< macroblocks that could not be parsed
  std::int32_t num_motion_lost = 0;  ///< macroblocks that were, but for their vectors: kMotionLost
};

}  // namespace cope::prim
