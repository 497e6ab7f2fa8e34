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

/// State transition, H.264 9.3.3.2.1.1: `next[state][bin is the least probable symbol]`.
struct StateTransition {
  ContextState next[128][2];
};

COPE_HD constexpr StateTransition make_state_transition() noexcept {
  StateTransition t{};
  for (unsigned state = 0; state < 128; ++state) {
    const unsigned pStateIdx = state >> 1;
    const unsigned valMPS = state & 1;
    const unsigned transIdxMps = pStateIdx < 62 ? pStateIdx + 1 : pStateIdx;
    const unsigned lpsMPS = pStateIdx == 0 ? 1 - valMPS : valMPS;
    t.next[state][0] = static_cast<ContextState>(transIdxMps << 1 | valMPS);
    t.next[state][1] =
        static_cast<ContextState>(static_cast<unsigned>(kTransIdxLps[pStateIdx]) << 1 | lpsMPS);
  }
  return t;
}

COPE_HD_TABLE StateTransition kStateTransition = make_state_transition();

}  // namespace cope::entropy
