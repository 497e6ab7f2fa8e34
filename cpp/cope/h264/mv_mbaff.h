#pragma once

#include <cstddef>
#include <cstdint>

#include "cope/h264/mv_pred.h"
#include "cope/prim/picture_primitives.h"

namespace cope::h264 {

/// Motion beside a macroblock of an MBAFF frame (6.4.12.2), in that macroblock's units (8.4.1.3.2).
class MbaffNeighbours {
 public:
  MbaffNeighbours(const prim::PicturePrimitives& picture, std::uint16_t slice_idx,
                  std::int32_t mb_x, std::int32_t mb_row, bool is_field) noexcept
      : picture_(picture),
        slice_idx_(slice_idx),
        mb_x_(mb_x),
        pair_row_(mb_row & ~1),
        is_bottom_((mb_row & 1) != 0),
        is_field_(is_field) {}

  /// The block that covers luma location (xN, yN) relative to the macroblock, outside of it: xN
  /// -1..16, yN -1..15 (Table 6-4).
  NeighbourMotion at(int list, int xN, int yN) const noexcept {
    const bool inside_pair = !is_field_ && is_bottom_;  // the row above is the top macroblock's
    if (xN < 0 && (yN >= 0 || inside_pair)) {           // the pair to the left
      const Macroblock top = macroblock(mb_x_ - 1, pair_row_);
      if (!top.is_available) return {};
      if (top.is_field == is_field_) {
        if (yN < 0) return motion_at(list, top, 3, 3);
        return motion_at(list, is_bottom_ ? macroblock(mb_x_ - 1, pair_row_ + 1) : top, 3, yN / 4);
      }
      // Row of the pair, as the current macroblock counts.
      const int row = is_field_ ? 2 * yN + is_bottom_ : yN + 16 * is_bottom_;
      const bool take_bottom = is_field_ ? row >= 16 : row % 2 != 0;
      const int luma_row = is_field_ ? row % 16 : row / 2;
      return motion_at(list, take_bottom ? macroblock(mb_x_ - 1, pair_row_ + 1) : top, 3,
                       luma_row / 4);
    }
    const int dx = xN < 0 ? -1 : (xN > 15 ? 1 : 0);
    const int column = (xN & 15) / 4;
    if (inside_pair) {
      if (dx > 0) return {};  // decoded later
      return motion_at(list, macroblock(mb_x_, pair_row_), column, 3);
    }
    const Macroblock top = macroblock(mb_x_ + dx, pair_row_ - 2);
    if (!top.is_available) return {};
    const bool take_top = is_field_ && !is_bottom_ && top.is_field;
    return motion_at(list, take_top ? top : macroblock(mb_x_ + dx, pair_row_ - 1), column, 3);
  }

 private:
  struct Macroblock {
    bool is_available = false;
    bool is_field = false;
    std::int32_t mb_x = 0;
    std::int32_t mb_row = 0;  // row by macroblock address
  };

  Macroblock macroblock(std::int32_t mb_x, std::int32_t mb_row) const noexcept {
    const prim::BlockMap& blocks = picture_.blocks;
    if (mb_x < 0 || mb_x >= blocks.width || mb_row < 0) return {};
    const auto block = static_cast<std::size_t>(mb_row * blocks.width + mb_x);
    return {blocks.slice_idx[block] == slice_idx_, (blocks.flags[block] & prim::kFieldBlock) != 0,
            mb_x, mb_row};
  }

  /// Of 4x4 block (x, y) of a macroblock.
  NeighbourMotion motion_at(int list, const Macroblock& mb, int x, int y) const noexcept {
    if (!mb.is_available) return {};
    const prim::MotionField& motion = picture_.motion;
    const std::size_t cell =
        static_cast<std::size_t>(list) * motion.plane_size() +
        static_cast<std::size_t>(mb.mb_row * 4 + y) * static_cast<std::size_t>(motion.width_4x4) +
        static_cast<std::size_t>(mb.mb_x * 4 + x);
    NeighbourMotion n{true, motion.ref_idx[cell], motion.mv[cell]};
    if (n.refIdx < 0 || mb.is_field == is_field_) return n;
    if (is_field_) {
      n.mv.y = static_cast<std::int16_t>(n.mv.y / 2);
      n.refIdx = static_cast<std::int8_t>(n.refIdx * 2);
    } else {
      n.mv.y = static_cast<std::int16_t>(n.mv.y * 2);
      n.refIdx = static_cast<std::int8_t>(n.refIdx >> 1);
    }
    return n;
  }

  const prim::PicturePrimitives& picture_;
  std::uint16_t slice_idx_;
  std::int32_t mb_x_;
  std::int32_t pair_row_;
  bool is_bottom_;
  bool is_field_;
};

}  // namespace cope::h264
