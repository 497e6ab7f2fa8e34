#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "cope/h265/motion_syntax.h"
#include "cope/h265/mv_temporal.h"
#include "cope/h265/picture_parser.h"
#include "cope/h265/unit_motion.h"

namespace cope::h265 {

void PrintTo(const UnitMotion& m, std::ostream* out) {
  for (int list = 0; list < 2; ++list) {
    *out << " L" << list << " " << int{m.ref_idx[list]} << " (" << m.mv[list].x << ", "
         << m.mv[list].y << ")";
  }
}

}  // namespace cope::h265

namespace {

using cope::h265::PredictionUnit;
using cope::h265::SliceType;
using cope::h265::UnitMotion;
using cope::prim::BlockType;
using cope::prim::MotionVector;
using cope::prim::PicturePrimitives;

constexpr int k2Nx2N = 0, k2NxN = 1, kNx2N = 2, kNxN = 3;

UnitMotion uni(int list, int x, int y, int ref_idx = 0) {
  UnitMotion m;
  m.mv[list] = {static_cast<std::int16_t>(x), static_cast<std::int16_t>(y)};
  m.ref_idx[list] = static_cast<std::int8_t>(ref_idx);
  return m;
}

UnitMotion bi(MotionVector mv0, MotionVector mv1, int ref0 = 0, int ref1 = 0) {
  return {{mv0, mv1}, {static_cast<std::int8_t>(ref0), static_cast<std::int8_t>(ref1)}};
}

/// A picture of hand-made prediction units: one slice, coding tree blocks of 32x32 and coding
/// blocks from 8x8, at picture order count 8. References: list 0 at 4, 0, -4; list 1 at 16, 4.
class HandJob {
 public:
  explicit HandJob(SliceType type = SliceType::B, int width = 128, int height = 96) {
    auto sps = std::make_shared<cope::h265::Sps>();
    sps->CtbLog2SizeY = 5;
    auto pps = std::make_shared<cope::h265::Pps>();
    pps_ = pps.get();
    job.coded.segments.resize(1);
    auto& segment = job.coded.segments[0];
    segment.sps = std::move(sps);
    segment.pps = std::move(pps);
    segment.header.slice_type = type;
    job.coded.info.slice_types = type == SliceType::B ? cope::prim::kHasB : cope::prim::kHasP;
    job.coded.info.num_slices = job.coded.info.num_slice_segments = 1;
    job.coded.slice_refs.resize(1);
    for (const int poc : {4, 0, -4}) add_ref(0, poc);
    if (type == SliceType::B) {
      for (const int poc : {16, 4}) add_ref(1, poc);
    }
    job.picture = std::make_shared<PicturePrimitives>();
    job.picture->info.poc = 8;
    job.picture->info.width = width;
    job.picture->info.height = height;
    job.picture->allocate_blocks(width, height, 8);
    auto& blocks = job.picture->blocks;
    std::fill_n(blocks.type.data(), blocks.size(), static_cast<std::uint8_t>(BlockType::kInter));
    std::fill_n(blocks.flags.data(), blocks.size(), std::uint8_t{0});
    std::fill_n(blocks.slice_idx.data(), blocks.size(), std::uint16_t{0});
    // Whatever was there before is to be overwritten.
    std::fill_n(job.picture->motion.mv.data(), job.picture->motion.mv.size(), MotionVector{7, 7});
    std::fill_n(job.picture->motion.ref_idx.data(), job.picture->motion.ref_idx.size(),
                std::int8_t{3});
    job.motion_syntax = std::make_unique<cope::h265::MotionSyntax>();
  }

  cope::h265::SliceHeader& header() { return job.coded.segments[0].header; }
  cope::prim::SliceRefs& refs() { return job.coded.slice_refs[0]; }
  cope::h265::Pps& pps() { return *pps_; }

  void add_ref(int list, int poc) {
    auto& r = refs();
    auto& ref = r.ref[list][r.num_ref[list]++];
    ref.poc = poc;
    ref.decode_index = poc + 100;
    header().num_ref_idx_active[list] = static_cast<std::uint8_t>(r.num_ref[list]);
  }

  PredictionUnit& unit(int x, int y, int width, int height, int part_mode = k2Nx2N,
                       int part_idx = 0) {
    PredictionUnit u{};
    u.x = static_cast<std::uint16_t>(x);
    u.y = static_cast<std::uint16_t>(y);
    u.width = static_cast<std::uint8_t>(width);
    u.height = static_cast<std::uint8_t>(height);
    u.log2_cb_size = 3;
    while (1 << u.log2_cb_size < std::max(width, height)) ++u.log2_cb_size;
    u.part_mode = static_cast<std::uint8_t>(part_mode);
    u.part_idx = static_cast<std::uint8_t>(part_idx);
    u.merge_idx = cope::h265::kNoMerge;
    u.ref_idx[0] = u.ref_idx[1] = -1;
    units_.push_back(u);
    return units_.back();
  }
  PredictionUnit& merge(int merge_idx, int x, int y, int width, int height, int part_mode = k2Nx2N,
                        int part_idx = 0) {
    PredictionUnit& u = unit(x, y, width, height, part_mode, part_idx);
    u.merge_idx = static_cast<std::uint8_t>(merge_idx);
    return u;
  }
  PredictionUnit& coded(int list, int ref_idx, MotionVector mvd, int x, int y, int width,
                        int height, int mvp_flag = 0) {
    PredictionUnit& u = unit(x, y, width, height);
    u.ref_idx[list] = static_cast<std::int8_t>(ref_idx);
    u.mvd[list] = mvd;
    u.mvp_flags = static_cast<std::uint8_t>(mvp_flag << list);
    return u;
  }
  /// A unit whose motion is exactly `motion`: differences make up for whatever is predicted.
  void given(const UnitMotion& motion, int x, int y, int width, int height) {
    PredictionUnit& u = unit(x, y, width, height);
    for (int list = 0; list < 2; ++list) u.ref_idx[list] = motion.ref_idx[list];
    const std::size_t index = units_.size() - 1;
    run();
    const UnitMotion predicted = at(x, y);
    for (int list = 0; list < 2; ++list) {
      units_[index].mvd[list] = {
          static_cast<std::int16_t>(motion.mv[list].x - predicted.mv[list].x),
          static_cast<std::int16_t>(motion.mv[list].y - predicted.mv[list].y)};
    }
  }

  /// Makes `picture` the collocated one: reference `ref_idx` of list 0 or 1.
  void collocated(int list, int ref_idx, const PicturePrimitives* picture) {
    header().slice_temporal_mvp_enabled_flag = true;
    header().collocated_from_l0_flag = list == 0;
    header().collocated_ref_idx = static_cast<std::uint8_t>(ref_idx);
    col_pic_ = picture;
    col_index_ = refs().ref[list][ref_idx].decode_index;
  }

  void run() {
    begin();
    EXPECT_EQ(step(cope::prim::kAllRows), cope::prim::kAllRows);
  }
  void begin() {
    auto& units = job.motion_syntax->units;
    units.resize_uninitialized(units_.size());
    std::copy(units_.begin(), units_.end(), units.data());
    job.motion_progress = {};
  }
  /// Derives as far as `rows` of the collocated picture allow.
  std::int32_t step(std::int32_t rows) {
    return cope::h265::derive_motion(
        job,
        [](void* self, std::int64_t decode_index) -> const PicturePrimitives* {
          const auto* const hand = static_cast<const HandJob*>(self);
          return decode_index == hand->col_index_ ? hand->col_pic_ : nullptr;
        },
        this, rows);
  }
  UnitMotion at(int x, int y) const {
    const auto& motion = job.picture->motion;
    const auto cell = static_cast<std::size_t>(y / 4 * motion.width_4x4 + x / 4);
    return {{motion.mv[cell], motion.mv[cell + motion.plane_size()]},
            {motion.ref_idx[cell], motion.ref_idx[cell + motion.plane_size()]}};
  }

  cope::h265::PictureJob job;

 private:
  std::vector<PredictionUnit> units_;
  cope::h265::Pps* pps_ = nullptr;
  const PicturePrimitives* col_pic_ = nullptr;
  std::int64_t col_index_ = -1;
};

// Worked by hand. td 8, tb 4: tx = (16384 + 4) / 8 = 2048, factor (4 * 2048 + 32) >> 6 = 128;
// (128 * 10 + 127) >> 8 = 5, (128 * 9 + 127) >> 8 = 4.
TEST(ScaleVector, HandWorked) {
  EXPECT_EQ(cope::h265::scale_vector({10, -9}, 4, 8), (MotionVector{5, -4}));
  // td -3, tb 6: tx = 16385 / -3 = -5461, factor (6 * -5461 + 32) >> 6 = -512.
  EXPECT_EQ(cope::h265::scale_vector({10, -9}, 6, -3), (MotionVector{-20, 18}));
  // td 1, tb 127: factor clips at 4095, and the vector at 16 bits.
  EXPECT_EQ(cope::h265::scale_vector({100, -32768}, 127, 1), (MotionVector{1600, -32768}));
}

TEST(DeriveMotion, EverythingElseIsUnused) {
  HandJob hand;
  hand.coded(0, 1, {5, -6}, 32, 32, 16, 16);
  hand.run();
  EXPECT_EQ(hand.at(32, 32), uni(0, 5, -6, 1));
  EXPECT_EQ(hand.at(44, 44), uni(0, 5, -6, 1));
  for (const auto& [x, y] : {std::pair{28, 32}, {48, 32}, {32, 28}, {32, 48}, {0, 0}, {124, 92}}) {
    EXPECT_EQ(hand.at(x, y), UnitMotion{});
  }
}

TEST(DeriveMotion, VectorsWrapAt16Bits) {
  HandJob hand;
  hand.given(uni(0, 32000, -32000), 0, 0, 8, 8);
  hand.coded(0, 0, {1000, -1000}, 8, 0, 8, 8);
  hand.run();
  EXPECT_EQ(hand.at(8, 0), uni(0, 33000 - 65536, -33000 + 65536));
}

TEST(Amvp, TakesTheNeighbourToTheSamePictureAndScalesOthers) {
  HandJob hand;
  hand.given(uni(0, 40, 8, 1), 32, 40, 8, 8);  // left, below its middle: A1
  hand.given(uni(1, 12, 4, 1), 40, 32, 8, 8);  // above: B1; list 1 index 1 is list 0 index 0
  hand.coded(0, 0, {0, 0}, 40, 40, 8, 8, 0);
  hand.run();
  EXPECT_EQ(hand.at(40, 40), uni(0, 20, 4));  // from A, half way
  HandJob second = std::move(hand);
  second.coded(0, 0, {1, 1}, 40, 40, 8, 8, 1);
  second.run();
  EXPECT_EQ(second.at(40, 40), uni(0, 13, 5));  // from B, the same picture by the other list
}

TEST(Amvp, WithoutALeftNeighbourTheUpperOneServesTwice) {
  for (const int mvp_flag : {0, 1}) {
    HandJob hand;
    hand.given(uni(0, 40, 8, 0), 32, 24, 8, 8);    // B2
    hand.given(uni(0, 16, -16, 1), 40, 24, 8, 8);  // B1
    hand.coded(0, 0, {0, 0}, 40, 32, 8, 8, mvp_flag);
    hand.run();
    // A: B2, the first to the same picture; B: B1, the first at all, scaled from 8 to 4.
    EXPECT_EQ(hand.at(40, 32), mvp_flag == 0 ? uni(0, 40, 8) : uni(0, 8, -8));
  }
}

TEST(Amvp, LongTermPicturesDoNotMixWithOthers) {
  for (const bool both : {false, true}) {
    HandJob hand;
    hand.refs().ref[0][0].is_long_term = true;
    hand.refs().ref[0][1].is_long_term = both;
    hand.given(uni(0, 40, 8, 1), 32, 40, 8, 8);
    hand.coded(0, 0, {0, 0}, 40, 40, 8, 8);
    hand.run();
    EXPECT_EQ(hand.at(40, 40), both ? uni(0, 40, 8) : uni(0, 0, 0));  // taken as it is, or not
  }
}

TEST(Merge, SpatialOrder) {
  for (int merge_idx = 0; merge_idx < 5; ++merge_idx) {
    for (const bool has_a0 : {false, true}) {
      HandJob hand(SliceType::P);
      hand.given(uni(0, 5, 5), 40, 24, 8, 8);              // B2
      hand.given(uni(0, 2, 2), 48, 24, 8, 8);              // B1
      hand.given(uni(0, 3, 3), 56, 24, 8, 8);              // B0
      hand.given(uni(0, 1, 1), 40, 32, 8, 8);              // A1
      if (has_a0) hand.given(uni(0, 4, 4), 40, 40, 8, 8);  // A0
      hand.merge(merge_idx, 48, 32, 8, 8);
      hand.run();
      // B2 counts only where one of the others is missing.
      const int expected[] = {1, 2, 3, has_a0 ? 4 : 5, 0};
      EXPECT_EQ(hand.at(52, 36), uni(0, expected[merge_idx], expected[merge_idx]));
    }
  }
}

// What lies in a coding tree block to the right is not decoded yet, whatever the lattice says.
TEST(Merge, BlocksToTheRightAreNotAvailable) {
  HandJob hand(SliceType::P);
  hand.given(uni(0, 3, 3), 64, 40, 8, 8);
  hand.merge(0, 56, 48, 8, 8);
  hand.run();
  EXPECT_EQ(hand.at(56, 48), uni(0, 0, 0));
}

/// Neighbours of a 16x16 block at (48, 48).
void surround(HandJob& hand) {
  hand.given(uni(0, 5, 5), 32, 32, 16, 16);  // B2
  hand.given(uni(0, 2, 2), 48, 32, 16, 16);  // B1
  hand.given(uni(0, 1, 1), 32, 48, 16, 16);  // A1
}

TEST(Merge, ComparesNeighboursAndEndsInZeros) {
  for (int merge_idx = 0; merge_idx < 5; ++merge_idx) {
    HandJob hand(SliceType::P);
    hand.given(uni(0, 2, 2), 32, 32, 16, 16);  // B2, as B1: left out
    hand.given(uni(0, 2, 2), 48, 32, 16, 16);  // B1
    hand.given(uni(0, 1, 1), 32, 48, 16, 16);  // A1
    hand.merge(merge_idx, 48, 48, 16, 16);
    hand.run();
    const UnitMotion expected[] = {uni(0, 1, 1), uni(0, 2, 2), uni(0, 0, 0, 0), uni(0, 0, 0, 1),
                                   uni(0, 0, 0, 2)};
    EXPECT_EQ(hand.at(48, 48), expected[merge_idx]) << merge_idx;
  }
}

TEST(Merge, SecondPartsNeverRepeatTheFirst) {
  HandJob hand(SliceType::P);
  surround(hand);
  hand.merge(1, 48, 48, 16, 8, k2NxN, 0);  // B1 2
  hand.merge(0, 48, 56, 16, 8, k2NxN, 1);  // A1 1; B1 is the first part
  hand.run();
  EXPECT_EQ(hand.at(48, 48), uni(0, 2, 2));
  EXPECT_EQ(hand.at(48, 56), uni(0, 1, 1));

  HandJob other(SliceType::P);
  surround(other);
  other.merge(1, 48, 48, 8, 16, kNx2N, 0);
  other.merge(0, 56, 48, 8, 16, kNx2N, 1);  // A1 is the first part: B1 2
  other.run();
  EXPECT_EQ(other.at(56, 48), uni(0, 2, 2));
}

TEST(Merge, PartsOfASmallBlockShareAListWhenMergedInParallel) {
  for (const int level : {2, 3}) {
    HandJob hand(SliceType::P);
    hand.pps().log2_parallel_merge_level_minus2 = static_cast<std::uint8_t>(level - 2);
    hand.given(uni(0, 1, 1), 40, 48, 8, 8);  // A1
    hand.given(uni(0, 2, 2), 48, 40, 8, 8);  // B1
    hand.merge(0, 48, 48, 4, 8, kNx2N, 0);
    hand.merge(0, 52, 48, 4, 8, kNx2N, 1);
    hand.run();
    EXPECT_EQ(hand.at(48, 48), uni(0, 1, 1));
    EXPECT_EQ(hand.at(52, 48), level == 2 ? uni(0, 2, 2) : uni(0, 1, 1));
  }
}

TEST(Merge, NeighboursOfTheSameEstimationRegionAreLeftOut) {
  HandJob hand(SliceType::P);
  hand.pps().log2_parallel_merge_level_minus2 = 3;  // 32x32
  surround(hand);
  hand.merge(0, 48, 48, 16, 16);
  hand.run();
  EXPECT_EQ(hand.at(48, 48), uni(0, 0, 0));  // all of them: the first zero candidate
}

TEST(Merge, CombinesListsThenCountsReferencesUp) {
  for (int merge_idx = 0; merge_idx < 5; ++merge_idx) {
    HandJob hand;
    hand.given(uni(0, 1, 1), 40, 48, 8, 8);     // A1
    hand.given(uni(1, 2, 2, 1), 48, 40, 8, 8);  // B1
    hand.merge(merge_idx, 48, 48, 8, 8);
    hand.run();
    // L0 of 0 with L1 of 1; L0 of 1 does not exist. List 1 has two references.
    const UnitMotion expected[] = {uni(0, 1, 1), uni(1, 2, 2, 1), bi({1, 1}, {2, 2}, 0, 1),
                                   bi({0, 0}, {0, 0}), bi({0, 0}, {0, 0}, 1, 1)};
    EXPECT_EQ(hand.at(48, 48), expected[merge_idx]) << merge_idx;
  }
  HandJob same;
  same.given(uni(0, 1, 1), 40, 48, 8, 8);
  same.given(uni(1, 1, 1, 1), 48, 40, 8, 8);  // the same picture and vector by the other list
  same.merge(2, 48, 48, 8, 8);
  same.run();
  EXPECT_EQ(same.at(48, 48), bi({0, 0}, {0, 0}));
}

TEST(Merge, SmallestBlocksKeepOneList) {
  HandJob hand;
  hand.given(bi({1, 1}, {2, 2}), 40, 48, 8, 8);
  hand.merge(0, 48, 48, 4, 8, kNx2N, 0);
  hand.merge(0, 52, 48, 4, 8, kNx2N, 1);
  hand.merge(0, 56, 48, 8, 8);
  hand.run();
  EXPECT_EQ(hand.at(48, 48), uni(0, 1, 1));
  EXPECT_NE(hand.at(56, 48).ref_idx[0], -1);
  HandJob large;
  large.given(bi({1, 1}, {2, 2}), 40, 48, 8, 8);
  large.merge(0, 48, 48, 8, 8);
  large.run();
  EXPECT_EQ(large.at(48, 48), bi({1, 1}, {2, 2}));
}

// 6.4.2: of four parts, the third is left of and below the second, but comes after it.
TEST(Neighbours, LaterPartsAreNotAvailable) {
  HandJob hand(SliceType::P);
  for (int part = 0; part < 4; ++part) {
    PredictionUnit& u = hand.merge(0, 32 + part % 2 * 8, 32 + part / 2 * 8, 8, 8, kNxN, part);
    u.log2_cb_size = 4;
    if (part == 2) {
      u.merge_idx = cope::h265::kNoMerge;
      u.ref_idx[0] = 0;
      u.mvd[0] = {9, 9};
    }
  }
  hand.run();
  EXPECT_EQ(hand.at(40, 32), uni(0, 0, 0));  // of part 0, not of part 2
  EXPECT_EQ(hand.at(40, 40), uni(0, 9, 9));
}

TEST(Neighbours, SlicesAndTilesSeparate) {
  for (const bool tiles : {false, true}) {
    HandJob hand(SliceType::P);
    auto& blocks = hand.job.picture->blocks;
    if (tiles) {
      auto& pps = hand.pps();
      pps.tiles_enabled_flag = true;  // two columns of two coding tree blocks
      for (std::uint32_t i = 0; i < 12; ++i) {
        pps.CtbAddrRsToTs.push_back(i % 4 / 2 * 6 + i / 4 * 2 + i % 2);
        pps.TileId.push_back(static_cast<std::uint16_t>(i / 6));
      }
    } else {
      hand.job.coded.segments.push_back(hand.job.coded.segments[0]);
      hand.job.coded.segments[1].slice_idx = 1;
      hand.job.coded.slice_refs.push_back(hand.refs());
      hand.job.coded.info.num_slice_segments = 2;
      for (std::size_t i = 0; i < blocks.size(); ++i) {
        blocks.slice_idx[i] = i / 16 < 4 && i % 16 < 8 ? 0 : 1;  // from the third block on
      }
    }
    hand.given(uni(0, 1, 1), 56, 0, 8, 8);
    hand.merge(0, 64, 0, 8, 8);
    hand.merge(0, 72, 0, 8, 8);
    hand.run();
    EXPECT_EQ(hand.at(56, 0), uni(0, 1, 1));
    EXPECT_EQ(hand.at(64, 0), uni(0, 0, 0));
  }
}

/// A collocated picture at POC 16 with one slice. References: list 0 at 0, list 1 at 32.
struct HandCol {
  explicit HandCol(int width = 128, int height = 96) {
    picture.info.poc = 16;
    picture.info.width = width;
    picture.info.height = height;
    picture.allocate_blocks(width, height, 8);
    auto& blocks = picture.blocks;
    std::fill_n(blocks.type.data(), blocks.size(), static_cast<std::uint8_t>(BlockType::kInter));
    std::fill_n(blocks.flags.data(), blocks.size(), std::uint8_t{0});
    std::fill_n(picture.blocks.slice_idx.data(), picture.blocks.size(), std::uint16_t{0});
    std::fill_n(picture.motion.ref_idx.data(), picture.motion.ref_idx.size(), std::int8_t{-1});
    picture.slice_refs.resize(1);
    picture.slice_refs[0].num_ref[0] = picture.slice_refs[0].num_ref[1] = 1;
    picture.slice_refs[0].ref[0][0].poc = 0;
    picture.slice_refs[0].ref[1][0].poc = 32;
  }
  void set(int x, int y, const UnitMotion& m) {
    const auto cell = static_cast<std::size_t>(y / 4 * picture.motion.width_4x4 + x / 4);
    for (std::size_t list = 0; list < 2; ++list) {
      picture.motion.mv[list * picture.motion.plane_size() + cell] = m.mv[list];
      picture.motion.ref_idx[list * picture.motion.plane_size() + cell] = m.ref_idx[list];
    }
  }
  PicturePrimitives picture;
};

TEST(Temporal, BottomRightThenCentreOnTheCompressedField) {
  for (const bool has_bottom_right : {false, true}) {
    HandCol col;
    col.set(16, 16, uni(0, 64, 32));                         // of the centre (20, 20)
    if (has_bottom_right) col.set(16, 16, uni(0, -64, 16));  // of (24, 24) as well: one block
    HandJob hand;
    hand.collocated(1, 0, &col.picture);
    hand.merge(0, 16, 16, 8, 8);
    hand.run();
    // From 16 to 4: 4 and -8 of distance; list 0: 4 / 16, list 1: -8 / 16.
    const UnitMotion expected = has_bottom_right ? bi({-16, 4}, {32, -8}) : bi({16, 8}, {-32, -16});
    EXPECT_EQ(hand.at(16, 16), expected);
  }
  // Bottom right (32, 32) is below the row of coding tree blocks: only the centre (24, 24) counts.
  HandCol col;
  col.set(32, 32, uni(0, 64, 64));
  HandJob hand;
  hand.collocated(1, 0, &col.picture);
  hand.merge(0, 16, 16, 16, 16);
  hand.run();
  EXPECT_EQ(hand.at(16, 16), bi({0, 0}, {0, 0}));
  // At (32, 16) it is not.
  HandJob upper;
  upper.collocated(1, 0, &col.picture);
  col.set(32, 16, uni(0, 64, 64));
  upper.merge(0, 24, 8, 8, 8);
  upper.run();
  EXPECT_EQ(upper.at(24, 8), bi({16, 16}, {-32, -32}));
}

TEST(Temporal, WhichListOfABiPredictedBlock) {
  HandCol col;
  col.set(0, 0, bi({160, 0}, {0, 160}));  // spans 16 and -16
  {
    HandJob hand;  // list 1 lies in the future: listCol is collocated_from_l0_flag
    hand.collocated(1, 0, &col.picture);
    hand.coded(0, 0, {0, 0}, 0, 0, 8, 8);
    hand.run();
    EXPECT_EQ(hand.at(0, 0), uni(0, 40, 0));  // list 0 of ColPic, 4 / 16
  }
  {
    HandJob hand;
    hand.refs().ref[0][0].poc = 16;
    hand.refs().ref[0][0].decode_index = 116;
    hand.collocated(0, 0, &col.picture);
    hand.coded(0, 1, {0, 0}, 0, 0, 8, 8);
    hand.run();
    EXPECT_EQ(hand.at(0, 0), uni(0, 0, -80, 1));  // list 1 of ColPic, 8 / -16
  }
  for (const int list : {0, 1}) {
    HandJob hand;  // nothing lies in the future: listCol is the list asked for
    hand.refs().ref[1][0].poc = 2;
    hand.collocated(1, 0, &col.picture);
    hand.coded(list, list, {0, 0}, 0, 0, 8, 8);
    hand.run();
    EXPECT_EQ(hand.at(0, 0), list == 0 ? uni(0, 40, 0) : uni(1, 0, -40, 1));
  }
}

TEST(Temporal, LongTermPicturesDoNotMixWithOthers) {
  for (int mask = 0; mask < 4; ++mask) {
    HandCol col;
    col.set(0, 0, uni(0, 64, 0));
    col.picture.slice_refs[0].ref[0][0].is_long_term = (mask & 1) != 0;
    HandJob hand;
    hand.refs().ref[0][0].is_long_term = (mask & 2) != 0;
    hand.collocated(1, 0, &col.picture);
    hand.coded(0, 0, {0, 0}, 0, 0, 8, 8);
    hand.run();
    EXPECT_EQ(hand.at(0, 0), uni(0, mask == 0 ? 16 : mask == 3 ? 64 : 0, 0)) << mask;
  }
}

// What is kept of a collocated picture does for all of it; sizes are no multiples of 16.
TEST(Temporal, WhatIsKeptDoesForThePicture) {
  constexpr int kWidth = 136, kHeight = 88;
  std::mt19937 random(3);
  int num_lost = 0;
  for (int round = 0; round < 50; ++round) {
    HandCol col(kWidth, kHeight);
    const auto number = [&random](int low, int high) {
      return static_cast<std::int16_t>(low + static_cast<int>(random() % unsigned(high - low)));
    };
    for (int y = 0; y < kHeight; y += 4) {
      for (int x = 0; x < kWidth; x += 4) {
        if (random() % 4 != 0) col.set(x, y, uni(random() % 2, number(-99, 99), number(-99, 99)));
      }
    }
    for (std::size_t i = 0; i < col.picture.blocks.size(); i += 1 + random() % 9) {
      col.picture.blocks.flags[i] = cope::prim::kMotionLost;
    }
    PicturePrimitives kept;
    cope::h265::keep_collocated(col.picture, kept);
    EXPECT_LT(kept.motion.mv.size() * 12, col.picture.motion.mv.size());
    HandJob hand(SliceType::B, kWidth, kHeight);
    for (int y = 0; y < kHeight; y += 8) {
      for (int x = 0; x < kWidth; x += 8) hand.coded(0, 0, {0, 0}, x, y, 8, 8);
    }
    std::vector<UnitMotion> motion[2];
    std::vector<std::uint8_t> flags[2];
    for (const PicturePrimitives* const picture : {&col.picture, &kept}) {
      hand.collocated(1, 0, picture);
      std::ranges::fill(hand.job.picture->blocks.flags.span(), std::uint8_t{0});
      hand.run();
      const auto at = static_cast<std::size_t>(picture == &kept);
      for (int y = 0; y < kHeight; y += 8) {
        for (int x = 0; x < kWidth; x += 8) motion[at].push_back(hand.at(x, y));
      }
      const auto span = hand.job.picture->blocks.flags.span();
      flags[at].assign(span.begin(), span.end());
    }
    EXPECT_EQ(motion[0], motion[1]);
    EXPECT_EQ(flags[0], flags[1]);
    num_lost += static_cast<int>(std::ranges::count(flags[0], cope::prim::kMotionLost));
  }
  EXPECT_GT(num_lost, 0);  // some depend on what is lost
}

TEST(Temporal, WhatDependsOnAMissingCollocatedPictureIsMarked) {
  HandJob hand;
  hand.collocated(1, 0, nullptr);
  hand.coded(0, 0, {3, 3}, 0, 0, 16, 16);   // asks for the temporal candidate
  hand.coded(0, 0, {0, 0}, 16, 0, 16, 16);  // is predicted from it
  hand.coded(0, 0, {0, 0}, 0, 32, 16, 16);  // has no neighbours: asks itself
  hand.run();
  EXPECT_EQ(hand.at(0, 0).ref_idx[0], -1);
  EXPECT_EQ(hand.at(16, 0).ref_idx[0], -1);
  EXPECT_EQ(hand.job.report.num_motion_lost, 12);
  EXPECT_EQ(hand.job.picture->info.num_motion_lost, 12);
  EXPECT_EQ(hand.job.report.num_blocks_lost, 0);
  EXPECT_FALSE(hand.job.report.first_error.ok());
  const cope::prim::BlockMap& blocks = hand.job.picture->blocks;
  EXPECT_NE(blocks.flags[0] & cope::prim::kMotionLost, 0);
  EXPECT_NE(blocks.flags[17] & cope::prim::kMotionLost, 0);
  EXPECT_NE(blocks.flags[2] & cope::prim::kMotionLost, 0);
  EXPECT_EQ(blocks.flags[4] & cope::prim::kMotionLost, 0);
  EXPECT_EQ(blocks.type[0], static_cast<std::uint8_t>(BlockType::kInter));
}

// Coding tree blocks are of 32 rows.
TEST(Steps, GoAsFarAsTheRowsOfTheCollocatedPicture) {
  HandJob col;
  col.given(uni(0, 8, 8), 0, 0, 32, 32);
  col.given(uni(0, 16, 16), 0, 32, 32, 32);
  col.given(uni(0, 24, 24), 0, 64, 32, 32);
  col.run();
  HandJob hand(SliceType::P);
  hand.collocated(0, 0, col.job.picture.get());
  for (const int y : {0, 32, 64}) hand.merge(0, 64, y, 32, 32);
  hand.run();
  const UnitMotion whole[3] = {hand.at(64, 0), hand.at(64, 32), hand.at(64, 64)};

  hand.begin();
  auto& motion = hand.job.picture->motion;
  std::fill_n(motion.mv.data(), motion.mv.size(), MotionVector{7, 7});
  EXPECT_EQ(hand.step(31), 0);
  EXPECT_FALSE(hand.at(64, 0).uses(0));  // marked unused, not derived
  EXPECT_EQ(hand.step(63), 32);
  EXPECT_EQ(hand.at(64, 0), whole[0]);
  EXPECT_NE(hand.at(64, 32), whole[1]);
  EXPECT_EQ(hand.step(64), 64);
  EXPECT_EQ(hand.at(64, 32), whole[1]);
  EXPECT_EQ(hand.step(cope::prim::kAllRows), cope::prim::kAllRows);
  EXPECT_EQ(hand.at(64, 64), whole[2]);
}

// What depends on a loss is cleared at the very end, so it is not handed on before.
TEST(Steps, EndWhereALossShows) {
  HandJob hand(SliceType::P);
  hand.collocated(0, 0, nullptr);
  hand.coded(0, 0, {4, 4}, 0, 0, 32, 32);
  hand.merge(1, 0, 32, 32, 32);  // temporal candidate missing
  hand.coded(0, 0, {4, 4}, 0, 64, 32, 32);
  hand.begin();
  EXPECT_EQ(hand.step(96), 0);
  EXPECT_EQ(hand.job.picture->info.num_motion_lost, 0);
  EXPECT_EQ(hand.step(cope::prim::kAllRows), cope::prim::kAllRows);
  EXPECT_GT(hand.job.picture->info.num_motion_lost, 0);
}

TEST(Steps, WaitForAllRowsWithTiles) {
  HandJob hand;
  hand.pps().tiles_enabled_flag = true;
  hand.coded(0, 1, {5, -6}, 32, 32, 16, 16);
  hand.begin();
  EXPECT_EQ(hand.step(96), 0);
}

// A damaged slice may leave units behind whose blocks count as lost.
TEST(DeriveMotion, UnitsOfLostBlocksAreLeftOut) {
  HandJob hand;
  hand.job.picture->blocks.slice_idx[0] = cope::prim::kNoSlice;
  hand.coded(0, 0, {3, 3}, 0, 0, 8, 8);
  hand.merge(0, 8, 0, 8, 8);
  hand.run();
  EXPECT_EQ(hand.at(0, 0), UnitMotion{});
  EXPECT_EQ(hand.at(8, 0), bi({0, 0}, {0, 0}));
}

}  // namespace
