#pragma once

#include <cstddef>
#include <cstdint>

#include "cope/cpu/compose.h"

namespace cope::cpu {

/// What became of the chain of a block: bits of `WindowComposer::State::marks`.
enum ChainMark : std::uint8_t { kMarkIntra = 1, kMarkLost = 2, kMarkScaled = 4 };

/// Values of a cell in `WindowComposer::State::values`: D x, D y, then R of Y, Cb, Cr.
inline constexpr int kNumValues = 5;
inline constexpr int kDy = 1;
inline constexpr int kResidual = 2;

inline int num_planes(const prim::PictureInfo& info) noexcept {
  return info.chroma_format_idc == 0 ? 1 : 3;
}

/// Writes D, marks and the references' share of R of one picture: every cell of its lattice once,
/// and a second time where a block is predicted from both lists.
class WindowComposer::PictureComposer {
 public:
  PictureComposer(const WindowComposer& window, const prim::PicturePrimitives& picture,
                  State& state) noexcept
      : window_(window),
        picture_(picture),
        state_(state),
        width_(static_cast<std::size_t>(state.width_4x4)),
        size_(width_ * static_cast<std::size_t>(state.height_4x4)),
        has_list1_((picture.info.slice_types & prim::kHasB) != 0) {}

  void compose();

 private:
  void compose_one(std::int32_t bx, std::int32_t by);
  bool compose_four(std::int32_t bx, std::int32_t by);
  void compose_field_cell(std::int32_t x, std::int32_t y, std::int32_t row);
  void end_chains(std::int32_t bx, std::int32_t by, std::int32_t cells, bool mbaff_field,
                  ChainMark mark);
  template <int kSize>
  void compose_square(std::int32_t x, std::int32_t y);
  template <int kSize>
  bool is_uniform(std::size_t first) const noexcept;
  bool select_slice(std::uint16_t slice) noexcept;
  const Reference* reference_at(int list, int ref_idx) const noexcept;
  int find_links(std::size_t cell, int ref_shift, Link (&links)[2]) const noexcept;
  template <int kSize>
  void follow(std::int32_t x, std::int32_t y, const Link (&links)[2], int num_links);
  template <int kSize, bool kIsSecond>
  void follow_link(std::int32_t x, std::int32_t y, const Link& link);
  template <int kSize, bool kIsSecond>
  void put_end(std::size_t first, const float (&v)[2], ChainMark mark);
  template <int kSize, bool kIsSecond>
  void put_square(std::size_t first, const float (&v)[2], const State& ref, std::size_t ref_first,
                  float weight);
  template <bool kIsSecond>
  void put_cell(std::size_t cell, const float (&v)[2], const Reference& reference,
                std::int32_t ref_x, std::int32_t ref_y, float weight);

  std::size_t cell_at(std::int32_t x, std::int32_t y) const noexcept {
    return static_cast<std::size_t>(y) * width_ + static_cast<std::size_t>(x);
  }
  std::size_t block_at(std::int32_t bx, std::int32_t by) const noexcept {
    return static_cast<std::size_t>(by) * static_cast<std::size_t>(picture_.blocks.width) +
           static_cast<std::size_t>(bx);
  }

  const WindowComposer& window_;
  const prim::PicturePrimitives& picture_;
  State& state_;
  std::size_t width_;
  std::size_t size_;
  bool has_list1_;
  const std::int32_t* list_begin_ = nullptr;
};

}  // namespace cope::cpu
