#include "cope/cpu/compose.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "hand_picture.h"

namespace {

using cope::cpu::BiPrediction;
using cope::cpu::ComposeOptions;
using cope::cpu::WindowComposer;
using cope::prim::BlockType;

/// Result of a window at the resolution of the lattice, in luma samples and samples of 8 bits.
struct Composed {
  Composed(const WindowComposer& composer, std::int64_t target, const HandPicture& like,
           double seconds) {
    const auto& grid = composer.grid();
    width = grid.width;
    const std::size_t size = grid.size();
    motion.resize(2 * size);
    valid.resize(size);
    intra.resize(size);
    lost.resize(size);
    scaled.resize(size);
    saliency.resize(3 * size);
    residual.resize(3 * composer.residual_grid().size());
    residual_width = composer.residual_grid().width;
    ok = composer.result(target, {motion.data(), valid.data(), intra.data(), lost.data(),
                                  scaled.data(), residual.data(), saliency.data()});
    x_unit = like.picture.info.width * seconds;
    y_unit = like.picture.info.height * seconds;
  }
  std::size_t at(int x, int y) const { return static_cast<std::size_t>(y * width + x); }
  double dx(int x, int y) const { return motion[at(x, y)] * x_unit; }
  double dy(int x, int y) const { return motion[motion.size() / 2 + at(x, y)] * y_unit; }
  double r(int x, int y) const {
    return residual[static_cast<std::size_t>(y * residual_width + x)] * 255.0;
  }

  bool ok = false;
  int width = 0, residual_width = 0;
  double x_unit = 1, y_unit = 1;
  std::vector<float> motion, valid, intra, lost, scaled, saliency, residual;
};

constexpr ComposeOptions kFine{4, 4, BiPrediction::kAverage};

TEST(Compose, TranslationAddsUpAlongAChain) {
  const HandTimes times({0.0, 0.1, 0.2, 0.3});
  WindowComposer composer(kFine);
  composer.begin(std::vector<std::int64_t>{0}, 0.0);
  for (std::int64_t i = 1; i <= 3; ++i) {
    HandPicture p(i, 3, 5);
    p.refs(0, {i - 1}).all_mv(0, -4 * static_cast<int>(i), 8);
    composer.add(p, times);
  }
  const HandPicture like(0, 3, 5);
  const Composed c(composer, 3, like, 0.3);
  ASSERT_TRUE(c.ok);
  for (int y = 0; y < 20; ++y) {
    for (int x = 0; x < 12; ++x) {
      EXPECT_NEAR(c.dx(x, y), -6.0, 1e-4);
      EXPECT_NEAR(c.dy(x, y), 6.0, 1e-4);
      EXPECT_EQ(c.valid[c.at(x, y)], 1.0F);
      EXPECT_EQ(c.intra[c.at(x, y)] + c.lost[c.at(x, y)] + c.scaled[c.at(x, y)], 0.0F);
      EXPECT_EQ(c.r(x, y), 0.0);
    }
  }
}

// D_t(x) = v + D_ref(x + v): the place looked up in the reference is where the vector leads.
TEST(Compose, LooksUpTheReferenceWhereTheVectorLeads) {
  const HandTimes times({0.0, 1.0, 2.0});
  WindowComposer composer(kFine);
  composer.begin(std::vector<std::int64_t>{0}, 0.0);
  HandPicture p1(1, 3, 3);
  p1.refs(0, {0}).all_mv(0, 0, 0).mb_mv(0, 1, 1, 20, -40).residual(4, 4, 2);
  composer.add(p1, times);
  // Macroblock (2, 1) comes from macroblock (1, 1); macroblock (0, 0) from outside, left of the
  // picture.
  HandPicture p2(2, 3, 3);
  p2.refs(0, {1})
      .all_mv(0, 0, 0)
      .mb_mv(0, 2, 1, -64, 0)
      .mb_mv(0, 0, 1, 64 - 4, 4)
      .mb_mv(0, 0, 0, -400, -400);
  p2.residual(8, 4, 1);
  composer.add(p2, times);
  const Composed c(composer, 2, p2, 2.0);
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(c.dx(8 + i, 4 + i), -16.0 + 5.0, 1e-4);
    EXPECT_NEAR(c.dy(8 + i, 4 + i), -10.0, 1e-4);
    EXPECT_NEAR(c.dx(4 + i, 4), 5.0, 1e-4);  // still there: zero vector
    EXPECT_NEAR(c.dx(i, 4 + i), 15.0 + 5.0,
                1e-4);  // one sample short of a macroblock: nearest block
    EXPECT_NEAR(c.dy(i, 4 + i), 1.0 - 10.0, 1e-4);
    EXPECT_NEAR(c.dx(i, i), -100.0, 1e-4);  // clamped to the corner, which does not move
  }
  EXPECT_NEAR(c.r(8, 4), 20.0 + 10.0, 1e-3);  // carried along, plus its own
  EXPECT_NEAR(c.r(9, 4), 0.0, 1e-3);
  EXPECT_NEAR(c.r(4, 4), 20.0, 1e-3);
  EXPECT_NEAR(c.r(0, 4), 20.0, 1e-3);
}

TEST(Compose, SubSampleVectorsChooseTheBlockOfTheCentre) {
  const HandTimes times({0.0, 1.0, 2.0});
  // The centre of block 4 is at 18; block 5 begins at 20. Seven quarters stay, eight cross.
  for (const int mv : {7, 8, -8, -9}) {
    WindowComposer composer(kFine);
    composer.begin(std::vector<std::int64_t>{0}, 0.0);
    HandPicture p1(1, 3, 3);
    p1.refs(0, {0}).all_mv(0, 0, 0);
    p1.cell_mv(0, 5, 4, 100, 0).cell_mv(0, 3, 4, 300, 0);
    p1.cell_mv(0, 4, 5, 100, 0).cell_mv(0, 4, 3, 300, 0);
    composer.add(p1, times);
    const double expected = mv == 8 ? 25.0 : mv == -9 ? 75.0 : 0.0;
    HandPicture across(2, 3, 3), down(3, 3, 3);
    across.refs(0, {1}).all_mv(0, 0, 0).cell_mv(0, 4, 4, mv, 0);
    composer.add(across, times);
    EXPECT_NEAR(Composed(composer, 2, across, 2.0).dx(4, 4), mv * 0.25 + expected, 1e-4) << mv;
    down.picture.info.decode_index = 2;
    down.refs(0, {1}).all_mv(0, 0, 0).cell_mv(0, 4, 4, 0, mv);
    composer.add(down, times);
    const Composed c(composer, 2, down, 2.0);
    EXPECT_NEAR(c.dx(4, 4), expected, 1e-4) << mv;
    EXPECT_NEAR(c.dy(4, 4), mv * 0.25, 1e-4) << mv;
  }
}

// A macroblock that leads over an edge reads block by block, each clamped on its own.
TEST(Compose, EdgesClampBlockByBlock) {
  const HandTimes times({0.0, 1.0, 2.0});
  WindowComposer composer(kFine);
  composer.begin(std::vector<std::int64_t>{0}, 0.0);
  HandPicture p1(1, 1, 1), p2(2, 1, 1);
  p1.refs(0, {0});
  for (int i = 0; i < 16; ++i) p1.cell_mv(0, i % 4, i / 4, 4 * (i % 4), 4 * (i / 4));
  composer.add(p1, times);
  p2.refs(0, {1}).all_mv(0, 32, -16);  // two blocks right, one up
  composer.add(p2, times);
  const Composed c(composer, 2, p2, 2.0);
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(c.dx(i, i), 8.0 + std::min(i + 2, 3), 1e-4);
    EXPECT_NEAR(c.dy(i, i), -4.0 + std::max(i - 1, 0), 1e-4);
  }
}

TEST(Compose, BiPredictionAveragesBothChains) {
  // Shown 0, 2 (P, 1.0 s), 1 (B, 0.4 s): decoding order 0, 1, 2.
  const HandTimes times({0.0, 1.0, 0.4});
  HandPicture p(1, 1, 1);
  p.refs(0, {0}).all_mv(0, -40, 0).residual(1, 0, 4);  // where list 1 leads
  HandPicture b(2, 1, 1);
  b.refs(0, {0}).refs(1, {1}).all_mv(0, -12, 0).all_mv(1, 20, 4).residual(0, 0, 1);
  const auto compose = [&](BiPrediction rule) {
    WindowComposer composer({4, 4, rule});
    composer.begin(std::vector<std::int64_t>{0}, 0.0);
    composer.add(p, times);
    composer.add(b, times);
    return Composed(composer, 2, b, 0.4);
  };
  // List 0: -3. List 1: 5 + -10 = -5.
  EXPECT_NEAR(compose(BiPrediction::kAverage).dx(0, 0), -4.0, 1e-4);
  EXPECT_NEAR(compose(BiPrediction::kAverage).dy(0, 0), 0.5, 1e-4);
  EXPECT_NEAR(compose(BiPrediction::kAverage).r(0, 0), 10.0 + 20.0, 1e-3);
  EXPECT_NEAR(compose(BiPrediction::kList0).dx(0, 0), -3.0, 1e-4);
  EXPECT_NEAR(compose(BiPrediction::kList0).r(0, 0), 10.0, 1e-3);
  EXPECT_NEAR(compose(BiPrediction::kNearest).dx(0, 0), -3.0, 1e-4);  // 0.4 s against 0.6 s
}

TEST(Compose, NearestTakesTheNearerList) {
  const HandTimes times({0.0, 1.0, 0.7});
  HandPicture p(1, 1, 1), b(2, 1, 1);
  p.refs(0, {0}).all_mv(0, -40, 0);
  b.refs(0, {0}).refs(1, {1}).all_mv(0, -12, 0).all_mv(1, 20, 4);
  WindowComposer composer({4, 4, BiPrediction::kNearest});
  composer.begin(std::vector<std::int64_t>{0}, 0.0);
  composer.add(p, times);
  composer.add(b, times);
  EXPECT_NEAR(Composed(composer, 2, b, 0.7).dx(0, 0), -5.0, 1e-4);
}

TEST(Compose, ChainsStopAtIntraAndLostBlocks) {
  const HandTimes times({0.0, 1.0, 2.0});
  WindowComposer composer(kFine);
  composer.begin(std::vector<std::int64_t>{0}, 0.0);
  HandPicture p1(1, 4, 1);
  p1.refs(0, {0}).all_mv(0, 8, 0);
  p1.type(1, 0, BlockType::kI4x4).type(2, 0, BlockType::kLost).type(3, 0, BlockType::kPcm);
  p1.residual(4, 0, 3);
  composer.add(p1, times);
  HandPicture p2(2, 4, 1);
  p2.refs(0, {1}).all_mv(0, 4, 0);
  composer.add(p2, times);
  const Composed c(composer, 2, p2, 2.0);
  EXPECT_EQ(c.valid[0], 1.0F);
  EXPECT_NEAR(c.dx(0, 0), 3.0, 1e-4);
  EXPECT_EQ(c.intra[4], 1.0F);
  EXPECT_EQ(c.valid[4], 0.0F);
  EXPECT_EQ(c.motion[4], 0.0F);  // motion speaks of valid blocks only
  EXPECT_NEAR(c.r(4, 0), 30.0, 1e-3);
  EXPECT_EQ(c.lost[8], 1.0F);
  EXPECT_EQ(c.intra[8], 0.0F);
  EXPECT_EQ(c.valid[8], 0.0F);
  EXPECT_EQ(c.intra[12], 1.0F);
}

TEST(Compose, MissingReferencesAreLost) {
  const HandTimes times({0.0, 1.0, 2.0, 3.0});
  WindowComposer composer(kFine);
  composer.begin(std::vector<std::int64_t>{0}, 0.0);
  HandPicture p(3, 4, 1);
  // Missing by its mark; never added though after the start; unknown; the start.
  p.refs(0, {0, 2, -1, 0}).all_mv(0, 0, 0);
  p.picture.slice_refs[0].ref[0][0].is_missing = true;
  for (int i = 0; i < 4; ++i) p.mb_mv(0, i, 0, 4, 0, i);
  composer.add(p, times);
  const Composed c(composer, 3, p, 3.0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(c.lost[static_cast<std::size_t>(4 * i)], 1.0F) << i;
  EXPECT_EQ(c.lost[12], 0.0F);
  EXPECT_NEAR(c.dx(12, 0), 1.0, 1e-4);
}

TEST(Compose, ReferencesBehindTheStartAreScaled) {
  // Picture 0 at 0 s lies behind the start, picture 1 at 1 s.
  const HandTimes times({0.0, 1.0, 3.0});
  WindowComposer composer(kFine);
  composer.begin(std::vector<std::int64_t>{1}, 1.0);
  HandPicture p(2, 2, 1);
  p.refs(0, {1, 0}).mb_mv(0, 0, 0, 24, 0, 0).mb_mv(0, 1, 0, 24, 12, 1).residual(4, 0, 1);
  composer.add(p, times);
  const Composed c(composer, 2, p, 2.0);
  EXPECT_NEAR(c.dx(0, 0), 6.0, 1e-4);
  EXPECT_EQ(c.scaled[0], 0.0F);
  EXPECT_NEAR(c.dx(4, 0), 6.0 * 2.0 / 3.0, 1e-4);
  EXPECT_NEAR(c.dy(4, 0), 3.0 * 2.0 / 3.0, 1e-4);
  EXPECT_EQ(c.scaled[4], 1.0F);
  EXPECT_EQ(c.valid[4], 1.0F);
  EXPECT_NEAR(c.r(4, 0), 10.0, 1e-3);
}

// A B picture decoded after the start and shown before it need not be added.
TEST(Compose, ReferencesShownBeforeTheStartAreScaled) {
  const HandTimes times({1.0, 0.5, 2.0, 1.5});
  WindowComposer composer(kFine);
  composer.begin(std::vector<std::int64_t>{0}, 1.0);
  HandPicture p(2, 2, 1);
  p.refs(0, {1, 3}).mb_mv(0, 0, 0, 24, 0, 0).mb_mv(0, 1, 0, 24, 0, 1);
  composer.add(p, times);
  const Composed c(composer, 2, p, 1.0);
  EXPECT_NEAR(c.dx(0, 0), 6.0 * 1.0 / 1.5, 1e-4);
  EXPECT_EQ(c.scaled[0], 1.0F);
  EXPECT_EQ(c.lost[0], 0.0F);
  EXPECT_EQ(c.lost[4], 1.0F);  // inside the window and not there
}

TEST(Compose, PartitionsDownToSingleBlocks) {
  const HandTimes times({0.0, 1.0, 2.0});
  WindowComposer composer(kFine);
  composer.begin(std::vector<std::int64_t>{0}, 0.0);
  HandPicture p1(1, 3, 3);
  p1.refs(0, {0});
  for (int y = 0; y < 12; ++y) {
    for (int x = 0; x < 12; ++x) p1.cell_mv(0, x, y, x * 4, y * 4);
  }
  composer.add(p1, times);
  HandPicture p2(2, 3, 3);
  p2.refs(0, {1});
  // Vectors of whole blocks that differ per block, per 8x8 and per macroblock.
  const auto vx = [](int x, int y) {
    return x < 4 ? (x + y) % 3 - 1 : x < 8 ? (x / 2 + y / 2) % 3 - 1 : 2;
  };
  for (int y = 0; y < 12; ++y) {
    for (int x = 0; x < 12; ++x) p2.cell_mv(0, x, y, 16 * vx(x, y), -16);
  }
  composer.add(p2, times);
  const Composed c(composer, 2, p2, 2.0);
  for (int y = 0; y < 12; ++y) {
    for (int x = 0; x < 12; ++x) {
      const int ref_x = std::min(std::max(x + vx(x, y), 0), 11), ref_y = std::max(y - 1, 0);
      EXPECT_NEAR(c.dx(x, y), 4.0 * vx(x, y) + ref_x, 1e-3) << x << " " << y;
      EXPECT_NEAR(c.dy(x, y), -4.0 + ref_y, 1e-3) << x << " " << y;
    }
  }
}

TEST(Compose, PoolsToCells) {
  const HandTimes times({0.0, 0.5});
  WindowComposer composer({16, 8, BiPrediction::kAverage});
  composer.begin(std::vector<std::int64_t>{0}, 0.0);
  HandPicture p(1, 2, 1);
  p.picture.info.bit_depth_luma = 10;
  p.refs(0, {0}).mb_mv(0, 0, 0, 4, 0).cell_mv(0, 0, 0, 36, 0).residual(0, 0, 4);
  p.picture.blocks.bits[0] = 128;
  composer.add(p, times);
  const Composed c(composer, 1, p, 0.5);
  ASSERT_EQ(c.width, 2);
  ASSERT_EQ(c.residual_width, 4);
  EXPECT_NEAR(c.dx(0, 0), (15 * 1.0 + 9.0) / 16, 1e-4);
  EXPECT_FLOAT_EQ(c.motion[0], 1.5F / 32.0F / 0.5F);
  EXPECT_EQ(c.valid[0], 1.0F);
  EXPECT_EQ(c.intra[1], 1.0F);
  EXPECT_NEAR(c.r(0, 0), 40.0 / 4 / 4, 1e-4);  // a quarter of the cell; ten bits to eight
  EXPECT_NEAR(c.r(1, 0), 0.0, 1e-4);
  EXPECT_FLOAT_EQ(c.saliency[0], 0.5F);
  EXPECT_NEAR(c.saliency[2], 10.0 / 255.0 / 4.0, 1e-6);
  EXPECT_NEAR(c.saliency[4], c.motion[0] * 2, 1e-6);  // twice as wide as high
}

TEST(Compose, ChromaSharesTheGrid) {
  for (const int format : {0, 1, 2, 3}) {
    const HandTimes times({0.0, 1.0});
    HandPicture p(1, 1, 1);
    p.picture.info.chroma_format_idc = static_cast<std::uint8_t>(format);
    p.refs(0, {0}).all_mv(0, 0, 0).residual(0, 0, 1).residual(0, 0, 1);
    auto& record = p.picture.coeffs.records[1];
    record.plane = 2;
    if (format == 0) p.picture.coeffs.records.set_size(1);
    WindowComposer composer(kFine);
    composer.begin(std::vector<std::int64_t>{0}, 0.0);
    composer.add(p, times);
    const Composed c(composer, 1, p, 1.0);
    ASSERT_EQ(c.residual.size(), 48U);
    // A 4x4 chroma block covers 2x2, 2x1 or 1x1 blocks of the luma lattice.
    for (int y = 0; y < 4; ++y) {
      for (int x = 0; x < 4; ++x) {
        const bool covered = format != 0 && x < (format == 3 ? 1 : 2) && y < (format == 1 ? 2 : 1);
        EXPECT_NEAR(c.residual[static_cast<std::size_t>(32 + y * 4 + x)] * 255,
                    covered ? 10.0 : 0.0, 1e-3)
            << format << " " << x << " " << y;
      }
    }
  }
}

TEST(Compose, ForgetsWhatIsNotLiveAndReusesWindows) {
  const HandTimes times({0.0, 1.0, 2.0, 3.0});
  WindowComposer composer(kFine);
  for (int round = 0; round < 2; ++round) {
    composer.begin(std::vector<std::int64_t>{0}, 0.0);
    HandPicture p1(1, 1, 1), p2(2, 1, 1), p3(3, 2, 1);
    p1.refs(0, {0}).all_mv(0, 4, 0);
    p2.refs(0, {1}).all_mv(0, 4, 0);
    composer.add(p1, times);
    composer.add(p2, times);
    EXPECT_NEAR(Composed(composer, 1, p1, 1.0).dx(0, 0), 1.0, 1e-4);
    EXPECT_NEAR(Composed(composer, 2, p2, 2.0).dx(0, 0), 2.0, 1e-4);
    composer.retain(std::vector<std::int64_t>{1});
    EXPECT_TRUE(Composed(composer, 1, p1, 1.0).ok);
    EXPECT_TRUE(Composed(composer, 2, p2, 1.0).ok) << "the last one stays";
    composer.retain({});
    EXPECT_FALSE(Composed(composer, 1, p1, 1.0).ok);
    // Another size: its references are of no use, earlier targets neither.
    p3.refs(0, {2}).all_mv(0, 4, 0);
    composer.add(p3, times);
    EXPECT_FALSE(Composed(composer, 2, p2, 1.0).ok);
    EXPECT_EQ(Composed(composer, 3, p3, 3.0).lost[0], 1.0F);
  }
  EXPECT_FALSE(Composed(composer, 9, HandPicture(9, 1, 1), 1.0).ok);
}

TEST(Compose, SlicesHaveTheirOwnReferences) {
  const HandTimes times({0.0, 1.0, 2.0});
  WindowComposer composer(kFine);
  composer.begin(std::vector<std::int64_t>{0}, 0.0);
  HandPicture p1(1, 2, 1);
  p1.refs(0, {0}).all_mv(0, 40, 0);
  composer.add(p1, times);
  HandPicture p2(2, 2, 1);
  p2.refs(0, {0}).all_mv(0, 4, 0);
  p2.picture.slice_refs.push_back(p2.picture.slice_refs[0]);
  p2.picture.slice_refs[1].ref[0][0].decode_index = 1;
  p2.picture.blocks.slice_idx[1] = 1;
  composer.add(p2, times);
  const Composed c(composer, 2, p2, 2.0);
  EXPECT_NEAR(c.dx(0, 0), 1.0, 1e-4);
  EXPECT_NEAR(c.dx(4, 0), 11.0, 1e-4);
}

TEST(Compose, FieldsAndFramesExchangeRows) {
  const HandTimes times({0.0, 1.0, 1.02, 2.0, 3.0});
  WindowComposer composer(kFine);
  composer.begin(std::vector<std::int64_t>{0}, 0.0);
  // Pictures 1 and 2: the fields of a frame of 32 rows. Row vectors count field rows.
  HandPicture top(1, 1, 1), bottom(2, 1, 1), frame(3, 1, 2), last(4, 1, 1);
  top.picture.info.structure = cope::prim::PictureStructure::kTop;
  bottom.picture.info.structure = cope::prim::PictureStructure::kBottom;
  last.picture.info.structure = cope::prim::PictureStructure::kTop;
  top.refs(0, {0}).all_mv(0, 0, 8).cell_mv(0, 2, 3, 16, 16);
  bottom.refs(0, {1}).all_mv(0, 0, 4);
  composer.add(top, times);
  composer.add(bottom, times);
  const Composed field(composer, 2, bottom, 1.02);
  ASSERT_EQ(field.valid.size(), 4U * 8U) << "grid of the frame";
  EXPECT_NEAR(field.dy(0, 0), 3.0, 1e-4);  // of 16 rows
  // A frame that refers to the frame of both fields: two rows of the first field are four rows.
  frame.refs(0, {1}).all_mv(0, 0, 0);
  composer.add(frame, times);
  const Composed whole(composer, 3, frame, 2.0);
  EXPECT_NEAR(whole.dy(0, 0), 4.0, 1e-4);
  EXPECT_NEAR(whole.dy(2, 6), 8.0, 1e-4);
  EXPECT_NEAR(whole.dy(2, 7), 8.0, 1e-4);
  EXPECT_NEAR(whole.dx(2, 7), 4.0, 1e-4);
  EXPECT_NEAR(whole.dx(2, 5), 0.0, 1e-4);
  // A field that refers to a field of that frame.
  last.refs(0, {3}).all_mv(0, 0, 4);
  composer.add(last, times);
  const Composed back(composer, 4, last, 3.0);
  EXPECT_NEAR(back.dy(0, 0), 1.0 + 2.0, 1e-4);
  EXPECT_NEAR(back.dy(2, 6), 1.0 + 4.0, 1e-4);
}

TEST(Compose, BothFieldsOfAPairCanBeTheStart) {
  const HandTimes times({0.0, 0.02, 1.0});
  WindowComposer composer(kFine);
  composer.begin(std::vector<std::int64_t>{0, 1}, 0.0);
  HandPicture p(2, 2, 1);
  p.picture.info.structure = cope::prim::PictureStructure::kTop;
  p.refs(0, {0, 1}).mb_mv(0, 0, 0, 4, 0, 0).mb_mv(0, 1, 0, 8, 0, 1);
  composer.add(p, times);
  const Composed c(composer, 2, p, 1.0);
  EXPECT_EQ(c.lost[0] + c.lost[4], 0.0F);
  EXPECT_NEAR(c.dx(4, 0), 2.0, 1e-4);
}

TEST(Compose, MbaffFieldMacroblocksStandOnTheirRows) {
  const HandTimes times({0.0, 1.0, 2.0});
  WindowComposer composer(kFine);
  composer.begin(std::vector<std::int64_t>{0}, 0.0);
  HandPicture p1(1, 1, 2);
  p1.refs(0, {0}).all_mv(0, 4, 0).mb_mv(0, 0, 1, 40, 0);  // lower half moves on
  composer.add(p1, times);
  HandPicture p2(2, 1, 2);
  p2.picture.info.mbaff = true;
  p2.picture.blocks.flags[0] = p2.picture.blocks.flags[1] = cope::prim::kFieldBlock;
  // ref_idx 0 and 1 are both fields of entry 0. Two field rows down are four rows of the frame.
  p2.refs(0, {1}).mb_mv(0, 0, 0, 0, 8, 0).mb_mv(0, 0, 1, 0, 0, 1);
  composer.add(p2, times);
  const Composed c(composer, 2, p2, 2.0);
  EXPECT_NEAR(c.dy(0, 0), 4.0, 1e-4);  // top field
  EXPECT_NEAR(c.dy(0, 1), 0.0, 1e-4);  // bottom field
  EXPECT_NEAR(c.dx(0, 2), 1.0, 1e-4);  // row 2 + 1 is still in the upper half
  EXPECT_NEAR(c.dx(0, 4), 10.0, 1e-4);
  EXPECT_NEAR(c.dx(0, 3), 1.0, 1e-4);
}

// H.265 brings maps of other block sizes.
TEST(Compose, BlockMapsOfOtherSizes) {
  const HandTimes times({0.0, 1.0});
  for (const int block_size : {8, 32}) {
    HandPicture p(1, 4, 2);
    p.refs(0, {0});
    for (int i = 0; i < 16 * 8; ++i) p.cell_mv(0, i % 16, i / 16, 4 * (i % 16), 4 * (i / 16));
    auto& blocks = p.picture.blocks;
    blocks.block_size = block_size;
    blocks.width = 64 / block_size;
    blocks.height = 32 / block_size;
    blocks.type.resize_uninitialized(blocks.size());
    blocks.flags.assign_zero(blocks.size());
    blocks.bits.assign_zero(blocks.size());
    blocks.slice_idx.assign_zero(blocks.size());
    blocks.partition.assign_zero(blocks.size());
    blocks.partition_shape.assign_zero(blocks.size());
    std::fill_n(blocks.type.data(), blocks.size(), static_cast<std::uint8_t>(BlockType::kInter));
    blocks.type[1] = static_cast<std::uint8_t>(BlockType::kI4x4);
    WindowComposer composer(kFine);
    composer.begin(std::vector<std::int64_t>{0}, 0.0);
    composer.add(p, times);
    const Composed c(composer, 1, p, 1.0);
    const int cells = block_size / 4;
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 16; ++x) {
        const bool intra = y < cells && x >= cells && x < 2 * cells;
        EXPECT_EQ(c.intra[c.at(x, y)], intra ? 1.0F : 0.0F);
        EXPECT_NEAR(c.dx(x, y), intra ? 0.0 : x, 1e-4);
        EXPECT_NEAR(c.dy(x, y), intra ? 0.0 : y, 1e-4);
      }
    }
  }
}

TEST(Compose, TargetAtTheTimeOfTheStartIsNotValid) {
  const HandTimes times({0.0, 0.0});
  WindowComposer composer(kFine);
  composer.begin(std::vector<std::int64_t>{0}, 0.0);
  HandPicture p(1, 1, 1);
  p.refs(0, {0}).all_mv(0, 4, 4);
  composer.add(p, times);
  const Composed c(composer, 1, p, 1.0);
  EXPECT_EQ(c.valid[0], 0.0F);
  EXPECT_EQ(c.motion[0], 0.0F);
}

}  // namespace
