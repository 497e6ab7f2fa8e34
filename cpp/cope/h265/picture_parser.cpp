#include "cope/h265/picture_parser.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "cope/base/deadline.h"
#include "cope/h265/motion_syntax.h"
#include "cope/h265/picture_arrays.h"
#include "cope/h265/segment_parser.h"
#include "cope/h265/slice_params.h"

namespace cope::h265 {

PictureJob::PictureJob() : motion_syntax(std::make_unique<MotionSyntax>()) {}
PictureJob::~PictureJob() = default;
PictureJob::PictureJob(PictureJob&&) noexcept = default;
PictureJob& PictureJob::operator=(PictureJob&&) noexcept = default;

namespace {

/// Whether the blocks of both sequences lie in the same places.
bool same_layout(const Sps& a, const Sps& b) {
  return a.pic_width_in_luma_samples == b.pic_width_in_luma_samples &&
         a.pic_height_in_luma_samples == b.pic_height_in_luma_samples &&
         a.MinCbLog2SizeY == b.MinCbLog2SizeY && a.CtbLog2SizeY == b.CtbLog2SizeY &&
         a.ChromaArrayType() == b.ChromaArrayType();
}

void size_output(std::int64_t segment_bytes, const Sps& sps, const Limits& limits, PictureJob& job,
                 PictureArrays& arrays) {
  const CoefficientRoom room =
      coefficient_room(segment_bytes, sps.PicSizeInCtbsY, limits.max_coefficients_per_picture, sps);
  prim::CoeffStream& coeffs = job.picture->coeffs;
  coeffs.records.resize_uninitialized(room.records);
  coeffs.positions.resize_uninitialized(room.levels);
  coeffs.levels.resize_uninitialized(room.levels);
  arrays.records = coeffs.records.data();
  arrays.positions = coeffs.positions.data();
  arrays.levels = coeffs.levels.data();
  arrays.max_records = room.records;
  arrays.max_levels = room.levels;
  arrays.max_units = static_cast<std::uint32_t>(sps.PicSizeInCtbsY + 1) *
                     max_units_per_ctu(static_cast<unsigned>(sps.CtbLog2SizeY));
  job.motion_syntax->units.resize_uninitialized(arrays.max_units);
  arrays.units = job.motion_syntax->units.data();
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

/// Kept from picture to picture: neighbour state, and where contexts are stored.
struct PictureParser::Scratch {
  CtbSliceIds ctb_slice_ids;
  NeighbourState neighbours;
  EntropyState entropy = {};
  EntropyState row_sync = {};
  SegmentCarry carry = {};
};

PictureParser::PictureParser() : scratch_(std::make_unique<Scratch>()) {}
PictureParser::~PictureParser() = default;

void PictureParser::parse(PictureJob& job, const ParseOptions& options) {
  const CodedPicture& coded = job.coded;
  prim::PicturePrimitives& picture = *job.picture;
  const auto num_segments = static_cast<std::size_t>(coded.info.num_slice_segments);
  const Sps& sps = *coded.segments.front().sps;
  std::int64_t segment_bytes = 0;
  for (std::size_t i = 0; i < num_segments; ++i) {
    segment_bytes += static_cast<std::int64_t>(coded.segments[i].rbsp.size);
  }
  PictureArrays arrays = begin_picture(job);
  const std::uint32_t first_slice_id = scratch_->ctb_slice_ids.begin_picture(sps, num_segments + 1);
  scratch_->neighbours.begin_picture(sps, arrays);
  scratch_->carry.slice_id = 0;
  arrays.ctb_slice_id = scratch_->ctb_slice_ids.data();
  arrays.row_sync = &scratch_->row_sync;
  arrays.carry = &scratch_->carry;
  size_output(segment_bytes, sps, options.limits, job, arrays);

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
  finish_picture(job, cursor, arrays.ctb_slice_id, first_slice_id);
}

}  // namespace cope::h265
