#include "cope/h264/picture_parser.h"
#include "cope/base/deadline.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "cope/h264/motion_syntax.h"
#include "cope/h264/slice_parser.h"

namespace cope::h264 {

PictureJob::PictureJob() : motion_syntax(std::make_unique<MotionSyntax>()) {}
PictureJob::~PictureJob() = default;
PictureJob::PictureJob(PictureJob&&) noexcept = default;
PictureJob& PictureJob::operator=(PictureJob&&) noexcept = default;

namespace {

/// Neighbour state of one colour plane; kept from picture to picture, told apart by slice_id.
struct PlaneState {
  std::vector<MbState> mbs;
  Buffer<std::uint8_t> total_coeff;
  Buffer<std::int8_t> intra_pred_mode;
};

SliceParams slice_params(const CodedSlice& slice) {
  const SliceHeader& header = slice.header;
  const Sps& sps = *slice.sps;
  const Pps& pps = *slice.pps;
  SliceParams s;
  s.slice_type = static_cast<std::uint8_t>(header.slice_type);
  s.cabac_init_idc = header.cabac_init_idc;
  s.num_ref_idx_active[0] = header.num_ref_idx_active[0];
  s.num_ref_idx_active[1] = header.num_ref_idx_active[1];
  s.MbaffFrameFlag = header.MbaffFrameFlag;
  s.first_mb_addr = static_cast<std::int32_t>(header.first_mb_in_slice) * (1 + s.MbaffFrameFlag);
  s.SliceQPY = header.SliceQPY;
  s.field_pic_flag = header.field_pic_flag;
  s.chroma_qp_index_offset[0] = pps.chroma_qp_index_offset;
  s.chroma_qp_index_offset[1] = pps.second_chroma_qp_index_offset;
  s.transform_8x8_mode_flag = pps.transform_8x8_mode_flag;
  s.constrained_intra_pred_flag = pps.constrained_intra_pred_flag;
  s.ChromaArrayType = static_cast<std::uint8_t>(sps.ChromaArrayType());
  s.BitDepthY = static_cast<std::uint8_t>(sps.BitDepthY());
  s.BitDepthC = static_cast<std::uint8_t>(sps.BitDepthC());
  s.QpBdOffsetY = static_cast<std::uint8_t>(sps.QpBdOffsetY());
  s.QpBdOffsetC = static_cast<std::uint8_t>(sps.QpBdOffsetC());
  s.qpprime_y_zero_transform_bypass_flag = sps.qpprime_y_zero_transform_bypass_flag;
  s.direct_8x8_inference_flag = sps.direct_8x8_inference_flag;
  s.PicWidthInMbs = sps.PicWidthInMbs();
  s.PicSizeInMbs = header.PicSizeInMbs;
  s.has_data_partitions = slice.nal.nal_unit_type == NalUnitType::kSliceDataPartitionA;
  return s;
}

/// Indices of levels are 32 bits; room for one macroblock more.
constexpr std::int64_t kMaxLevels = std::numeric_limits<std::int32_t>::max() - kMaxLevelsPerMb;

/// Most levels that slices of this many bytes can hold: each takes a bit or more for its sign.
std::uint32_t max_levels(std::int64_t slice_bytes, std::int32_t PicSizeInMbs,
                         const Limits& limits) {
  const std::int64_t by_area = static_cast<std::int64_t>(PicSizeInMbs) * kMaxLevelsPerMb;
  const std::int64_t by_limit = std::min(limits.max_coefficients_per_picture, kMaxLevels);
  return static_cast<std::uint32_t>(std::min({slice_bytes * 8, by_area, by_limit}) +
                                    kMaxLevelsPerMb);
}

std::uint32_t max_records(std::uint32_t levels, std::int32_t PicSizeInMbs) {
  const auto by_area = static_cast<std::uint32_t>(PicSizeInMbs) * kMaxRecordsPerMb;
  return std::min(levels, by_area) + kMaxRecordsPerMb;
}

/// Bounds the work on one picture, whatever its slices claim: a few bytes can skip a whole picture,
/// and there may be thousands of slices.
class WorkBudget {
 public:
  WorkBudget(std::int32_t num_mbs, double max_seconds)
      : mbs_left_(std::int64_t{kMaxPasses} * num_mbs), deadline_(max_seconds) {}

  /// Macroblocks that a slice covered.
  void spend(std::int32_t num_mbs) noexcept { mbs_left_ -= num_mbs; }
  /// Slices of a picture do not overlap (7.4.3); those of a damaged one may, before the damage
  /// shows.
  bool has_mbs() const noexcept { return mbs_left_ > 0; }
  bool has_time() const { return deadline_.has_time(); }

 private:
  static constexpr int kMaxPasses = 4;

  std::int64_t mbs_left_;
  Deadline deadline_;
};

/// Marks every block of a picture as not parsed and sizes its arrays.
void begin_blocks(prim::PicturePrimitives& picture) {
  const prim::PictureInfo& info = picture.info;
  picture.allocate_blocks(info.width, info.height, 16);
  prim::BlockMap& blocks = picture.blocks;
  std::memset(blocks.type.data(), static_cast<int>(prim::BlockType::kLost), blocks.size());
  std::memset(blocks.flags.data(), 0, blocks.size());
  std::memset(blocks.partition.data(), 0, blocks.size());
  std::memset(blocks.partition_shape.data(), 0, blocks.size());
  std::memset(blocks.qp.data(), 0, blocks.size());
  std::memset(blocks.slice_idx.data(), 0xff, blocks.size() * sizeof(std::uint16_t));
  std::memset(blocks.bits.data(), 0, blocks.size() * sizeof(std::uint32_t));
}

/// Marks every block of a slice as not parsed again. None lies before the row, or rows of a pair,
/// of the first one.
void take_back(prim::BlockMap& blocks, const SliceParams& slice, std::int32_t num_mbs,
               bool has_slice_groups) {
  const std::uint16_t slice_idx = slice.slice_idx;
  const std::int32_t row_mbs = blocks.width * (slice.MbaffFrameFlag ? 2 : 1);
  const auto begin = static_cast<std::size_t>(slice.first_mb_addr / row_mbs * row_mbs);
  const auto end_row = (slice.first_mb_addr + num_mbs + 2) / row_mbs + 1;
  const std::size_t end =
      has_slice_groups ? blocks.size()
                       : std::min(blocks.size(), static_cast<std::size_t>(end_row * row_mbs));
  for (std::size_t i = begin; i < end; ++i) {
    if (blocks.slice_idx[i] != slice_idx) continue;
    blocks.type[i] = static_cast<std::uint8_t>(prim::BlockType::kLost);
    blocks.flags[i] = 0;
    blocks.slice_idx[i] = prim::kNoSlice;
    blocks.bits[i] = 0;
  }
}

/// QP statistics and lost blocks, once all slices are in.
void finish_blocks(prim::PicturePrimitives& picture) {
  prim::PictureInfo& info = picture.info;
  const prim::BlockMap& blocks = picture.blocks;
  info.qp_sum = 0;
  info.num_blocks_lost = info.num_motion_lost = 0;
  int low = std::numeric_limits<int>::max();
  int high = std::numeric_limits<int>::min();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto type = static_cast<prim::BlockType>(blocks.type[i]);
    if (type == prim::BlockType::kLost) {
      ++info.num_blocks_lost;
    } else if (type != prim::BlockType::kPcm) {
      const int qp = blocks.qp[i];
      info.qp_sum += qp;
      low = std::min(low, qp);
      high = std::max(high, qp);
    }
  }
  info.qp_min = low <= high ? low : 0;
  info.qp_max = low <= high ? high : 0;
}

void point_at_blocks(PictureArrays& arrays, prim::BlockMap& blocks) {
  arrays.type = blocks.type.data();
  arrays.flags = blocks.flags.data();
  arrays.partition = blocks.partition.data();
  arrays.partition_shape = blocks.partition_shape.data();
  arrays.qp = blocks.qp.data();
  arrays.slice_idx = blocks.slice_idx.data();
  arrays.bits = blocks.bits.data();
}

SliceInput slice_input(const CodedPicture& coded, const CodedSlice& slice) {
  const auto payload = [&coded](const RbspSpan& span, std::size_t bit_offset) {
    return SlicePayload{coded.rbsp.data() + span.offset, span.size, bit_offset};
  };
  return {slice.pps->entropy_coding_mode_flag, payload(slice.rbsp, slice.data_bit_offset),
          payload(slice.partition_b, slice.partition_b_bit_offset),
          payload(slice.partition_c, slice.partition_c_bit_offset)};
}

/// Index of `matrices` in the picture's list; there are no more different ones than the 256 PPS
/// ids.
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

Status status_of(const SliceResult& result, const CodedSlice& slice, const OutputCursor& cursor,
                 const Limits& limits) {
  if (result.end == SliceEnd::kOutputFull &&
      cursor.num_levels > limits.max_coefficients_per_picture) {
    return Status::limit("max_coefficients_per_picture");
  }
  const char* element = "slice_data";
  if (result.end == SliceEnd::kInvalidSyntax) element = result.element;
  if (result.end == SliceEnd::kTooManyMbs) element = "CurrMbAddr";
  if (result.end == SliceEnd::kOverlap) element = "first_mb_in_slice";
  if (result.end == SliceEnd::kTrailingData) element = "end_of_slice_flag";
  Status status = Status::invalid(element, "H.264 7.3.4", result.bit_pos);
  status.nal_index = slice.nal_index;
  return status;
}

}  // namespace

struct PictureParser::Scratch {
  PlaneState planes[3];
  std::uint32_t last_slice_id = 0;

  /// A number that no macroblock state left over from earlier slices carries.
  std::uint32_t next_slice_id() {
    if (++last_slice_id == 0) {
      for (PlaneState& plane : planes) std::fill(plane.mbs.begin(), plane.mbs.end(), MbState{});
      last_slice_id = 1;
    }
    return last_slice_id;
  }
};

PictureParser::PictureParser(SliceParser parse_slice)
    : scratch_(std::make_unique<Scratch>()), parse_slice_(parse_slice) {}
PictureParser::~PictureParser() = default;

void PictureParser::parse(PictureJob& job, const ParseOptions& options) {
  const CodedPicture& coded = job.coded;
  prim::PicturePrimitives& picture = *job.picture;
  job.report = {};
  picture.info = coded.info;
  begin_blocks(picture);
  const auto num_slices = static_cast<std::size_t>(coded.info.num_slices);
  const auto num_mbs = static_cast<std::int32_t>(picture.blocks.size());
  picture.slice_refs.resize(num_slices);
  picture.scaling.clear();

  std::int64_t slice_bytes = 0;
  for (std::size_t i = 0; i < num_slices; ++i) {
    const CodedSlice& slice = coded.slices[i];
    slice_bytes += static_cast<std::int64_t>(slice.rbsp.size + slice.partition_b.size +
                                             slice.partition_c.size);
  }
  const int num_planes = coded.info.separate_colour_planes ? 3 : 1;
  PictureArrays arrays;
  MotionSyntax& motion = *job.motion_syntax;
  const auto num_motion_mbs = static_cast<std::size_t>(num_mbs * num_planes);
  motion.mbs.resize_uninitialized(num_motion_mbs);
  motion.mvd.resize_uninitialized((num_motion_mbs + 1) * kMaxMvdPerMb);
  arrays.max_mvds = static_cast<std::uint32_t>(motion.mvd.size());
  arrays.mvd = motion.mvd.data();
  // Of levels that are not kept, those of one macroblock are written over and over.
  arrays.max_levels =
      max_levels(options.keep_coefficients ? slice_bytes : 0, num_mbs * num_planes, options.limits);
  arrays.max_records = max_records(arrays.max_levels, num_mbs * num_planes);
  picture.coeffs.records.resize_uninitialized(arrays.max_records);
  picture.coeffs.positions.resize_uninitialized(arrays.max_levels);
  picture.coeffs.levels.resize_uninitialized(arrays.max_levels);
  arrays.records = picture.coeffs.records.data();
  arrays.positions = picture.coeffs.positions.data();
  arrays.levels = picture.coeffs.levels.data();
  if (!coded.slice_group_map.empty()) arrays.mb_to_slice_group_map = coded.slice_group_map.data();

  for (int p = 1; p < 3; ++p) {
    auto& other = picture.colour_plane[p - 1];
    if (num_planes == 1) {
      other.reset();
      continue;
    }
    if (!other) other = std::make_unique<prim::PicturePrimitives>();
    other->info = coded.info;
    other->slice_refs.resize(num_slices);
    begin_blocks(*other);
  }

  OutputCursor cursor;
  WorkBudget budget(num_mbs * num_planes, options.limits.max_seconds_per_picture);
  const Pps* scaling_pps = nullptr;
  std::uint8_t scaling_idx = 0;
  for (std::size_t i = 0; i < num_slices; ++i) {
    const CodedSlice& slice = coded.slices[i];
    SliceParams params = slice_params(slice);
    const int plane = num_planes == 1 ? 0 : std::min<int>(slice.header.colour_plane_id, 2);
    if (params.PicSizeInMbs != num_mbs)
      continue;  // of another sequence: the header decoder told them apart
    if (!budget.has_time()) {
      job.report.first_error = Status::limit("max_seconds_per_picture");
      break;
    }
    if (!budget.has_mbs()) {
      ++job.report.num_slices_damaged;
      if (job.report.first_error.ok()) {
        job.report.first_error = Status::invalid("first_mb_in_slice", "H.264 7.4.3");
      }
      break;
    }
    if (scaling_pps != slice.pps.get()) {
      scaling_pps = slice.pps.get();
      scaling_idx = find_or_add(picture.scaling, slice.pps->scaling);
    }
    params.scaling_idx = scaling_idx;
    params.slice_idx = static_cast<std::uint16_t>(i);
    params.slice_id = scratch_->next_slice_id();
    params.first_plane = static_cast<std::uint8_t>(plane);
    params.keep_coefficients = options.keep_coefficients;
    params.x264_444_context_error =
        coded.x264_build >= 0 && coded.x264_build < 151 && params.ChromaArrayType == 3;

    prim::PicturePrimitives& target = plane == 0 ? picture : *picture.colour_plane[plane - 1];
    target.slice_refs[i] = slice.refs;
    point_at_blocks(arrays, target.blocks);
    PlaneState& state = scratch_->planes[plane];
    if (state.mbs.size() < target.blocks.size()) state.mbs.assign(target.blocks.size(), MbState{});
    arrays.mbs = state.mbs.data();
    arrays.total_coeff = nullptr;
    if (!slice.pps->entropy_coding_mode_flag) {
      state.total_coeff.resize_uninitialized(48 * target.blocks.size());
      arrays.total_coeff = reinterpret_cast<std::uint8_t (*)[48]>(state.total_coeff.data());
    }
    arrays.intra_pred_mode = nullptr;
    if (params.qpprime_y_zero_transform_bypass_flag) {
      state.intra_pred_mode.resize_uninitialized(16 * target.blocks.size());
      arrays.intra_pred_mode = reinterpret_cast<std::int8_t (*)[16]>(state.intra_pred_mode.data());
    }
    arrays.motion = motion.mbs.data() + static_cast<std::ptrdiff_t>(plane) * num_mbs;

    const OutputCursor begin = cursor;
    const SliceResult result = parse_slice_(params, slice_input(coded, slice), arrays, cursor);
    budget.spend(result.num_mbs);
    if (result.end != SliceEnd::kComplete) {
      const Status status = status_of(result, slice, cursor, options.limits);
      // Macroblocks before the end of data that were cut are good. Data that contradict themselves
      // were changed, and nothing says where.
      if (result.end != SliceEnd::kOverrun) {
        take_back(target.blocks, params, result.num_mbs, !coded.slice_group_map.empty());
        cursor = begin;
      }
      ++job.report.num_slices_damaged;
      if (job.report.first_error.ok() || status.code == StatusCode::kLimitExceeded) {
        job.report.first_error = status;
      }
      if (status.code == StatusCode::kLimitExceeded) break;
    }
  }
  picture.coeffs.records.set_size(cursor.num_records);
  picture.coeffs.positions.set_size(cursor.num_levels);
  picture.coeffs.levels.set_size(cursor.num_levels);
  finish_blocks(picture);
  for (auto& other : picture.colour_plane) {
    if (other) finish_blocks(*other);
  }
  if (cursor.num_levels > options.limits.max_coefficients_per_picture) {
    job.report.first_error = Status::limit("max_coefficients_per_picture");
  }
  job.report.num_blocks_lost = picture.info.num_blocks_lost;
  if (job.report.num_blocks_lost > 0 && job.report.first_error.ok()) {
    job.report.first_error = Status::invalid("slice_data", "H.264 7.3.4");
  }
}

}  // namespace cope::h264
