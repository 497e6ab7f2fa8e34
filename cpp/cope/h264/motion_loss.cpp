#include "cope/h264/motion_loss.h"

#include <algorithm>
#include <cstddef>

#include "cope/h264/mb_type_tables.h"
#include "cope/h264/mv_direct.h"

namespace cope::h264 {
namespace {

using prim::BlockType;
using prim::PictureStructure;

class LossFinder {
 public:
  LossFinder(const CodedPicture& coded, prim::PicturePrimitives& picture,
             const MbMotionSyntax* syntax, PictureLookup lookup, void* lookup_context)
      : coded_(coded),
        picture_(picture),
        syntax_(syntax),
        lookup_(lookup),
        lookup_context_(lookup_context),
        w_(picture.blocks.width) {}

  /// Whether any slice looks at a picture with a loss: hardly ever.
  bool has_work() const {
    for (std::int32_t i = 0; i < coded_.info.num_slices; ++i) {
      const CodedSlice& slice = coded_.slices[static_cast<std::size_t>(i)];
      if (!slice.header.is_b()) continue;
      const prim::RefPicture& ref = slice.refs.ref[1][0];
      if (slice.refs.num_ref[1] == 0 || ref.is_missing) return true;
      const bool is_temporal = !slice.header.direct_spatial_mv_pred_flag;
      if (has_loss(ref.decode_index, is_temporal)) return true;
      if (ref.second_decode_index >= 0 && has_loss(ref.second_decode_index, is_temporal)) {
        return true;
      }
      // Temporal direct prediction finds the collocated block's reference in list 0.
      if (is_temporal && coded_.info.has_missing_references) return true;
    }
    return false;
  }

  std::int32_t mark() {
    std::int32_t num_lost = 0;
    const std::int32_t rows = picture_.blocks.height;
    const std::int32_t step = coded_.info.mbaff ? 2 : 1;
    for (std::int32_t row = 0; row < rows; row += step) {
      for (std::int32_t mb_x = 0; mb_x < w_; ++mb_x) {
        for (std::int32_t i = 0; i < step; ++i) num_lost += mark_macroblock(mb_x, row + i);
      }
    }
    return num_lost;
  }

 private:
  bool has_loss(std::int64_t decode_index, bool is_temporal) const {
    const prim::PicturePrimitives* const picture = lookup_(lookup_context_, decode_index);
    return picture == nullptr || picture->info.num_blocks_lost > 0 ||
           picture->info.num_motion_lost > 0 ||
           (is_temporal && picture->info.has_missing_references);
  }

  std::size_t index_of(std::int32_t mb_x, std::int32_t row) const noexcept {
    return static_cast<std::size_t>(row * w_ + mb_x);
  }

  bool mark_macroblock(std::int32_t mb_x, std::int32_t row) {
    const std::size_t block = index_of(mb_x, row);
    const auto type = static_cast<BlockType>(picture_.blocks.type[block]);
    if (type != BlockType::kInter && type != BlockType::kSkip) return false;
    const std::uint16_t slice_idx = picture_.blocks.slice_idx[block];
    if (slice_idx != slice_idx_) begin_slice(slice_idx);
    if (!slice_->header.is_b()) return false;

    const unsigned direct = direct_quadrants(block, mb_x, row);
    const bool is_temporal = !slice_->header.direct_spatial_mv_pred_flag;
    const bool looks_around = !(direct == 0xf && is_temporal);
    if (!(looks_around && has_lost_neighbour(mb_x, row)) && !is_direct_lost(direct, mb_x, row)) {
      return false;
    }
    picture_.blocks.flags[block] =
        static_cast<std::uint8_t>(picture_.blocks.flags[block] | prim::kMotionLost);
    clear_vectors(mb_x, row);
    return true;
  }

  void begin_slice(std::uint16_t slice_idx) {
    slice_idx_ = slice_idx;
    slice_ = &coded_.slices[slice_idx];
    if (slice_->header.is_b()) {
      colocated_.begin_slice(picture_.info, slice_->refs, slice_->sps->direct_8x8_inference_flag,
                             lookup_, lookup_context_);
    }
  }

  /// Bit q: quadrant q is direct predicted.
  unsigned direct_quadrants(std::size_t block, std::int32_t mb_x, std::int32_t row) const noexcept {
    if ((picture_.blocks.flags[block] & prim::kDirect) != 0) return 0xf;
    if (static_cast<BlockType>(picture_.blocks.type[block]) != BlockType::kInter) return 0;
    const std::int32_t mb_addr =
        coded_.info.mbaff ? (row & ~1) * w_ + 2 * mb_x + (row & 1) : static_cast<int>(block);
    const MbMotionSyntax& mb = syntax_[mb_addr];
    if (kMbTypeInfoB[mb.mb_type].NumMbPart != 4) return 0;
    unsigned direct = 0;
    for (unsigned q = 0; q < 4; ++q) {
      if (kSubMbTypeInfoB[mb.sub_mb_type[q]].SubMbPredMode == kDirect) direct |= 1u << q;
    }
    return direct;
  }

  /// Neighbours A, B, C, and D in the place of C (6.4.11.7). Of an MBAFF frame: any of the pairs
  /// beside and above, and the macroblock above in the own pair.
  bool has_lost_neighbour(std::int32_t mb_x, std::int32_t row) const noexcept {
    if (!coded_.info.mbaff) {
      return is_lost(mb_x - 1, row) || is_lost(mb_x, row - 1) || is_lost(mb_x + 1, row - 1) ||
             (!is_of_slice(mb_x + 1, row - 1) && is_lost(mb_x - 1, row - 1));
    }
    const std::int32_t top = row & ~1;
    const auto is_pair_lost = [this](std::int32_t x, std::int32_t y) {
      return is_lost(x, y) || is_lost(x, y + 1);
    };
    return is_pair_lost(mb_x - 1, top) || is_pair_lost(mb_x, top - 2) ||
           is_pair_lost(mb_x + 1, top - 2) || is_pair_lost(mb_x - 1, top - 2) ||
           (row != top && is_lost(mb_x, top));
  }

  bool is_of_slice(std::int32_t mb_x, std::int32_t row) const noexcept {
    return mb_x >= 0 && mb_x < w_ && row >= 0 &&
           picture_.blocks.slice_idx[index_of(mb_x, row)] == slice_idx_;
  }

  bool is_lost(std::int32_t mb_x, std::int32_t row) const noexcept {
    return is_of_slice(mb_x, row) &&
           (picture_.blocks.flags[index_of(mb_x, row)] & prim::kMotionLost) != 0;
  }

  bool is_direct_lost(unsigned quadrants, std::int32_t mb_x, std::int32_t row) const {
    for (unsigned q = 0; q < 4; ++q) {
      if ((quadrants >> q & 1) == 0) continue;
      for (unsigned i = 0; i < 4; ++i) {
        const unsigned x = 2 * (q & 1) + (i & 1);
        const unsigned y = (q & 2) + i / 2;
        const bool is_lost = slice_->header.direct_spatial_mv_pred_flag
                                 ? is_spatial_direct_lost(mb_x, row, x, y)
                                 : is_temporal_direct_lost(mb_x, row, x, y);
        if (is_lost) return true;
      }
    }
    return false;
  }

  DirectMb direct_mb(std::int32_t mb_x, std::int32_t row) const noexcept {
    return {mb_x, row, (picture_.blocks.flags[index_of(mb_x, row)] & prim::kFieldBlock) != 0};
  }

  bool is_colocated_known(std::int32_t mb_x, std::int32_t row, unsigned x, unsigned y) const {
    return colocated_.is_available() && colocated_.is_known(direct_mb(mb_x, row), x, y);
  }

  /// colZeroFlag (8.4.1.2.2) makes vectors to index 0 zero; the lost block counted as moving.
  bool is_spatial_direct_lost(std::int32_t mb_x, std::int32_t row, unsigned x, unsigned y) const {
    const std::size_t cell = (static_cast<std::size_t>(row) * 4 + y) *
                                 static_cast<std::size_t>(picture_.motion.width_4x4) +
                             static_cast<std::size_t>(mb_x) * 4 + x;
    bool may_change = false;
    for (std::size_t list = 0; list < 2; ++list) {
      const std::size_t at = list * picture_.motion.plane_size() + cell;
      may_change = may_change || (picture_.motion.ref_idx[at] == 0 &&
                                  picture_.motion.mv[at] != MotionVector{0, 0});
    }
    return may_change && !is_colocated_known(mb_x, row, x, y);
  }

  bool is_temporal_direct_lost(std::int32_t mb_x, std::int32_t row, unsigned x, unsigned y) const {
    if (!is_colocated_known(mb_x, row, x, y)) return true;
    const ColocatedBlock col = colocated_.find(direct_mb(mb_x, row), x, y);
    if (col.refIdxCol < 0) return false;
    if (col.is_ref_missing || col.ref.frame < 0) return true;
    const PictureStructure own = picture_.info.structure;
    const PictureStructure wanted =
        col.vertMvScale == VertMvScale::kFrmToFld ? own : col.ref.structure;
    const auto* const list0 = slice_->refs.ref[0];
    const auto* const end = list0 + slice_->refs.num_ref[0];
    const auto* const ref0 = std::find_if(list0, end, [&](const prim::RefPicture& ref) {
      return ref.frame_id() == col.ref.frame &&
             (own == PictureStructure::kFrame || ref.structure == static_cast<int>(wanted));
    });
    return ref0 == end || ref0->is_missing;
  }

  void clear_vectors(std::int32_t mb_x, std::int32_t row) noexcept {
    const auto width = static_cast<std::size_t>(picture_.motion.width_4x4);
    for (std::size_t list = 0; list < 2; ++list) {
      std::size_t cell = list * picture_.motion.plane_size() +
                         static_cast<std::size_t>(row) * 4 * width +
                         static_cast<std::size_t>(mb_x) * 4;
      for (int y = 0; y < 4; ++y, cell += width) {
        std::fill_n(picture_.motion.mv.data() + cell, 4, MotionVector{0, 0});
        std::fill_n(picture_.motion.ref_idx.data() + cell, 4, std::int8_t{-1});
      }
    }
  }

  const CodedPicture& coded_;
  prim::PicturePrimitives& picture_;
  const MbMotionSyntax* syntax_;
  PictureLookup lookup_;
  void* lookup_context_;
  std::int32_t w_;
  const CodedSlice* slice_ = nullptr;
  std::uint16_t slice_idx_ = prim::kNoSlice;
  ColocatedFinder colocated_;
};

}  // namespace

std::int32_t mark_lost_motion(const CodedPicture& coded, prim::PicturePrimitives& picture,
                              const MbMotionSyntax* syntax, PictureLookup lookup,
                              void* lookup_context) {
  if ((coded.info.slice_types & prim::kHasB) == 0) return 0;
  LossFinder finder(coded, picture, syntax, lookup, lookup_context);
  return finder.has_work() ? finder.mark() : 0;
}

}  // namespace cope::h264
