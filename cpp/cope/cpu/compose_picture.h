#pragma once

#include <cstddef>
#include <cstdint>

#include "cope/cpu/compose.h"
#include "cope/cpu/compose_cells.h"

namespace cope::cpu {

/// Writes D, marks and the references' share of R of one picture: every cell of its lattice once.
class WindowComposer::PictureComposer {
 public:
  PictureComposer(const WindowComposer& window, const prim::PicturePrimitives& picture,
                  State& state) noexcept;

  void compose() noexcept;

 private:
  /// A chain to continue: which reference, along which vector.
  struct Link {
    const Reference* reference;
    prim::MotionVector mv;
  };
  /// Of two, each weighs a half.
  struct Links {
    int num;
    Link first;
    Link second;
  };
  /// Cells of a reference gathered from here and there.
  struct Patch {
    float values[4 * 4 * kNumValues];
    std::uint8_t marks[4 * 4];
  };

  bool is_inter(std::size_t block) const noexcept;
  bool select_slice(std::uint16_t slice) noexcept;
  const Reference* reference_at(int list, int ref_idx) const noexcept;
  Links links_of(std::size_t cell, bool is_field) const noexcept;

  void compose_tile(std::int32_t x, std::int32_t y) noexcept;
  bool is_of_one_unit(std::int32_t x, std::int32_t y) noexcept;
  bool is_one_slice(std::int32_t x, std::int32_t y) noexcept;
  template <int kSize>
  void compose_block(std::size_t block, std::int32_t x, std::int32_t y) noexcept;
  void end_chains(std::int32_t x, std::int32_t row, std::int32_t num, ChainMark mark) noexcept;
  void compose_macroblock(std::int32_t x, std::int32_t y) noexcept;
  void compose_partitions(std::int32_t x, std::int32_t y) noexcept;
  void compose_quarter(std::int32_t x, std::int32_t y, bool is_uniform) noexcept;
  bool is_quarter_uniform(std::int32_t x, std::int32_t y) const noexcept;
  void compose_field_macroblock(std::int32_t x, std::int32_t y) noexcept;
  void mark_unequal_pair(std::int32_t x, std::int32_t y) noexcept;

  template <int kWidth, int kHeight>
  void compose_cells(std::int32_t x, std::int32_t y) noexcept;
  template <int kWidth, int kHeight>
  void follow(std::int32_t x, std::int32_t y, const Links& links) noexcept;
  template <int kWidth, int kHeight>
  Chain chain_of(std::int32_t x, std::int32_t y, const Link& link, float weight,
                 Patch& patch) const noexcept;
  void gather(std::int32_t x, std::int32_t y, std::int32_t width, std::int32_t height,
              const Reference& reference, Patch& patch) const noexcept;

  std::size_t cell_at(std::int32_t x, std::int32_t y) const noexcept {
    return static_cast<std::size_t>(y) * width_ + static_cast<std::size_t>(x);
  }
  std::size_t block_of(std::int32_t x, std::int32_t y) const noexcept {
    return static_cast<std::size_t>(y >> log2_cells_) *
               static_cast<std::size_t>(picture_.blocks.width) +
           static_cast<std::size_t>(x >> log2_cells_);
  }

  const WindowComposer& window_;
  const prim::PicturePrimitives& picture_;
  float* const values_;
  std::uint8_t* const marks_;
  const std::int32_t width_4x4_;
  const std::int32_t height_4x4_;
  const std::size_t width_;
  const std::size_t size_;
  const int log2_cells_;  ///< 4x4 blocks per side of a block of the map
  const int num_lists_;
  // The references of the slice in work.
  const Reference* references_[2] = {};
  std::int32_t num_references_[2] = {};
  Patch patches_[2];
};

}  // namespace cope::cpu
