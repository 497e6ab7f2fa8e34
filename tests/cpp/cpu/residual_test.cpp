#include "cope/cpu/residual.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "random_picture.h"
#include "residual_planes.h"

namespace {

using cope::cpu::ResidualScale;
using cope::prim::CoeffKind;
using cope::prim::CoeffRecord;
using cope::prim::PicturePrimitives;

PicturePrimitives one_block(CoeffKind kind, int qp, std::uint16_t position, std::int32_t level,
                            std::uint8_t flags = 0) {
  PicturePrimitives picture;
  picture.info.width = picture.info.height = 16;
  picture.info.bit_depth_luma = 14;
  picture.allocate_blocks(16, 16, 16);
  picture.scaling.resize(1);
  std::fill_n(&picture.scaling[0].weight_4x4[0][0], 6 * 16, std::uint8_t{16});
  std::fill_n(&picture.scaling[0].weight_8x8[0][0], 6 * 64, std::uint8_t{16});
  picture.coeffs.records.assign_zero(1);
  CoeffRecord& record = picture.coeffs.records[0];
  record.count = 1;
  record.kind = static_cast<std::uint8_t>(kind);
  record.qp = static_cast<std::uint8_t>(qp);
  record.flags = flags;
  picture.coeffs.positions.assign_zero(1);
  picture.coeffs.positions[0] = position;
  picture.coeffs.levels.assign_zero(1);
  picture.coeffs.levels[0] = level;
  return picture;
}

// Every position, qP and scan, one level at a time.
TEST(Residual, SingleLevelsEqualTheOracle) {
  for (const int size : {4, 8}) {
    const std::vector<std::uint8_t> flat(static_cast<std::size_t>(size * size), 16);
    for (int qp = 0; qp <= 87; ++qp) {
      for (int field = 0; field < 2; ++field) {
        for (int position = 0; position < size * size; ++position) {
          const std::int32_t level = (position % 2 == 0 ? 1 : -1) * (1 + (qp < 40 ? 37 : qp % 2));
          const PicturePrimitives picture =
              one_block(size == 4 ? CoeffKind::kBlock4x4 : CoeffKind::kBlock8x8, qp,
                        static_cast<std::uint16_t>(position), level,
                        static_cast<std::uint8_t>(field * cope::prim::kCoeffFieldScan));
          Planes<std::int16_t> out;
          out.add(0, {16, 16});
          cope::cpu::write_residual(picture, out.view);
          std::vector<std::int32_t> list(static_cast<std::size_t>(size * size), 0);
          list[static_cast<std::size_t>(position)] = level;
          const oracle::Matrix expected = oracle::residual_block(
              oracle::inverse_scan(list, size, field != 0), size, flat.data(), qp, nullptr);
          for (int y = 0; y < 16; ++y) {
            for (int x = 0; x < 16; ++x) {
              const std::int64_t e =
                  x < size && y < size
                      ? expected[static_cast<std::size_t>(y)][static_cast<std::size_t>(x)]
                      : 0;
              ASSERT_EQ(out.at(0, x, y), std::clamp<std::int64_t>(e, -32768, 32767))
                  << size << " qp " << qp << " position " << position;
            }
          }
        }
      }
    }
  }
}

// Worked by hand: level 1 at qP 24, flat weights, DC: d = 16 * 10 = 160, r = (160 + 32) >> 6 = 3.
TEST(Residual, HandWorkedDc) {
  const PicturePrimitives picture = one_block(CoeffKind::kBlock4x4, 24, 0, 1);
  Planes<std::int16_t> out;
  out.add(0, {16, 16});
  cope::cpu::write_residual(picture, out.view);
  EXPECT_EQ(out.at(0, 0, 0), 3);
  EXPECT_EQ(out.at(0, 3, 3), 3);
  EXPECT_EQ(out.at(0, 4, 0), 0);

  // Intra16x16 DC, one level 4 at qP 36: f = 4 everywhere, dcY = 4 * 160, r = (640 + 32) >> 6 = 10.
  const PicturePrimitives dc =
      one_block(CoeffKind::kIntra16x16Dc, 36, 0, 4, cope::prim::kCoeffIntra);
  cope::cpu::write_residual(dc, out.view);
  for (int i = 0; i < 16; ++i) EXPECT_EQ(out.at(0, i, 15 - i), 10);

  // The area average: 640 / 64, before the last rounding.
  Planes<float> reduced;
  reduced.add(0, {4, 4});
  const ResidualScale scale[3];
  cope::cpu::write_scaled_residual(dc, scale, reduced.view);
  for (int i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(reduced.at(0, i, 3 - i), 10.0F);
}

TEST(Residual, HugeLevelsSaturate) {
  for (const CoeffKind kind :
       {CoeffKind::kBlock4x4, CoeffKind::kBlock8x8, CoeffKind::kIntra16x16Dc}) {
    for (const std::int32_t level :
         {std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::min()}) {
      const PicturePrimitives picture = one_block(kind, 87, 0, level);
      Planes<std::int16_t> out;
      out.add(0, {16, 16});
      cope::cpu::write_residual(picture, out.view);
      EXPECT_EQ(out.at(0, 0, 0), level > 0 ? 32767 : -32768);
    }
  }
}

class RandomResidual : public testing::TestWithParam<RandomPicture::Options> {};

TEST_P(RandomResidual, FullSizeEqualsTheOracle) {
  RandomPicture::Options options = GetParam();
  for (unsigned seed = 1; seed <= 6; ++seed) {
    options.seed = seed;
    expect_full_size(RandomPicture(options));
  }
}

TEST_P(RandomResidual, ReducedSizeIsTheAreaAverage) {
  RandomPicture::Options options = GetParam();
  const double bound = options.transform_8x8 ? 0.77 : 0.54;
  for (unsigned seed = 1; seed <= 6; ++seed) {
    options.seed = seed;
    const RandomPicture random(options);
    for (const int scale : {4, 8}) {
      ResidualScale on_luma_grid[3];
      for (int i = 0; i < 3; ++i)
        on_luma_grid[i] = cope::cpu::luma_grid_scale(random.picture.info, i, scale);
      expect_average(random, on_luma_grid, bound);
    }
    for (const int x : {2, 4, 8}) {
      for (const int y : {2, 4, 8}) expect_average(random, {{x, y}, {x, y}, {x, y}}, bound);
    }
  }
}

std::vector<RandomPicture::Options> all_options() {
  std::vector<RandomPicture::Options> all;
  for (const int chroma_format_idc : {0, 1, 2, 3}) {
    for (const bool bypass : {false, true}) {
      for (const bool transform_8x8 : {false, true}) {
        RandomPicture::Options options;
        options.chroma_format_idc = chroma_format_idc;
        options.bypass = bypass;
        options.transform_8x8 = transform_8x8;
        all.push_back(options);
        options.bit_depth = 14;
        all.push_back(options);
        options.bit_depth = 10;
        options.mbaff = true;
        options.height_in_mbs = 4;
        all.push_back(options);
        options.mbaff = false;
        options.field_picture = true;
        options.width_in_mbs = options.height_in_mbs = 1;
        all.push_back(options);
      }
    }
  }
  return all;
}

std::string option_name(const testing::TestParamInfo<RandomPicture::Options>& info) {
  const RandomPicture::Options& o = info.param;
  static const char* const kFormats[] = {"400", "420", "422", "444"};
  return std::string(kFormats[o.chroma_format_idc]) + "_" + std::to_string(o.bit_depth) + "bit" +
         (o.bypass ? "_bypass" : "") + (o.transform_8x8 ? "_8x8" : "") + (o.mbaff ? "_mbaff" : "") +
         (o.field_picture ? "_field" : "");
}

INSTANTIATE_TEST_SUITE_P(AllModes, RandomResidual, testing::ValuesIn(all_options()), option_name);

TEST(Residual, LowQpRoundsAsTheStandard) {
  for (int qp = 0; qp < 42; ++qp) {
    RandomPicture::Options options;
    options.qp = qp;
    options.chroma_format_idc = 2;
    options.seed = static_cast<unsigned>(qp) + 100;
    expect_full_size(RandomPicture(options));
  }
}

TEST(Residual, UnwantedPlanesAreLeftOut) {
  const RandomPicture random({});
  Planes<std::int16_t> all, chroma;
  for (int i = 0; i < 3; ++i) all.add(i, cope::cpu::plane_size(random.picture.info, i));
  chroma.add(2, cope::cpu::plane_size(random.picture.info, 2));
  cope::cpu::write_residual(random.picture, all.view);
  cope::cpu::write_residual(random.picture, chroma.view);
  EXPECT_EQ(all.memory[2], chroma.memory[2]);
}

}  // namespace
