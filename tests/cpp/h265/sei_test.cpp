#include "cope/h265/sei.h"

#include <gtest/gtest.h>

#include "bit_writer.h"

namespace cope::h265 {
namespace {

Sei parse(const BitWriter& w) {
  const Rbsp rbsp(w);
  bits::BitReader r = rbsp.reader();
  return parse_sei(r);
}

TEST(Sei, FindsTheRecoveryPointAmongOtherMessages) {
  BitWriter w;
  w.u(8, 129).u(8, 2).u(16, 0x1048);  // active parameter sets
  w.u(8, 5).u(8, 255).u(8, 1);        // 256 bytes of user data
  for (int i = 0; i < 256; ++i) w.u(8, 6);
  w.u(8, 6).u(8, 2).se(-6).flag(true).flag(true).u(2, 0).flag(true).u(4, 0);
  const Sei sei = parse(w.trailing());
  EXPECT_TRUE(sei.has_recovery_point);
  EXPECT_EQ(sei.recovery_poc_cnt, -6);
  EXPECT_TRUE(sei.exact_match_flag);
  EXPECT_TRUE(sei.broken_link_flag);
}

TEST(Sei, DamagedMessagesAreIgnored) {
  EXPECT_FALSE(parse(BitWriter().trailing()).has_recovery_point);
  EXPECT_FALSE(parse(BitWriter().u(8, 6).u(8, 0).trailing()).has_recovery_point);          // empty
  EXPECT_FALSE(parse(BitWriter().u(8, 6).u(8, 200).se(0).trailing()).has_recovery_point);  // cut
  EXPECT_FALSE(parse(BitWriter().u(8, 255).u(8, 255).u(8, 255)).has_recovery_point);
}

}  // namespace
}  // namespace cope::h265
