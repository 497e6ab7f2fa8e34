#include "cope/cpu/compose_picture.h"

#include <algorithm>
#include <cstring>

#include "cope/base/host_device.h"
#include "cope/cpu/lattice.h"

namespace cope::cpu {
namespace {

bool is_inter(std::uint8_t type) noexcept {
  return type == static_cast<std::uint8_t>(prim::BlockType::kInter) ||
         type == static_cast<std::uint8_t>(prim::BlockType::kSkip);
}

/// Four values at once, where compilers would go through memory with arrays of them.
using Floats4 = float __attribute__((vector_size(16)));

/// The values of some neighbouring cells of a row, in registers.
template <int kSize>
struct Cells {
  static constexpr int kNum = kSize * kNumValues;
  static constexpr int kNumFours = kNum / 4;
  Floats4 four[kNumFours];
  float rest[kNum % 4 == 0 ? 1 : kNum % 4];

  COPE_FORCE_INLINE static Cells load(const float* from) noexcept {
    Cells cells;
    std::memcpy(cells.four, from, sizeof cells.four);
    if constexpr (kNum % 4 != 0) std::memcpy(cells.rest, from + 4 * kNumFours, sizeof cells.rest);
    return cells;
  }
  COPE_FORCE_INLINE void store(float* to) const noexcept {
    for (int i = 0; i < kNumFours; ++i) std::memcpy(to + 4 * i, &four[i], sizeof four[i]);
    if constexpr (kNum % 4 != 0) std::memcpy(to + 4 * kNumFours, rest, sizeof rest);
  }

  /// Each with D = `d` and R = 0.
  COPE_FORCE_INLINE static Cells with_displacement(const float (&d)[2]) noexcept {
    float values[kNum] = {};
    for (int i = 0; i < kSize; ++i) {
      values[i * kNumValues] = d[0];
      values[i * kNumValues + kDy] = d[1];
    }
    return load(values);
  }

  /// Adds `weight * other`.
  COPE_FORCE_INLINE void add(const Cells& other, float weight) noexcept {
    const Floats4 weights{weight, weight, weight, weight};
    for (int i = 0; i < kNumFours; ++i) four[i] += weights * other.four[i];
    for (int i = 0; i < kNum % 4; ++i) rest[i] += weight * other.rest[i];
  }
};

/// to = offset + weight * from, or with `kIsSecond` to += that.
template <int kSize, bool kIsSecond>
COPE_FORCE_INLINE void put_cells(float* to, const Cells<kSize>& offset, const float* from,
                                 float weight) noexcept {
  Cells<kSize> out = offset;
  out.add(Cells<kSize>::load(from), weight);
  if constexpr (kIsSecond) out.add(Cells<kSize>::load(to), 1.0F);
  out.store(to);
}

}  // namespace

void WindowComposer::PictureComposer::compose() {
  const prim::BlockMap& blocks = picture_.blocks;
  // Blocks of 8x8 go by fours, so that what moves as one is read as one.
  const std::int32_t step = blocks.block_size == 8 ? 2 : 1;
  for (std::int32_t by = 0; by < blocks.height; by += step) {
    for (std::int32_t bx = 0; bx < blocks.width; bx += step) {
      if (step == 2 && compose_four(bx, by)) continue;
      for (std::int32_t y = by; y < std::min(by + step, blocks.height); ++y) {
        for (std::int32_t x = bx; x < std::min(bx + step, blocks.width); ++x) compose_one(x, y);
      }
    }
  }
}

void WindowComposer::PictureComposer::compose_one(std::int32_t bx, std::int32_t by) {
  const prim::BlockMap& blocks = picture_.blocks;
  const std::int32_t cells = blocks.block_size / 4;
  const std::size_t block = block_at(bx, by);
  const bool mbaff_field = is_mbaff_field(picture_.info, blocks.flags[block]);
  const bool is_lost = blocks.type[block] == static_cast<std::uint8_t>(prim::BlockType::kLost) ||
                       (blocks.flags[block] & prim::kMotionLost) != 0;
  if (is_lost || !is_inter(blocks.type[block])) {
    end_chains(bx, by, cells, mbaff_field, is_lost ? kMarkLost : kMarkIntra);
  } else if (!select_slice(blocks.slice_idx[block])) {
    end_chains(bx, by, cells, mbaff_field, kMarkLost);
  } else if (mbaff_field) {
    for (std::int32_t i = 0; i < cells; ++i) {
      const std::int32_t row = display_row(by, i, cells, true);
      for (std::int32_t j = 0; j < cells; ++j) {
        compose_field_cell(bx * cells + j, by * cells + i, row);
      }
    }
  } else if (cells == 2) {
    compose_square<2>(bx * 2, by * 2);
  } else {
    for (std::int32_t i = 0; i < cells; i += 4) {
      for (std::int32_t j = 0; j < cells; j += 4) compose_square<4>(bx * cells + j, by * cells + i);
    }
  }
}

/// Four 8x8 blocks with their corner at (bx, by), if all of them are inter blocks of one slice.
bool WindowComposer::PictureComposer::compose_four(std::int32_t bx, std::int32_t by) {
  const prim::BlockMap& blocks = picture_.blocks;
  if (bx + 1 >= blocks.width || by + 1 >= blocks.height) return false;
  const std::size_t first = block_at(bx, by);
  const std::uint16_t slice = blocks.slice_idx[first];
  for (const std::size_t block :
       {first, first + 1, block_at(bx, by + 1), block_at(bx + 1, by + 1)}) {
    if (!is_inter(blocks.type[block]) || blocks.slice_idx[block] != slice ||
        (blocks.flags[block] & prim::kMotionLost) != 0) {
      return false;
    }
  }
  if (!select_slice(slice)) return false;
  compose_square<4>(bx * 2, by * 2);
  return true;
}

/// One block of a field macroblock of an MBAFF frame: stored at row `y`, shown at row `row`. Its
/// vector counts field rows and its ref_idx fields (8.4.2.1).
void WindowComposer::PictureComposer::compose_field_cell(std::int32_t x, std::int32_t y,
                                                         std::int32_t row) {
  Link links[2];
  const int num_links = find_links(cell_at(x, y), 1, links);
  for (int i = 0; i < num_links; ++i) {
    links[i].mv.y = static_cast<std::int16_t>(std::clamp(links[i].mv.y * 2, -32768, 32767));
  }
  follow<1>(x, row, links, num_links);
}

/// A block without motion: D and R are 0.
void WindowComposer::PictureComposer::end_chains(std::int32_t bx, std::int32_t by,
                                                 std::int32_t cells, bool mbaff_field,
                                                 ChainMark mark) {
  for (std::int32_t i = 0; i < cells; ++i) {
    const std::size_t first = cell_at(bx * cells, display_row(by, i, cells, mbaff_field));
    std::fill_n(state_.values.data() + first * kNumValues, cells * kNumValues, 0.0F);
    std::memset(state_.marks.data() + first, mark, static_cast<std::size_t>(cells));
  }
}

/// Most macroblocks move as one, so that a square reads one square of its reference; others are
/// quartered.
template <int kSize>
void WindowComposer::PictureComposer::compose_square(std::int32_t x, std::int32_t y) {
  const std::size_t first = cell_at(x, y);
  if constexpr (kSize > 1) {
    if (!is_uniform<kSize>(first)) {
      constexpr int kHalf = kSize / 2;
      for (std::int32_t i = 0; i < kSize; i += kHalf) {
        for (std::int32_t j = 0; j < kSize; j += kHalf) compose_square<kHalf>(x + j, y + i);
      }
      return;
    }
  }
  Link links[2];
  const int num_links = find_links(first, 0, links);
  follow<kSize>(x, y, links, num_links);
}

template <int kSize>
bool WindowComposer::PictureComposer::is_uniform(std::size_t first) const noexcept {
  static_assert(sizeof(prim::MotionVector) == 4 && (kSize == 2 || kSize == 4));
  const prim::MotionField& motion = picture_.motion;
  std::uint64_t difference = 0;
  for (int list = 0; list < (has_list1_ ? 2 : 1); ++list) {
    const std::size_t at = static_cast<std::size_t>(list) * size_ + first;
    const prim::MotionVector* mv = motion.mv.data() + at;
    const std::int8_t* ref_idx = motion.ref_idx.data() + at;
    std::uint32_t mv0;
    std::memcpy(&mv0, mv, sizeof mv0);
    const std::uint64_t two = mv0 | std::uint64_t{mv0} << 32;
    const std::uint32_t ref0 = static_cast<std::uint8_t>(ref_idx[0]) * 0x01010101U;
    for (int i = 0; i < kSize; ++i, mv += width_, ref_idx += width_) {
      for (int j = 0; j < kSize; j += 2) {
        std::uint64_t pair;
        std::memcpy(&pair, mv + j, sizeof pair);
        difference |= pair ^ two;
      }
      std::uint32_t refs = ref0;
      std::memcpy(&refs, ref_idx, kSize);
      difference |= refs ^ ref0;
    }
  }
  return difference == 0;
}

/// Turns to the references of a slice; false when the picture has no such slice.
bool WindowComposer::PictureComposer::select_slice(std::uint16_t slice) noexcept {
  if (static_cast<std::size_t>(slice) * 2 + 2 >= window_.list_begin_.size()) return false;
  list_begin_ = window_.list_begin_.data() + static_cast<std::size_t>(slice) * 2;
  return true;
}

const WindowComposer::Reference* WindowComposer::PictureComposer::reference_at(
    int list, int ref_idx) const noexcept {
  static constexpr Reference kUnknown;
  const std::int32_t i = list_begin_[list] + ref_idx;
  return i < list_begin_[list + 1] ? &window_.references_[static_cast<std::size_t>(i)] : &kUnknown;
}

/// The one or two chains that a block continues, by the rule for blocks predicted from both lists.
int WindowComposer::PictureComposer::find_links(std::size_t cell, int ref_shift,
                                                Link (&links)[2]) const noexcept {
  const prim::MotionField& motion = picture_.motion;
  int n = 0;
  for (int list = 0; list < (has_list1_ ? 2 : 1); ++list) {
    const std::size_t at = static_cast<std::size_t>(list) * size_ + cell;
    const int ref_idx = motion.ref_idx[at];
    if (ref_idx >= 0) links[n++] = {reference_at(list, ref_idx >> ref_shift), motion.mv[at], 1.0F};
  }
  if (n < 2) return n;
  switch (window_.options_.bi_prediction) {
    case BiPrediction::kAverage:
      links[0].weight = links[1].weight = 0.5F;
      return 2;
    case BiPrediction::kNearest:
      if (links[1].reference->distance < links[0].reference->distance) links[0] = links[1];
      return 1;
    default:
      return 1;
  }
}

template <int kSize>
void WindowComposer::PictureComposer::follow(std::int32_t x, std::int32_t y, const Link (&links)[2],
                                             int num_links) {
  if (num_links == 0) {
    put_end<kSize, false>(cell_at(x, y), {0, 0}, ChainMark{});
    return;
  }
  follow_link<kSize, false>(x, y, links[0]);
  if (num_links == 2) follow_link<kSize, true>(x, y, links[1]);
}

template <int kSize, bool kIsSecond>
void WindowComposer::PictureComposer::follow_link(std::int32_t x, std::int32_t y,
                                                  const Link& link) {
  using Kind = Reference::Kind;
  const Reference& reference = *link.reference;
  const std::size_t first = cell_at(x, y);
  if (reference.kind == Kind::kLost) {
    put_end<kSize, kIsSecond>(first, {0, 0}, kMarkLost);
    return;
  }
  const float scale = (reference.kind == Kind::kOlder ? reference.scale : 1.0F);
  const float v[2] = {static_cast<float>(link.mv.x) * 0.25F * scale * link.weight,
                      static_cast<float>(link.mv.y) * 0.25F * scale * link.weight};
  if (reference.kind != Kind::kAdded) {
    put_end<kSize, kIsSecond>(first, v, reference.kind == Kind::kOlder ? kMarkScaled : ChainMark{});
    return;
  }
  // The block that the centre of block i falls into: (16 i + 8 + mv) >> 4 in quarter samples.
  const std::int32_t ref_x = x + ((link.mv.x + 8) >> 4);
  const std::int32_t ref_y = y + ((link.mv.y + 8) >> 4);
  const bool is_inside = ref_x >= 0 && ref_y >= 0 && ref_x <= state_.width_4x4 - kSize &&
                         ref_y <= state_.height_4x4 - kSize;
  if (is_inside && reference.row_shift == 0) {
    put_square<kSize, kIsSecond>(first, v, *reference.state, cell_at(ref_x, ref_y), link.weight);
    return;
  }
  for (int i = 0; i < kSize; ++i) {
    for (int j = 0; j < kSize; ++j) {
      put_cell<kIsSecond>(cell_at(x + j, y + i), v, reference, ref_x + j, ref_y + i, link.weight);
    }
  }
}

/// The end of a chain: nothing but `v`.
template <int kSize, bool kIsSecond>
void WindowComposer::PictureComposer::put_end(std::size_t first, const float (&v)[2],
                                              ChainMark mark) {
  const auto offset = Cells<kSize>::with_displacement(v);
  float* values = state_.values.data() + first * kNumValues;
  std::uint8_t* marks = state_.marks.data() + first;
  for (int i = 0; i < kSize; ++i, values += width_ * kNumValues, marks += width_) {
    if constexpr (kIsSecond) {
      put_cells<kSize, true>(values, offset, values, 0.0F);
    } else {
      offset.store(values);
    }
    for (int j = 0; j < kSize; ++j) {
      marks[j] = static_cast<std::uint8_t>(kIsSecond ? marks[j] | mark : mark);
    }
  }
}

/// A square that reads one square of a picture laid out alike.
template <int kSize, bool kIsSecond>
void WindowComposer::PictureComposer::put_square(std::size_t first, const float (&v)[2],
                                                 const State& ref, std::size_t ref_first,
                                                 float weight) {
  const auto offset = Cells<kSize>::with_displacement(v);
  const float* from = ref.values.data() + ref_first * kNumValues;
  float* to = state_.values.data() + first * kNumValues;
  const std::uint8_t* in = ref.marks.data() + ref_first;
  std::uint8_t* out = state_.marks.data() + first;
  for (int i = 0; i < kSize; ++i) {
    put_cells<kSize, kIsSecond>(to, offset, from, weight);
    std::uint32_t marks = 0;
    std::memcpy(&marks, in, kSize);
    if constexpr (kIsSecond) {
      std::uint32_t others = 0;
      std::memcpy(&others, out, kSize);
      marks |= others;
    }
    std::memcpy(out, &marks, kSize);
    from += width_ * kNumValues;
    to += width_ * kNumValues;
    in += width_;
    out += width_;
  }
}

/// A cell that reads its reference at (ref_x, ref_y), in rows of this picture, wherever that is.
template <bool kIsSecond>
void WindowComposer::PictureComposer::put_cell(std::size_t cell, const float (&v)[2],
                                               const Reference& reference, std::int32_t ref_x,
                                               std::int32_t ref_y, float weight) {
  const State& ref = *reference.state;
  const std::int32_t x = std::clamp(ref_x, 0, state_.width_4x4 - 1);
  const std::int32_t own_y = std::clamp(ref_y, 0, state_.height_4x4 - 1);
  const std::int32_t y = reference.row_shift > 0 ? own_y * 2 : own_y >> -reference.row_shift;
  const float rows = reference.row_shift > 0 ? 0.5F : reference.row_shift < 0 ? 2.0F : 1.0F;
  const std::size_t ref_cell = cell_at(x, y);
  float from[kNumValues];
  std::memcpy(from, ref.values.data() + ref_cell * kNumValues, sizeof from);
  from[kDy] *= rows;
  put_cells<1, kIsSecond>(state_.values.data() + cell * kNumValues, Cells<1>::with_displacement(v),
                          from, weight);
  std::uint8_t& mark = state_.marks[cell];
  mark = static_cast<std::uint8_t>(kIsSecond ? mark | ref.marks[ref_cell] : ref.marks[ref_cell]);
}

}  // namespace cope::cpu
