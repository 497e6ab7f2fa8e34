#include "cope/entropy/context_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

namespace cope::entropy {
namespace {

unsigned p_state_idx(ContextState s) { return s >> 1; }
unsigned val_mps(ContextState s) { return s & 1; }

TEST(ContextModel, InitialStateWorkedByHand) {
  // (m, n) = (20, -15) of ctxIdx 0 at SliceQPY 26: (520 >> 4) - 15 = 17, below 64.
  EXPECT_EQ(init_context(20, -15, 26), (63 - 17) << 1 | 0);
  // (-28, 127) of ctxIdx 6 at SliceQPY 26: (-728 >> 4) + 127 = -46 + 127 = 81: rounds down, not to
  // 0.
  EXPECT_EQ(init_context(-28, 127, 26), (81 - 64) << 1 | 1);
  EXPECT_EQ(init_context(0, 63, 26), 0 << 1 | 0);
  EXPECT_EQ(init_context(0, 64, 26), 0 << 1 | 1);
}

TEST(ContextModel, InitialStateIsClippedTo1And126) {
  EXPECT_EQ(init_context(0, -128, 0), 62 << 1 | 0);
  EXPECT_EQ(init_context(0, 0, 0), 62 << 1 | 0);
  EXPECT_EQ(init_context(0, 127, 0), 62 << 1 | 1);
  EXPECT_EQ(init_context(127, 127, 51), 62 << 1 | 1);
}

TEST(ContextModel, SliceQpIsClippedTo0And51) {
  // SliceQPY is negative down to -QpBdOffsetY with more than 8 bits.
  EXPECT_EQ(init_context(20, 10, -36), init_context(20, 10, 0));
  EXPECT_EQ(init_context(20, 10, 60), init_context(20, 10, 51));
  EXPECT_NE(init_context(20, 10, 0), init_context(20, 10, 51));
}

TEST(ContextModel, InitialisesARange) {
  constexpr std::int8_t mn[3][2] = {{20, -15}, {-28, 127}, {0, 64}};
  ContextState states[4] = {0xee, 0xee, 0xee, 0xee};
  init_contexts(states, mn, 3, 26);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(states[i], init_context(mn[i][0], mn[i][1], 26));
  EXPECT_EQ(states[3], 0xee);
}

TEST(ContextModel, TransitionsFollow9_3_3_2_1_1) {
  for (unsigned state = 0; state < 126; ++state) {
    const auto s = static_cast<ContextState>(state);
    const std::uint64_t word = kBinWords.word[state];
    for (unsigned q = 0; q < 4; ++q) {
      EXPECT_EQ((word << (8 * q) & kBinWordRange) >> 55, kRangeTabLps[p_state_idx(s)][q]);
    }
    const auto mps = static_cast<ContextState>(word);
    EXPECT_EQ(p_state_idx(mps), std::min(p_state_idx(s) + 1, 62u));
    EXPECT_EQ(val_mps(mps), val_mps(s));
    const auto lps = static_cast<ContextState>(word >> 8);
    EXPECT_EQ(p_state_idx(lps), kTransIdxLps[p_state_idx(s)]);
    EXPECT_EQ(val_mps(lps), p_state_idx(s) == 0 ? 1 - val_mps(s) : val_mps(s));
  }
}

TEST(ContextModel, SpotValuesOfTables9_44And9_45) {
  EXPECT_EQ(kRangeTabLps[0][0], 128);
  EXPECT_EQ(kRangeTabLps[0][3], 240);
  EXPECT_EQ(kRangeTabLps[10][1], 104);
  EXPECT_EQ(kRangeTabLps[62][3], 9);
  EXPECT_EQ(kRangeTabLps[63][0], 2);
  EXPECT_EQ(kTransIdxLps[0], 0);
  EXPECT_EQ(kTransIdxLps[5], 4);
  EXPECT_EQ(kTransIdxLps[35], 26);
  EXPECT_EQ(kTransIdxLps[62], 38);
}

}  // namespace
}  // namespace cope::entropy
