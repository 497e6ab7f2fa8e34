#include "cope/cpu/rasterise.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "hand_picture.h"

namespace {

using cope::cpu::BiPrediction;
using cope::cpu::CellGrid;
using cope::cpu::make_cell_grid;

struct Raster {
  Raster(const cope::prim::PicturePrimitives& picture, const HandTimes& times, int cell = 16,
         BiPrediction bi_prediction = BiPrediction::kAverage)
      : grid(make_cell_grid(picture.info, cell)),
        motion(2 * grid.size(), -99.0F),
        valid(grid.size(), -99.0F) {
    cope::cpu::rasterise_motion(picture, times, grid, bi_prediction, motion.data(), valid.data());
  }
  std::size_t at(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(grid.width) +
           static_cast<std::size_t>(x);
  }
  float x(int i, int j) const { return motion[at(i, j)]; }
  float y(int i, int j) const { return motion[grid.size() + at(i, j)]; }
  float v(int i, int j) const { return valid[at(i, j)]; }

  CellGrid grid;
  std::vector<float> motion, valid;
};

// 80 x 48 picture, half a second after its reference, vector (-8, 12) samples: what is seen here
// was 8 samples to the left before, so displacement towards the past is -8 / 80 widths in 0.5 s.
TEST(Rasterise, UnitsAndSign) {
  HandPicture p(1, 5, 3);
  p.refs(0, {0}).all_mv(0, -32, 48);
  const Raster r(p, HandTimes({0.0, 0.5}));
  ASSERT_EQ(r.grid.width, 5);
  ASSERT_EQ(r.grid.height, 3);
  for (int j = 0; j < 3; ++j) {
    for (int i = 0; i < 5; ++i) {
      EXPECT_FLOAT_EQ(r.x(i, j), -0.2F);
      EXPECT_FLOAT_EQ(r.y(i, j), 12.0F / 48.0F / 0.5F);
      EXPECT_FLOAT_EQ(r.v(i, j), 1.0F);
    }
  }
}

// An object that moves evenly reads the same through a past and through a future reference.
TEST(Rasterise, FutureReferencesAgreeWithPastOnes) {
  const HandTimes times({0.0, 2.0, 0.5});  // picture 2 is a B picture between 0 and 1
  HandPicture past(2, 1, 1), future(2, 1, 1), both(2, 1, 1);
  past.refs(0, {0}).refs(1, {1}).all_mv(0, -4, 8);
  future.refs(0, {0}).refs(1, {1}).all_mv(1, 12, -24);
  both.refs(0, {0}).refs(1, {1}).all_mv(0, -4, 8).all_mv(1, 12, -24);
  const Raster a(past, times), b(future, times), c(both, times);
  EXPECT_FLOAT_EQ(a.x(0, 0), -1.0F / 16.0F / 0.5F);
  EXPECT_FLOAT_EQ(a.x(0, 0), b.x(0, 0));
  EXPECT_FLOAT_EQ(a.y(0, 0), b.y(0, 0));
  EXPECT_FLOAT_EQ(a.x(0, 0), c.x(0, 0));
}

TEST(Rasterise, BiPredictionRules) {
  const HandTimes times({0.0, 1.5, 1.0});
  HandPicture p(2, 1, 1);
  p.refs(0, {0}).refs(1, {1}).all_mv(0, 64, 0).all_mv(1, 64, 0);  // 1 width/s; -2 widths/s, nearer
  EXPECT_FLOAT_EQ(Raster(p, times).x(0, 0), -0.5F);
  EXPECT_FLOAT_EQ(Raster(p, times, 16, BiPrediction::kList0).x(0, 0), 1.0F);
  EXPECT_FLOAT_EQ(Raster(p, times, 16, BiPrediction::kNearest).x(0, 0), -2.0F);
}

TEST(Rasterise, CellsAverageWhatIsValid) {
  HandPicture p(1, 2, 1);
  p.refs(0, {0});
  p.type(0, 0, cope::prim::BlockType::kInter);
  // Three of the sixteen blocks of macroblock 0 move; the other one is intra.
  p.cell_mv(0, 0, 0, 4, 0).cell_mv(0, 1, 0, 8, 0).cell_mv(0, 3, 3, 12, 0);
  const HandTimes times({0.0, 1.0});
  const Raster coarse(p, times, 16);
  EXPECT_FLOAT_EQ(coarse.x(0, 0), 2.0F / 32.0F);
  EXPECT_FLOAT_EQ(coarse.v(0, 0), 3.0F / 16.0F);
  EXPECT_FLOAT_EQ(coarse.x(1, 0), 0.0F);
  EXPECT_FLOAT_EQ(coarse.v(1, 0), 0.0F);
  const Raster fine(p, times, 4);
  ASSERT_EQ(fine.grid.width, 8);
  EXPECT_FLOAT_EQ(fine.x(1, 0), 2.0F / 32.0F);
  EXPECT_FLOAT_EQ(fine.x(3, 3), 3.0F / 32.0F);
  EXPECT_FLOAT_EQ(fine.v(2, 0), 0.0F);
  const Raster wide(p, times, 20);  // the second cell is 3 blocks wide and 4 high
  ASSERT_EQ(wide.grid.width, 2);
  ASSERT_EQ(wide.grid.height, 1);
  EXPECT_FLOAT_EQ(wide.v(0, 0), 3.0F / 20.0F);
  EXPECT_FLOAT_EQ(wide.v(1, 0), 0.0F);
}

TEST(Rasterise, UnknownTimesAndLostBlocksAreNotValid) {
  HandPicture p(1, 3, 1);
  p.refs(0, {0, -1, 7, 1}).mb_mv(0, 0, 0, 4, 4, 1).mb_mv(0, 1, 0, 4, 4, 2).mb_mv(0, 2, 0, 4, 4, 3);
  const Raster r(p, HandTimes({0.0, 1.0}));
  for (int i = 0; i < 3; ++i) {
    EXPECT_FLOAT_EQ(r.v(i, 0), 0.0F);
    EXPECT_FLOAT_EQ(r.x(i, 0), 0.0F);
  }
  p.mb_mv(0, 0, 0, 4, 4, 0).mb_mv(0, 1, 0, 4, 4, 0).mb_mv(0, 2, 0, 4, 4, 0);
  p.type(0, 0, cope::prim::BlockType::kLost);
  const Raster lost(p, HandTimes({0.0, 1.0}));
  EXPECT_FLOAT_EQ(lost.v(0, 0), 0.0F);
  EXPECT_FLOAT_EQ(lost.v(1, 0), 1.0F);
  const Raster timeless(p, HandTimes({std::numeric_limits<double>::quiet_NaN(), 1.0}));
  EXPECT_FLOAT_EQ(timeless.v(1, 0), 0.0F);
}

TEST(Rasterise, GridFollowsTheCroppingWindow) {
  HandPicture p(1, 3, 2);
  p.picture.info.crop_left = 6;
  p.picture.info.crop_right = 4;
  p.picture.info.crop_bottom = 10;
  p.refs(0, {0}).all_mv(0, 0, 0);
  p.mb_mv(0, 1, 0, 38 * 4, 22 * 4);
  const Raster r(p, HandTimes({0.0, 1.0}), 4);
  // 38 x 22 samples from (6, 0): blocks 1..10 of 12, 0..5 of 8.
  ASSERT_EQ(r.grid.width, 10);
  ASSERT_EQ(r.grid.height, 6);
  EXPECT_FLOAT_EQ(r.x(2, 0), 0.0F);
  EXPECT_FLOAT_EQ(r.x(3, 0), 1.0F);  // block 4
  EXPECT_FLOAT_EQ(r.y(6, 3), 1.0F);
  EXPECT_FLOAT_EQ(r.x(7, 0), 0.0F);
}

// A field picture is half as high and vertical vectors count its own rows.
TEST(Rasterise, FieldPicturesHaveTheGridOfTheirFrame) {
  HandPicture p(1, 2, 2);
  p.picture.info.structure = cope::prim::PictureStructure::kTop;
  p.refs(0, {0}).all_mv(0, 0, 0).mb_mv(0, 1, 0, 0, 32);
  const Raster r(p, HandTimes({0.0, 1.0}), 16);
  ASSERT_EQ(r.grid.width, 2);
  ASSERT_EQ(r.grid.height, 4);
  EXPECT_FLOAT_EQ(r.y(1, 0), 8.0F / 32.0F);
  EXPECT_FLOAT_EQ(r.y(1, 1), 8.0F / 32.0F);
  EXPECT_FLOAT_EQ(r.y(1, 2), 0.0F);
  EXPECT_FLOAT_EQ(r.v(1, 1), 1.0F);
}

TEST(Rasterise, FieldMacroblocksOfMbaffAreDeinterleaved) {
  HandPicture p(1, 1, 2);
  p.picture.info.mbaff = true;
  p.picture.blocks.flags[0] = p.picture.blocks.flags[1] = cope::prim::kFieldBlock;
  p.refs(0, {0, 0}).mb_mv(0, 0, 0, 0, 16, 2).mb_mv(0, 0, 1, 0, 32, 1);
  const Raster r(p, HandTimes({0.0, 1.0}), 4);
  // ref_idx 2 and 1 are fields of entries 1 and 0 of the frame list. Rows alternate between the
  // fields.
  for (int row = 0; row < 8; ++row) {
    EXPECT_FLOAT_EQ(r.y(0, row), (row % 2 == 0 ? 8.0F : 16.0F) / 32.0F) << row;
    EXPECT_FLOAT_EQ(r.v(0, row), 1.0F);
  }
}

}  // namespace
