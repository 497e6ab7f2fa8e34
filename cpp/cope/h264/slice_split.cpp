#include "cope/h264/slice_split.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "cope/h264/motion_syntax.h"

namespace cope::h264 {
namespace {

using prim::BlockType;
using prim::PicturePrimitives;

constexpr std::int32_t kMaxSlices = 256;  // each part copies the headers of all

std::int32_t first_mb(const CodedSlice& slice) {
  return static_cast<std::int32_t>(slice.header.first_mb_in_slice) *
         (1 + slice.header.MbaffFrameFlag);
}

/// Where the block of a macroblock stands in the arrays, which in an MBAFF frame go pair by pair.
std::size_t block_of(std::int32_t mb_addr, const PicturePrimitives& picture) {
  if (!picture.info.mbaff) return static_cast<std::size_t>(mb_addr);
  const std::int32_t pair = mb_addr / 2;
  const std::int32_t width = picture.blocks.width;
  return static_cast<std::size_t>((pair / width * 2 + mb_addr % 2) * width + pair % width);
}

/// Whether the part holds all of its macroblocks and no others.
bool is_whole(const PictureJob& job, std::int32_t first, std::int32_t end) {
  const PicturePrimitives& picture = *job.picture;
  if (job.report.num_slices_damaged > 0) return false;
  if (job.report.first_error.code == StatusCode::kLimitExceeded) return false;
  if (job.report.num_blocks_lost !=
      static_cast<std::int32_t>(picture.blocks.size()) - (end - first))
    return false;
  for (std::int32_t mb = first; mb < end; ++mb) {
    if (picture.blocks.type[block_of(mb, picture)] == static_cast<std::uint8_t>(BlockType::kLost))
      return false;
  }
  return true;
}

void copy_block(const prim::BlockMap& from, std::size_t block, std::size_t first_slice,
                prim::BlockMap& to) {
  to.type[block] = from.type[block];
  to.flags[block] = from.flags[block];
  to.partition[block] = from.partition[block];
  to.partition_shape[block] = from.partition_shape[block];
  to.qp[block] = from.qp[block];
  to.slice_idx[block] = static_cast<std::uint16_t>(from.slice_idx[block] + first_slice);
  to.bits[block] = from.bits[block];
}

/// Whether a macroblock has `MbMotionSyntax`.
bool has_motion_syntax(const prim::BlockMap& blocks, std::size_t block) {
  return blocks.type[block] == static_cast<std::uint8_t>(BlockType::kInter) &&
         (blocks.flags[block] & prim::kDirect) == 0;
}

/// Appends plain data to a buffer that is large enough, counted in `size`.
template <class T>
void append(const T* from, std::size_t count, Buffer<T>& to, std::size_t& size) {
  if (count != 0) std::memcpy(to.data() + size, from, count * sizeof(T));
  size += count;
}

}  // namespace

std::size_t SliceSplit::begin(const PictureJob& job, std::size_t max_parts,
                              std::size_t min_part_bytes) {
  const CodedPicture& coded = job.coded;
  num_parts_ = 0;
  if (coded.info.num_slices < 2 || coded.info.num_slices > kMaxSlices || max_parts < 2) return 1;
  if (coded.info.separate_colour_planes || !coded.slice_group_map.empty()) return 1;
  const auto num_slices = static_cast<std::size_t>(coded.info.num_slices);
  std::size_t num_bytes = 0;
  for (std::size_t i = 0; i < num_slices; ++i) {
    const CodedSlice& slice = coded.slices[i];
    const bool follows =
        i == 0 ? first_mb(slice) == 0 : first_mb(slice) > first_mb(coded.slices[i - 1]);
    if (!follows || slice.nal.nal_unit_type == NalUnitType::kSliceDataPartitionA ||
        slice.header.PicSizeInMbs != coded.slices[0].header.PicSizeInMbs) {
      return 1;
    }
    num_bytes += slice.rbsp.size;
  }
  max_parts = std::min({max_parts, num_slices, num_bytes / min_part_bytes});
  if (max_parts < 2) return 1;

  std::size_t bytes_before = 0;
  for (std::size_t i = 0; i < num_slices; ++i) {
    // A part ends where its share of the bytes does.
    if (num_parts_ * num_bytes <= bytes_before * max_parts) {
      if (num_parts_ == parts_.size()) parts_.push_back(std::make_unique<Part>());
      Part& part = *parts_[num_parts_++];
      part.first_slice = i;
      part.num_slices = 0;
      part.first_mb = first_mb(coded.slices[i]);
    }
    Part& part = *parts_[num_parts_ - 1];
    ++part.num_slices;
    part.end_mb =
        i + 1 < num_slices ? first_mb(coded.slices[i + 1]) : coded.slices[0].header.PicSizeInMbs;
    bytes_before += coded.slices[i].rbsp.size;
  }
  return num_parts_;
}

void SliceSplit::parse(std::size_t part_index, const PictureJob& job, const ParseOptions& options) {
  Part& part = *parts_[part_index];
  CodedPicture& coded = part.job.coded;
  coded = job.coded;
  for (std::size_t i = 0; i < part.num_slices && part.first_slice > 0; ++i) {
    coded.slices[i] = std::move(coded.slices[part.first_slice + i]);
  }
  coded.info.num_slices = static_cast<std::int32_t>(part.num_slices);
  if (!part.job.picture) part.job.picture = std::make_shared<PicturePrimitives>();
  part.parser.parse(part.job, options);
}

bool SliceSplit::join(PictureJob& job, const ParseOptions& options) const {
  const CodedPicture& coded = job.coded;
  std::size_t num_records = 0;
  std::size_t num_levels = 0;
  for (std::size_t i = 0; i < num_parts_; ++i) {
    const Part& part = *parts_[i];
    if (!is_whole(part.job, part.first_mb, part.end_mb)) return false;
    num_records += part.job.picture->coeffs.records.size();
    num_levels += part.job.picture->coeffs.levels.size();
  }
  if (static_cast<std::int64_t>(num_levels) > options.limits.max_coefficients_per_picture) {
    return false;
  }

  PicturePrimitives& picture = *job.picture;
  job.report = {};
  picture.info = coded.info;
  picture.info.qp_sum = 0;
  picture.info.num_blocks_lost = 0;
  int low = std::numeric_limits<int>::max();
  int high = std::numeric_limits<int>::min();
  picture.allocate_blocks(picture.info.width, picture.info.height, 16);
  picture.slice_refs.resize(static_cast<std::size_t>(coded.info.num_slices));
  picture.scaling.clear();
  for (auto& plane : picture.colour_plane) plane.reset();
  picture.coeffs.records.resize_uninitialized(num_records);
  picture.coeffs.positions.resize_uninitialized(num_levels);
  picture.coeffs.levels.resize_uninitialized(num_levels);
  MotionSyntax& motion = *job.motion_syntax;
  motion.mbs.resize_uninitialized(picture.blocks.size());
  // The last macroblock of a part need not use what it might.
  motion.mvd.resize_uninitialized((picture.blocks.size() + num_parts_) * kMaxMvdPerMb);

  num_records = 0;
  num_levels = 0;
  std::size_t num_positions = 0;
  std::size_t num_mvds = 0;
  for (std::size_t i = 0; i < num_parts_; ++i) {
    const Part& part = *parts_[i];
    const PicturePrimitives& from = *part.job.picture;
    const MotionSyntax& syntax = *part.job.motion_syntax;
    std::size_t used_mvds = 0;
    bool has_qp = false;
    for (std::int32_t mb = part.first_mb; mb < part.end_mb; ++mb) {
      const std::size_t block = block_of(mb, picture);
      copy_block(from.blocks, block, part.first_slice, picture.blocks);
      has_qp = has_qp || from.blocks.type[block] != static_cast<std::uint8_t>(BlockType::kPcm);
      if (!has_motion_syntax(from.blocks, block)) continue;
      const auto at = static_cast<std::size_t>(mb);
      motion.mbs[at] = syntax.mbs[at];
      motion.mbs[at].first_mvd += static_cast<std::uint32_t>(num_mvds);
      used_mvds = std::max<std::size_t>(used_mvds, syntax.mbs[at].first_mvd + kMaxMvdPerMb);
    }
    append(syntax.mvd.data(), std::min(used_mvds, syntax.mvd.size()), motion.mvd, num_mvds);

    picture.info.qp_sum += from.info.qp_sum;
    if (has_qp) {
      low = std::min<int>(low, from.info.qp_min);
      high = std::max<int>(high, from.info.qp_max);
    }
    std::copy(from.slice_refs.begin(), from.slice_refs.end(),
              picture.slice_refs.begin() + static_cast<std::ptrdiff_t>(part.first_slice));
    std::uint8_t scaling_idx[256] = {};
    for (std::size_t n = 0; n < from.scaling.size(); ++n) {
      const auto found = std::find_if(
          picture.scaling.begin(), picture.scaling.end(), [&from, n](const auto& matrices) {
            return std::memcmp(&matrices, &from.scaling[n], sizeof matrices) == 0;
          });
      scaling_idx[n] = static_cast<std::uint8_t>(found - picture.scaling.begin());
      if (found == picture.scaling.end()) picture.scaling.push_back(from.scaling[n]);
    }
    if (picture.scaling.size() > 256) return false;

    const std::size_t first_record = num_records;
    const auto first_level = static_cast<std::uint32_t>(num_levels);
    const prim::CoeffStream& coeffs = from.coeffs;
    append(coeffs.records.data(), coeffs.records.size(), picture.coeffs.records, num_records);
    append(coeffs.positions.data(), coeffs.positions.size(), picture.coeffs.positions,
           num_positions);
    append(coeffs.levels.data(), coeffs.levels.size(), picture.coeffs.levels, num_levels);
    for (std::size_t n = first_record; n < num_records; ++n) {
      prim::CoeffRecord& record = picture.coeffs.records[n];
      record.first += first_level;
      record.scaling_idx = scaling_idx[record.scaling_idx];
    }
  }
  picture.info.qp_min = low <= high ? low : 0;
  picture.info.qp_max = low <= high ? high : 0;
  return true;
}

}  // namespace cope::h264
