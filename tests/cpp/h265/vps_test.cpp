#include "cope/h265/vps.h"

#include <gtest/gtest.h>

#include <string>

#include "parameter_set_writer.h"

namespace cope::h265 {
namespace {

Status parse(const VpsSyntax& syntax, Vps& vps) {
  const Rbsp rbsp(syntax.write());
  bits::BitReader r = rbsp.reader();
  return parse_vps(r, vps);
}

TEST(Vps, KeepsLayersAndTiming) {
  VpsSyntax syntax;
  syntax.vps_video_parameter_set_id = 3;
  syntax.vps_max_layers_minus1 = 1;
  syntax.vps_max_sub_layers_minus1 = 2;
  syntax.vps_max_layer_id = 4;
  syntax.vps_num_layer_sets_minus1 = 7;
  syntax.timing = [](BitWriter& w) { w.u(32, 1001).u(32, 30000).flag(true).ue(1).ue(0); };
  Vps vps;
  ASSERT_TRUE(parse(syntax, vps).ok());
  EXPECT_EQ(vps.vps_video_parameter_set_id, 3);
  EXPECT_EQ(vps.vps_max_layers_minus1, 1);
  EXPECT_EQ(vps.vps_max_sub_layers_minus1, 2);
  EXPECT_EQ(vps.profile_tier_level.general_level_idc, 93);
  EXPECT_EQ(vps.vps_max_dec_pic_buffering_minus1[2], 4);
  EXPECT_EQ(vps.vps_max_layer_id, 4);
  EXPECT_EQ(vps.vps_num_layer_sets_minus1, 7);
  EXPECT_EQ(vps.vps_num_units_in_tick, 1001u);
  EXPECT_EQ(vps.vps_time_scale, 30000u);
  EXPECT_EQ(vps.vps_num_ticks_poc_diff_one_minus1, 1u);
}

TEST(Vps, Ranges) {
  VpsSyntax syntax;
  syntax.vps_max_sub_layers_minus1 = 7;
  Vps vps;
  EXPECT_STREQ(parse(syntax, vps).element, "vps_max_sub_layers_minus1");
  syntax = {};
  syntax.vps_num_layer_sets_minus1 = 1024;
  EXPECT_STREQ(parse(syntax, vps).element, "vps_num_layer_sets_minus1");
  const Rbsp cut(BitWriter().u(32, 0x0c01ffff));
  bits::BitReader r = cut.reader();
  EXPECT_STREQ(parse_vps(r, vps).element, "rbsp_overrun");
}

}  // namespace
}  // namespace cope::h265
