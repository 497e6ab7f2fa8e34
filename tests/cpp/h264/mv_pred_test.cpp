#include "cope/h264/mv_pred.h"

#include <gtest/gtest.h>

namespace cope::h264 {
namespace {

constexpr NeighbourMotion at(int refIdx, int x, int y) {
  return {true,
          static_cast<std::int8_t>(refIdx),
          {static_cast<std::int16_t>(x), static_cast<std::int16_t>(y)}};
}
constexpr NeighbourMotion kIntra{true, -1, {0, 0}};
constexpr NeighbourMotion kNone{};

TEST(MedianPrediction, TakesTheMedianOfEachComponent) {
  EXPECT_EQ(median_prediction({at(0, 4, -8), at(0, 2, 6), at(0, 9, 1)}, 0), (MotionVector{4, 1}));
}

TEST(MedianPrediction, TakesTheOnlyNeighbourWithTheSameReference) {
  EXPECT_EQ(median_prediction({at(1, 4, 4), at(0, 2, 2), kIntra}, 0), (MotionVector{2, 2}));
  EXPECT_EQ(median_prediction({at(1, 4, 4), at(2, 2, 2), at(0, -7, 3)}, 0), (MotionVector{-7, 3}));
}

TEST(MedianPrediction, TakesTheLeftOneWhereNothingIsAbove) {
  EXPECT_EQ(median_prediction({at(3, 5, 6), kNone, kNone}, 0), (MotionVector{5, 6}));
}

TEST(MedianPrediction, IntraNeighboursCountAsZero) {
  EXPECT_EQ(median_prediction({at(0, 6, 6), at(0, 4, 4), kIntra}, 0), (MotionVector{4, 4}));
}

TEST(DerivePSkip, IsZeroAtEdgesAndBesideStillBlocks) {
  const NeighbourPartitions moving{at(0, 6, 6), at(0, 4, 4), at(0, 5, 5)};
  EXPECT_EQ(derive_p_skip(moving), (MotionVector{5, 5}));
  EXPECT_EQ(derive_p_skip({kNone, moving.b, moving.c}), (MotionVector{0, 0}));
  EXPECT_EQ(derive_p_skip({moving.a, at(0, 0, 0), moving.c}), (MotionVector{0, 0}));
  // A still block of another reference does not stop it.
  EXPECT_EQ(derive_p_skip({moving.a, at(1, 0, 0), moving.c}), (MotionVector{5, 5}));
}

TEST(DeriveMvp, HalvesPreferTheNeighbourTheyTouch) {
  const NeighbourPartitions n{at(0, 1, 1), at(0, 20, 20), at(0, 300, 300)};
  EXPECT_EQ(derive_mvp(n, 0, MbPartShape::k16x8, 0), (MotionVector{20, 20}));
  EXPECT_EQ(derive_mvp(n, 0, MbPartShape::k16x8, 1), (MotionVector{1, 1}));
  EXPECT_EQ(derive_mvp(n, 0, MbPartShape::k8x16, 0), (MotionVector{1, 1}));
  EXPECT_EQ(derive_mvp(n, 0, MbPartShape::k8x16, 1), (MotionVector{300, 300}));
  EXPECT_EQ(derive_mvp(n, 0, MbPartShape::kOther, 0), (MotionVector{20, 20}));
}

TEST(MinPositive, IgnoresUnusedReferences) {
  EXPECT_EQ(min_positive(-1, min_positive(2, 1)), 1);
  EXPECT_EQ(min_positive(-1, min_positive(-1, -1)), -1);
  EXPECT_EQ(min_positive(0, min_positive(-1, 3)), 0);
}

// Midway between its references a picture takes half of the vector (8.4.1.2.3).
TEST(DistScaleFactor, FollowsTheDistances) {
  EXPECT_EQ(dist_scale_factor(4, 0, 8), 128);
  EXPECT_EQ(dist_scale_factor(2, 0, 8), 64);
  EXPECT_EQ(dist_scale_factor(8, 0, 8), 256);
  EXPECT_EQ(dist_scale_factor(-4, 0, 8), -128);
  EXPECT_EQ(dist_scale_factor(127, 0, 1), 1023);  // clipped
}

}  // namespace
}  // namespace cope::h264
