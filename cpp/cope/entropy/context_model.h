#pragma once

#include <cstddef>
#include <cstdint>

#include "cope/base/host_device.h"
#include "cope/entropy/cabac_tables.h"

namespace cope::entropy {

/// State of one context: pStateIdx << 1 | valMPS.
using ContextState = std::uint8_t;

/// Initial state of a context, H.264 9.3.1.1 and the same arithmetic of H.265 9.3.2.2.
///
/// \param m, n      from the tables of the standard
/// \param slice_qp  SliceQPY, clipped here
COPE_HD constexpr ContextState init_context(int m, int n, int slice_qp) noexcept {
  const int qp = slice_qp < 0 ? 0 : slice_qp > 51 ? 51 : slice_qp;
  int preCtxState = ((m * qp) >> 4) + n;
  preCtxState = preCtxState < 1 ? 1 : preCtxState > 126 ? 126 : preCtxState;
  return static_cast<ContextState>(preCtxState <= 63 ? (63 - preCtxState) << 1
                                                     : (preCtxState - 64) << 1 | 1);
}

/// Initial states of `count` contexts; `mn[i]` holds their (m, n).
COPE_HD constexpr void init_contexts(ContextState* states, const std::int8_t (*mn)[2],
                                     std::size_t count, int slice_qp) noexcept {
  for (std::size_t i = 0; i < count; ++i) states[i] = init_context(mn[i][0], mn[i][1], slice_qp);
}

/// Bits 55 to 62 of a bin word.
inline constexpr std::uint64_t kBinWordRange = std::uint64_t{0xff} << 55;

/// All that decoding one bin of a context looks up, as one word. Byte 0 is the next state (H.264
/// 9.3.3.2.1.1) after the MPS and bit 16 the bin then; byte 1 and bit 24 the same after the LPS.
/// Above stands rangeTabLPS of the state, so placed that shifting left by 8 * qCodIRangeIdx brings
/// the one wanted to `kBinWordRange`. The word depends on the context alone, so it is there before
/// the range is.
COPE_HD constexpr std::uint64_t make_bin_word(unsigned state) noexcept {
  const unsigned pStateIdx = state >> 1;
  const unsigned valMPS = state & 1;
  const unsigned transIdxMps = pStateIdx < 62 ? pStateIdx + 1 : pStateIdx;
  const unsigned lpsMPS = pStateIdx == 0 ? 1 - valMPS : valMPS;
  const unsigned transIdxLps = kTransIdxLps[pStateIdx];
  std::uint64_t word = 0;
  for (int q = 0; q < 4; ++q) {
    word |= static_cast<std::uint64_t>(kRangeTabLps[pStateIdx][q]) << (55 - 8 * q);
  }
  return word | (transIdxMps << 1 | valMPS) | (transIdxLps << 1 | lpsMPS) << 8 | valMPS << 16 |
         (1 - valMPS) << 24;
}

struct BinWords {
  std::uint64_t word[128];
};

COPE_HD constexpr BinWords make_bin_words() noexcept {
  BinWords words{};
  for (unsigned state = 0; state < 128; ++state) words.word[state] = make_bin_word(state);
  return words;
}

COPE_HD_TABLE BinWords kBinWords = make_bin_words();

/// A context as its bin word instead of its state.
using ContextWord = std::uint64_t;

}  // namespace cope::entropy
