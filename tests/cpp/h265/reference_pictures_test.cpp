#include "cope/h265/reference_pictures.h"

#include <gtest/gtest.h>

#include <vector>

#include "cope/h265/poc.h"

namespace cope::h265 {
namespace {

SliceHeader header_with(const std::vector<int>& before, const std::vector<int>& after) {
  SliceHeader h;
  h.slice_type = SliceType::B;
  ShortTermRefPicSet& set = h.short_term_ref_pic_set;
  for (const int delta : before) {
    set.UsedByCurrPicS0[set.NumNegativePics] = true;
    set.DeltaPocS0[set.NumNegativePics++] = delta;
  }
  for (const int delta : after) {
    set.UsedByCurrPicS1[set.NumPositivePics] = true;
    set.DeltaPocS1[set.NumPositivePics++] = delta;
  }
  h.num_ref_idx_active[0] = h.num_ref_idx_active[1] = 5;
  return h;
}

std::vector<int> pocs(const prim::SliceRefs& refs, int list) {
  std::vector<int> out;
  for (int i = 0; i < refs.num_ref[list]; ++i) out.push_back(refs.ref[list][i].poc);
  return out;
}

TEST(ReferencePictures, ListsGoOutwardsAndRepeat) {
  ReferencePictures references;
  for (const int poc : {0, 8, 4, 2, 6}) references.add(10 + poc, poc);
  SliceHeader h = header_with({-1, -5}, {3});
  references.apply_set(h, 5, 16);
  EXPECT_EQ(references.NumPicTotalCurr(), 3);
  prim::SliceRefs refs;
  references.build_lists(h, refs);
  EXPECT_EQ(pocs(refs, 0), (std::vector{4, 0, 8, 4, 0}));
  EXPECT_EQ(pocs(refs, 1), (std::vector{8, 4, 0, 8, 4}));
  EXPECT_EQ(refs.ref[0][0].decode_index, 14);
  EXPECT_FALSE(refs.ref[0][0].is_missing);
  h.ref_pic_list_modification_flag[1] = true;
  for (int i = 0; i < 5; ++i) h.list_entry[1][i] = static_cast<std::uint8_t>(i % 2 + 1);
  references.build_lists(h, refs);
  EXPECT_EQ(pocs(refs, 1), (std::vector{4, 0, 4, 0, 4}));
  EXPECT_EQ(references.pictures().size(), 3u);  // 2 and 6 are in no set
}

TEST(ReferencePictures, KeepsWhatLaterPicturesUse) {
  ReferencePictures references;
  for (const int poc : {0, 1, 2}) references.add(poc, poc);
  SliceHeader h = header_with({-1, -3}, {});
  h.short_term_ref_pic_set.UsedByCurrPicS0[1] = false;
  references.apply_set(h, 3, 16);
  EXPECT_EQ(references.NumPicTotalCurr(), 1);
  ASSERT_EQ(references.pictures().size(), 2u);
  EXPECT_EQ(references.pictures()[0].poc, 0);
  EXPECT_EQ(references.pictures()[1].poc, 2);
}

TEST(ReferencePictures, MissingPicturesKeepTheirPlace) {
  ReferencePictures references;
  references.add(0, 0);
  const SliceHeader h = header_with({-1, -2}, {});
  references.apply_set(h, 2, 16);
  prim::SliceRefs refs;
  references.build_lists(h, refs);
  EXPECT_TRUE(refs.ref[0][0].is_missing);
  EXPECT_EQ(refs.ref[0][0].poc, 1);
  EXPECT_EQ(refs.ref[0][0].decode_index, -1);
  EXPECT_FALSE(refs.ref[0][1].is_missing);
}

SliceHeader header_with_long_term(std::uint16_t lsb, bool has_msb, std::int64_t cycle) {
  SliceHeader h;
  h.slice_type = SliceType::P;
  h.num_ref_idx_active[0] = 1;
  h.num_long_term_pics = 1;
  h.long_term[0] = {lsb, true, has_msb, cycle};
  return h;
}

TEST(ReferencePictures, LongTermByLeastSignificantBits) {
  ReferencePictures references;
  references.add(0, 3);
  references.add(1, 36);  // 4 of 16
  SliceHeader h = header_with_long_term(4, false, 0);
  references.apply_set(h, 50, 16);
  prim::SliceRefs refs;
  references.build_lists(h, refs);
  EXPECT_EQ(refs.ref[0][0].poc, 36);
  EXPECT_TRUE(refs.ref[0][0].is_long_term);
  ASSERT_EQ(references.pictures().size(), 1u);
  // What is long-term once is no short-term picture any more (8.3.2).
  h = header_with({-15}, {});
  references.apply_set(h, 51, 16);
  references.build_lists(h, refs);
  EXPECT_TRUE(refs.ref[0][0].is_missing);
}

TEST(ReferencePictures, LongTermByAllBits) {
  ReferencePictures references;
  references.add(0, 4);
  references.add(1, 20);
  references.add(2, 36);
  SliceHeader h = header_with_long_term(4, true, 2);  // 50 - 2 * 16 - 2 + 4 = 20
  references.apply_set(h, 50, 16);
  prim::SliceRefs refs;
  references.build_lists(h, refs);
  EXPECT_EQ(refs.ref[0][0].decode_index, 1);
  h = header_with_long_term(4, true, 1);  // gone by now
  references.apply_set(h, 50, 16);
  references.build_lists(h, refs);
  EXPECT_TRUE(refs.ref[0][0].is_missing);
  EXPECT_EQ(refs.ref[0][0].poc, 36);
}

TEST(ReferencePictures, LongTermComesLastInBothLists) {
  ReferencePictures references;
  for (const int poc : {0, 7, 9}) references.add(poc, poc);
  SliceHeader h = header_with({-1}, {1});
  h.num_long_term_pics = 1;
  h.long_term[0] = {0, true, false, 0};
  h.num_ref_idx_active[0] = h.num_ref_idx_active[1] = 3;
  references.apply_set(h, 8, 16);
  prim::SliceRefs refs;
  references.build_lists(h, refs);
  EXPECT_EQ(pocs(refs, 0), (std::vector{7, 9, 0}));
  EXPECT_EQ(pocs(refs, 1), (std::vector{9, 7, 0}));
  EXPECT_TRUE(refs.ref[1][2].is_long_term);
}

/// PicOrderCntVal of pictures in turn; MaxPicOrderCntLsb is 16.
class PocSequence {
 public:
  std::int32_t next(NalUnitType type, std::uint16_t lsb, unsigned TemporalId = 0,
                    bool NoRaslOutputFlag = false) {
    SliceHeader h;
    h.slice_pic_order_cnt_lsb = lsb;
    const NalUnitHeader nal{false, type, 0, static_cast<std::uint8_t>(TemporalId + 1)};
    const std::int32_t poc = decoder_.derive(Sps{}, nal, h, NoRaslOutputFlag);
    decoder_.start_picture(nal, poc);
    return poc;
  }

 private:
  PicOrderCntDecoder decoder_;
};

TEST(Poc, WrapsBothWays) {
  PocSequence s;
  EXPECT_EQ(s.next(NalUnitType::kIdrNLp, 0, 0, true), 0);
  EXPECT_EQ(s.next(NalUnitType::kTrailR, 7), 7);
  EXPECT_EQ(s.next(NalUnitType::kTrailR, 14), 14);
  EXPECT_EQ(s.next(NalUnitType::kTrailR, 6), 22);   // 8 back is half the range: forwards
  EXPECT_EQ(s.next(NalUnitType::kTrailR, 15), 15);  // 9 ahead: backwards
  EXPECT_EQ(s.next(NalUnitType::kTrailR, 7), 23);
}

TEST(Poc, CountsFromPicturesThatAllDecodersHave) {
  PocSequence s;
  EXPECT_EQ(s.next(NalUnitType::kIdrWRadl, 0, 0, true), 0);
  // Neither of these counts: sub-layers, leading pictures, sub-layer non-reference pictures.
  EXPECT_EQ(s.next(NalUnitType::kTrailR, 7, 1), 7);
  EXPECT_EQ(s.next(NalUnitType::kRadlR, 7), 7);
  EXPECT_EQ(s.next(NalUnitType::kRaslR, 7), 7);
  EXPECT_EQ(s.next(NalUnitType::kTrailN, 7), 7);
  EXPECT_EQ(s.next(NalUnitType::kTrailR, 12), -4);
  EXPECT_EQ(s.next(NalUnitType::kTrailR, 3), 3);
}

TEST(Poc, OfIrapPictures) {
  PocSequence s;
  EXPECT_EQ(s.next(NalUnitType::kCra, 12, 0, true), 12);  // no most significant bits
  EXPECT_EQ(s.next(NalUnitType::kTrailR, 4), 20);
  EXPECT_EQ(s.next(NalUnitType::kCra, 9), 25);
  EXPECT_EQ(s.next(NalUnitType::kBlaWLp, 10, 0, true), 10);
}

}  // namespace
}  // namespace cope::h265
