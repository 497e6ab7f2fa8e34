#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cope/h264/mv_pred.h"
#include "cope/prim/motion_field.h"

namespace cope::h264 {

/// Motion of the macroblock in work on the lattice of its picture. Places are in 4x4 blocks from
/// its upper left one, quadrants are its 8x8 blocks.
class MbMotion {
 public:
  explicit MbMotion(prim::MotionField& motion) noexcept
      : motion_(motion),
        stride_(motion.width_4x4),
        plane_(static_cast<std::ptrdiff_t>(motion.plane_size())) {}

  /// Turns to a macroblock.
  void move_to(std::int32_t mb_x, std::int32_t mb_row) noexcept {
    cell_ = static_cast<std::ptrdiff_t>(mb_row) * 4 * stride_ + mb_x * 4;
    mv_ = motion_.mv.data() + cell_;
    ref_ = motion_.ref_idx.data() + cell_;
  }

  /// Cells from one row to the next.
  std::ptrdiff_t stride() const noexcept { return stride_; }
  /// Cells of one list.
  std::ptrdiff_t plane() const noexcept { return plane_; }
  /// The upper left block in an array [height_4x4][width_4x4].
  std::ptrdiff_t cell() const noexcept { return cell_; }

  /// At a place that may be outside of the macroblock, but is available.
  NeighbourMotion at(int list, int x, int y) const noexcept {
    const std::ptrdiff_t offset = list * plane_ + y * stride_ + x;
    return {true, ref_[offset], mv_[offset]};
  }

  /// Gives all 16 blocks one reference and one vector.
  void fill(int list, std::int8_t ref_idx, MotionVector mv) noexcept {
    MotionVector* mv_row = mv_ + list * plane_;
    std::int8_t* ref_row = ref_ + list * plane_;
    for (int y = 0; y < 4; ++y, mv_row += stride_, ref_row += stride_) {
      std::fill_n(mv_row, 4, mv);
      std::memset(ref_row, ref_idx, 4);
    }
  }

  void fill_vectors(int list, int x, int y, int width, int height, MotionVector mv) noexcept {
    MotionVector* row = mv_ + list * plane_ + static_cast<std::ptrdiff_t>(y) * stride_ + x;
    for (int j = 0; j < height; ++j, row += stride_) {
      for (int i = 0; i < width; ++i) row[i] = mv;
    }
  }

  void fill_quadrant(int list, int q, MotionVector mv) noexcept {
    MotionVector* const at = mv_ + quadrant(list, q);
    at[0] = at[1] = at[stride_] = at[stride_ + 1] = mv;
  }

  void fill_ref(int list, int q, std::int8_t ref_idx) noexcept {
    std::int8_t* const at = ref_ + quadrant(list, q);
    at[0] = at[1] = at[stride_] = at[stride_ + 1] = ref_idx;
  }

 private:
  std::ptrdiff_t quadrant(int list, int q) const noexcept {
    return list * plane_ + static_cast<std::ptrdiff_t>(q & 2) * stride_ + 2 * (q & 1);
  }

  prim::MotionField& motion_;
  std::ptrdiff_t stride_;
  std::ptrdiff_t plane_;
  std::ptrdiff_t cell_ = 0;
  MotionVector* mv_ = nullptr;  // list 0, upper left block
  std::int8_t* ref_ = nullptr;
};

}  // namespace cope::h264
