#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cope/base/host_device.h"
#include "cope/prim/motion_field.h"

namespace cope::cpu {

/// Reads `num_rows` rows of a list's motion from end to end, into the cache: the processor fetches
/// ahead along a few streams, and not along the rows of a macroblock beside those of what is made
/// from it.
inline void fetch_motion(const prim::MotionField& motion, int list, std::int32_t first_row,
                         std::int32_t num_rows) noexcept {
  const auto width = static_cast<std::size_t>(motion.width_4x4);
  const std::size_t first = static_cast<std::size_t>(list) * motion.plane_size() +
                            static_cast<std::size_t>(first_row) * width;
  const std::size_t num = static_cast<std::size_t>(num_rows) * width;
  const auto read = [](const auto* from, std::size_t n) {
    constexpr std::size_t kLine = 64 / sizeof *from;
    const auto* const bytes = reinterpret_cast<const volatile std::uint8_t*>(from);
    for (std::size_t i = 0; i < n; i += kLine) static_cast<void>(bytes[i * sizeof *from]);
  };
  read(motion.mv.data() + first, num);
  read(motion.ref_idx.data() + first, num);
}

/// Not zero unless four by four blocks have the same vector and index.
COPE_FORCE_INLINE std::uint64_t differences_of_16(const prim::MotionVector* mv,
                                                  const std::int8_t* ref_idx,
                                                  std::size_t width) noexcept {
  using Words4 = std::uint32_t __attribute__((vector_size(16)));
  static_assert(sizeof *mv == sizeof(std::uint32_t));
  std::uint32_t mv0;
  std::memcpy(&mv0, mv, sizeof mv0);
  const std::uint32_t ref0 = static_cast<std::uint8_t>(*ref_idx) * 0x01010101U;
  Words4 differences = {};
  std::uint32_t ref_differences = 0;
  for (int i = 0; i < 4; ++i, mv += width, ref_idx += width) {
    Words4 row;
    std::memcpy(&row, mv, sizeof row);
    differences |= row ^ mv0;
    std::uint32_t refs;
    std::memcpy(&refs, ref_idx, sizeof refs);
    ref_differences |= refs ^ ref0;
  }
  std::uint64_t halves[2];
  std::memcpy(halves, &differences, sizeof halves);
  return halves[0] | halves[1] | ref_differences;
}

/// Which of the four by four motions at one place differ.
///
/// A row of four vectors is two words, and so is one of four indices.
class MotionPattern {
 public:
  template <class Word, class T>
  void add(const T* first, std::size_t width) noexcept {
    static_assert(sizeof(Word) == 2 * sizeof(T));
    Word left[4], right[4];
    for (int i = 0; i < 4; ++i, first += width) {
      std::memcpy(&left[i], first, sizeof(Word));
      std::memcpy(&right[i], first + 2, sizeof(Word));
    }
    quarter_[0] |= difference(left[0], left[1]);
    quarter_[1] |= difference(right[0], right[1]);
    quarter_[2] |= difference(left[2], left[3]);
    quarter_[3] |= difference(right[2], right[3]);
    top_ |= left[0] ^ right[0];
    bottom_ |= left[2] ^ right[2];
    left_ |= left[0] ^ left[2];
    right_ |= right[0] ^ right[2];
  }

  bool is_quarter_uniform(int i) const noexcept { return quarter_[i] == 0; }
  bool are_rows_uniform() const noexcept { return (any_quarter() | top_ | bottom_) == 0; }
  bool are_columns_uniform() const noexcept { return (any_quarter() | left_ | right_) == 0; }

 private:
  /// Not zero unless all halves of both words are the same.
  template <class Word>
  static Word difference(Word a, Word b) noexcept {
    return static_cast<Word>((a ^ b) | (a ^ std::rotl(a, static_cast<int>(4 * sizeof(Word)))));
  }
  std::uint64_t any_quarter() const noexcept {
    return quarter_[0] | quarter_[1] | quarter_[2] | quarter_[3];
  }

  std::uint64_t quarter_[4] = {};
  std::uint64_t top_ = 0, bottom_ = 0;  ///< its quarters differ from one another
  std::uint64_t left_ = 0, right_ = 0;
};

}  // namespace cope::cpu
