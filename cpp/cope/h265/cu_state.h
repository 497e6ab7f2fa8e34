#pragma once

#include <cstdint>
#include <cstring>

#include "cope/base/host_device.h"

namespace cope::h265 {

// What later coding units ask of one before them, in a byte: CtDepth in the upper two bits,
// IntraPredModeY in the lower six, or kSkippedState. It is kept twice, in a row per 4 luma columns
// and in a column per 4 luma rows, each entry that of the block last parsed there: in z-scan order
// that is the neighbour above or on the left. Where none is available, kNoState says what the
// standard infers.

/// Lower bits of a skipped unit. As a prediction mode it counts as INTRA_DC.
inline constexpr std::uint8_t kSkippedState = 63;
/// CtDepth 0, not skipped, INTRA_DC.
inline constexpr std::uint8_t kNoState = 1;

COPE_HD constexpr std::uint8_t make_cu_state(int CtDepth, int mode) noexcept {
  return static_cast<std::uint8_t>(CtDepth << 6 | mode);
}
COPE_HD constexpr int depth_of(std::uint8_t state) noexcept { return state >> 6; }
COPE_HD constexpr bool is_skipped(std::uint8_t state) noexcept {
  return (state & 63) == kSkippedState;
}
COPE_HD constexpr int intra_mode_of(std::uint8_t state) noexcept {
  return is_skipped(state) ? 1 : state & 63;
}

/// Sets `count` bytes, 1, 2, 4, 8 or 16.
COPE_HD COPE_FORCE_INLINE void fill_states(std::uint8_t* states, int count,
                                           std::uint8_t state) noexcept {
  const std::uint64_t word = state * std::uint64_t{0x0101010101010101};
  switch (count) {
    case 1:
      states[0] = state;
      break;
    case 2:
      std::memcpy(states, &word, 2);
      break;
    case 4:
      std::memcpy(states, &word, 4);
      break;
    case 8:
      std::memcpy(states, &word, 8);
      break;
    default:
      std::memcpy(states, &word, 8);
      std::memcpy(states + 8, &word, 8);
      break;
  }
}

}  // namespace cope::h265
