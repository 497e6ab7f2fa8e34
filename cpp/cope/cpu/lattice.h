#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "cope/base/host_device.h"
#include "cope/cpu/fields.h"
#include "cope/prim/picture_primitives.h"

namespace cope::cpu {

inline bool is_field_picture(const prim::PictureInfo& info) noexcept {
  return info.structure != prim::PictureStructure::kFrame;
}

/// Planes that have a residual.
inline int num_planes(const prim::PictureInfo& info) noexcept {
  return info.chroma_format_idc == 0 ? 1 : 3;
}

inline bool is_mbaff_field(const prim::PictureInfo& info, std::uint8_t block_flags) noexcept {
  return info.mbaff && (block_flags & prim::kFieldBlock) != 0;
}

/// Row of a picture's own 4x4 lattice, in display order, of row `i` of block row `block_y`.
///
/// A field macroblock's row of blocks covers every other sample row of two lattice rows: the top
/// field's takes the upper of the two and the bottom field's the lower, so that each has one.
inline std::int32_t display_row(std::int32_t block_y, std::int32_t i, std::int32_t cells,
                                bool mbaff_field) noexcept {
  return mbaff_field ? block_y / 2 * 2 * cells + 2 * i + block_y % 2 : block_y * cells + i;
}

/// From samples of a bit depth to samples of 8 bits / 255.
inline float eight_bit_unit(int bit_depth) noexcept {
  return 1.0F / (255.0F * static_cast<float>(1 << (bit_depth - 8)));
}

/// Length, in picture heights, of a vector in picture widths and heights.
inline float motion_length(float x, float y, float aspect) noexcept {
  return std::sqrt(x * x * aspect * aspect + y * y);
}

/// Which blocks of the frame's 4x4 lattice make up which cells of a grid.
class CellIndex {
 public:
  explicit CellIndex(const CellGrid& grid) noexcept
      : grid_(grid),
        inner_share_(1.0F / static_cast<float>(grid.cell_4x4)),
        last_column_share_(1.0F /
                           static_cast<float>(grid.width_4x4 - (grid.width - 1) * grid.cell_4x4)),
        last_row_share_(1.0F /
                        static_cast<float>(grid.height_4x4 - (grid.height - 1) * grid.cell_4x4)) {}

  /// Index of the cell of block (x, y) of the frame, -1 outside the grid.
  std::ptrdiff_t at(std::int32_t x, std::int32_t y) const noexcept {
    const std::int32_t i = x - grid_.left_4x4, j = y - grid_.top_4x4;
    if (i < 0 || j < 0 || i >= grid_.width_4x4 || j >= grid_.height_4x4) return -1;
    return static_cast<std::ptrdiff_t>(j / grid_.cell_4x4) * grid_.width + i / grid_.cell_4x4;
  }

  /// What one block is of the cell at column `x`, row `y` of the grid: more on the right and lower
  /// edge.
  float share(std::int32_t x, std::int32_t y) const noexcept {
    return (x == grid_.width - 1 ? last_column_share_ : inner_share_) *
           (y == grid_.height - 1 ? last_row_share_ : inner_share_);
  }

  /// Calls `visit(x, y, num)` for every row of blocks of the cell at column `x`, row `y` of the
  /// grid: `num` of them from block (x, y) of the frame.
  template <class Visit>
  COPE_FORCE_INLINE void for_each_row(std::int32_t x, std::int32_t y, Visit visit) const {
    const std::int32_t x0 = x * grid_.cell_4x4, y0 = y * grid_.cell_4x4;
    const std::int32_t num = std::min(grid_.cell_4x4, grid_.width_4x4 - x0);
    const std::int32_t y1 = std::min(y0 + grid_.cell_4x4, grid_.height_4x4);
    for (std::int32_t j = y0; j < y1; ++j) visit(x0 + grid_.left_4x4, j + grid_.top_4x4, num);
  }

 private:
  const CellGrid& grid_;
  float inner_share_;
  float last_column_share_;
  float last_row_share_;
};

}  // namespace cope::cpu
