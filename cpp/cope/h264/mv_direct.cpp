#include "cope/h264/mv_direct.h"

#include <cstdlib>

namespace cope::h264 {

using prim::PictureStructure;

namespace {

std::size_t block_index(const prim::PicturePrimitives& picture, std::int32_t mb_row,
                        std::int32_t mb_x) noexcept {
  return static_cast<std::size_t>(mb_row) * static_cast<std::size_t>(picture.blocks.width) +
         static_cast<std::size_t>(mb_x);
}

bool is_field_block(const prim::PicturePrimitives& picture, std::int32_t mb_row,
                    std::int32_t mb_x) noexcept {
  return (picture.blocks.flags[block_index(picture, mb_row, mb_x)] & prim::kFieldBlock) != 0;
}

}  // namespace

void ColocatedFinder::begin_slice(const prim::PictureInfo& info, const prim::SliceRefs& refs,
                                  bool direct_8x8_inference_flag, PictureLookup lookup,
                                  void* lookup_context) {
  frame_ = field_[0] = field_[1] = single_field_ = nullptr;
  current_is_field_picture_ = info.structure != PictureStructure::kFrame;
  current_is_bottom_field_ = info.structure == PictureStructure::kBottom;
  current_is_mbaff_ = info.mbaff;
  inference_ = direct_8x8_inference_flag;
  const prim::RefPicture& ref = refs.ref[1][0];
  if (refs.num_ref[1] == 0 || ref.decode_index < 0 || ref.is_missing) return;

  nearer_is_bottom_ = std::abs(ref.top_poc - info.poc) >= std::abs(ref.bottom_poc - info.poc);

  // Only pictures of the same dimensions can be collocated; damage may offer others.
  const auto find = [&](std::int64_t decode_index,
                        bool as_field) -> const prim::PicturePrimitives* {
    if (decode_index < 0) return nullptr;
    const prim::PicturePrimitives* const picture = lookup(lookup_context, decode_index);
    if (picture == nullptr || picture->info.width != info.width) return nullptr;
    const std::int32_t frame_height = info.height * (current_is_field_picture_ ? 2 : 1);
    return picture->info.height == (as_field ? frame_height / 2 : frame_height) ? picture : nullptr;
  };
  const prim::PicturePrimitives* const first = lookup(lookup_context, ref.decode_index);
  if (first == nullptr) return;
  if (first->info.structure == PictureStructure::kFrame) {
    frame_ = find(ref.decode_index, false);
    return;
  }
  const bool first_is_bottom = first->info.structure == PictureStructure::kBottom;
  field_[first_is_bottom ? 1 : 0] = find(ref.decode_index, true);
  field_[first_is_bottom ? 0 : 1] = find(ref.second_decode_index, true);
  if (current_is_field_picture_) {
    single_field_ =
        field_[ref.structure == static_cast<std::uint8_t>(PictureStructure::kBottom) ? 1 : 0];
  }
}

ColocatedFinder::Place ColocatedFinder::locate(const DirectMb& mb, unsigned x,
                                               unsigned y) const noexcept {
  // direct_8x8_inference_flag takes the corners (luma4x4BlkIdx 5 * mbPartIdx).
  if (inference_) {
    x = x < 2 ? 0 : 3;
    y = y < 2 ? 0 : 3;
  }
  const std::int32_t mb_x = mb.mb_x;
  const std::int32_t row = mb.mb_row;
  const std::int32_t lower = y >= 2 ? 1 : 0;  // yCol / 8
  if (current_is_field_picture_) {
    if (frame_ == nullptr) return Place{single_field_, row, mb_x, x, y, VertMvScale::kOneToOne};
    if (frame_->info.mbaff) {
      if (is_field_block(*frame_, 2 * row, mb_x))
        return Place{
            frame_, 2 * row + current_is_bottom_field_, mb_x, x, y, VertMvScale::kOneToOne};
    }
    return Place{frame_, 2 * row + lower, mb_x, x, 2 * y % 4, VertMvScale::kFrmToFld};
  }
  if (!current_is_mbaff_) {
    if (frame_ != nullptr) return Place{frame_, row, mb_x, x, y, VertMvScale::kOneToOne};
    return Place{
        field_[nearer_is_bottom_], row / 2, mb_x, x, static_cast<unsigned>(2 * (row % 2) + lower),
        VertMvScale::kFldToFrm};
  }
  const std::int32_t pair = row / 2;
  const std::int32_t bottom = row % 2;
  if (frame_ == nullptr) {
    if (mb.is_field) return Place{field_[bottom], pair, mb_x, x, y, VertMvScale::kOneToOne};
    return Place{
        field_[nearer_is_bottom_], pair, mb_x, x, static_cast<unsigned>(2 * bottom + lower),
        VertMvScale::kFldToFrm};
  }
  const bool col_is_field = is_field_block(*frame_, row, mb_x);
  if (col_is_field == mb.is_field)
    return Place{frame_, 2 * pair + bottom, mb_x, x, y, VertMvScale::kOneToOne};
  if (!mb.is_field) {
    return Place{frame_,
                 2 * pair + nearer_is_bottom_,
                 mb_x,
                 x,
                 static_cast<unsigned>(2 * bottom + lower),
                 VertMvScale::kFldToFrm};
  }
  return Place{frame_, 2 * pair + lower, mb_x, x, 2 * y % 4, VertMvScale::kFrmToFld};
}

bool ColocatedFinder::is_known(const DirectMb& mb, unsigned x, unsigned y) const noexcept {
  const Place place = locate(mb, x, y);
  const prim::BlockMap& blocks = place.picture->blocks;
  const std::size_t block = block_index(*place.picture, place.mb_row, place.mb_x);
  return blocks.type[block] != static_cast<std::uint8_t>(prim::BlockType::kLost) &&
         (blocks.flags[block] & prim::kMotionLost) == 0;
}

bool ColocatedFinder::is_still(const DirectMb& mb, unsigned x, unsigned y) const noexcept {
  const Place place = locate(mb, x, y);
  const prim::MotionField& motion = place.picture->motion;
  std::size_t cell = place.cell();
  if (motion.ref_idx[cell] < 0) cell += motion.plane_size();
  const MotionVector mv = motion.mv[cell];
  return motion.ref_idx[cell] == 0 && mv.x >= -1 && mv.x <= 1 && mv.y >= -1 && mv.y <= 1;
}

ColocatedBlock ColocatedFinder::find(const DirectMb& mb, unsigned x, unsigned y) const noexcept {
  const Place place = locate(mb, x, y);
  const prim::PicturePrimitives& col = *place.picture;
  ColocatedBlock block;
  block.vertMvScale = place.scale;
  const std::size_t cell = place.cell();
  const std::size_t plane = col.motion.plane_size();
  std::size_t list = 0;
  block.refIdxCol = col.motion.ref_idx[cell];
  if (block.refIdxCol < 0) {
    list = 1;
    block.refIdxCol = col.motion.ref_idx[plane + cell];
  }
  if (block.refIdxCol < 0) return block;
  block.mvCol = col.motion.mv[list * plane + cell];
  const std::size_t col_mb = block_index(col, place.mb_row, place.mb_x);
  const prim::SliceRefs& refs = col.slice_refs[col.blocks.slice_idx[col_mb]];
  const bool is_mbaff_field = col.info.mbaff && (col.blocks.flags[col_mb] & prim::kFieldBlock) != 0;
  const prim::RefPicture& ref =
      refs.ref[list][is_mbaff_field ? block.refIdxCol >> 1 : block.refIdxCol];
  block.ref.frame = ref.frame_id();
  block.ref.structure = static_cast<PictureStructure>(ref.structure);
  block.is_ref_missing = ref.is_missing;
  if (is_mbaff_field) {
    const bool bottom = ((block.refIdxCol & 1) != 0) != (place.mb_row % 2 != 0);
    block.ref.structure = bottom ? PictureStructure::kBottom : PictureStructure::kTop;
  }
  return block;
}

}  // namespace cope::h264
