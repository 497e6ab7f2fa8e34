#include "cope/h265/picture_parser.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "cope/base/deadline.h"
#include "cope/h265/motion_syntax.h"
#include "cope/h265/segment_parser.h"

namespace cope::h265 {

PictureJob::PictureJob() : motion_syntax(std::make_unique<MotionSyntax>()) {}
PictureJob::~PictureJob() = default;
PictureJob::PictureJob(PictureJob&&) noexcept = default;
PictureJob& PictureJob::operator=(PictureJob&&) noexcept = default;

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

/// Whether the blocks of both sequences lie in the same places.
bool same_layout(const Sps& a, const Sps& b) {
  return a.pic_width_in_luma_samples == b.pic_width_in_luma_samples &&
         a.pic_height_in_luma_samples == b.pic_height_in_luma_samples &&
         a.MinCbLog2SizeY == b.MinCbLog2SizeY && a.CtbLog2SizeY == b.CtbLog2SizeY &&
         a.ChromaArrayType() == b.ChromaArrayType();
}

/// Sizes what grows with the coded levels. Every level takes a bit or more for its sign, but for
/// one hidden sign in a sub-block of two levels or more.
void size_coefficients(std::int64_t segment_bytes, const Sps& sps, const Limits& limits,
                       prim::CoeffStream& coeffs, PictureArrays& arrays) {
  const auto log2 = static_cast<unsigned>(sps.CtbLog2SizeY);
  const std::int64_t num_ctbs = sps.PicSizeInCtbsY;
  // Room for one coding tree unit more: in it a picture passes the limit.
  const std::int64_t levels = std::min({segment_bytes * 16, num_ctbs * max_levels_per_ctu(log2),
                                        limits.max_coefficients_per_picture}) +
                              max_levels_per_ctu(log2);
  // A record has a level, or follows two blocks with one (cross-component prediction).
  const std::int64_t records =
      std::min(3 * levels, num_ctbs * max_records_per_ctu(log2)) + max_records_per_ctu(log2);
  arrays.max_levels = static_cast<std::uint32_t>(levels);
  arrays.max_records = static_cast<std::uint32_t>(records);
  coeffs.records.resize_uninitialized(arrays.max_records);
  coeffs.positions.resize_uninitialized(arrays.max_levels);
  coeffs.levels.resize_uninitialized(arrays.max_levels);
  arrays.records = coeffs.records.data();
  arrays.positions = coeffs.positions.data();
  arrays.levels = coeffs.levels.data();
}

void point_at_blocks(PictureArrays& arrays, prim::BlockMap& blocks) {
  arrays.blocks_stride = blocks.width;
  arrays.type = blocks.type.data();
  arrays.flags = blocks.flags.data();
  arrays.partition = blocks.partition.data();
  arrays.partition_shape = blocks.partition_shape.data();
  arrays.qp = blocks.qp.data();
  arrays.slice_idx = blocks.slice_idx.data();
  arrays.bits = blocks.bits.data();
}

/// Marks the blocks of one coding tree block that was not parsed; returns how many they are.
std::int32_t mark_lost(const Sps& sps, std::int32_t CtbAddrInRs, prim::BlockMap& blocks) {
  const int log2 = sps.CtbLog2SizeY - sps.MinCbLog2SizeY;
  const std::int32_t x = (CtbAddrInRs % sps.PicWidthInCtbsY) << log2;
  const std::int32_t y = (CtbAddrInRs / sps.PicWidthInCtbsY) << log2;
  const std::int32_t width = std::min(1 << log2, blocks.width - x);
  const std::int32_t height = std::min(1 << log2, blocks.height - y);
  for (std::int32_t row = y; row < y + height; ++row) {
    const auto first = static_cast<std::ptrdiff_t>(row) * blocks.width + x;
    std::fill_n(blocks.type.data() + first, width,
                static_cast<std::uint8_t>(prim::BlockType::kLost));
    std::fill_n(blocks.flags.data() + first, width, std::uint8_t{0});
    std::fill_n(blocks.partition.data() + first, width,
                static_cast<std::uint8_t>(sps.MinCbLog2SizeY));
    std::fill_n(blocks.partition_shape.data() + first, width, std::uint8_t{0});
    std::fill_n(blocks.qp.data() + first, width, std::int8_t{0});
    std::fill_n(blocks.slice_idx.data() + first, width, prim::kNoSlice);
    std::fill_n(blocks.bits.data() + first, width, std::uint32_t{0});
  }
  return width * height;
}

/// Index of `matrices` in the picture's list; there are no more different ones than the 64 PPS ids.
std::uint8_t find_or_add(std::vector<prim::ScalingMatrices>& list,
                         const prim::ScalingMatrices& matrices) {
  const auto same = [&matrices](const prim::ScalingMatrices& other) {
    return std::memcmp(&other, &matrices, sizeof matrices) == 0;
  };
  const auto found = std::find_if(list.begin(), list.end(), same);
  const auto index = found - list.begin();
  if (found == list.end() && index < 256) list.push_back(matrices);
  return static_cast<std::uint8_t>(std::min<std::ptrdiff_t>(index, 255));
}

Status status_of(const SegmentResult& result, const CodedSegment& segment) {
  const char* element = "slice_segment_data";
  if (result.end == SegmentEnd::kInvalidSyntax) element = result.element;
  if (result.end == SegmentEnd::kOutsidePicture) element = "CtbAddrInTs";
  if (result.end == SegmentEnd::kOverlap) element = "slice_segment_address";
  if (result.end == SegmentEnd::kNothingToDependOn) element = "dependent_slice_segment_flag";
  Status status = Status::invalid(element, "H.265 7.3.8.1", result.bit_pos);
  status.nal_index = segment.nal_index;
  return status;
}

}  // namespace

/// Neighbour state, kept from picture to picture and told apart by slice_id.
struct PictureParser::Scratch {
  std::vector<std::uint32_t> ctb_slice_id;
  prim::Buffer<std::uint8_t> above;
  prim::Buffer<std::uint8_t> left;
  EntropyState entropy = {};
  EntropyState row_sync = {};
  SegmentCarry carry = {};
  std::uint32_t next_slice_id = 1;

  /// The first of `num_slices` numbers that no state left over from earlier pictures carries.
  std::uint32_t take_slice_ids(std::uint32_t num_slices) {
    if (next_slice_id > std::numeric_limits<std::uint32_t>::max() - num_slices) {
      std::fill(ctb_slice_id.begin(), ctb_slice_id.end(), 0u);
      next_slice_id = 1;
    }
    const std::uint32_t first = next_slice_id;
    next_slice_id += num_slices;
    return first;
  }

  void begin_picture(const Sps& sps, PictureArrays& arrays) {
    const auto num_ctbs = static_cast<std::size_t>(sps.PicSizeInCtbsY);
    if (ctb_slice_id.size() < num_ctbs) ctb_slice_id.resize(num_ctbs, 0);
    const int log2 = sps.CtbLog2SizeY - 2;
    above.resize_uninitialized(static_cast<std::size_t>(sps.PicWidthInCtbsY) << log2);
    left.resize_uninitialized(static_cast<std::size_t>(sps.PicHeightInCtbsY) << log2);
    carry.slice_id = 0;
    arrays.ctb_slice_id = ctb_slice_id.data();
    arrays.above = above.data();
    arrays.left = left.data();
    arrays.row_sync = &row_sync;
    arrays.carry = &carry;
  }
};

PictureParser::PictureParser() : scratch_(std::make_unique<Scratch>()) {}
PictureParser::~PictureParser() = default;

void PictureParser::parse(PictureJob& job, const ParseOptions& options) {
  const CodedPicture& coded = job.coded;
  prim::PicturePrimitives& picture = *job.picture;
  job.report = {};
  job.motion_progress = {};
  picture.info = coded.info;
  picture.scaling.clear();
  picture.slice_refs.assign(coded.slice_refs.begin(),
                            coded.slice_refs.begin() + coded.info.num_slices);
  picture.colour_plane[0].reset();
  picture.colour_plane[1].reset();

  const auto num_segments = static_cast<std::size_t>(coded.info.num_slice_segments);
  const Sps& sps = *coded.segments.front().sps;
  std::int64_t segment_bytes = 0;
  for (std::size_t i = 0; i < num_segments; ++i) {
    segment_bytes += static_cast<std::int64_t>(coded.segments[i].rbsp.size);
  }
  picture.allocate_blocks(sps.pic_width_in_luma_samples, sps.pic_height_in_luma_samples,
                          sps.MinCbSizeY());
  PictureArrays arrays;
  scratch_->begin_picture(sps, arrays);
  point_at_blocks(arrays, picture.blocks);
  size_coefficients(segment_bytes, sps, options.limits, picture.coeffs, arrays);
  MotionSyntax& motion = *job.motion_syntax;
  arrays.max_units = static_cast<std::uint32_t>(sps.PicSizeInCtbsY + 1) *
                     max_units_per_ctu(static_cast<unsigned>(sps.CtbLog2SizeY));
  motion.units.resize_uninitialized(arrays.max_units);
  arrays.units = motion.units.data();

  const std::uint32_t first_slice_id =
      scratch_->take_slice_ids(static_cast<std::uint32_t>(num_segments) + 1);
  const Deadline deadline(options.limits.max_seconds_per_picture);
  OutputCursor cursor;
  const Pps* scaling_pps = nullptr;
  std::uint8_t scaling_idx = 0;
  for (std::size_t i = 0; i < num_segments; ++i) {
    const CodedSegment& segment = coded.segments[i];
    if (!same_layout(*segment.sps, sps)) continue;  // of another sequence
    SliceParams params = slice_params(segment);
    if (scaling_pps != segment.pps.get()) {
      scaling_pps = segment.pps.get();
      scaling_idx = find_or_add(picture.scaling, segment.pps->scaling);
    }
    params.scaling_idx = scaling_idx;
    params.slice_idx = static_cast<std::uint16_t>(segment.slice_idx);
    params.first_slice_id = first_slice_id;
    params.slice_id = first_slice_id + static_cast<std::uint32_t>(segment.slice_idx);
    params.keep_coefficients = options.keep_coefficients;
    if (i + 1 < num_segments) {
      params.next_segment_address =
          static_cast<std::int32_t>(coded.segments[i + 1].header.slice_segment_address);
    }

    const SegmentInput input{coded.rbsp.data() + segment.rbsp.offset, segment.rbsp.size,
                             segment.data_bit_offset};
    const SegmentResult result =
        find_segment_parser()(params, input, arrays, cursor, scratch_->entropy);
    if (cursor.num_levels > options.limits.max_coefficients_per_picture) {
      job.report.first_error = Status::limit("max_coefficients_per_picture");
      break;
    }
    if (i + 1 < num_segments && !deadline.has_time()) {
      job.report.first_error = Status::limit("max_seconds_per_picture");
      break;
    }
    if (result.end != SegmentEnd::kComplete) {
      ++job.report.num_slices_damaged;
      if (job.report.first_error.ok()) job.report.first_error = status_of(result, segment);
    }
  }
  picture.coeffs.records.set_size(cursor.num_records);
  picture.coeffs.positions.set_size(cursor.num_levels);
  picture.coeffs.levels.set_size(cursor.num_levels);
  motion.units.set_size(cursor.num_units);

  prim::PictureInfo& info = picture.info;
  info.qp_sum = cursor.qp_sum;
  info.qp_min = cursor.qp_min <= cursor.qp_max ? cursor.qp_min : 0;
  info.qp_max = cursor.qp_min <= cursor.qp_max ? cursor.qp_max : 0;
  info.num_blocks_lost = 0;
  for (std::int32_t ctb = 0; ctb < sps.PicSizeInCtbsY; ++ctb) {
    if (arrays.ctb_slice_id[ctb] >= first_slice_id) continue;
    info.num_blocks_lost += mark_lost(sps, ctb, picture.blocks);
  }
  job.report.num_blocks_lost = info.num_blocks_lost;
  if (info.num_blocks_lost > 0 && job.report.first_error.ok()) {
    job.report.first_error = Status::invalid("slice_segment_data", "H.265 7.3.8.1");
  }
}

}  // namespace cope::h265
