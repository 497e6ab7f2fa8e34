#include "cope/h264/poc.h"

#include <gtest/gtest.h>

#include <limits>

namespace cope::h264 {
namespace {

constexpr std::int32_t kMin = std::numeric_limits<std::int32_t>::min();

NalUnitHeader nal(bool is_idr, unsigned nal_ref_idc) {
  return {false, static_cast<std::uint8_t>(nal_ref_idc),
          is_idr ? NalUnitType::kSliceIdr : NalUnitType::kSlice};
}

/// Feeds pictures one after the other.
class Sequence {
 public:
  explicit Sequence(const Sps& sps) : sps_(sps) {}

  PicOrderCnt next(const NalUnitHeader& nal_header, const SliceHeader& header,
                   bool has_operation_5 = false) {
    const PicOrderCnt poc = decoder_.derive(sps_, nal_header, header);
    PicOrderCnt after = poc;
    if (has_operation_5) {
      const std::int32_t temp = pic_order_cnt(poc, header.field_pic_flag, header.bottom_field_flag);
      after = {poc.top - temp, poc.bottom - temp};
    }
    decoder_.finish_picture(nal_header, header, has_operation_5, after);
    return poc;
  }

  PicOrderCntDecoder& decoder() { return decoder_; }

 private:
  const Sps& sps_;
  PicOrderCntDecoder decoder_;
};

SliceHeader lsb(int pic_order_cnt_lsb, int delta_bottom = 0) {
  SliceHeader h;
  h.pic_order_cnt_lsb = static_cast<std::uint16_t>(pic_order_cnt_lsb);
  h.delta_pic_order_cnt_bottom = delta_bottom;
  return h;
}

SliceHeader field_lsb(int pic_order_cnt_lsb, bool bottom_field_flag) {
  SliceHeader h = lsb(pic_order_cnt_lsb);
  h.field_pic_flag = true;
  h.bottom_field_flag = bottom_field_flag;
  return h;
}

SliceHeader frame_num(int value, int delta0 = 0, int delta1 = 0) {
  SliceHeader h;
  h.frame_num = static_cast<std::uint16_t>(value);
  h.delta_pic_order_cnt[0] = delta0;
  h.delta_pic_order_cnt[1] = delta1;
  return h;
}

TEST(PicOrderCnt, Type0WrapsBothWays) {
  Sps sps;  // MaxPicOrderCntLsb 16
  Sequence s(sps);
  EXPECT_EQ(s.next(nal(true, 1), lsb(0)).top, 0);
  EXPECT_EQ(s.next(nal(false, 1), lsb(8)).top, 8);  // 8 - 0 is not above 16 / 2
  EXPECT_EQ(s.next(nal(false, 1), lsb(14)).top, 14);
  EXPECT_EQ(s.next(nal(false, 1), lsb(4)).top, 20);   // wraps up
  EXPECT_EQ(s.next(nal(false, 0), lsb(15)).top, 15);  // B before it: wraps down
  EXPECT_EQ(s.next(nal(false, 0), lsb(2)).top, 18);  // the non-reference picture was not remembered
  EXPECT_EQ(s.next(nal(false, 1), lsb(12)).top, 28);  // 12 - 4 = 8: no wrap
  EXPECT_EQ(s.next(nal(false, 1), lsb(4)).top, 36);   // 12 - 4 >= 8: wraps
  EXPECT_EQ(s.next(nal(true, 1), lsb(3)).top, 3);
}

TEST(PicOrderCnt, Type0BottomField) {
  Sps sps;
  Sequence s(sps);
  PicOrderCnt poc = s.next(nal(true, 1), lsb(4, -3));
  EXPECT_EQ(poc.top, 4);
  EXPECT_EQ(poc.bottom, 1);
  EXPECT_EQ(pic_order_cnt(poc, false, false), 1);
  poc = s.next(nal(false, 1), field_lsb(7, true));
  EXPECT_EQ(pic_order_cnt(poc, true, true), 7);
}

TEST(PicOrderCnt, Type0WithoutIdrStartsAtItsOwnLsb) {
  Sps sps;
  sps.log2_max_pic_order_cnt_lsb_minus4 = 4;  // 256
  Sequence s(sps);
  EXPECT_EQ(s.next(nal(false, 1), lsb(250)).top, 250);
  EXPECT_EQ(s.next(nal(false, 1), lsb(2)).top, 258);
  s.decoder().reset();
  EXPECT_EQ(s.next(nal(false, 0), lsb(250)).top, 250);  // not a reference, yet a start
  EXPECT_EQ(s.next(nal(false, 1), lsb(2)).top, 258);
}

TEST(PicOrderCnt, Type0AfterOperation5) {
  Sps sps;
  Sequence s(sps);
  s.next(nal(true, 1), lsb(0));
  s.next(nal(false, 1), lsb(8));
  s.next(nal(false, 1), lsb(12));
  const PicOrderCnt poc = s.next(nal(false, 1), lsb(4, -2), true);
  EXPECT_EQ(poc.top, 20);  // as decoded
  EXPECT_EQ(poc.bottom, 18);
  // It counts as top 2, bottom 0 afterwards: prevPicOrderCntMsb 0, prevPicOrderCntLsb 2.
  EXPECT_EQ(s.next(nal(false, 1), lsb(9)).top, 9);
  s.next(nal(false, 1), field_lsb(12, false), true);  // a top field counts as 0
  EXPECT_EQ(s.next(nal(false, 1), field_lsb(15, true)).bottom, -1);
  s.next(nal(false, 1), field_lsb(4, true), true);  // a bottom field: Msb 0, Lsb 0
  EXPECT_EQ(s.next(nal(false, 1), lsb(8)).top, 8);
}

// A cycle of reference frames 2 and 6 apart with one B picture two before each.
TEST(PicOrderCnt, Type1) {
  Sps sps;
  sps.pic_order_cnt_type = 1;
  sps.num_ref_frames_in_pic_order_cnt_cycle = 2;
  sps.offset_for_ref_frame[0] = 2;
  sps.offset_for_ref_frame[1] = 6;
  sps.offset_for_non_ref_pic = -1;
  sps.offset_for_top_to_bottom_field = 1;
  Sequence s(sps);
  PicOrderCnt poc = s.next(nal(true, 1), frame_num(0, 5, -2));
  EXPECT_EQ(poc.top, 5);  // absFrameNum 0: expectedPicOrderCnt 0
  EXPECT_EQ(poc.bottom, 4);
  EXPECT_EQ(s.next(nal(false, 1), frame_num(1)).top, 2);
  poc = s.next(nal(false, 1), frame_num(2));
  EXPECT_EQ(poc.top, 8);
  EXPECT_EQ(poc.bottom, 9);
  EXPECT_EQ(s.next(nal(false, 0), frame_num(3)).top, 7);   // absFrameNum 2 - 1 for it
  EXPECT_EQ(s.next(nal(false, 1), frame_num(3)).top, 10);  // 8 + 2
  for (int i = 4; i < 16; ++i) s.next(nal(false, 1), frame_num(i));
  EXPECT_EQ(s.next(nal(false, 1), frame_num(0)).top, 64);  // absFrameNum 16: 7 * 8 + 2 + 6
  SliceHeader bottom = frame_num(1, 3);
  bottom.field_pic_flag = bottom.bottom_field_flag = true;
  EXPECT_EQ(s.next(nal(false, 1), bottom).bottom, 64 + 2 + 1 + 3);
  s.next(nal(false, 1), frame_num(2), true);
  EXPECT_EQ(s.next(nal(false, 1), frame_num(1)).top, 2);  // operation 5: offset and frame_num are 0
}

TEST(PicOrderCnt, Type1WithoutCycle) {
  Sps sps;
  sps.pic_order_cnt_type = 1;
  sps.offset_for_non_ref_pic = -2;
  Sequence s(sps);
  s.next(nal(true, 1), frame_num(0));
  EXPECT_EQ(s.next(nal(false, 1), frame_num(1, 40)).top, 40);
  EXPECT_EQ(s.next(nal(false, 0), frame_num(2, 20)).top, 18);
}

TEST(PicOrderCnt, Type2FollowsDecodingOrder) {
  Sps sps;
  sps.pic_order_cnt_type = 2;
  Sequence s(sps);
  EXPECT_EQ(s.next(nal(true, 1), frame_num(0)).top, 0);
  EXPECT_EQ(s.next(nal(false, 1), frame_num(1)).top, 2);
  EXPECT_EQ(s.next(nal(false, 0), frame_num(2)).top, 3);
  EXPECT_EQ(s.next(nal(false, 1), frame_num(2)).bottom, 4);
  for (int i = 3; i < 16; ++i) s.next(nal(false, 1), frame_num(i));
  EXPECT_EQ(s.next(nal(false, 1), frame_num(0)).top, 32);
  s.next(nal(false, 1), frame_num(1), true);
  EXPECT_EQ(s.next(nal(false, 1), frame_num(1)).top, 2);
}

// 8.2.5.2: inferred frames are previous pictures to the one behind the gap.
TEST(PicOrderCnt, InferredFramesCarryTheFrameNumOffset) {
  Sps sps;
  sps.pic_order_cnt_type = 2;
  Sequence s(sps);
  s.next(nal(true, 1), frame_num(0));
  s.next(nal(false, 1), frame_num(13));
  EXPECT_EQ(s.decoder().infer_frame(sps, 14).top, 28);
  EXPECT_EQ(s.decoder().infer_frame(sps, 2).top, 36);  // 15, 0 and 1 left out
  EXPECT_EQ(s.next(nal(false, 1), frame_num(3)).top, 38);
}

TEST(PicOrderCnt, HostileValuesWrap) {
  Sps sps;
  sps.pic_order_cnt_type = 1;
  sps.num_ref_frames_in_pic_order_cnt_cycle = 255;
  for (std::int32_t& offset : sps.offset_for_ref_frame) offset = kMin + 1;
  sps.offset_for_top_to_bottom_field = kMin + 1;
  Sequence s(sps);
  s.next(nal(true, 1), frame_num(0));
  for (int i = 0; i < 1000; ++i) s.next(nal(false, 1), frame_num(15 - i % 16, kMin + 1, kMin + 1));
  sps.pic_order_cnt_type = 0;
  for (int i = 0; i < 1000; ++i) s.next(nal(false, 1), lsb(i % 2 == 0 ? 15 : 7, kMin + 1));
}

}  // namespace
}  // namespace cope::h264
