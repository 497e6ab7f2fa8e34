#include "cope/cpu/compose_picture.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "cope/cpu/lattice.h"
#include "cope/cpu/motion_pattern.h"

namespace cope::cpu {
WindowComposer::PictureComposer::PictureComposer(const WindowComposer& window,
                                                 const prim::PicturePrimitives& picture,
                                                 State& state) noexcept
    : window_(window),
      picture_(picture),
      values_(state.values.data()),
      marks_(state.marks.data()),
      width_4x4_(state.width_4x4),
      height_4x4_(state.height_4x4),
      width_(static_cast<std::size_t>(state.width_4x4)),
      size_(width_ * static_cast<std::size_t>(state.height_4x4)),
      log2_cells_(std::countr_zero(static_cast<unsigned>(picture.blocks.block_size / 4))),
      num_lists_((picture.info.slice_types & prim::kHasB) != 0 ? 2 : 1) {}

void WindowComposer::PictureComposer::compose() noexcept {
  for (std::int32_t y = 0; y < height_4x4_; y += 4) {
    for (int list = 0; list < num_lists_; ++list) {
      fetch_motion(picture_.motion, list, y, std::min(4, height_4x4_ - y));
    }
    for (std::int32_t x = 0; x < width_4x4_; x += 4) compose_tile(x, y);
  }
}

/// Whether a block has motion to follow.
bool WindowComposer::PictureComposer::is_inter(std::size_t block) const noexcept {
  const std::uint8_t type = picture_.blocks.type[block];
  return (type == static_cast<std::uint8_t>(prim::BlockType::kInter) ||
          type == static_cast<std::uint8_t>(prim::BlockType::kSkip)) &&
         (picture_.blocks.flags[block] & prim::kMotionLost) == 0;
}

/// Turns to the references of a slice; false when the picture has no such slice.
bool WindowComposer::PictureComposer::select_slice(std::uint16_t slice) noexcept {
  const std::size_t first = std::size_t{slice} * 2;
  if (first + 2 >= window_.list_begin_.size()) return false;
  const std::int32_t* const begin = window_.list_begin_.data() + first;
  for (int list = 0; list < 2; ++list) {
    references_[list] = window_.references_.data() + begin[list];
    num_references_[list] = begin[list + 1] - begin[list];
  }
  return true;
}

COPE_FORCE_INLINE const WindowComposer::Reference* WindowComposer::PictureComposer::reference_at(
    int list, int ref_idx) const noexcept {
  static constexpr Reference kUnknown;
  return ref_idx < num_references_[list] ? references_[list] + ref_idx : &kUnknown;
}

/// 4x4 cells, or what is left of them at the edge.
void WindowComposer::PictureComposer::compose_tile(std::int32_t x, std::int32_t y) noexcept {
  if (log2_cells_ >= 2) {
    if (picture_.info.mbaff && y % 8 == 0) mark_unequal_pair(x, y);
    compose_block<4>(block_of(x, y), x, y);
  } else if (is_of_one_unit(x, y)) {
    compose_cells<4, 4>(x, y);
  } else if (is_one_slice(x, y)) {
    compose_macroblock(x, y);
  } else {
    for (std::int32_t j = y; j < std::min(y + 4, height_4x4_); j += 2) {
      for (std::int32_t i = x; i < std::min(x + 4, width_4x4_); i += 2) {
        compose_block<2>(block_of(i, j), i, j);
      }
    }
  }
}

/// Whether 4x4 cells belong to one prediction unit of H.265. Turns to its slice.
bool WindowComposer::PictureComposer::is_of_one_unit(std::int32_t x, std::int32_t y) noexcept {
  if (x + 4 > width_4x4_ || y + 4 > height_4x4_) return false;
  const prim::BlockMap& blocks = picture_.blocks;
  const std::size_t block = block_of(x, y);
  constexpr std::uint8_t kLog2Tile = 4, PART_2Nx2N = 0;  // Table 7-10
  return is_inter(block) && blocks.partition[block] >= kLog2Tile &&
         blocks.partition_shape[block] == PART_2Nx2N && select_slice(blocks.slice_idx[block]);
}

/// Whether the four 8x8 blocks at a place are inter blocks of one slice, so that what moves as one
/// is read as one. Turns to that slice.
bool WindowComposer::PictureComposer::is_one_slice(std::int32_t x, std::int32_t y) noexcept {
  if (x + 4 > width_4x4_ || y + 4 > height_4x4_) return false;
  const std::size_t top = block_of(x, y), bottom = block_of(x, y + 2);
  const std::uint16_t slice = picture_.blocks.slice_idx[top];
  for (const std::size_t block : {top, top + 1, bottom, bottom + 1}) {
    if (!is_inter(block) || picture_.blocks.slice_idx[block] != slice) return false;
  }
  return select_slice(slice);
}

/// kSize x kSize cells of one block.
template <int kSize>
void WindowComposer::PictureComposer::compose_block(std::size_t block, std::int32_t x,
                                                    std::int32_t y) noexcept {
  const prim::BlockMap& blocks = picture_.blocks;
  const bool is_field = is_mbaff_field(picture_.info, blocks.flags[block]);
  const bool has_motion = is_inter(block);
  if (!has_motion || !select_slice(blocks.slice_idx[block])) {
    const bool is_lost = has_motion || (blocks.flags[block] & prim::kMotionLost) != 0 ||
                         blocks.type[block] == static_cast<std::uint8_t>(prim::BlockType::kLost);
    for (std::int32_t i = 0; i < kSize; ++i) {
      end_chains(x, is_field ? display_row(y / 4, i, 4, true) : y + i, kSize,
                 is_lost ? kMarkLost : kMarkIntra);
    }
  } else if (is_field) {
    compose_field_macroblock(x, y);
  } else if constexpr (kSize == 4) {
    compose_macroblock(x, y);
  } else {
    compose_quarter(x, y, is_quarter_uniform(x, y));
  }
}

/// Cells without motion: D and R are 0.
void WindowComposer::PictureComposer::end_chains(std::int32_t x, std::int32_t row, std::int32_t num,
                                                 ChainMark mark) noexcept {
  const std::size_t first = cell_at(x, row);
  std::fill_n(values_ + first * kNumValues, num * kNumValues, 0.0F);
  std::memset(marks_ + first, mark, static_cast<std::size_t>(num));
}

/// Most macroblocks move as one, so that they read one square of their reference.
void WindowComposer::PictureComposer::compose_macroblock(std::int32_t x, std::int32_t y) noexcept {
  const std::size_t first = cell_at(x, y);
  const prim::MotionField& motion = picture_.motion;
  std::uint64_t difference = 0;
  for (int list = 0; list < num_lists_; ++list) {
    const std::size_t at = static_cast<std::size_t>(list) * size_ + first;
    difference |= differences_of_16(motion.mv.data() + at, motion.ref_idx.data() + at, width_);
  }
  if (difference == 0) {
    compose_cells<4, 4>(x, y);
  } else {
    compose_partitions(x, y);
  }
}

/// Many others move as two.
void WindowComposer::PictureComposer::compose_partitions(std::int32_t x, std::int32_t y) noexcept {
  const prim::MotionField& motion = picture_.motion;
  MotionPattern pattern;
  for (int list = 0; list < num_lists_; ++list) {
    const std::size_t first = static_cast<std::size_t>(list) * size_ + cell_at(x, y);
    pattern.add<std::uint64_t>(motion.mv.data() + first, width_);
    pattern.add<std::uint16_t>(motion.ref_idx.data() + first, width_);
  }
  if (pattern.are_rows_uniform()) {
    compose_cells<4, 2>(x, y);
    compose_cells<4, 2>(x, y + 2);
  } else if (pattern.are_columns_uniform()) {
    compose_cells<2, 4>(x, y);
    compose_cells<2, 4>(x + 2, y);
  } else {
    for (int i = 0; i < 4; ++i) {
      compose_quarter(x + i % 2 * 2, y + i / 2 * 2, pattern.is_quarter_uniform(i));
    }
  }
}

void WindowComposer::PictureComposer::compose_quarter(std::int32_t x, std::int32_t y,
                                                      bool is_uniform) noexcept {
  if (is_uniform) {
    compose_cells<2, 2>(x, y);
    return;
  }
  for (int i = 0; i < 4; ++i) compose_cells<1, 1>(x + i % 2, y + i / 2);
}

bool WindowComposer::PictureComposer::is_quarter_uniform(std::int32_t x,
                                                         std::int32_t y) const noexcept {
  const prim::MotionField& motion = picture_.motion;
  for (const std::size_t first : {cell_at(x, y), size_ + cell_at(x, y)}) {
    for (const std::size_t i : {first + 1, first + width_, first + width_ + 1}) {
      if (motion.mv[i] != motion.mv[first] || motion.ref_idx[i] != motion.ref_idx[first]) {
        return false;
      }
    }
  }
  return true;
}

/// A field macroblock of an MBAFF frame: stored by macroblock address, shown on every other row.
/// Its vectors count field rows and its indices fields (8.4.2.1).
void WindowComposer::PictureComposer::compose_field_macroblock(std::int32_t x,
                                                               std::int32_t y) noexcept {
  for (std::int32_t i = 0; i < 4; ++i) {
    const std::int32_t row = display_row(y / 4, i, 4, true);
    for (std::int32_t j = 0; j < 4; ++j) {
      Links links = links_of(cell_at(x + j, y + i), true);
      for (prim::MotionVector* mv : {&links.first.mv, &links.second.mv}) {
        mv->y = static_cast<std::int16_t>(std::clamp(mv->y * 2, -32768, 32767));
      }
      follow<1, 1>(x + j, row, links);
    }
  }
}

/// Where one macroblock of a pair is lost, its half of the pair's rows is not known to be of a
/// field: rows that the other one leaves out are lost.
void WindowComposer::PictureComposer::mark_unequal_pair(std::int32_t x, std::int32_t y) noexcept {
  const std::size_t top = block_of(x, y), bottom = block_of(x, y + 4);
  if (((picture_.blocks.flags[top] ^ picture_.blocks.flags[bottom]) & prim::kFieldBlock) == 0) {
    return;
  }
  for (std::int32_t i = 0; i < 8; ++i) end_chains(x, y + i, 4, kMarkLost);
}

/// The one or two chains that a block continues, by the rule for blocks predicted from both lists.
COPE_FORCE_INLINE WindowComposer::PictureComposer::Links WindowComposer::PictureComposer::links_of(
    std::size_t cell, bool is_field) const noexcept {
  const prim::MotionField& motion = picture_.motion;
  const int ref_shift = is_field ? 1 : 0;
  const auto link = [&](int list, int ref_idx) {
    return Link{reference_at(list, ref_idx >> ref_shift),
                motion.mv[static_cast<std::size_t>(list) * size_ + cell]};
  };
  const int ref_idx0 = motion.ref_idx[cell];
  const int ref_idx1 = num_lists_ == 2 ? motion.ref_idx[size_ + cell] : -1;
  if (ref_idx1 < 0) {
    return ref_idx0 < 0 ? Links{0, {}, {}} : Links{1, link(0, ref_idx0), {}};
  }
  if (ref_idx0 < 0) return {1, link(1, ref_idx1), {}};
  const Links both{2, link(0, ref_idx0), link(1, ref_idx1)};
  if (window_.options_.bi_prediction == BiPrediction::kAverage) return both;
  if (window_.options_.bi_prediction == BiPrediction::kNearest &&
      both.second.reference->distance < both.first.reference->distance) {
    return {1, both.second, {}};
  }
  return {1, both.first, {}};
}

/// Cells of one motion.
template <int kWidth, int kHeight>
void WindowComposer::PictureComposer::compose_cells(std::int32_t x, std::int32_t y) noexcept {
  follow<kWidth, kHeight>(x, y, links_of(cell_at(x, y), false));
}

template <int kWidth, int kHeight>
COPE_FORCE_INLINE void WindowComposer::PictureComposer::follow(std::int32_t x, std::int32_t y,
                                                               const Links& links) noexcept {
  const std::size_t first = cell_at(x, y);
  float* const values = values_ + first * kNumValues;
  if (links.num == 2) {
    const Chain chain0 = chain_of<kWidth, kHeight>(x, y, links.first, 0.5F, patches_[0]);
    const Chain chain1 = chain_of<kWidth, kHeight>(x, y, links.second, 0.5F, patches_[1]);
    write_two_chains<kWidth, kHeight>(chain0, chain1, width_, values, marks_ + first);
  } else if (links.num == 1) {
    const Chain chain = chain_of<kWidth, kHeight>(x, y, links.first, 1.0F, patches_[0]);
    write_one_chain<kWidth, kHeight>(chain, width_, values, marks_ + first);
  } else {
    write_one_chain<kWidth, kHeight>(Chain{}, width_, values, marks_ + first);
  }
}

/// Where the link leads from (x, y): into the reference's own cells or, over the picture's edges
/// and between fields and frames, to such as are gathered into `patch`.
template <int kWidth, int kHeight>
COPE_FORCE_INLINE Chain WindowComposer::PictureComposer::chain_of(std::int32_t x, std::int32_t y,
                                                                  const Link& link, float weight,
                                                                  Patch& patch) const noexcept {
  using Kind = Reference::Kind;
  const Reference& reference = *link.reference;
  if (reference.kind == Kind::kLost) return {Floats4{}, blank_cells(kMarkLost)};
  const Floats4 mv{static_cast<float>(link.mv.x), static_cast<float>(link.mv.y), 0, 0};
  const float scale = reference.kind == Kind::kOlder ? reference.scale : 1.0F;
  const Floats4 v = mv * 0.25F * scale * weight;
  if (reference.kind != Kind::kAdded) {
    return {v, blank_cells(reference.kind == Kind::kOlder ? kMarkScaled : ChainMark{})};
  }
  // The block that the centre of block i falls into: (16 i + 8 + mv) >> 4 in quarter samples.
  x += (link.mv.x + 8) >> 4;
  y += (link.mv.y + 8) >> 4;
  if (reference.row_shift == 0 && x >= 0 && y >= 0 && x <= width_4x4_ - kWidth &&
      y <= height_4x4_ - kHeight) {
    const std::size_t first = cell_at(x, y);
    return {v,
            {reference.state->values.data() + first * kNumValues,
             reference.state->marks.data() + first, width_}};
  }
  gather(x, y, kWidth, kHeight, reference, patch);
  return {v, {patch.values, patch.marks, 4}};
}

/// Copies what the reference says at (x, y), in rows of this picture, wherever that is.
void WindowComposer::PictureComposer::gather(std::int32_t x, std::int32_t y, std::int32_t width,
                                             std::int32_t height, const Reference& reference,
                                             Patch& patch) const noexcept {
  const int row_shift = reference.row_shift;
  const float rows = row_shift > 0 ? 0.5F : row_shift < 0 ? 2.0F : 1.0F;
  for (std::int32_t i = 0; i < height; ++i) {
    const std::int32_t own_y = std::clamp(y + i, 0, height_4x4_ - 1);
    const std::int32_t ref_y = row_shift > 0 ? own_y * 2 : own_y >> -row_shift;
    for (std::int32_t j = 0; j < width; ++j) {
      const std::size_t from = cell_at(std::clamp(x + j, 0, width_4x4_ - 1), ref_y);
      const int to = 4 * i + j;
      float* const values = patch.values + to * kNumValues;
      std::copy_n(reference.state->values.data() + from * kNumValues, kNumValues, values);
      values[kDy] *= rows;
      patch.marks[to] = reference.state->marks[from];
    }
  }
}

}  // namespace cope::cpu
