#include "cope/h265/sps.h"

#include <gtest/gtest.h>

#include <string>

#include "parameter_set_writer.h"

namespace cope::h265 {
namespace {

Status parse(const BitWriter& writer, Sps& sps) {
  const Rbsp rbsp(writer);
  bits::BitReader r = rbsp.reader();
  return parse_sps(r, Limits{}, sps);
}

Sps parse_good(const SpsSyntax& syntax) {
  Sps sps;
  EXPECT_TRUE(parse(syntax.write(), sps).ok());
  return sps;
}

std::string refusal(const SpsSyntax& syntax) {
  Sps sps;
  const Status status = parse(syntax.write(), sps);
  return status.ok() ? "accepted" : status.element;
}

TEST(Sps, KeepsFieldsAndDerivesSizes) {
  SpsSyntax syntax;
  syntax.sps_seq_parameter_set_id = 5;
  syntax.pic_width_in_luma_samples = 1288;
  syntax.pic_height_in_luma_samples = 728;
  syntax.conformance_window = [](BitWriter& w) { w.ue(1).ue(3).ue(0).ue(4); };
  syntax.log2_max_pic_order_cnt_lsb_minus4 = 4;
  syntax.log2_diff_max_min_luma_coding_block_size = 3;
  syntax.log2_diff_max_min_luma_transform_block_size = 3;
  syntax.amp_enabled_flag = true;
  const Sps sps = parse_good(syntax);
  EXPECT_EQ(sps.sps_seq_parameter_set_id, 5);
  EXPECT_EQ(sps.profile_tier_level.general_profile_idc, 1);
  EXPECT_TRUE(sps.profile_tier_level.is_compatible_with(2));
  EXPECT_FALSE(sps.profile_tier_level.is_compatible_with(4));
  EXPECT_EQ(sps.profile_tier_level.general_level_idc, 93);
  EXPECT_EQ(sps.MaxPicOrderCntLsb(), 256);
  EXPECT_EQ(sps.MinCbLog2SizeY, 3);
  EXPECT_EQ(sps.CtbLog2SizeY, 6);
  EXPECT_EQ(sps.MinTbLog2SizeY, 2);
  EXPECT_EQ(sps.MaxTbLog2SizeY, 5);
  EXPECT_EQ(sps.PicWidthInMinCbsY, 161);
  EXPECT_EQ(sps.PicWidthInCtbsY, 21);  // 20.125
  EXPECT_EQ(sps.PicHeightInCtbsY, 12);
  EXPECT_EQ(sps.PicSizeInCtbsY, 252);
  EXPECT_EQ(sps.crop_left(), 2);  // 4:2:0: two luma samples a unit
  EXPECT_EQ(sps.crop_right(), 6);
  EXPECT_EQ(sps.crop_bottom(), 8);
  EXPECT_EQ(sps.max_transform_hierarchy_depth_inter, 1);
  EXPECT_EQ(sps.max_transform_hierarchy_depth_intra, 2);
  EXPECT_TRUE(sps.amp_enabled_flag);
  ASSERT_EQ(sps.num_short_term_ref_pic_sets, 1);
  EXPECT_EQ(sps.short_term_ref_pic_set[0].DeltaPocS0[0], -1);
}

TEST(Sps, SubLayersDoNotShiftWhatFollows) {
  SpsSyntax syntax;
  syntax.sps_max_sub_layers_minus1 = 6;
  const Sps sps = parse_good(syntax);
  EXPECT_EQ(sps.pic_width_in_luma_samples, 64);
  EXPECT_EQ(sps.sps_max_dec_pic_buffering_minus1[0], 4);  // as the highest says
  EXPECT_EQ(sps.sps_max_num_reorder_pics[6], 2);
}

TEST(Sps, ChromaFormats) {
  const int width[] = {1, 2, 2, 1};
  const int height[] = {1, 2, 1, 1};
  for (unsigned idc = 0; idc < 4; ++idc) {
    SpsSyntax syntax;
    syntax.chroma_format_idc = idc;
    const Sps sps = parse_good(syntax);
    EXPECT_EQ(sps.SubWidthC, width[idc]);
    EXPECT_EQ(sps.SubHeightC, height[idc]);
    EXPECT_EQ(sps.ChromaArrayType(), static_cast<int>(idc));
  }
}

TEST(Sps, DropsWindowThatLeavesNothing) {
  SpsSyntax syntax;
  syntax.conformance_window = [](BitWriter& w) { w.ue(16).ue(16).ue(0).ue(0); };
  EXPECT_EQ(parse_good(syntax).crop_left(), 0);
  syntax.conformance_window = [](BitWriter& w) { w.ue(16).ue(15).ue(0).ue(0); };
  EXPECT_EQ(parse_good(syntax).crop_right(), 30);
}

TEST(Sps, RangesOfBlockSizes) {
  const auto sizes = [](unsigned min_cb, unsigned diff_cb, unsigned min_tb, unsigned diff_tb) {
    SpsSyntax syntax;
    syntax.log2_min_luma_coding_block_size_minus3 = min_cb;
    syntax.log2_diff_max_min_luma_coding_block_size = diff_cb;
    syntax.log2_min_luma_transform_block_size_minus2 = min_tb;
    syntax.log2_diff_max_min_luma_transform_block_size = diff_tb;
    syntax.max_transform_hierarchy_depth_inter = syntax.max_transform_hierarchy_depth_intra = 0;
    syntax.pic_width_in_luma_samples = syntax.pic_height_in_luma_samples = 64;
    return refusal(syntax);
  };
  EXPECT_EQ(sizes(0, 1, 0, 2), "accepted");
  EXPECT_EQ(sizes(3, 0, 3, 0), "accepted");                                  // 64, transforms of 32
  EXPECT_EQ(sizes(0, 0, 0, 1), "log2_diff_max_min_luma_coding_block_size");  // CTBs of 8
  EXPECT_EQ(sizes(3, 1, 0, 2), "log2_diff_max_min_luma_coding_block_size");  // of 128
  EXPECT_EQ(sizes(0, 1, 1, 0), "log2_min_luma_transform_block_size_minus2");
  EXPECT_EQ(sizes(0, 1, 0, 3), "log2_diff_max_min_luma_transform_block_size");  // 32 in 16
  EXPECT_EQ(sizes(3, 0, 2, 2), "log2_diff_max_min_luma_transform_block_size");  // of 64
  SpsSyntax syntax;
  syntax.max_transform_hierarchy_depth_intra = 3;  // 16 to 4 are 2 steps
  EXPECT_EQ(refusal(syntax), "max_transform_hierarchy_depth_intra");
}

TEST(Sps, LimitsAndRanges) {
  const auto size = [](std::uint64_t width, std::uint64_t height) {
    SpsSyntax syntax;
    syntax.pic_width_in_luma_samples = width;
    syntax.pic_height_in_luma_samples = height;
    return refusal(syntax);
  };
  EXPECT_EQ(size(8192, 4320), "accepted");
  EXPECT_EQ(size(16384, 16384), "max_luma_samples");
  EXPECT_EQ(size(16888, 8), "max_dimension");
  EXPECT_EQ(size((1ull << 32) - 8, 8), "max_dimension");
  EXPECT_EQ(size(0, 8), "pic_width_in_luma_samples");
  EXPECT_EQ(size(60, 48), "pic_width_in_luma_samples");  // not a multiple of 8
  SpsSyntax syntax;
  syntax.sps_seq_parameter_set_id = 16;
  EXPECT_EQ(refusal(syntax), "sps_seq_parameter_set_id");
  syntax = {};
  syntax.chroma_format_idc = 4;
  EXPECT_EQ(refusal(syntax), "chroma_format_idc");
  syntax = {};
  syntax.bit_depth_luma_minus8 = 9;
  EXPECT_EQ(refusal(syntax), "bit_depth_luma_minus8");
  syntax = {};
  syntax.log2_max_pic_order_cnt_lsb_minus4 = 13;
  EXPECT_EQ(refusal(syntax), "log2_max_pic_order_cnt_lsb_minus4");
  syntax = {};
  syntax.short_term_ref_pic_sets = [](BitWriter& w) { w.ue(65); };
  EXPECT_EQ(refusal(syntax), "num_short_term_ref_pic_sets");
  syntax.short_term_ref_pic_sets = [](BitWriter& w) { w.ue(1).ue(9).ue(8); };
  EXPECT_EQ(refusal(syntax), "num_positive_pics");
  syntax = {};
  syntax.long_term_ref_pics = [](BitWriter& w) { w.ue(33); };
  EXPECT_EQ(refusal(syntax), "num_long_term_ref_pics_sps");
}

TEST(Sps, Pcm) {
  SpsSyntax syntax;
  syntax.log2_diff_max_min_luma_coding_block_size = 2;
  syntax.pcm = [](BitWriter& w) { w.u(4, 7).u(4, 4).ue(0).ue(2).flag(true); };
  const Sps sps = parse_good(syntax);
  EXPECT_EQ(sps.PcmBitDepthY(), 8);
  EXPECT_EQ(sps.PcmBitDepthC(), 5);
  EXPECT_EQ(sps.Log2MinIpcmCbSizeY, 3);
  EXPECT_EQ(sps.Log2MaxIpcmCbSizeY, 5);
  EXPECT_TRUE(sps.pcm_loop_filter_disabled_flag);
  syntax.pcm = [](BitWriter& w) { w.u(4, 8).u(4, 4).ue(0).ue(2).flag(true); };
  EXPECT_EQ(refusal(syntax), "pcm_sample_bit_depth_luma_minus1");
  syntax.log2_diff_max_min_luma_coding_block_size = 1;
  syntax.pcm = [](BitWriter& w) { w.u(4, 7).u(4, 4).ue(0).ue(2).flag(true); };
  EXPECT_EQ(refusal(syntax), "log2_diff_max_min_pcm_luma_coding_block_size");
}

TEST(Sps, LongTermPictures) {
  SpsSyntax syntax;
  syntax.log2_max_pic_order_cnt_lsb_minus4 = 2;
  syntax.long_term_ref_pics = [](BitWriter& w) { w.ue(2).u(6, 33).flag(true).u(6, 5).flag(false); };
  syntax.sps_temporal_mvp_enabled_flag = true;
  const Sps sps = parse_good(syntax);
  EXPECT_EQ(sps.num_long_term_ref_pics_sps, 2);
  EXPECT_EQ(sps.lt_ref_pic_poc_lsb_sps[0], 33);
  EXPECT_TRUE(sps.used_by_curr_pic_lt_sps_flag[0]);
  EXPECT_EQ(sps.lt_ref_pic_poc_lsb_sps[1], 5);
  EXPECT_FALSE(sps.used_by_curr_pic_lt_sps_flag[1]);
  EXPECT_TRUE(sps.sps_temporal_mvp_enabled_flag);
}

/// sps_range_extension() with every other flag set, behind whatever precedes it.
void write_range_extension(BitWriter& w) { w.u(8, 0b10000000).u(9, 0b101010101); }

TEST(Sps, RangeExtensionBehindFullVui) {
  SpsSyntax syntax;
  syntax.sps_max_sub_layers_minus1 = 1;
  syntax.bit_depth_luma_minus8 = 8;
  syntax.bit_depth_chroma_minus8 = 2;
  syntax.vui = [](BitWriter& w) {
    w.flag(true).u(8, 255).u(16, 4).u(16, 3);  // sample aspect ratio
    w.flag(true).flag(false);                  // overscan
    w.flag(true).u(3, 5).flag(true).flag(true).u(24, 0x091018);
    w.flag(true).ue(1).ue(2);              // chroma locations
    w.flag(false).flag(true).flag(true);   // field_seq_flag, frame_field_info
    w.flag(true).ue(0).ue(1).ue(2).ue(3);  // default display window
    w.flag(true).u(32, 1001).u(32, 60000).flag(true).ue(0);
    w.flag(true);  // hrd_parameters(1, 1)
    w.flag(true).flag(true).flag(true).u(19, 0).u(8, 0).u(4, 0).u(15, 0);
    for (int i = 0; i < 2; ++i) {
      w.flag(false).flag(false).flag(false).ue(1);  // neither rate is fixed, no low delay: 2 CPBs
      for (int cpb = 0; cpb < 4; ++cpb) w.ue(9).ue(8).ue(7).ue(6).flag(true);
    }
    w.flag(true).u(3, 0).ue(0).ue(2).ue(1).ue(15).ue(15);
  };
  syntax.extensions = write_range_extension;
  const Sps sps = parse_good(syntax);
  EXPECT_EQ(sps.vui.sar_width, 4);
  EXPECT_EQ(sps.vui.sar_height, 3);
  EXPECT_TRUE(sps.vui.video_full_range_flag);
  EXPECT_EQ(sps.vui.colour_primaries, 9);
  EXPECT_EQ(sps.vui.transfer_characteristics, 16);
  EXPECT_EQ(sps.vui.matrix_coeffs, 24);
  EXPECT_TRUE(sps.vui.field_seq_flag);
  EXPECT_EQ(sps.vui.vui_num_units_in_tick, 1001u);
  EXPECT_EQ(sps.vui.vui_time_scale, 60000u);
  EXPECT_TRUE(sps.range.transform_skip_rotation_enabled_flag);
  EXPECT_FALSE(sps.range.transform_skip_context_enabled_flag);
  EXPECT_TRUE(sps.range.implicit_rdpcm_enabled_flag);
  EXPECT_FALSE(sps.range.explicit_rdpcm_enabled_flag);
  EXPECT_TRUE(sps.range.extended_precision_processing_flag);
  EXPECT_FALSE(sps.range.intra_smoothing_disabled_flag);
  EXPECT_TRUE(sps.range.high_precision_offsets_enabled_flag);
  EXPECT_FALSE(sps.range.persistent_rice_adaptation_enabled_flag);
  EXPECT_TRUE(sps.range.cabac_bypass_alignment_enabled_flag);
  EXPECT_EQ(sps.log2_coeff_range(0), 22);  // 16 bits and 6
  EXPECT_EQ(sps.log2_coeff_range(1), 16);  // 10 bits and 6
}

TEST(Sps, BrokenVuiEndsTheRest) {
  SpsSyntax syntax;
  syntax.vui = [](BitWriter& w) {
    w.u(4, 0).u(3, 0).u(1, 0).flag(true).u(32, 1).u(32, 25).flag(false);
    w.flag(true).u(2, 0).flag(true).ue(0).ue(32);  // cpb_cnt_minus1
  };
  syntax.extensions = write_range_extension;
  const Sps sps = parse_good(syntax);
  EXPECT_EQ(sps.vui.vui_time_scale, 25u);
  EXPECT_FALSE(sps.range.transform_skip_rotation_enabled_flag);
}

TEST(Sps, ExtensionsThatChangeParsingAreRefusedByName) {
  SpsSyntax syntax;
  syntax.chroma_format_idc = 3;
  syntax.separate_colour_plane_flag = true;
  EXPECT_EQ(refusal(syntax), "separate_colour_plane_flag");
  syntax = {};
  const auto scc = [&syntax](bool curr_pic_ref, bool palette, unsigned resolution) {
    syntax.extensions = [=](BitWriter& w) {
      w.u(8, 0b00010000).flag(curr_pic_ref).flag(palette).u(2, resolution).flag(true);
    };
    return refusal(syntax);
  };
  EXPECT_EQ(scc(false, false, 0), "accepted");
  EXPECT_EQ(scc(true, false, 0), "sps_curr_pic_ref_enabled_flag");
  EXPECT_EQ(scc(false, true, 0), "palette_mode_enabled_flag");
  EXPECT_EQ(scc(false, false, 2), "motion_vector_resolution_control_idc");
  // Behind the extensions of layers and depth, which are passed over.
  syntax.extensions = [](BitWriter& w) {
    w.u(8, 0b01110000).flag(true);
    w.u(2, 3).ue(2).u(4, 15).u(3, 7).ue(1).u(5, 31);
    w.flag(false).flag(true);
  };
  EXPECT_EQ(refusal(syntax), "palette_mode_enabled_flag");
}

TEST(Sps, CutAnywhereIsInvalidOrWhole) {
  SpsSyntax syntax;
  syntax.extensions = write_range_extension;
  const std::vector<std::uint8_t> bytes = syntax.write().bytes();
  for (std::size_t size = 0; size + 4 < bytes.size(); ++size) {
    const Rbsp rbsp({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)});
    bits::BitReader r = rbsp.reader();
    Sps sps;
    EXPECT_FALSE(parse_sps(r, Limits{}, sps).ok()) << size;
  }
}

}  // namespace
}  // namespace cope::h265
