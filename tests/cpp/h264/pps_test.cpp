#include "cope/h264/pps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "cope/h264/slice_groups.h"
#include "parameter_set_writer.h"

namespace cope::h264 {
namespace {

Status parse(const BitWriter& writer, const Sps* sps, Pps& pps) {
  const Rbsp rbsp(writer);
  bits::BitReader r = rbsp.reader();
  return parse_pps(r, sps, pps);
}

Sps make_sps(const SpsSyntax& syntax) {
  const Rbsp rbsp(syntax.write());
  bits::BitReader r = rbsp.reader();
  Sps sps;
  EXPECT_TRUE(parse_sps(r, Limits{}, sps).ok());
  return sps;
}

TEST(Pps, KeepsFieldsAsCoded) {
  PpsSyntax syntax;
  syntax.pic_parameter_set_id = 255;
  syntax.seq_parameter_set_id = 31;
  syntax.entropy_coding_mode_flag = true;
  syntax.bottom_field_pic_order_in_frame_present_flag = true;
  syntax.num_ref_idx_l0_default_active_minus1 = 31;
  syntax.num_ref_idx_l1_default_active_minus1 = 2;
  syntax.weighted_pred_flag = true;
  syntax.weighted_bipred_idc = 2;
  syntax.pic_init_qp_minus26 = -26;
  syntax.pic_init_qs_minus26 = 25;
  syntax.chroma_qp_index_offset = -12;
  syntax.deblocking_filter_control_present_flag = true;
  syntax.redundant_pic_cnt_present_flag = true;
  Pps pps;
  ASSERT_TRUE(parse(syntax.write(), nullptr, pps).ok());
  EXPECT_EQ(pps.pic_parameter_set_id, 255);
  EXPECT_EQ(pps.seq_parameter_set_id, 31);
  EXPECT_TRUE(pps.entropy_coding_mode_flag);
  EXPECT_TRUE(pps.bottom_field_pic_order_in_frame_present_flag);
  EXPECT_EQ(pps.num_ref_idx_l0_default_active_minus1, 31);
  EXPECT_EQ(pps.num_ref_idx_l1_default_active_minus1, 2);
  EXPECT_TRUE(pps.weighted_pred_flag);
  EXPECT_EQ(pps.weighted_bipred_idc, 2);
  EXPECT_EQ(pps.pic_init_qp_minus26, -26);
  EXPECT_EQ(pps.pic_init_qs_minus26, 25);
  EXPECT_EQ(pps.chroma_qp_index_offset, -12);
  EXPECT_EQ(pps.second_chroma_qp_index_offset, -12);  // inferred
  EXPECT_TRUE(pps.deblocking_filter_control_present_flag);
  EXPECT_FALSE(pps.constrained_intra_pred_flag);
  EXPECT_TRUE(pps.redundant_pic_cnt_present_flag);
  EXPECT_FALSE(pps.transform_8x8_mode_flag);
}

TEST(Pps, ReadsHighProfileFieldsWhereTheyAre) {
  PpsSyntax syntax;
  syntax.chroma_qp_index_offset = 3;
  syntax.high_profile_fields = [](BitWriter& w) { w.flag(true).flag(false).se(-5); };
  Pps pps;
  ASSERT_TRUE(parse(syntax.write(), nullptr, pps).ok());
  EXPECT_TRUE(pps.transform_8x8_mode_flag);
  EXPECT_EQ(pps.chroma_qp_index_offset, 3);
  EXPECT_EQ(pps.second_chroma_qp_index_offset, -5);

  // Constrained baseline: whatever follows is no extension.
  SpsSyntax baseline;
  baseline.profile_idc = 66;
  baseline.constraint_set_flags = 0b11000000;
  const Sps sps = make_sps(baseline);
  ASSERT_TRUE(parse(syntax.write(), &sps, pps).ok());
  EXPECT_FALSE(pps.transform_8x8_mode_flag);
  EXPECT_EQ(pps.second_chroma_qp_index_offset, 3);
}

TEST(Pps, NumberOf8x8ListsFollowsTheChromaFormat) {
  PpsSyntax syntax;
  syntax.high_profile_fields = [](BitWriter& w) {
    w.flag(true).flag(true);
    for (int i = 0; i < 11; ++i) w.flag(false);
    w.flag(true).se(-8);  // list 11, Inter Cr: default
    w.se(7);
  };
  SpsSyntax high444;
  high444.profile_idc = 244;
  high444.chroma_format_idc = 3;
  const Sps sps = make_sps(high444);
  Pps pps;
  ASSERT_TRUE(parse(syntax.write(), &sps, pps).ok());
  EXPECT_EQ(pps.scaling_lists.present, 1 << 11);
  EXPECT_EQ(pps.scaling_lists.use_default, 1 << 11);
  EXPECT_EQ(pps.second_chroma_qp_index_offset, 7);
}

TEST(Pps, RefusesValuesOutOfRange) {
  const auto element_of = [](const PpsSyntax& syntax) {
    Pps pps;
    const Status status = parse(syntax.write(), nullptr, pps);
    EXPECT_EQ(status.code, StatusCode::kInvalidBitstream);
    return std::string(status.element != nullptr ? status.element : "");
  };
  PpsSyntax s;
  s.pic_parameter_set_id = 256;
  EXPECT_EQ(element_of(s), "pic_parameter_set_id");
  s = {};
  s.seq_parameter_set_id = 32;
  EXPECT_EQ(element_of(s), "seq_parameter_set_id");
  s = {};
  s.slice_groups = [](BitWriter& w) { w.ue(8); };
  EXPECT_EQ(element_of(s), "num_slice_groups_minus1");
  s.slice_groups = [](BitWriter& w) { w.ue(1).ue(7); };
  EXPECT_EQ(element_of(s), "slice_group_map_type");
  s.slice_groups = [](BitWriter& w) { w.ue(2).ue(4); };
  EXPECT_EQ(element_of(s), "num_slice_groups_minus1");
  s.slice_groups = [](BitWriter& w) { w.ue(1).ue(6).ue(0xfffffffe); };
  EXPECT_EQ(element_of(s), "pic_size_in_map_units_minus1");
  s.slice_groups = [](BitWriter& w) { w.ue(1).ue(6).ue(130000); };  // more than there are bits
  EXPECT_EQ(element_of(s), "slice_group_id");
  s.slice_groups = [](BitWriter& w) { w.ue(2).ue(6).ue(0).u(2, 3); };
  EXPECT_EQ(element_of(s), "slice_group_id");
  s = {};
  s.num_ref_idx_l0_default_active_minus1 = 32;
  EXPECT_EQ(element_of(s), "num_ref_idx_l0_default_active_minus1");
  s = {};
  s.num_ref_idx_l1_default_active_minus1 = 32;
  EXPECT_EQ(element_of(s), "num_ref_idx_l1_default_active_minus1");
  s = {};
  s.weighted_bipred_idc = 3;
  EXPECT_EQ(element_of(s), "weighted_bipred_idc");
  s = {};
  s.pic_init_qp_minus26 = 26;
  EXPECT_EQ(element_of(s), "pic_init_qp_minus26");
  s = {};
  s.chroma_qp_index_offset = 13;
  EXPECT_EQ(element_of(s), "chroma_qp_index_offset");
  s = {};
  s.high_profile_fields = [](BitWriter& w) { w.flag(false).flag(false).se(-13); };
  EXPECT_EQ(element_of(s), "second_chroma_qp_index_offset");
}

TEST(Pps, ActivationChecksAgainstTheSps) {
  const auto activates = [](const PpsSyntax& syntax, const SpsSyntax& sps_syntax) {
    const Sps sps = make_sps(sps_syntax);
    Pps pps;
    EXPECT_TRUE(parse(syntax.write(), &sps, pps).ok());
    return activate_pps(sps, pps).ok();
  };
  const SpsSyntax sps;  // 4 x 3 macroblocks, 8 bit
  PpsSyntax s;
  EXPECT_TRUE(activates(s, sps));
  s.pic_init_qp_minus26 = -27;
  EXPECT_FALSE(activates(s, sps));
  SpsSyntax ten_bit;
  ten_bit.profile_idc = 110;
  ten_bit.bit_depth_luma_minus8 = 2;
  EXPECT_TRUE(activates(s, ten_bit));
  s = {};
  s.slice_groups = [](BitWriter& w) { w.ue(1).ue(0).ue(11).ue(12); };
  EXPECT_FALSE(activates(s, sps));
  s.slice_groups = [](BitWriter& w) { w.ue(1).ue(2).ue(5).ue(12); };
  EXPECT_FALSE(activates(s, sps));  // bottom_right outside
  s.slice_groups = [](BitWriter& w) { w.ue(1).ue(2).ue(3).ue(8); };
  EXPECT_FALSE(activates(s, sps));  // its left edge is right of its right edge
  s.slice_groups = [](BitWriter& w) { w.ue(1).ue(4).flag(false).ue(12); };
  EXPECT_FALSE(activates(s, sps));
  s.slice_groups = [](BitWriter& w) { w.ue(1).ue(6).ue(10).u(11, 0); };
  EXPECT_FALSE(activates(s, sps));  // one map unit short
}

// ---- scaling lists

/// weight_4x4 of list `i` at zig-zag index k, from raster order: 0 (0,0), 1 (1,0), 2 (0,1), 15
/// (3,3).
int at(const prim::ScalingMatrices& m, int i, int k) {
  const int raster[] = {0, 1, 4};
  return k == 15 ? m.weight_4x4[i][15] : m.weight_4x4[i][raster[k]];
}

void fill(ScalingLists& lists, int i, std::uint8_t value) {
  lists.present = static_cast<std::uint16_t>(lists.present | 1u << i);
  if (i < 6) {
    std::fill_n(lists.list_4x4[i], 16, value);
  } else {
    std::fill_n(lists.list_8x8[i - 6], 64, value);
  }
}

TEST(ScalingLists, ParsesDifferencesAndTheShortForm) {
  BitWriter w;
  w.flag(true).se(2);                   // 10
  for (int j = 1; j < 4; ++j) w.se(1);  // 11, 12, 13
  w.se(-13);                            // nextScale 0: the rest repeats 13
  w.flag(true).se(-8);                  // first nextScale 0: default
  w.flag(false);
  const Rbsp rbsp(w.trailing());
  bits::BitReader r = rbsp.reader();
  ScalingLists lists;
  ASSERT_TRUE(parse_scaling_lists(r, 3, lists).ok());
  EXPECT_EQ(lists.present, 0b011);
  EXPECT_EQ(lists.use_default, 0b010);
  const int expected[] = {10, 11, 12, 13, 13, 13};
  for (int j = 0; j < 6; ++j) EXPECT_EQ(lists.list_4x4[0][j], expected[j]);
  EXPECT_EQ(lists.list_4x4[0][15], 13);
}

TEST(ScalingLists, FlatWithoutAnyList) {
  const prim::ScalingMatrices m = resolve_scaling_matrices(nullptr, nullptr);
  for (const auto& matrix : m.weight_4x4) {
    for (const int w : matrix) EXPECT_EQ(w, 16);
  }
  for (const auto& matrix : m.weight_8x8) {
    for (const int w : matrix) EXPECT_EQ(w, 16);
  }
}

TEST(ScalingLists, RasterOrderOfTheZigZagScan) {
  ScalingLists lists;
  lists.present = 1;
  std::iota(lists.list_4x4[0], lists.list_4x4[0] + 16, std::uint8_t{100});
  const prim::ScalingMatrices m = resolve_scaling_matrices(&lists, nullptr);
  const int expected[16] = {100, 101, 105, 106, 102, 104, 107, 112,
                            103, 108, 111, 113, 109, 110, 114, 115};
  for (int k = 0; k < 16; ++k) EXPECT_EQ(m.weight_4x4[0][k], expected[k]) << k;
}

TEST(ScalingLists, FallBackRuleA) {
  ScalingLists sps;
  fill(sps, 1, 50);  // Intra Cb; Cr falls back to it
  fill(sps, 6, 60);  // 8x8 Intra Y; Intra Cb and Cr follow
  fill(sps, 9, 90);  // 8x8 Inter Cb; Inter Cr follows
  const prim::ScalingMatrices m = resolve_scaling_matrices(&sps, nullptr);
  EXPECT_EQ(at(m, 0, 0), 6);  // Default_4x4_Intra
  EXPECT_EQ(at(m, 0, 15), 42);
  EXPECT_EQ(at(m, 1, 0), 50);
  EXPECT_EQ(at(m, 2, 0), 50);
  EXPECT_EQ(at(m, 3, 0), 10);  // Default_4x4_Inter
  EXPECT_EQ(at(m, 4, 1), 14);
  EXPECT_EQ(at(m, 5, 15), 34);
  EXPECT_EQ(m.weight_8x8[0][0], 60);
  EXPECT_EQ(m.weight_8x8[1][0], 60);
  EXPECT_EQ(m.weight_8x8[2][0], 60);
  EXPECT_EQ(m.weight_8x8[3][0], 9);  // Default_8x8_Inter
  EXPECT_EQ(m.weight_8x8[3][63], 35);
  EXPECT_EQ(m.weight_8x8[4][0], 90);
  EXPECT_EQ(m.weight_8x8[5][0], 90);
}

TEST(ScalingLists, FallBackRuleBNeedsListsOfTheSps) {
  ScalingLists sps;
  fill(sps, 0, 20);
  fill(sps, 3, 23);
  fill(sps, 7, 27);
  ScalingLists pps;
  fill(pps, 4, 34);
  pps.present |= 1 << 5;
  pps.use_default |= 1 << 5;
  prim::ScalingMatrices m = resolve_scaling_matrices(&sps, &pps);
  EXPECT_EQ(at(m, 0, 0), 20);  // rule B: the SPS's list
  EXPECT_EQ(at(m, 2, 0), 20);  // by way of lists 0 and 1 of the PPS
  EXPECT_EQ(at(m, 3, 0), 23);
  EXPECT_EQ(at(m, 4, 0), 34);
  EXPECT_EQ(at(m, 5, 0), 10);  // asked for the default
  EXPECT_EQ(m.weight_8x8[3][0], 27);
  EXPECT_EQ(m.weight_8x8[0][0], 6);  // the SPS's list 6 fell back to Default_8x8_Intra
  m = resolve_scaling_matrices(nullptr, &pps);
  EXPECT_EQ(at(m, 0, 0), 6);  // rule A
  EXPECT_EQ(at(m, 3, 0), 10);
  EXPECT_EQ(at(m, 4, 0), 34);
}

// ---- slice groups

std::vector<std::uint8_t> map_of(const SpsSyntax& sps_syntax, const PpsSyntax& pps_syntax,
                                 std::uint32_t slice_group_change_cycle = 0,
                                 bool field_pic_flag = false) {
  const Sps sps = make_sps(sps_syntax);
  Pps pps;
  EXPECT_TRUE(parse(pps_syntax.write(), &sps, pps).ok());
  EXPECT_TRUE(activate_pps(sps, pps).ok());
  SliceHeader header;
  header.field_pic_flag = field_pic_flag;
  header.MbaffFrameFlag = sps.mb_adaptive_frame_field_flag && !field_pic_flag;
  header.PicSizeInMbs = sps.PicWidthInMbs() * sps.FrameHeightInMbs() / (field_pic_flag ? 2 : 1);
  header.slice_group_change_cycle = slice_group_change_cycle;
  std::vector<std::uint8_t> map;
  derive_mb_to_slice_group_map(sps, pps, header, map);
  return map;
}

using Map = std::vector<std::uint8_t>;

TEST(SliceGroups, NoMapForOneGroup) { EXPECT_TRUE(map_of({}, {}).empty()); }

TEST(SliceGroups, EveryType) {
  const SpsSyntax sps;  // 4 x 3
  PpsSyntax pps;
  pps.slice_groups = [](BitWriter& w) { w.ue(1).ue(0).ue(2).ue(0); };  // runs of 3 and 1
  EXPECT_EQ(map_of(sps, pps), (Map{0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}));
  pps.slice_groups = [](BitWriter& w) { w.ue(1).ue(1); };
  EXPECT_EQ(map_of(sps, pps), (Map{0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1}));
  pps.slice_groups = [](BitWriter& w) { w.ue(2).ue(1); };
  EXPECT_EQ(map_of(sps, pps), (Map{0, 1, 2, 0, 1, 2, 0, 1, 0, 1, 2, 0}));
  pps.slice_groups = [](BitWriter& w) { w.ue(2).ue(2).ue(0).ue(5).ue(5).ue(11); };
  EXPECT_EQ(map_of(sps, pps), (Map{0, 0, 2, 2, 0, 0, 1, 1, 2, 1, 1, 1}));
  pps.slice_groups = [](BitWriter& w) { w.ue(1).ue(4).flag(false).ue(2); };  // rate 3
  EXPECT_EQ(map_of(sps, pps, 2), (Map{0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1}));
  pps.slice_groups = [](BitWriter& w) { w.ue(1).ue(4).flag(true).ue(4); };  // rate 5, from below
  EXPECT_EQ(map_of(sps, pps, 1), (Map{1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0}));
  pps.slice_groups = [](BitWriter& w) { w.ue(1).ue(5).flag(false).ue(3); };  // rate 4
  EXPECT_EQ(map_of(sps, pps, 1), (Map{0, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1}));
  pps.slice_groups = [](BitWriter& w) {
    w.ue(3).ue(6).ue(11);
    for (const unsigned id : {0u, 1u, 2u, 3u, 3u, 2u, 1u, 0u, 0u, 0u, 1u, 1u}) w.u(2, id);
  };
  EXPECT_EQ(map_of(sps, pps), (Map{0, 1, 2, 3, 3, 2, 1, 0, 0, 0, 1, 1}));
}

TEST(SliceGroups, BoxOutGrowsFromTheCentre) {
  SpsSyntax sps;
  sps.pic_width_in_mbs_minus1 = 4;
  sps.pic_height_in_map_units_minus1 = 4;
  PpsSyntax pps;
  // Clockwise: centre (2,2), then left, up, right of it (8.2.2.4).
  pps.slice_groups = [](BitWriter& w) { w.ue(1).ue(3).flag(false).ue(0); };
  EXPECT_EQ(map_of(sps, pps, 4), (Map{1, 1, 1, 1, 1,  //
                                      1, 0, 0, 1, 1,  //
                                      1, 0, 0, 1, 1,  //
                                      1, 1, 1, 1, 1,  //
                                      1, 1, 1, 1, 1}));
  EXPECT_EQ(map_of(sps, pps, 9), (Map{1, 1, 1, 1, 1,  //
                                      1, 0, 0, 0, 1,  //
                                      1, 0, 0, 0, 1,  //
                                      1, 0, 0, 0, 1,  //
                                      1, 1, 1, 1, 1}));
  EXPECT_EQ(map_of(sps, pps, 25), Map(25, 0));
  // Counter-clockwise starts at ((5 - 1) / 2, (5 - 1) / 2) too, and goes down first.
  pps.slice_groups = [](BitWriter& w) { w.ue(1).ue(3).flag(true).ue(0); };
  EXPECT_EQ(map_of(sps, pps, 2), (Map{1, 1, 1, 1, 1,  //
                                      1, 1, 1, 1, 1,  //
                                      1, 1, 0, 1, 1,  //
                                      1, 1, 0, 1, 1,  //
                                      1, 1, 1, 1, 1}));
}

TEST(SliceGroups, BoxOutEndsForThinPictures) {
  PpsSyntax pps;
  for (const bool direction : {false, true}) {
    pps.slice_groups = [direction](BitWriter& w) { w.ue(1).ue(3).flag(direction).ue(0); };
    SpsSyntax sps;
    sps.pic_width_in_mbs_minus1 = 0;
    sps.pic_height_in_map_units_minus1 = 40;
    EXPECT_EQ(map_of(sps, pps, 41), Map(41, 0));
    sps.pic_width_in_mbs_minus1 = 40;
    sps.pic_height_in_map_units_minus1 = 0;
    EXPECT_EQ(map_of(sps, pps, 41), Map(41, 0));
  }
}

TEST(SliceGroups, MapUnitsSpreadOverInterlacedFrames) {
  SpsSyntax sps;  // 2 x 2 map units, 2 x 4 macroblocks
  sps.pic_width_in_mbs_minus1 = 1;
  sps.pic_height_in_map_units_minus1 = 1;
  sps.frame_mbs_only_flag = false;
  PpsSyntax pps;
  pps.slice_groups = [](BitWriter& w) { w.ue(3).ue(6).ue(3).u(2, 0).u(2, 1).u(2, 2).u(2, 3); };
  EXPECT_EQ(map_of(sps, pps, 0, true), (Map{0, 1, 2, 3}));
  EXPECT_EQ(map_of(sps, pps), (Map{0, 1, 0, 1, 2, 3, 2, 3}));
  sps.mb_adaptive_frame_field_flag = true;
  EXPECT_EQ(map_of(sps, pps), (Map{0, 0, 1, 1, 2, 2, 3, 3}));
}

}  // namespace
}  // namespace cope::h264
