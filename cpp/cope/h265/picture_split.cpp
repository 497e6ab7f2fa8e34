#include "cope/h265/picture_split.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "cope/h265/motion_syntax.h"
#include "cope/h265/segment_parser.h"
#include "cope/h265/slice_params.h"

namespace cope::h265 {
namespace {

/// Whether threads may begin anywhere. CuQpOffsetCb and its like are carried over from one
/// substream to the next (7.4.9.14), where chroma offsets are coded.
bool may_split(const CodedPicture& coded) {
  for (std::int32_t i = 0; i < coded.info.num_slice_segments; ++i) {
    if (coded.segments[static_cast<std::size_t>(i)].header.cu_chroma_qp_offset_enabled_flag) {
      return false;
    }
  }
  return true;
}

/// Closes the gap before `count` elements at `from`, which belong at `to`.
template <class T>
void move_down(Buffer<T>& buffer, const T* from, std::size_t to, std::size_t count) {
  if (count != 0 && from != buffer.data() + to) {
    std::memmove(buffer.data() + to, from, count * sizeof(T));
  }
}

}  // namespace

std::size_t PictureSplit::begin(PictureJob& job, const ParseOptions& options, std::size_t max_parts,
                                std::size_t min_part_bytes) {
  const CodedPicture& coded = job.coded;
  std::size_t num_bytes = 0;
  for (std::int32_t i = 0; i < coded.info.num_slice_segments; ++i) {
    num_bytes += coded.segments[static_cast<std::size_t>(i)].rbsp.size;
  }
  max_parts = std::min(max_parts, num_bytes / min_part_bytes);
  if (max_parts < 2 || !may_split(coded) || !find_substreams(coded, substreams_)) return 1;
  coded_ = &coded;
  max_parts = std::min(max_parts, find_strands());
  if (max_parts < 2) return 1;

  const Sps& sps = *coded.segments.front().sps;
  const bool is_wavefront = coded.segments.front().pps->entropy_coding_sync_enabled_flag;
  const auto num_segments = static_cast<std::size_t>(coded.info.num_slice_segments);
  const PictureArrays arrays = begin_picture(job);
  first_slice_id_ = ctb_slice_ids_.begin_picture(sps, num_segments + 1);
  for (std::size_t i = 0; i < num_strands_; ++i) {
    Strand& strand = *strands_[i];
    strand.arrays = arrays;
    strand.arrays.ctb_slice_id = ctb_slice_ids_.data();
    if (!is_wavefront) strand.arrays.first_ctb = substreams_[strand.first_substream].first_ctb;
    strand.arrays.row_sync = &row_sync_;
    strand.arrays.carry = &strand.carry;
    (is_wavefront ? neighbours_ : strand.neighbours).begin_picture(sps, strand.arrays);
    strand.cursor = {};
  }
  if (!size_output(job, options)) return 1;
  job.picture->scaling.assign(1, coded.segments.front().pps->scaling);
  params_.clear();
  for (std::size_t i = 0; i < num_segments; ++i) {
    const CodedSegment& segment = coded.segments[i];
    SliceParams& params = params_.emplace_back(slice_params(segment));
    params.slice_idx = static_cast<std::uint16_t>(segment.slice_idx);
    params.first_slice_id = first_slice_id_;
    params.slice_id = first_slice_id_ + static_cast<std::uint32_t>(segment.slice_idx);
    params.keep_coefficients = options.keep_coefficients;
    if (i > 0) params_[i - 1].next_segment_address = params.slice_segment_address;
  }
  wavefront_.begin(num_strands_, is_wavefront ? sps.PicWidthInCtbsY : 0);
  deadline_.emplace(options.limits.max_seconds_per_picture);
  return max_parts;
}

std::size_t PictureSplit::find_strands() {
  const CodedSegment& first = coded_->segments.front();
  const bool is_wavefront = first.pps->entropy_coding_sync_enabled_flag;
  num_strands_ = 0;
  for (std::size_t i = 0; i < substreams_.size(); ++i) {
    const Substream& s = substreams_[i];
    const auto tile = [&first](std::int32_t ctb) {
      return first.pps->TileId[first.pps->CtbAddrRsToTs[static_cast<std::size_t>(ctb)]];
    };
    const bool starts_strand =
        i == 0 ||
        (is_wavefront ? s.first_ctb % first.sps->PicWidthInCtbsY == 0
                      : !coded_->segments[s.segment].header.dependent_slice_segment_flag ||
                            tile(s.first_ctb) != tile(substreams_[i - 1].first_ctb));
    if (starts_strand) {
      if (num_strands_ == strands_.size()) strands_.push_back(std::make_unique<Strand>());
      Strand& strand = *strands_[num_strands_++];
      strand.first_substream = i;
      strand.num_substreams = 0;
      strand.num_bytes = 0;
      strand.num_ctbs = 0;
    }
    Strand& strand = *strands_[num_strands_ - 1];
    ++strand.num_substreams;
    strand.num_bytes += static_cast<std::int64_t>(s.end_byte - s.byte);
    strand.num_ctbs += s.num_ctbs;
    // A row that a slice goes on in without an entry point would not be one of its own.
    if (is_wavefront && strand.num_ctbs > first.sps->PicWidthInCtbsY) return 1;
  }
  return num_strands_;
}

// Each strand gets room for all that it may hold, and `join` closes the gaps. False when this is
// more than a picture may have.
bool PictureSplit::size_output(PictureJob& job, const ParseOptions& options) {
  const Sps& sps = *job.coded.segments.front().sps;
  const std::int64_t max_levels = options.limits.max_coefficients_per_picture;
  std::int64_t num_levels = 0;
  std::int64_t num_records = 0;
  std::size_t num_units = 0;
  for (std::size_t i = 0; i < num_strands_; ++i) {
    Strand& strand = *strands_[i];
    const CoefficientRoom room =
        coefficient_room(strand.num_bytes, strand.num_ctbs, max_levels, sps);
    strand.arrays.max_levels = room.levels;
    strand.arrays.max_records = room.records;
    strand.arrays.max_units = static_cast<std::uint32_t>(strand.num_ctbs) *
                              max_units_per_ctu(static_cast<unsigned>(sps.CtbLog2SizeY));
    num_levels += room.levels;
    num_records += room.records;
    num_units += strand.arrays.max_units;
  }
  constexpr std::int64_t kMax = std::numeric_limits<std::uint32_t>::max();  // CoeffRecord::first
  if (num_levels > kMax || num_records > kMax) return false;
  if (num_levels > 2 * max_levels) return false;
  prim::CoeffStream& coeffs = job.picture->coeffs;
  coeffs.records.resize_uninitialized(static_cast<std::size_t>(num_records));
  coeffs.positions.resize_uninitialized(static_cast<std::size_t>(num_levels));
  coeffs.levels.resize_uninitialized(static_cast<std::size_t>(num_levels));
  job.motion_syntax->units.resize_uninitialized(num_units);
  prim::CoeffRecord* records = coeffs.records.data();
  std::uint16_t* positions = coeffs.positions.data();
  std::int32_t* levels = coeffs.levels.data();
  PredictionUnit* units = job.motion_syntax->units.data();
  for (std::size_t i = 0; i < num_strands_; ++i) {
    PictureArrays& arrays = strands_[i]->arrays;
    arrays.records = records;
    arrays.positions = positions;
    arrays.levels = levels;
    arrays.units = units;
    records += arrays.max_records;
    positions += arrays.max_levels;
    levels += arrays.max_levels;
    units += arrays.max_units;
  }
  return true;
}

void PictureSplit::parse() noexcept {
  for (std::size_t i = wavefront_.claim(); i < num_strands_; i = wavefront_.claim()) {
    Strand& strand = *strands_[i];
    const std::size_t begin = strand.first_substream;
    // A dependent segment takes nothing over here but that the one before it is there.
    const Substream& first = substreams_[begin];
    strand.carry.slice_id = params_[first.segment].slice_id;
    strand.carry.next_ctb_address = first.first_ctb;
    strand.carry.CuQpOffset[0] = strand.carry.CuQpOffset[1] = 0;
    for (std::size_t s = begin; s < begin + strand.num_substreams; ++s) {
      if (!parse_substream(i, s) || !deadline_->has_time()) return wavefront_.give_up();
    }
  }
}

// False unless it ends where, and how, the next one has to begin.
bool PictureSplit::parse_substream(std::size_t strand_index, std::size_t substream) noexcept {
  Strand& strand = *strands_[strand_index];
  const Substream& s = substreams_[substream];
  const RbspSpan& rbsp = coded_->segments[s.segment].rbsp;
  SegmentInput input{coded_->rbsp.data() + rbsp.offset, rbsp.size, s.byte * 8};
  input.wavefront = &wavefront_;
  input.strand = strand_index;
  input.first_ctb = s.first_ctb;
  const SegmentResult result = find_segment_parser()(params_[s.segment], input, strand.arrays,
                                                     strand.cursor, strand.entropy);
  if (result.num_ctus != s.num_ctbs) return false;
  if (s.is_last) return result.end == SegmentEnd::kComplete;
  return result.end == SegmentEnd::kSubstreamComplete &&
         (static_cast<std::size_t>(result.bit_pos) + 7) / 8 == s.end_byte;
}

bool PictureSplit::join(PictureJob& job, const ParseOptions& options) const {
  if (wavefront_.was_given_up()) return false;
  OutputCursor whole;
  prim::CoeffStream& coeffs = job.picture->coeffs;
  for (std::size_t i = 0; i < num_strands_; ++i) {
    const PictureArrays& arrays = strands_[i]->arrays;
    const OutputCursor& part = strands_[i]->cursor;
    move_down(coeffs.records, arrays.records, whole.num_records, part.num_records);
    move_down(coeffs.positions, arrays.positions, whole.num_levels, part.num_levels);
    move_down(coeffs.levels, arrays.levels, whole.num_levels, part.num_levels);
    move_down(job.motion_syntax->units, arrays.units, whole.num_units, part.num_units);
    for (std::uint32_t n = 0; n < part.num_records; ++n) {
      coeffs.records[whole.num_records + n].first += whole.num_levels;
    }
    whole.num_records += part.num_records;
    whole.num_levels += part.num_levels;
    whole.num_units += part.num_units;
    whole.qp_min = std::min(whole.qp_min, part.qp_min);
    whole.qp_max = std::max(whole.qp_max, part.qp_max);
    whole.qp_sum += part.qp_sum;
  }
  if (whole.num_levels > options.limits.max_coefficients_per_picture) return false;
  finish_picture(job, whole, strands_.front()->arrays.ctb_slice_id, first_slice_id_);
  return true;
}

}  // namespace cope::h265
