#include "cope/prim/picture_primitives.h"

#include <gtest/gtest.h>

#include <vector>

namespace cope::prim {
namespace {

TEST(PicturePool, ReusesAPictureOnceItsLastHolderLetsGo) {
  PicturePool pool;
  auto first = pool.acquire();
  const auto second = pool.acquire();
  EXPECT_NE(first, second);
  const PicturePrimitives* const address = first.get();
  auto also_first = first;
  first.reset();
  EXPECT_NE(pool.acquire().get(), address);  // still held
  also_first.reset();
  std::vector<std::shared_ptr<PicturePrimitives>> held;
  bool reused = false;
  for (int i = 0; i < 3; ++i) {
    held.push_back(pool.acquire());
    reused = reused || held.back().get() == address;
  }
  EXPECT_TRUE(reused);
}

TEST(PicturePool, PicturesOutliveIt) {
  std::shared_ptr<PicturePrimitives> picture;
  {
    PicturePool pool;
    picture = pool.acquire();
  }
  picture->allocate_blocks(32, 16, 16);
  EXPECT_EQ(picture->blocks.size(), 2u);
}

/// One macroblock per slice, two slices whose lists differ.
TEST(WriteRefPoc, LooksUpTheListsOfEachBlocksSlice) {
  PicturePrimitives picture;
  picture.allocate_blocks(32, 16, 16);
  picture.slice_refs.resize(2);
  picture.slice_refs[0].num_ref[0] = picture.slice_refs[1].num_ref[0] = 2;
  picture.slice_refs[0].ref[0][1].poc = 10;
  picture.slice_refs[1].ref[0][1].poc = -6;
  for (std::size_t i = 0; i < picture.motion.ref_idx.size(); ++i) picture.motion.ref_idx[i] = -1;
  for (std::size_t block = 0; block < 2; ++block) {
    picture.blocks.flags[block] = 0;
    picture.blocks.slice_idx[block] = static_cast<std::uint16_t>(block);
  }
  picture.motion.ref_idx[0] = 1;  // x 0, y 0: first macroblock
  picture.motion.ref_idx[7] = 1;  // x 7, y 0: second macroblock
  std::vector<std::int32_t> ref_poc(2 * picture.motion.plane_size(), 99);
  picture.write_ref_poc(ref_poc.data());
  EXPECT_EQ(ref_poc[0], 10);
  EXPECT_EQ(ref_poc[7], -6);
  EXPECT_EQ(ref_poc[1], 0);
}

/// Field macroblocks of an MBAFF frame address fields: same parity for even indices (8.4.2.1).
TEST(WriteRefPoc, FieldMacroblocksReferToFields) {
  PicturePrimitives picture;
  picture.info.mbaff = true;
  picture.allocate_blocks(16, 32, 16);
  picture.slice_refs.resize(1);
  picture.slice_refs[0].num_ref[0] = 1;
  RefPicture& frame = picture.slice_refs[0].ref[0][0];
  frame.poc = frame.top_poc = 8;
  frame.bottom_poc = 9;
  for (std::size_t block = 0; block < 2; ++block) {
    picture.blocks.flags[block] = kFieldBlock;
    picture.blocks.slice_idx[block] = 0;
  }
  for (std::size_t i = 0; i < picture.motion.ref_idx.size(); ++i) picture.motion.ref_idx[i] = -1;
  picture.motion.ref_idx[0] = 0;   // top field macroblock, same parity
  picture.motion.ref_idx[1] = 1;   // the other parity
  picture.motion.ref_idx[16] = 0;  // bottom field macroblock
  std::vector<std::int32_t> ref_poc(2 * picture.motion.plane_size());
  picture.write_ref_poc(ref_poc.data());
  EXPECT_EQ(ref_poc[0], 8);
  EXPECT_EQ(ref_poc[1], 9);
  EXPECT_EQ(ref_poc[16], 9);
}

}  // namespace
}  // namespace cope::prim
