#include "cope/h264/sei.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bit_writer.h"

namespace cope::h264 {
namespace {

Sei parse(const BitWriter& w) {
  const Rbsp rbsp(w);
  bits::BitReader r = rbsp.reader();
  return parse_sei(r);
}

TEST(Sei, FindsTheRecoveryPointAmongOtherMessages) {
  BitWriter w;
  w.u(8, 255).u(8, 10).u(8, 2).u(16, 0xabcd);  // payloadType 265
  w.u(8, 5).u(8, 255).u(8, 1);                 // 256 bytes
  for (int i = 0; i < 256; ++i) w.u(8, 6);
  w.u(8, 6).u(8, 2).ue(6).flag(true).flag(true).u(2, 0).flag(true).u(6, 0);
  const Sei sei = parse(w.trailing());
  EXPECT_TRUE(sei.has_recovery_point);
  EXPECT_EQ(sei.recovery_frame_cnt, 6u);
  EXPECT_TRUE(sei.exact_match_flag);
  EXPECT_TRUE(sei.broken_link_flag);
}

TEST(Sei, NothingToFind) {
  EXPECT_FALSE(parse(BitWriter().trailing()).has_recovery_point);
  EXPECT_FALSE(parse(BitWriter().u(8, 1).u(8, 1).u(8, 0x66).trailing()).has_recovery_point);
}

TEST(Sei, PictureTimingIsReadByTheSps) {
  Sps sps;
  sps.vui.pic_struct_present_flag = true;
  BitWriter w;
  w.u(8, 1).u(8, 1).u(4, 5).u(4, 0);
  EXPECT_EQ(read_pic_struct(parse(w.trailing()), sps), 5);
  Sps with_hrd = sps;
  with_hrd.vui.CpbDpbDelaysPresentFlag = true;
  with_hrd.vui.cpb_removal_delay_length_minus1 = 31;
  with_hrd.vui.dpb_output_delay_length_minus1 = 31;
  BitWriter delays;
  delays.u(8, 1).u(8, 10).u(32, 0x12345678).u(32, 0x9abcdef0).u(4, 6).u(12, 0);
  EXPECT_EQ(read_pic_struct(parse(delays.trailing()), with_hrd), 6);
  BitWriter cut;
  cut.u(8, 1).u(8, 8).u(32, 0).u(32, 0);
  EXPECT_EQ(read_pic_struct(parse(cut.trailing()), with_hrd), -1);
  EXPECT_EQ(read_pic_struct(Sei(), sps), -1);
  EXPECT_EQ(read_pic_struct(parse(w.trailing()), Sps()), -1);
}

TEST(Sei, FramePacking) {
  const auto packing = [](unsigned type, bool quincunx) {
    BitWriter payload;
    payload.ue(0).flag(false).u(7, type).flag(quincunx).u(6, 1).u(6, 0);
    if (!quincunx && type != 5) payload.u(16, 0);
    payload.u(8, 0).ue(1).flag(false);
    const auto bytes = payload.trailing().bytes();
    BitWriter w;
    w.u(8, 45).u(8, bytes.size());
    for (const std::uint8_t byte : bytes) w.u(8, byte);
    return parse(w.trailing());
  };
  for (const unsigned type : {0u, 3u, 5u, 7u}) {
    const Sei sei = packing(type, type == 0);
    EXPECT_TRUE(sei.has_frame_packing);
    EXPECT_FALSE(sei.frame_packing_arrangement_cancel_flag);
    EXPECT_EQ(sei.frame_packing_arrangement_type, type);
    EXPECT_EQ(sei.frame_packing_arrangement_repetition_period, 1u);
  }
  EXPECT_TRUE(parse(BitWriter().u(8, 45).u(8, 1).ue(0).flag(true).u(6, 0).trailing())
                  .frame_packing_arrangement_cancel_flag);
  EXPECT_FALSE(parse(BitWriter().u(8, 45).u(8, 1).u(8, 0xa0).trailing()).has_frame_packing);
}

TEST(Sei, NamesTheBuildOfX264) {
  const auto user_data = [](const std::string& text) {
    BitWriter w;
    w.u(8, 5).u(8, 16 + text.size());
    for (int i = 0; i < 16; ++i) w.u(8, 0xdc);  // UUID
    for (const char c : text) w.u(8, static_cast<unsigned char>(c));
    return parse(w.trailing()).x264_build;
  };
  EXPECT_EQ(user_data("x264 - core 148 r2748 97eaef2"), 148);
  EXPECT_EQ(user_data("x264 - core 7"), 7);
  EXPECT_EQ(user_data("x264 - core 999999999999999"), 99999);
  EXPECT_EQ(user_data("x264 - core "), -1);
  EXPECT_EQ(user_data("x265 - core 148"), -1);
  EXPECT_EQ(user_data("x264"), -1);
}

TEST(Sei, LongRunsOfEmptyMessagesTakeLinearTime) {
  std::vector<std::uint8_t> bytes(8 << 20);  // first half messages, second half zeros
  for (std::size_t i = 0; i < bytes.size() / 2; i += 2) bytes[i] = 1;
  const Rbsp rbsp(std::move(bytes));
  bits::BitReader r = rbsp.reader();
  EXPECT_FALSE(parse_sei(r).has_recovery_point);
}

TEST(Sei, DamagedMessagesAreIgnored) {
  EXPECT_FALSE(parse(BitWriter().u(8, 6).u(8, 0).trailing()).has_recovery_point);          // empty
  EXPECT_FALSE(parse(BitWriter().u(8, 6).u(8, 200).ue(0).trailing()).has_recovery_point);  // cut
  EXPECT_FALSE(parse(BitWriter().u(8, 255).u(8, 255).u(8, 255)).has_recovery_point);
  BitWriter w;  // good message first, then damage
  w.u(8, 6).u(8, 1).ue(0).flag(true).flag(false).u(5, 4).u(8, 4).u(8, 90).trailing();
  EXPECT_TRUE(parse(w).has_recovery_point);
}

}  // namespace
}  // namespace cope::h264
