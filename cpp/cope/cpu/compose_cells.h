#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cope/base/host_device.h"

namespace cope::cpu {

/// What became of the chain of a block: bits of `WindowComposer::State::marks`.
enum ChainMark : std::uint8_t { kMarkIntra = 1, kMarkLost = 2, kMarkScaled = 4 };

/// Values of a cell in `WindowComposer::State::values`: D x, D y, then R of Y, Cb, Cr.
inline constexpr int kNumValues = 5;
inline constexpr int kDy = 1;
inline constexpr int kResidual = 2;

/// Cells of a lattice, or some that stand for them.
struct Cells {
  const float* values;
  const std::uint8_t* marks;
  std::size_t row;  ///< cells from one row to the next
};

/// Cells that say nothing but a mark, for as many rows as one likes.
inline Cells blank_cells(ChainMark mark) noexcept {
  static constexpr float kZeros[4 * kNumValues] = {};
  static constexpr std::uint8_t kMarks[5][4] = {{}, {1, 1, 1, 1}, {2, 2, 2, 2}, {}, {4, 4, 4, 4}};
  return {kZeros, kMarks[mark], 0};
}

/// Four values at once, where compilers would go through memory with arrays of them.
using Floats4 = float __attribute__((vector_size(16)));

/// A chain that cells continue: the vector to its cells, weighted, and the cells there.
struct Chain {
  Floats4 v = {};  ///< x, y, 0, 0
  Cells from = blank_cells({});
};

/// kWidth cells of a row in registers; the last one overlaps the one before where their values are
/// no multiple of four.
template <int kWidth>
struct RowOfCells {
  static_assert(kWidth == 1 || kWidth == 2 || kWidth == 4);
  static constexpr int kNum = kWidth * kNumValues;
  static constexpr int kNumFours = (kNum + 3) / 4;
  Floats4 four[kNumFours];

  static constexpr int first_of(int i) noexcept { return i + 1 < kNumFours ? 4 * i : kNum - 4; }

  COPE_FORCE_INLINE static RowOfCells load(const float* from) noexcept {
    RowOfCells row;
    for (int i = 0; i < kNumFours; ++i) std::memcpy(&row.four[i], from + first_of(i), 16);
    return row;
  }
  COPE_FORCE_INLINE void store(float* to) const noexcept {
    for (int i = 0; i < kNumFours; ++i) std::memcpy(to + first_of(i), &four[i], 16);
  }
  /// Every cell with D = v and R = 0; `v` is x, y, 0, 0.
  COPE_FORCE_INLINE static RowOfCells displaced(Floats4 v) noexcept {
    const Floats4 last = __builtin_shufflevector(v, v, 1, 2, 3, 2);
    RowOfCells row;
    row.four[0] = v;
    if constexpr (kWidth > 1) row.four[1] = __builtin_shufflevector(v, v, 2, 0, 1, 3);
    if constexpr (kWidth > 2) {
      row.four[2] = __builtin_shufflevector(v, v, 2, 3, 0, 1);
      row.four[3] = __builtin_shufflevector(v, v, 2, 3, 3, 0);
    }
    row.four[kNumFours - 1] = last;
    return row;
  }
  /// this + weight * other; a weight of 1 costs nothing.
  template <bool kIsHalf>
  COPE_FORCE_INLINE RowOfCells plus(const RowOfCells& other) const noexcept {
    RowOfCells row;
    for (int i = 0; i < kNumFours; ++i) {
      row.four[i] = four[i] + (kIsHalf ? other.four[i] * 0.5F : other.four[i]);
    }
    return row;
  }
};

template <int kWidth>
COPE_FORCE_INLINE std::uint32_t load_marks(const std::uint8_t* from) noexcept {
  std::uint32_t marks = 0;
  std::memcpy(&marks, from, kWidth);
  return marks;
}

/// Writes kWidth x kHeight cells that continue one chain: v + what its cells say.
template <int kWidth, int kHeight>
COPE_FORCE_INLINE void write_one_chain(const Chain& chain, std::size_t row, float* values,
                                       std::uint8_t* marks) noexcept {
  using Row = RowOfCells<kWidth>;
  const Row v = Row::displaced(chain.v);
  for (std::size_t i = 0; i < kHeight; ++i) {
    const std::size_t from = i * chain.from.row;
    v.template plus<false>(Row::load(chain.from.values + from * kNumValues))
        .store(values + i * row * kNumValues);
    std::memcpy(marks + i * row, chain.from.marks + from, kWidth);
  }
}

/// The same of two chains that weigh the same. Their `v` are weighted already.
template <int kWidth, int kHeight>
COPE_FORCE_INLINE void write_two_chains(const Chain& chain0, const Chain& chain1, std::size_t row,
                                        float* values, std::uint8_t* marks) noexcept {
  using Row = RowOfCells<kWidth>;
  const Row v0 = Row::displaced(chain0.v), v1 = Row::displaced(chain1.v);
  for (std::size_t i = 0; i < kHeight; ++i) {
    const std::size_t from0 = i * chain0.from.row, from1 = i * chain1.from.row;
    const Row first = v0.template plus<true>(Row::load(chain0.from.values + from0 * kNumValues));
    v1.template plus<true>(Row::load(chain1.from.values + from1 * kNumValues))
        .template plus<false>(first)
        .store(values + i * row * kNumValues);
    const std::uint32_t both = load_marks<kWidth>(chain0.from.marks + from0) |
                               load_marks<kWidth>(chain1.from.marks + from1);
    std::memcpy(marks + i * row, &both, kWidth);
  }
}

}  // namespace cope::cpu
