#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "cope/h265/pps.h"
#include "cope/h265/unit_motion.h"
#include "cope/prim/block_map.h"

namespace cope::h265 {

/// Finds neighbouring prediction units (6.4.1, 6.4.2).
///
/// The lattice starts out unused everywhere and fills in decoding order. What is decoded later, as
/// the second prediction unit's exception of 6.4.2 or MinTbAddrZs tell it, therefore reads the same
/// as what is intra: not available. What remains to check is that the neighbour's coding tree block
/// is of the same slice and tile.
class MotionNeighbours {
 public:
  MotionNeighbours(const prim::BlockMap& blocks, const MotionLattice& lattice, int CtbLog2SizeY)
      : blocks_(blocks),
        lattice_(lattice),
        log2_ctb_(CtbLog2SizeY),
        log2_block_(std::countr_zero(static_cast<unsigned>(blocks.block_size))),
        width_(blocks.width * blocks.block_size),
        height_(blocks.height * blocks.block_size) {}

  /// Turns to the coding tree block of luma location (x, y), which is of slice `slice_idx`.
  void enter(std::int32_t x, std::int32_t y, std::uint16_t slice_idx, const Pps& pps) noexcept {
    ctb_x_ = x >> log2_ctb_;
    ctb_y_ = y >> log2_ctb_;
    available_ = 1U << bit(0, 0);
    for (int dx = -1; dx <= 1; ++dx) add(dx, -1, slice_idx, pps);
    add(-1, 0, slice_idx, pps);
  }

  bool is_inside(std::int32_t x, std::int32_t y) const noexcept {
    return x >> log2_ctb_ == ctb_x_ && y >> log2_ctb_ == ctb_y_;
  }

  /// From now on counts the blocks marked kMotionLost that are looked at.
  void count_unfounded(std::int32_t& num_unfounded) noexcept { num_unfounded_ = &num_unfounded; }

  /// Motion of the prediction unit that covers (x, y), at most one coding tree block away.
  /// \returns availableN: false, and `out` is unspecified, where it is intra or not to be used
  bool find(std::int32_t x, std::int32_t y, UnitMotion& out) const noexcept {
    if (x < 0 || y < 0 || x >= width_ || y >= height_) return false;
    const int dx = (x >> log2_ctb_) - ctb_x_, dy = (y >> log2_ctb_) - ctb_y_;
    if ((available_ >> bit(dx, dy) & 1) == 0) return false;
    out = lattice_.at(x, y);
    if (num_unfounded_ != nullptr) {
      const std::size_t block = block_at(x, y);
      *num_unfounded_ += (blocks_.flags[block] & prim::kMotionLost) != 0;
    }
    return (out.ref_idx[0] & out.ref_idx[1]) >= 0;  // not both -1
  }

 private:
  static constexpr int bit(int dx, int dy) noexcept { return (dy + 1) * 3 + dx + 1; }

  void add(int dx, int dy, std::uint16_t slice_idx, const Pps& pps) noexcept {
    const std::int32_t x = (ctb_x_ + dx) << log2_ctb_, y = (ctb_y_ + dy) << log2_ctb_;
    if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
    if (blocks_.slice_idx[block_at(x, y)] != slice_idx) return;
    if (pps.tiles_enabled_flag && tile_id(dx, dy, pps) != tile_id(0, 0, pps)) return;
    available_ |= 1U << bit(dx, dy);
  }

  std::size_t block_at(std::int32_t x, std::int32_t y) const noexcept {
    return static_cast<std::size_t>((y >> log2_block_) * blocks_.width + (x >> log2_block_));
  }

  std::uint16_t tile_id(int dx, int dy, const Pps& pps) const noexcept {
    const std::int32_t PicWidthInCtbsY = (width_ + (1 << log2_ctb_) - 1) >> log2_ctb_;
    const auto CtbAddrRs = static_cast<std::size_t>((ctb_y_ + dy) * PicWidthInCtbsY + ctb_x_ + dx);
    return pps.TileId[pps.CtbAddrRsToTs[CtbAddrRs]];
  }

  const prim::BlockMap& blocks_;
  MotionLattice lattice_;
  int log2_ctb_;
  int log2_block_;
  std::int32_t width_;   // luma samples
  std::int32_t height_;  // luma samples
  std::int32_t ctb_x_ = -1;
  std::int32_t ctb_y_ = -1;
  std::int32_t* num_unfounded_ = nullptr;
  unsigned available_ = 0;  // by bit(): coding tree blocks around that may be looked at
};

}  // namespace cope::h265
