#include "cope/h265/mv_temporal.h"

#include <bit>

namespace cope::h265 {

namespace {

/// Whether nothing is known of the motion of a block.
bool is_lost(const prim::BlockMap& blocks, std::size_t block) noexcept {
  return blocks.type[block] == static_cast<std::uint8_t>(prim::BlockType::kLost) ||
         (blocks.flags[block] & prim::kMotionLost) != 0;
}

/// Collocated motion vectors (8.5.3.2.9) of the block that covers luma location (x, y) of ColPic.
bool take_collocated(SliceMotion& slice, std::int32_t x, std::int32_t y, int list, int refIdxLX,
                     MotionVector& mvLXCol) noexcept {
  const prim::PicturePrimitives& ColPic = *slice.ColPic;
  const prim::MotionField& motion = ColPic.motion;
  // Motion is stored compressed: one block stands for 16x16.
  const int log2_step = 4 - motion.log2_cell;
  const auto cell =
      static_cast<std::size_t>((y >> 4) << log2_step) * static_cast<std::size_t>(motion.width_4x4) +
      static_cast<std::size_t>((x >> 4) << log2_step);
  const prim::BlockMap& blocks = ColPic.blocks;
  const int log2_block = std::countr_zero(static_cast<unsigned>(blocks.block_size));
  const auto block = static_cast<std::size_t>((y >> 4) << 4 >> log2_block) *
                         static_cast<std::size_t>(blocks.width) +
                     static_cast<std::size_t>((x >> 4) << 4 >> log2_block);
  const std::size_t plane = motion.plane_size();
  const int ref_idx[2] = {motion.ref_idx[cell], motion.ref_idx[cell + plane]};
  int listCol = 0;
  if (ref_idx[0] < 0) {
    if (ref_idx[1] < 0) {  // intra, or lost
      slice.num_unfounded += is_lost(blocks, block);
      return false;
    }
    listCol = 1;
  } else if (ref_idx[1] >= 0) {
    listCol = slice.NoBackwardPredFlag ? list : (slice.collocated_from_l0_flag ? 1 : 0);
  }

  const std::uint16_t slice_idx = blocks.slice_idx[block];
  if (slice_idx >= ColPic.slice_refs.size()) return false;
  // refPicListCol[refIdxCol], marked as it was when ColPic was decoded.
  const prim::RefPicture& refCol = ColPic.slice_refs[slice_idx].ref[listCol][ref_idx[listCol] & 31];
  if (refCol.is_long_term != slice.is_long_term[list][refIdxLX]) return false;

  mvLXCol = motion.mv[cell + (listCol != 0 ? plane : 0)];
  const std::int64_t colPocDiff = std::int64_t{ColPic.info.poc} - refCol.poc;
  const std::int64_t currPocDiff = slice.distance[list][refIdxLX];
  if (!refCol.is_long_term && colPocDiff != currPocDiff && colPocDiff != 0) {
    mvLXCol = scale_vector(mvLXCol, clip_poc_distance(currPocDiff), clip_poc_distance(colPocDiff));
  }
  return true;
}

}  // namespace

bool derive_temporal_vector(SliceMotion& slice, const PredictionBlock& block, int list,
                            int refIdxLX, MotionVector& mvLXCol) noexcept {
  if (slice.ColPic == nullptr) {
    slice.num_unfounded += slice.misses_ColPic;
    return false;
  }
  const std::int32_t xColBr = block.xPb + block.nPbW, yColBr = block.yPb + block.nPbH;
  const prim::PictureInfo& info = slice.ColPic->info;
  if (block.yPb >> slice.CtbLog2SizeY == yColBr >> slice.CtbLog2SizeY && yColBr < info.height &&
      xColBr < info.width && take_collocated(slice, xColBr, yColBr, list, refIdxLX, mvLXCol)) {
    return true;
  }
  return take_collocated(slice, block.xPb + block.nPbW / 2, block.yPb + block.nPbH / 2, list,
                         refIdxLX, mvLXCol);
}

void keep_collocated(const prim::PicturePrimitives& picture, prim::PicturePrimitives& out) {
  const prim::MotionField& motion = picture.motion;
  const prim::BlockMap& blocks = picture.blocks;
  out.info = picture.info;
  out.slice_refs = picture.slice_refs;
  const std::int32_t width = (motion.width_4x4 + 3) / 4, height = (motion.height_4x4 + 3) / 4;
  out.motion.log2_cell = 4;
  out.motion.width_4x4 = out.blocks.width = width;
  out.motion.height_4x4 = out.blocks.height = height;
  out.motion.mv.resize_uninitialized(2 * out.motion.plane_size());
  out.motion.ref_idx.resize_uninitialized(2 * out.motion.plane_size());
  out.blocks.block_size = 16;
  out.blocks.type.resize_uninitialized(out.blocks.size());
  out.blocks.flags.resize_uninitialized(out.blocks.size());
  out.blocks.slice_idx.resize_uninitialized(out.blocks.size());

  std::size_t to = 0;
  for (std::size_t list = 0; list < 2; ++list) {
    for (std::int32_t y = 0; y < height; ++y) {
      std::size_t from =
          list * motion.plane_size() +
          static_cast<std::size_t>(y) * 4 * static_cast<std::size_t>(motion.width_4x4);
      for (std::int32_t x = 0; x < width; ++x, ++to, from += 4) {
        out.motion.mv[to] = motion.mv[from];
        out.motion.ref_idx[to] = motion.ref_idx[from];
      }
    }
  }
  const int log2_block = std::countr_zero(static_cast<unsigned>(blocks.block_size));
  to = 0;
  for (std::int32_t y = 0; y < height; ++y) {
    for (std::int32_t x = 0; x < width; ++x, ++to) {
      const auto from =
          static_cast<std::size_t>((y << 4 >> log2_block) * blocks.width + (x << 4 >> log2_block));
      out.blocks.type[to] = blocks.type[from];
      out.blocks.flags[to] = blocks.flags[from];
      out.blocks.slice_idx[to] = blocks.slice_idx[from];
    }
  }
}

}  // namespace cope::h265
