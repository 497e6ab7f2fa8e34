#include "cope/cpu/saliency.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "hand_picture.h"
#include "random_picture.h"

namespace {

using cope::cpu::CellGrid;
using cope::cpu::make_cell_grid;

std::vector<float> saliency(const cope::prim::PicturePrimitives& picture, const CellGrid& grid) {
  std::vector<float> motion(2 * grid.size(), 0.0F), out(3 * grid.size(), -99.0F);
  cope::cpu::write_saliency(picture, grid, motion.data(), out.data());
  return out;
}

TEST(Saliency, BitsPerSample) {
  HandPicture p(0, 2, 1);
  p.picture.blocks.bits[0] = 512;
  p.picture.blocks.bits[1] = 64;
  EXPECT_FLOAT_EQ(saliency(p, make_cell_grid(p.picture.info, 16))[0], 2.0F);
  EXPECT_FLOAT_EQ(saliency(p, make_cell_grid(p.picture.info, 16))[1], 0.25F);
  EXPECT_FLOAT_EQ(saliency(p, make_cell_grid(p.picture.info, 32))[0], 1.125F);
  EXPECT_FLOAT_EQ(saliency(p, make_cell_grid(p.picture.info, 4))[3], 2.0F);
  EXPECT_FLOAT_EQ(saliency(p, make_cell_grid(p.picture.info, 4))[4], 0.25F);
}

TEST(Saliency, EnergyOfAFlatBlock) {
  HandPicture p(0, 1, 1);
  p.residual(1, 2, 3);  // 30 in one of sixteen blocks
  const auto coarse = saliency(p, make_cell_grid(p.picture.info, 16));
  EXPECT_FLOAT_EQ(coarse[1], 30.0F / 255.0F / 4.0F);
  const auto fine = saliency(p, make_cell_grid(p.picture.info, 4));
  EXPECT_FLOAT_EQ(fine[16 + 2 * 4 + 1], 30.0F / 255.0F);
  EXPECT_FLOAT_EQ(fine[16 + 2 * 4 + 2], 0.0F);
  p.picture.info.bit_depth_luma = 10;
  EXPECT_FLOAT_EQ(saliency(p, make_cell_grid(p.picture.info, 4))[16 + 2 * 4 + 1], 7.5F / 255.0F);
}

// Parseval: the energy of the levels is that of the samples, up to their rounding.
TEST(Saliency, EnergyIsTheMeanSquareOfTheFullSizeResidual) {
  for (const bool transform_8x8 : {false, true}) {
    for (const bool bypass : {false, true}) {
      for (unsigned seed = 1; seed < 8; ++seed) {
        RandomPicture::Options options;
        options.transform_8x8 = transform_8x8;
        options.bypass = bypass;
        options.seed = seed;
        const RandomPicture random(options);
        auto& blocks = const_cast<cope::prim::PicturePrimitives&>(random.picture).blocks;
        std::fill_n(blocks.bits.data(), blocks.size(), 0U);
        std::fill_n(blocks.flags.data(), blocks.size(), std::uint8_t{0});
        const CellGrid grid = make_cell_grid(random.picture.info, 16);
        const auto out = saliency(random.picture, grid);
        for (int cell = 0; cell < 15; ++cell) {
          double sum = 0;
          for (int i = 0; i < 256; ++i) {
            const auto r = static_cast<double>(random.residual[0][static_cast<std::size_t>(
                cell / 3 * 16 + i / 16)][static_cast<std::size_t>(cell % 3 * 16 + i % 16)]);
            sum += r * r;
          }
          const double rms = std::sqrt(sum / 256);
          EXPECT_NEAR(out[grid.size() + static_cast<std::size_t>(cell)] * 255, rms,
                      0.77 + rms * 1e-4);
        }
      }
    }
  }
}

TEST(Saliency, FieldPicturesAndMbaffKeepDensities) {
  HandPicture field(0, 1, 1);
  field.picture.info.structure = cope::prim::PictureStructure::kBottom;
  field.picture.blocks.bits[0] = 256;
  field.residual(0, 1, 5);
  const CellGrid grid = make_cell_grid(field.picture.info, 8);
  ASSERT_EQ(grid.height, 4);
  const auto out = saliency(field, grid);
  for (std::size_t i = 0; i < grid.size(); ++i) EXPECT_FLOAT_EQ(out[i], 1.0F);
  EXPECT_FLOAT_EQ(out[grid.size() + 2],
                  50.0F / 255.0F / std::sqrt(2.0F));  // half of the cell's columns
  EXPECT_FLOAT_EQ(out[grid.size()], 0.0F);

  HandPicture mbaff(0, 1, 2);
  mbaff.picture.info.mbaff = true;
  mbaff.picture.blocks.flags[0] = mbaff.picture.blocks.flags[1] = cope::prim::kFieldBlock;
  mbaff.picture.blocks.bits[0] = 512;
  mbaff.residual(0, 4, 5);
  mbaff.picture.coeffs.records[0].flags = cope::prim::kCoeffFieldScan;
  const auto spread = saliency(mbaff, make_cell_grid(mbaff.picture.info, 4));
  for (std::size_t i = 0; i < 32; ++i) EXPECT_FLOAT_EQ(spread[i], 1.0F);
  // 50 in every other of the first eight rows of the frame.
  EXPECT_FLOAT_EQ(spread[32], 50.0F / 255.0F / std::sqrt(2.0F));
  EXPECT_FLOAT_EQ(spread[36], 50.0F / 255.0F / std::sqrt(2.0F));
  EXPECT_FLOAT_EQ(spread[40], 0.0F);
}

TEST(Saliency, MotionLengthInPictureHeights) {
  HandPicture p(0, 2, 1);
  const CellGrid grid = make_cell_grid(p.picture.info, 16);
  const std::vector<float> motion = {1.5F, 0.0F, 4.0F, -2.0F};
  std::vector<float> out(3 * grid.size());
  cope::cpu::write_saliency(p, grid, motion.data(), out.data());
  EXPECT_FLOAT_EQ(out[4], 5.0F);  // 1.5 widths are 3 heights
  EXPECT_FLOAT_EQ(out[5], 2.0F);
}

}  // namespace
