#include "cope/pipeline/digest.h"

#include <gtest/gtest.h>

#include <cstring>

namespace cope::pipeline {
namespace {

// Values worked out by hand in the description of the golden files.
TEST(Digest, Mix64) {
  static_assert(mix64(0) == 0xe220a8397b1dcdafu);
  static_assert(mix64(1) == 0x910a2dec89025cc1u);
  EXPECT_EQ(mix64(0xfffffe800012840eu), 0x65c8e94760616ea2u);
}

void allocate(prim::PicturePrimitives& picture, std::int32_t width, std::int32_t height) {
  picture.allocate_blocks(width, height, 16);
  std::memset(picture.motion.ref_idx.data(), -1, picture.motion.ref_idx.size());
  std::memset(picture.blocks.type.data(), 4, picture.blocks.size());
  std::memset(picture.blocks.flags.data(), 0, picture.blocks.size());
  std::memset(picture.blocks.qp.data(), 0, picture.blocks.size());
  std::memset(picture.blocks.slice_idx.data(), 0, 2 * picture.blocks.size());
  picture.slice_refs.resize(1);
}

void set_level(prim::PicturePrimitives& picture, const prim::CoeffRecord& record,
               std::uint16_t position, std::int32_t level) {
  picture.coeffs.records.assign_zero(1);
  picture.coeffs.records[0] = record;
  picture.coeffs.positions.assign_zero(1);
  picture.coeffs.positions[0] = position;
  picture.coeffs.levels.assign_zero(1);
  picture.coeffs.levels[0] = level;
}

TEST(Digest, LevelKey) {
  prim::PicturePrimitives picture;
  allocate(picture, 32, 16);
  prim::CoeffRecord record{};
  record.count = 1;
  record.plane = 2;
  record.kind = 3;
  record.mb_addr = 37;
  set_level(picture, record, 2, -3);
  const PictureDigest digest = Digester().digest(picture);
  EXPECT_EQ(digest.levels[2].hash, 0x65c8e94760616ea2u);
  EXPECT_EQ(digest.levels[2].num_levels, 1);
  EXPECT_EQ(digest.levels[2].sum_abs, 3);
  EXPECT_EQ(digest.levels[0].num_levels, 0);
  EXPECT_EQ(digest.levels[0].hash, 0u);
}

TEST(Digest, LevelKeyOfH265) {
  prim::PicturePrimitives picture;
  allocate(picture, 32, 16);
  picture.info.codec = prim::Codec::kH265;
  prim::CoeffRecord record{};
  record.count = 1;
  record.plane = 1;
  record.kind = static_cast<std::uint8_t>(prim::CoeffKind::kTransform8x8);
  record.x = 8;
  record.y = 12;
  set_level(picture, record, 2 * 8 + 5, -7);
  const PictureDigest digest = Digester().digest(picture);
  EXPECT_EQ(digest.levels[1].hash, 0x40dc3458b50994f0u);
  EXPECT_EQ(digest.levels[1].sum_abs, 7);
}

// Areas in units of 8x8 samples; PCM and bypass count in the QP of H.265.
TEST(Digest, AreasOfH265) {
  prim::PicturePrimitives picture;
  allocate(picture, 32, 16);  // two blocks of 16x16
  picture.info.codec = prim::Codec::kH265;
  picture.blocks.type[0] = static_cast<std::uint8_t>(prim::BlockType::kPcm);
  picture.blocks.flags[0] = prim::kTransquantBypass;
  picture.blocks.qp[0] = -5;
  picture.blocks.qp[1] = 40;
  const BlockDigest digest = Digester().digest(picture).blocks;
  EXPECT_EQ(digest.num_blocks[static_cast<std::size_t>(prim::BlockType::kPcm)], 4);
  EXPECT_EQ(digest.num_blocks[static_cast<std::size_t>(prim::BlockType::kInter)], 4);
  EXPECT_EQ(digest.num_bypass, 4);
  EXPECT_EQ(digest.qp_sum, 4 * 35);
}

TEST(Digest, MotionKey) {
  prim::PicturePrimitives picture;
  allocate(picture, 32, 16);
  const std::size_t cell = 3 * 8 + 5;  // x4 5, y4 3
  picture.motion.mv[cell] = {-7, 12};
  picture.motion.ref_idx[cell] = 1;
  picture.slice_refs[0].num_ref[0] = 2;
  picture.slice_refs[0].ref[0][1].poc = -4;
  const PictureDigest digest = Digester().digest(picture);
  EXPECT_EQ(digest.blocks.motion[0].num_items, 1);
  EXPECT_EQ(digest.blocks.motion[0].hash, 0x3bbb4ba660a298b9u);
  EXPECT_EQ(digest.blocks.motion[1].num_items, 0);
  EXPECT_EQ(digest.blocks.motion[1].hash, 0u);
}

// The second picture of the worked example: two inter macroblocks, QP 32, two levels of -1.
TEST(Digest, WorkedExample) {
  prim::PicturePrimitives picture;
  allocate(picture, 32, 16);
  const std::int16_t mvx[2][8] = {{1, 1, 1, 1, -5, -5, -8, -8}, {7, 7, 7, 7, 0, 0, -2, -2}};
  for (std::size_t y = 0; y < 4; ++y) {
    for (std::size_t x = 0; x < 8; ++x) {
      picture.motion.mv[y * 8 + x] = {mvx[y / 2][x], 0};
      picture.motion.ref_idx[y * 8 + x] = 0;
    }
  }
  std::memset(picture.blocks.qp.data(), 32, picture.blocks.size());
  picture.slice_refs[0].num_ref[0] = 1;
  picture.coeffs.records.assign_zero(2);
  picture.coeffs.positions.assign_zero(2);
  picture.coeffs.levels.assign_zero(2);
  for (std::size_t i = 0; i < 2; ++i) {
    picture.coeffs.records[i].first = static_cast<std::uint32_t>(i);
    picture.coeffs.records[i].count = 1;
    picture.coeffs.records[i].block_idx = static_cast<std::uint8_t>(12 + i);
    picture.coeffs.levels[i] = -1;
  }
  const PictureDigest digest = Digester().digest(picture);
  EXPECT_EQ(digest.levels[0].num_levels, 2);
  EXPECT_EQ(digest.levels[0].sum_abs, 2);
  EXPECT_EQ(digest.levels[0].hash, 0x20b288bad0853eb0u);
  EXPECT_EQ(digest.blocks.motion[0].num_items, 32);
  EXPECT_EQ(digest.blocks.motion[0].hash, 0xbaf41e85023b9cc5u);
  EXPECT_EQ(digest.blocks.qp_sum, 64);
  EXPECT_EQ(digest.blocks.num_blocks[static_cast<std::size_t>(prim::BlockType::kInter)], 2);
  EXPECT_FALSE(digest.colour_plane.has_value());
}

TEST(Digest, PcmAndLostBlocksHaveNoQp) {
  prim::PicturePrimitives picture;
  allocate(picture, 48, 16);
  std::memset(picture.blocks.qp.data(), 20, 3);
  picture.blocks.type[0] = static_cast<std::uint8_t>(prim::BlockType::kPcm);
  picture.blocks.type[1] = static_cast<std::uint8_t>(prim::BlockType::kLost);
  const PictureDigest digest = Digester().digest(picture);
  EXPECT_EQ(digest.blocks.qp_sum, 20);
  EXPECT_EQ(digest.blocks.num_blocks[static_cast<std::size_t>(prim::BlockType::kLost)], 1);
}

}  // namespace
}  // namespace cope::pipeline
