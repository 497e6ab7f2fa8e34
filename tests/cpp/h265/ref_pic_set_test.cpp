#include "cope/h265/ref_pic_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "bit_writer.h"

namespace cope::h265 {
namespace {

std::vector<int> negative(const ShortTermRefPicSet& set) {
  return {set.DeltaPocS0, set.DeltaPocS0 + set.NumNegativePics};
}
std::vector<int> positive(const ShortTermRefPicSet& set) {
  return {set.DeltaPocS1, set.DeltaPocS1 + set.NumPositivePics};
}

Status parse(const BitWriter& w, int stRpsIdx, const std::vector<ShortTermRefPicSet>& sets,
             int num_sets, ShortTermRefPicSet& out) {
  const Rbsp rbsp(w);
  bits::BitReader r = rbsp.reader();
  return parse_st_ref_pic_set(r, stRpsIdx, sets.data(), num_sets, out);
}

TEST(RefPicSet, Explicit) {
  BitWriter w;
  w.ue(2).ue(1).ue(3).flag(true).ue(0).flag(false).ue(1).flag(true);
  ShortTermRefPicSet set;
  ASSERT_TRUE(parse(w, 0, {}, 4, set).ok());
  EXPECT_EQ(negative(set), (std::vector{-4, -5}));
  EXPECT_EQ(positive(set), (std::vector{2}));
  EXPECT_TRUE(set.UsedByCurrPicS0[0]);
  EXPECT_FALSE(set.UsedByCurrPicS0[1]);
  EXPECT_TRUE(set.UsedByCurrPicS1[0]);
}

// A picture 4 behind one whose set is {-8, -10, -12, -16} refers to {-4, -6} + {4}: worked out by
// hand from 7.4.8 (the sets 0 and 1 of the random access configuration of HM).
TEST(RefPicSet, Predicted) {
  std::vector<ShortTermRefPicSet> sets(1);
  sets[0].NumNegativePics = 4;
  const int deltas[] = {-8, -10, -12, -16};
  for (int i = 0; i < 4; ++i) {
    sets[0].DeltaPocS0[i] = deltas[i];
    sets[0].UsedByCurrPicS0[i] = true;
  }
  BitWriter w;
  w.flag(true);         // inter_ref_pic_set_prediction_flag
  w.flag(false).ue(3);  // deltaRps = 4
  w.flag(true).flag(true).flag(false).flag(false).flag(false).flag(false).flag(true);
  ShortTermRefPicSet set;
  ASSERT_TRUE(parse(w, 1, sets, 4, set).ok());
  EXPECT_EQ(negative(set), (std::vector{-4, -6}));
  EXPECT_EQ(positive(set), (std::vector{4}));
}

// Against a plain account of the same rule: shift every picture of the set and the picture that has
// it, keep those that are wanted, sort.
TEST(RefPicSet, PredictedEqualsPlainAccount) {
  std::mt19937 random(1);
  const auto below = [&random](unsigned n) { return static_cast<int>(random() % n); };
  for (int round = 0; round < 2000; ++round) {
    std::vector<ShortTermRefPicSet> sets(static_cast<std::size_t>(1 + below(3)));
    for (ShortTermRefPicSet& set : sets) {
      set.NumNegativePics = static_cast<std::uint8_t>(below(5));
      set.NumPositivePics = static_cast<std::uint8_t>(below(5));
      int poc = 0;
      for (int i = 0; i < set.NumNegativePics; ++i) set.DeltaPocS0[i] = poc -= 1 + below(4);
      poc = 0;
      for (int i = 0; i < set.NumPositivePics; ++i) set.DeltaPocS1[i] = poc += 1 + below(4);
    }
    const bool is_of_slice = below(2) == 1;
    const int num_sets = static_cast<int>(sets.size());
    const int back = is_of_slice ? 1 + below(static_cast<unsigned>(num_sets)) : 1;
    const ShortTermRefPicSet& ref = sets[static_cast<std::size_t>(num_sets - back)];
    int deltaRps = below(9) - 4;
    if (deltaRps == 0) deltaRps = 5;

    BitWriter w;
    w.flag(true);
    if (is_of_slice) w.ue(static_cast<unsigned>(back - 1));
    w.flag(deltaRps < 0).ue(static_cast<unsigned>(std::abs(deltaRps) - 1));
    std::vector<int> pictures = negative(ref);
    for (const int delta : positive(ref)) pictures.push_back(delta);
    pictures.push_back(0);
    std::map<int, bool> expected;  // by delta: whether used
    for (const int picture : pictures) {
      const int use = below(3);  // 0 dropped, 1 kept, 2 used
      w.flag(use == 2);
      if (use != 2) w.flag(use == 1);
      if (use > 0 && picture + deltaRps != 0) expected[picture + deltaRps] = use == 2;
    }

    ShortTermRefPicSet set;
    ASSERT_TRUE(parse(w, num_sets, sets, is_of_slice ? num_sets : num_sets + 1, set).ok());
    ASSERT_EQ(static_cast<std::size_t>(set.NumDeltaPocs()), expected.size());
    auto it = expected.begin();  // ascending: the negative half backwards, then the positive one
    for (int i = set.NumNegativePics - 1; i >= 0; --i, ++it) {
      EXPECT_EQ(set.DeltaPocS0[i], it->first);
      EXPECT_EQ(set.UsedByCurrPicS0[i], it->second);
    }
    for (int i = 0; i < set.NumPositivePics; ++i, ++it) {
      EXPECT_EQ(set.DeltaPocS1[i], it->first);
      EXPECT_EQ(set.UsedByCurrPicS1[i], it->second);
    }
  }
}

TEST(RefPicSet, Ranges) {
  ShortTermRefPicSet set;
  EXPECT_FALSE(parse(BitWriter().ue(17).ue(0), 0, {}, 1, set).ok());
  EXPECT_FALSE(parse(BitWriter().ue(1).ue(0).ue(32768).flag(true), 0, {}, 1, set).ok());
  EXPECT_FALSE(parse(BitWriter().ue(1).ue(0), 0, {}, 1, set).ok());  // ends early
  const std::vector<ShortTermRefPicSet> sets(2);
  EXPECT_STREQ(parse(BitWriter().flag(true).ue(2), 2, sets, 2, set).element, "delta_idx_minus1");
  EXPECT_STREQ(parse(BitWriter().flag(true).flag(true).ue(32768), 2, sets, 3, set).element,
               "abs_delta_rps_minus1");
}

TEST(RefPicSet, FullSetCannotGrow) {
  std::vector<ShortTermRefPicSet> sets(1);
  sets[0].NumNegativePics = 16;
  for (int i = 0; i < 16; ++i) sets[0].DeltaPocS0[i] = -1 - i;
  BitWriter w;
  w.flag(true).flag(true).ue(0);
  for (int i = 0; i < 17; ++i) w.flag(true);
  ShortTermRefPicSet set;
  EXPECT_STREQ(parse(w, 1, sets, 2, set).element, "NumDeltaPocs");
}

}  // namespace
}  // namespace cope::h265
