#include "cope/h264/mv_direct.h"

#include <cstdlib>

namespace cope::h264 {

using prim::PictureStructure;

void ColocatedFinder::begin_slice(const prim::PictureInfo& info, const prim::SliceRefs& refs,
                                  bool direct_8x8_inference_flag, PictureLookup lookup,
                                  void* lookup_context) {
  frame_ = field_[0] = field_[1] = single_field_ = nullptr;
  current_is_field_picture_ = info.structure != PictureStructure::kFrame;
  current_is_bottom_field_ = info.structure == PictureStructure::kBottom;
  current_is_mbaff_ = info.mbaff;
  inference_ = direct_8x8_inference_flag;
  PicWidthInMbs_ = info.width / 16;
  const prim::RefPicture& ref = refs.ref[1][0];
  if (refs.num_ref[1] == 0 || ref.decode_index < 0) return;

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

ColocatedBlock ColocatedFinder::find(const DirectMb& mb, unsigned x, unsigned y) const noexcept {
  // direct_8x8_inference_flag takes the corners (luma4x4BlkIdx 5 * mbPartIdx).
  if (inference_) {
    x = x < 2 ? 0 : 3;
    y = y < 2 ? 0 : 3;
  }
  const std::int32_t w = PicWidthInMbs_;
  const std::int32_t lower = y >= 2 ? 1 : 0;  // yCol / 8
  if (current_is_field_picture_) {
    const std::int32_t mb_x = mb.CurrMbAddr % w;
    const std::int32_t row = mb.CurrMbAddr / w;
    if (frame_ == nullptr) return read(*single_field_, row, mb_x, x, y, VertMvScale::kOneToOne);
    if (frame_->info.mbaff) {
      const bool col_is_field =
          (frame_->blocks.flags[static_cast<std::size_t>(2 * row * w + mb_x)] &
           prim::kFieldBlock) != 0;
      if (col_is_field)
        return read(*frame_, 2 * row + current_is_bottom_field_, mb_x, x, y,
                    VertMvScale::kOneToOne);
    }
    return read(*frame_, 2 * row + lower, mb_x, x, 2 * y % 4, VertMvScale::kFrmToFld);
  }
  if (!current_is_mbaff_) {
    const std::int32_t mb_x = mb.CurrMbAddr % w;
    const std::int32_t row = mb.CurrMbAddr / w;
    if (frame_ != nullptr) return read(*frame_, row, mb_x, x, y, VertMvScale::kOneToOne);
    return read(*field_[nearer_is_bottom_], row / 2, mb_x, x,
                static_cast<unsigned>(2 * (row % 2) + lower), VertMvScale::kFldToFrm);
  }
  const std::int32_t pair_x = (mb.CurrMbAddr / 2) % w;
  const std::int32_t pair_y = (mb.CurrMbAddr / 2) / w;
  const std::int32_t bottom = mb.CurrMbAddr % 2;
  if (frame_ == nullptr) {
    if (mb.is_field) return read(*field_[bottom], pair_y, pair_x, x, y, VertMvScale::kOneToOne);
    return read(*field_[nearer_is_bottom_], pair_y, pair_x, x,
                static_cast<unsigned>(2 * bottom + lower), VertMvScale::kFldToFrm);
  }
  const bool col_is_field =
      (frame_->blocks.flags[static_cast<std::size_t>((2 * pair_y + bottom) * w + pair_x)] &
       prim::kFieldBlock) != 0;
  if (col_is_field == mb.is_field)
    return read(*frame_, 2 * pair_y + bottom, pair_x, x, y, VertMvScale::kOneToOne);
  if (!mb.is_field) {
    return read(*frame_, 2 * pair_y + nearer_is_bottom_, pair_x, x,
                static_cast<unsigned>(2 * bottom + lower), VertMvScale::kFldToFrm);
  }
  return read(*frame_, 2 * pair_y + lower, pair_x, x, 2 * y % 4, VertMvScale::kFrmToFld);
}

ColocatedBlock ColocatedFinder::read(const prim::PicturePrimitives& col, std::int32_t mb_row,
                                     std::int32_t mb_x, unsigned x, unsigned y,
                                     VertMvScale scale) const noexcept {
  ColocatedBlock block;
  block.vertMvScale = scale;
  const auto width_4x4 = static_cast<std::size_t>(col.motion.width_4x4);
  const std::size_t cell = (static_cast<std::size_t>(mb_row) * 4 + y) * width_4x4 +
                           static_cast<std::size_t>(mb_x) * 4 + x;
  const std::size_t plane = col.motion.plane_size();
  std::size_t list = 0;
  block.refIdxCol = col.motion.ref_idx[cell];
  if (block.refIdxCol < 0) {
    list = 1;
    block.refIdxCol = col.motion.ref_idx[plane + cell];
  }
  if (block.refIdxCol < 0) return block;
  block.mvCol = col.motion.mv[list * plane + cell];
  const std::size_t mb =
      static_cast<std::size_t>(mb_row) * static_cast<std::size_t>(col.blocks.width) +
      static_cast<std::size_t>(mb_x);
  const prim::SliceRefs& refs = col.slice_refs[col.blocks.slice_idx[mb]];
  if (col.info.mbaff && (col.blocks.flags[mb] & prim::kFieldBlock) != 0) {
    const bool bottom = ((block.refIdxCol & 1) != 0) != (mb_row % 2 != 0);
    block.ref.frame = refs.ref[list][block.refIdxCol >> 1].frame_id();
    block.ref.structure = bottom ? PictureStructure::kBottom : PictureStructure::kTop;
  } else {
    block.ref.frame = refs.ref[list][block.refIdxCol].frame_id();
    block.ref.structure = static_cast<PictureStructure>(refs.ref[list][block.refIdxCol].structure);
  }
  return block;
}

}  // namespace cope::h264
