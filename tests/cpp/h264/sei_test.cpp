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
