#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "cope/cpu/compose.h"
#include "cope/cpu/rasterise.h"
#include "cope/cpu/saliency.h"
#include "hand_picture.h"

/// What H.265 brings behind the seam: maps of blocks of other sizes than 16, and coded sizes that
/// are multiples of 8 only. A picture with 16x16 blocks, cropped to the same size, must give the
/// same.

namespace {

using cope::cpu::WindowComposer;
using cope::prim::BlockType;
using cope::prim::PicturePrimitives;

constexpr int kWidth = 72, kHeight = 40;

/// Random motion and bits per 16x16 block, with 8x8 and 4x4 partitions among them; cropped to
/// kWidth x kHeight. Vectors point left and up, away from what only the uncropped picture has.
HandPicture cropped_picture(std::int64_t decode_index, unsigned seed) {
  std::mt19937 rng(seed);
  const auto uniform = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(rng);
  };
  HandPicture p(decode_index, 5, 3);
  p.refs(0, {decode_index - 1}).refs(1, {decode_index - 2});
  p.picture.info.crop_right = 80 - kWidth;
  p.picture.info.crop_bottom = 48 - kHeight;
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 5; ++x) {
      p.picture.blocks.bits[p.mb(x, y)] = static_cast<std::uint32_t>(4 * uniform(0, 100));
      const int kind = uniform(0, 7);
      if (kind == 0) continue;  // intra
      if (kind == 1) {
        p.type(x, y, BlockType::kLost);
        continue;
      }
      const int size = kind < 5 ? 4 : kind < 7 ? 2 : 1;
      for (int i = 0; i < 16; i += size * 4) {
        for (int j = 0; j < 4; j += size) {
          const int mvx = -uniform(0, 60), mvy = -uniform(0, 40), list = uniform(0, 1);
          for (int k = 0; k < size * size; ++k) {
            p.cell_mv(list, x * 4 + j + k % size, y * 4 + i / 4 + k / size, mvx, mvy);
          }
        }
      }
    }
  }
  return p;
}

/// The same with coded size kWidth x kHeight and 8x8 blocks.
PicturePrimitives with_small_blocks(const HandPicture& from) {
  const PicturePrimitives& source = from.picture;
  PicturePrimitives p;
  p.info = source.info;
  p.info.codec = cope::prim::Codec::kH265;
  p.info.width = kWidth;
  p.info.height = kHeight;
  p.info.crop_right = p.info.crop_bottom = 0;
  p.slice_refs = source.slice_refs;
  p.scaling = source.scaling;
  p.allocate_blocks(kWidth, kHeight, 8);
  for (int y = 0; y < p.blocks.height; ++y) {
    for (int x = 0; x < p.blocks.width; ++x) {
      const auto to = static_cast<std::size_t>(y * p.blocks.width + x);
      const std::size_t mb = from.mb(x / 2, y / 2);
      p.blocks.type[to] = source.blocks.type[mb];
      p.blocks.flags[to] = 0;
      p.blocks.partition[to] = 3;
      p.blocks.partition_shape[to] = 0;
      p.blocks.slice_idx[to] = 0;
      p.blocks.bits[to] = source.blocks.bits[mb] / 4;
    }
  }
  for (int list = 0; list < 2; ++list) {
    for (int y = 0; y < p.motion.height_4x4; ++y) {
      for (int x = 0; x < p.motion.width_4x4; ++x) {
        const auto to =
            static_cast<std::size_t>((list * p.motion.height_4x4 + y) * p.motion.width_4x4 + x);
        p.motion.mv[to] = source.motion.mv[from.cell(list, x, y)];
        p.motion.ref_idx[to] = source.motion.ref_idx[from.cell(list, x, y)];
      }
    }
  }
  p.coeffs.records.assign_zero(0);
  return p;
}

struct Fields {
  explicit Fields(std::size_t size)
      : motion(2 * size), valid(size), intra(size), lost(size), saliency(3 * size) {}
  std::vector<float> motion, valid, intra, lost, saliency;
};

void expect_near(const std::vector<float>& a, const std::vector<float>& b, const char* what) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-5) << what << " " << i;
}

TEST(H265Fields, SmallBlocksGiveWhatLargeOnesGive) {
  const HandTimes times({0.0, 0.1, 0.2, 0.3, 0.4});
  for (const int cell : {4, 8, 16}) {
    WindowComposer large({cell, 4}), small({cell, 4});
    large.begin(std::vector<std::int64_t>{0}, 0.0);
    small.begin(std::vector<std::int64_t>{0}, 0.0);
    for (std::int64_t i = 1; i <= 4; ++i) {
      const HandPicture a = cropped_picture(i, static_cast<unsigned>(i) + 10);
      const PicturePrimitives b = with_small_blocks(a);
      const auto grid = cope::cpu::make_cell_grid(a.picture.info, cell);
      ASSERT_EQ(grid, cope::cpu::make_cell_grid(b.info, cell));

      Fields fa(grid.size()), fb(grid.size());
      const auto rule = cope::cpu::BiPrediction::kAverage;
      cope::cpu::rasterise_motion(a, times, grid, rule, fa.motion.data(), fa.valid.data());
      cope::cpu::rasterise_motion(b, times, grid, rule, fb.motion.data(), fb.valid.data());
      expect_near(fa.motion, fb.motion, "rasterised motion");
      expect_near(fa.valid, fb.valid, "rasterised valid");
      cope::cpu::write_saliency(a, grid, fa.motion.data(), fa.saliency.data());
      cope::cpu::write_saliency(b, grid, fb.motion.data(), fb.saliency.data());
      expect_near(fa.saliency, fb.saliency, "saliency");

      large.add(a, times);
      small.add(b, times);
      const auto result = [](const WindowComposer& composer, std::int64_t target, Fields& f) {
        return composer.result(target, {f.motion.data(), f.valid.data(), f.intra.data(),
                                        f.lost.data(), nullptr, nullptr, f.saliency.data()});
      };
      ASSERT_TRUE(result(large, i, fa));
      ASSERT_TRUE(result(small, i, fb));
      expect_near(fa.motion, fb.motion, "composed motion");
      expect_near(fa.valid, fb.valid, "composed valid");
      expect_near(fa.intra, fb.intra, "composed intra");
      expect_near(fa.lost, fb.lost, "composed lost");
      expect_near(fa.saliency, fb.saliency, "composed saliency");
    }
  }
}

}  // namespace
