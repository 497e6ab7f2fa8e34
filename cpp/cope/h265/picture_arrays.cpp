#include "cope/h265/picture_arrays.h"

#include <algorithm>
#include <limits>

#include "cope/h265/motion_syntax.h"

namespace cope::h265 {
namespace {

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

}  // namespace

CoefficientRoom coefficient_room(std::int64_t num_bytes, std::int64_t num_ctbs,
                                 std::int64_t max_levels, const Sps& sps) {
  const auto log2 = static_cast<unsigned>(sps.CtbLog2SizeY);
  // Every level takes a bit or more for its sign, but for one hidden sign in a sub-block of two
  // levels or more.
  const std::int64_t levels =
      std::min({num_bytes * 16, num_ctbs * max_levels_per_ctu(log2), max_levels}) +
      max_levels_per_ctu(log2);
  // A record has a level, or follows two blocks with one (cross-component prediction).
  const std::int64_t records =
      std::min(3 * levels, num_ctbs * max_records_per_ctu(log2)) + max_records_per_ctu(log2);
  return {static_cast<std::uint32_t>(levels), static_cast<std::uint32_t>(records)};
}

std::uint32_t CtbSliceIds::begin_picture(const Sps& sps, std::size_t num_slices) {
  const auto num_ctbs = static_cast<std::size_t>(sps.PicSizeInCtbsY);
  if (ids_.size() < num_ctbs) ids_.resize(num_ctbs, 0);
  if (next_ > std::numeric_limits<std::uint32_t>::max() - num_slices) {
    std::fill(ids_.begin(), ids_.end(), 0u);
    next_ = 1;
  }
  const std::uint32_t first = next_;
  next_ += static_cast<std::uint32_t>(num_slices);
  return first;
}

void NeighbourState::begin_picture(const Sps& sps, PictureArrays& arrays) {
  const int log2 = sps.CtbLog2SizeY - 2;
  above.resize_uninitialized(static_cast<std::size_t>(sps.PicWidthInCtbsY) << log2);
  left.resize_uninitialized(static_cast<std::size_t>(sps.PicHeightInCtbsY) << log2);
  arrays.above = above.data();
  arrays.left = left.data();
}

PictureArrays begin_picture(PictureJob& job) {
  const CodedPicture& coded = job.coded;
  const Sps& sps = *coded.segments.front().sps;
  prim::PicturePrimitives& picture = *job.picture;
  job.report = {};
  job.motion_progress = {};
  picture.info = coded.info;
  picture.scaling.clear();
  picture.slice_refs.assign(coded.slice_refs.begin(),
                            coded.slice_refs.begin() + coded.info.num_slices);
  picture.colour_plane[0].reset();
  picture.colour_plane[1].reset();
  picture.allocate_blocks(sps.pic_width_in_luma_samples, sps.pic_height_in_luma_samples,
                          sps.MinCbSizeY());
  prim::BlockMap& blocks = picture.blocks;
  PictureArrays arrays;
  arrays.blocks_stride = blocks.width;
  arrays.type = blocks.type.data();
  arrays.flags = blocks.flags.data();
  arrays.partition = blocks.partition.data();
  arrays.partition_shape = blocks.partition_shape.data();
  arrays.qp = blocks.qp.data();
  arrays.slice_idx = blocks.slice_idx.data();
  arrays.bits = blocks.bits.data();
  return arrays;
}

void finish_picture(PictureJob& job, const OutputCursor& cursor, const std::uint32_t* ctb_slice_id,
                    std::uint32_t first_slice_id) {
  const Sps& sps = *job.coded.segments.front().sps;
  prim::PicturePrimitives& picture = *job.picture;
  picture.coeffs.records.set_size(cursor.num_records);
  picture.coeffs.positions.set_size(cursor.num_levels);
  picture.coeffs.levels.set_size(cursor.num_levels);
  job.motion_syntax->units.set_size(cursor.num_units);

  prim::PictureInfo& info = picture.info;
  info.qp_sum = cursor.qp_sum;
  info.qp_min = cursor.qp_min <= cursor.qp_max ? cursor.qp_min : 0;
  info.qp_max = cursor.qp_min <= cursor.qp_max ? cursor.qp_max : 0;
  info.num_blocks_lost = 0;
  for (std::int32_t ctb = 0; ctb < sps.PicSizeInCtbsY; ++ctb) {
    if (ctb_slice_id[ctb] >= first_slice_id) continue;
    info.num_blocks_lost += mark_lost(sps, ctb, picture.blocks);
  }
  job.report.num_blocks_lost = info.num_blocks_lost;
  if (info.num_blocks_lost > 0 && job.report.first_error.ok()) {
    job.report.first_error = Status::invalid("slice_segment_data", "H.265 7.3.8.1");
  }
}

}  // namespace cope::h265
