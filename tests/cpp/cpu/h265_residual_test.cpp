#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>

#include "cope/cpu/h265_transform.h"
#include "cope/cpu/residual.h"
#include "cope/cpu/saliency.h"
#include "h265_random_picture.h"
#include "residual_planes.h"

namespace {

using Options = H265RandomPicture::Options;

// The integers of the standard lie by the cosines that they stand for.
TEST(H265Transform, MatricesAreTheOracles) {
  for (int log2_size = 2; log2_size <= 5; ++log2_size) {
    const int size = 1 << log2_size;
    const oracle::Matrix expected = oracle::h265::dct(size);
    for (int k = 0; k < size; ++k) {
      const std::int8_t* const b = cope::cpu::h265::basis_function(log2_size, false, k);
      for (int i = 0; i < size; ++i) {
        ASSERT_EQ(b[i], expected[static_cast<std::size_t>(k)][static_cast<std::size_t>(i)]);
        const double cosine = std::cos(std::numbers::pi * k * (2 * i + 1) / (2 * size));
        EXPECT_NEAR(b[i], 64 * (k == 0 ? 1 : std::numbers::sqrt2) * cosine, 1.4);
      }
    }
  }
  for (int k = 0; k < 4; ++k) {
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(cope::cpu::h265::basis_function(2, true, k)[i],
                oracle::h265::kDst[static_cast<std::size_t>(k)][static_cast<std::size_t>(i)]);
      EXPECT_NEAR(cope::cpu::h265::basis_function(2, true, k)[i],
                  128 / 1.5 * std::sin(std::numbers::pi * (2 * k + 1) * (i + 1) / 9), 1.1);
    }
  }
}

// Worked by hand. qP 28, m 16, 8 bits, 4x4, level 3: d = (3 * 16 * 64 << 4) + 16 >> 5 = 1536;
// e = (64 * 1536 + 64) >> 7 = 768; r = (64 * 768 + 2048) >> 12 = 12.
TEST(H265Residual, HandWorkedDc) {
  cope::prim::PicturePrimitives picture;
  picture.info.codec = cope::prim::Codec::kH265;
  picture.info.width = picture.info.height = 8;
  picture.info.chroma_format_idc = 0;
  picture.scaling.resize(1);
  std::fill_n(&picture.scaling[0].weight_4x4[0][0], 6 * 16, std::uint8_t{16});
  picture.coeffs.records.assign_zero(1);
  auto& record = picture.coeffs.records[0];
  record.x = record.y = 4;
  record.count = 1;
  record.qp = 28;
  record.kind = static_cast<std::uint8_t>(cope::prim::CoeffKind::kTransform4x4);
  picture.coeffs.positions.assign_zero(1);
  picture.coeffs.levels.assign_zero(1);
  picture.coeffs.levels[0] = 3;
  Planes<std::int16_t> out;
  out.add(0, {8, 8});
  cope::cpu::write_residual(picture, out.view);
  EXPECT_EQ(out.at(0, 4, 4), 12);
  EXPECT_EQ(out.at(0, 7, 7), 12);
  EXPECT_EQ(out.at(0, 3, 4), 0);
  // Skipped: r = ((1536 << 7) + 2048) >> 12 = 48, in one sample.
  record.flags = cope::prim::kCoeffTransformSkip;
  cope::cpu::write_residual(picture, out.view);
  EXPECT_EQ(out.at(0, 4, 4), 48);
  EXPECT_EQ(out.at(0, 5, 4), 0);
  record.flags |= cope::prim::kCoeffRotate | cope::prim::kCoeffRdpcmVertical;
  cope::cpu::write_residual(picture, out.view);
  EXPECT_EQ(out.at(0, 4, 4), 0);
  EXPECT_EQ(out.at(0, 7, 7), 48);
}

class H265RandomResidual : public testing::TestWithParam<Options> {};

TEST_P(H265RandomResidual, FullSizeEqualsTheOracle) {
  Options options = GetParam();
  for (unsigned seed = 1; seed <= 4; ++seed) {
    options.seed = seed;
    expect_full_size(H265RandomPicture(options));
    options.huge_levels = seed % 2 == 1;
  }
}

TEST_P(H265RandomResidual, ReducedSizeIsTheAreaAverage) {
  Options options = GetParam();
  const int depth = std::max(options.bit_depth_luma, options.bit_depth_chroma);
  const double bound = 0.5 + 0.23 * std::pow(2.0, options.extended_precision ? 1 : depth - 8);
  for (unsigned seed = 1; seed <= 4; ++seed) {
    options.seed = seed;
    const H265RandomPicture random(options);
    for (const int scale : {4, 8}) {
      cope::cpu::ResidualScale on_luma_grid[3];
      for (int i = 0; i < 3; ++i) {
        on_luma_grid[i] = cope::cpu::luma_grid_scale(random.picture.info, i, scale);
      }
      expect_average(random, on_luma_grid, bound);
    }
    for (const int x : {2, 4}) {
      for (const int y : {2, 4}) expect_average(random, {{x, y}, {x, y}, {x, y}}, bound);
    }
  }
}

// Parseval: the energy of the levels is that of the samples, up to their rounding and to how little
// the integer bases miss of being orthonormal.
TEST_P(H265RandomResidual, EnergyIsTheMeanSquareOfTheFullSizeResidual) {
  Options options = GetParam();
  options.width = options.height = 64;
  for (unsigned seed = 1; seed <= 4; ++seed) {
    options.seed = seed;
    H265RandomPicture random(options);
    const auto grid = cope::cpu::make_cell_grid(random.picture.info, 32);
    std::vector<float> energy(grid.size(), 0.0F);
    cope::cpu::accumulate_saliency(random.picture, grid, 1.0F, nullptr, energy.data());
    const double unit = 255.0 * (1 << (options.bit_depth_luma - 8));
    for (std::size_t cell = 0; cell < grid.size(); ++cell) {
      double sum = 0;
      for (std::size_t i = 0; i < 1024; ++i) {
        const auto r =
            static_cast<double>(random.residual[0][cell / 2 * 32 + i / 32][cell % 2 * 32 + i % 32]);
        sum += r * r;
      }
      const double rms = std::sqrt(sum / 1024);
      const double bound = 0.5 + 0.23 * std::pow(2.0, options.bit_depth_luma - 8);
      EXPECT_NEAR(std::sqrt(energy[cell]) * unit, rms, bound + rms * 4e-3);
    }
  }
}

std::vector<Options> all_options() {
  std::vector<Options> all;
  for (const int chroma_format_idc : {0, 1, 2, 3}) {
    for (const bool transform_only : {false, true}) {
      Options options;
      options.chroma_format_idc = chroma_format_idc;
      options.transform_only = transform_only;
      all.push_back(options);
      options.bit_depth_luma = 10;
      options.bit_depth_chroma = 9;
      all.push_back(options);
      options.bit_depth_luma = options.bit_depth_chroma = 12;
      all.push_back(options);
      options.bit_depth_luma = options.bit_depth_chroma = 16;
      options.extended_precision = true;
      all.push_back(options);
    }
  }
  return all;
}

std::string option_name(const testing::TestParamInfo<Options>& info) {
  const Options& o = info.param;
  static const char* const kFormats[] = {"400", "420", "422", "444"};
  return std::string(kFormats[o.chroma_format_idc]) + "_" + std::to_string(o.bit_depth_luma) +
         "bit" + (o.transform_only ? "_transforms" : "") +
         (o.extended_precision ? "_extended" : "");
}

INSTANTIATE_TEST_SUITE_P(AllModes, H265RandomResidual, testing::ValuesIn(all_options()),
                         option_name);

}  // namespace
