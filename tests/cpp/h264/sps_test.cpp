#include "cope/h264/sps.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "parameter_set_writer.h"

namespace cope::h264 {
namespace {

Status parse(const BitWriter& writer, Sps& sps) {
  const Rbsp rbsp(writer);
  bits::BitReader r = rbsp.reader();
  return parse_sps(r, Limits{}, sps);
}

TEST(Sps, KeepsFieldsAsCoded) {
  SpsSyntax syntax;
  syntax.constraint_set_flags = 0b10100000;
  syntax.level_idc = 31;
  syntax.seq_parameter_set_id = 7;
  syntax.log2_max_frame_num_minus4 = 5;
  syntax.log2_max_pic_order_cnt_lsb_minus4 = 3;
  syntax.max_num_ref_frames = 4;
  syntax.gaps_in_frame_num_value_allowed_flag = true;
  syntax.pic_width_in_mbs_minus1 = 79;
  syntax.pic_height_in_map_units_minus1 = 44;
  Sps sps;
  ASSERT_TRUE(parse(syntax.write(), sps).ok());
  EXPECT_EQ(sps.profile_idc, 77);
  EXPECT_EQ(sps.constraint_set_flags, 0b000101);  // constraint_set0_flag is bit 0
  EXPECT_EQ(sps.level_idc, 31);
  EXPECT_EQ(sps.seq_parameter_set_id, 7);
  EXPECT_EQ(sps.MaxFrameNum(), 512);
  EXPECT_EQ(sps.MaxPicOrderCntLsb(), 128);
  EXPECT_EQ(sps.max_num_ref_frames, 4);
  EXPECT_TRUE(sps.gaps_in_frame_num_value_allowed_flag);
  EXPECT_EQ(sps.PicWidthInMbs() * 16, 1280);
  EXPECT_EQ(sps.FrameHeightInMbs() * 16, 720);
  EXPECT_EQ(sps.ChromaArrayType(), 1);
  EXPECT_FALSE(sps.vui_parameters_present_flag);
}

// Written by x264 for 1280x720 at 30 frames per second (time_scale counts fields).
TEST(Sps, ReadsRealOne) {
  const Rbsp rbsp({0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00,
                   0x00, 0x00, 0x10, 0x00, 0x00, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60});
  bits::BitReader r = rbsp.reader();
  Sps sps;
  ASSERT_TRUE(parse_sps(r, Limits{}, sps).ok());
  EXPECT_EQ(sps.profile_idc, 100);
  EXPECT_EQ(sps.level_idc, 31);
  EXPECT_EQ(sps.PicWidthInMbs() * 16, 1280);
  EXPECT_EQ(sps.FrameHeightInMbs() * 16, 720);
  EXPECT_EQ(sps.max_num_ref_frames, 4);
  EXPECT_TRUE(sps.vui.timing_info_present_flag);
  EXPECT_EQ(sps.vui.time_scale, 60 * sps.vui.num_units_in_tick);
  EXPECT_TRUE(sps.vui.bitstream_restriction_flag);
  EXPECT_EQ(sps.vui.max_num_reorder_frames, 2u);
  EXPECT_EQ(sps.vui.max_dec_frame_buffering, 4u);
}

TEST(Sps, CropsInLumaSamplesOfTheFrame) {
  SpsSyntax syntax;
  syntax.pic_width_in_mbs_minus1 = 119;
  syntax.pic_height_in_map_units_minus1 = 33;
  syntax.frame_mbs_only_flag = false;
  syntax.frame_cropping = [](BitWriter& w) { w.ue(1).ue(2).ue(0).ue(2); };
  Sps sps;
  ASSERT_TRUE(parse(syntax.write(), sps).ok());
  EXPECT_EQ(sps.FrameHeightInMbs() * 16, 1088);
  EXPECT_EQ(sps.crop_left(), 2);  // 4:2:0: two luma samples a unit
  EXPECT_EQ(sps.crop_right(), 4);
  EXPECT_EQ(sps.crop_top(), 0);
  EXPECT_EQ(sps.crop_bottom(), 8);  // four luma lines a unit, being interlaced
}

TEST(Sps, DropsCroppingThatLeavesNothing) {
  SpsSyntax syntax;
  syntax.frame_cropping = [](BitWriter& w) { w.ue(16).ue(16).ue(0).ue(0); };
  Sps sps;
  ASSERT_TRUE(parse(syntax.write(), sps).ok());
  EXPECT_FALSE(sps.frame_cropping_flag);
  EXPECT_EQ(sps.crop_left(), 0);
  syntax.frame_cropping = [](BitWriter& w) { w.ue(0xfffffffe).ue(2).ue(0).ue(0); };
  ASSERT_TRUE(parse(syntax.write(), sps).ok());
  EXPECT_EQ(sps.crop_left(), 0);
}

TEST(Sps, DerivesChromaGeometry) {
  struct Case {
    unsigned chroma_format_idc;
    bool separate;
    int ChromaArrayType, MbWidthC, MbHeightC;
  };
  for (const Case& c : {Case{0, false, 0, 0, 0}, Case{1, false, 1, 8, 8}, Case{2, false, 2, 8, 16},
                        Case{3, false, 3, 16, 16}, Case{3, true, 0, 0, 0}}) {
    SpsSyntax syntax;
    syntax.profile_idc = 244;
    syntax.chroma_format_idc = c.chroma_format_idc;
    syntax.separate_colour_plane_flag = c.separate;
    syntax.bit_depth_luma_minus8 = 6;
    syntax.bit_depth_chroma_minus8 = 2;
    Sps sps;
    ASSERT_TRUE(parse(syntax.write(), sps).ok());
    EXPECT_EQ(sps.ChromaArrayType(), c.ChromaArrayType);
    EXPECT_EQ(sps.MbWidthC(), c.MbWidthC);
    EXPECT_EQ(sps.MbHeightC(), c.MbHeightC);
    EXPECT_EQ(sps.BitDepthY(), 14);
    EXPECT_EQ(sps.QpBdOffsetY(), 36);
    EXPECT_EQ(sps.BitDepthC(), 10);
    EXPECT_EQ(sps.QpBdOffsetC(), 12);
  }
}

TEST(Sps, ReadsPicOrderCntType1) {
  SpsSyntax syntax;
  syntax.pic_order_cnt_type = 1;
  syntax.pic_order_cnt_type_1 = [](BitWriter& w) { w.flag(true).se(-2).se(1).ue(2).se(2).se(-4); };
  Sps sps;
  ASSERT_TRUE(parse(syntax.write(), sps).ok());
  EXPECT_TRUE(sps.delta_pic_order_always_zero_flag);
  EXPECT_EQ(sps.offset_for_non_ref_pic, -2);
  EXPECT_EQ(sps.offset_for_top_to_bottom_field, 1);
  ASSERT_EQ(sps.num_ref_frames_in_pic_order_cnt_cycle, 2);
  EXPECT_EQ(sps.offset_for_ref_frame[0], 2);
  EXPECT_EQ(sps.offset_for_ref_frame[1], -4);
}

TEST(Sps, RefusesValuesOutOfRange) {
  const auto element_of = [](const SpsSyntax& syntax) {
    Sps sps;
    const Status status = parse(syntax.write(), sps);
    EXPECT_EQ(status.code, StatusCode::kInvalidBitstream);
    return std::string(status.element != nullptr ? status.element : "");
  };
  SpsSyntax high;
  high.profile_idc = 100;
  SpsSyntax s = high;
  s.chroma_format_idc = 4;
  EXPECT_EQ(element_of(s), "chroma_format_idc");
  s = high;
  s.bit_depth_luma_minus8 = 7;
  EXPECT_EQ(element_of(s), "bit_depth_luma_minus8");
  s = high;
  s.bit_depth_chroma_minus8 = 7;
  EXPECT_EQ(element_of(s), "bit_depth_chroma_minus8");
  s = high;
  s.scaling_lists = [](BitWriter& w) { w.flag(true).se(128); };
  EXPECT_EQ(element_of(s), "delta_scale");
  s = {};
  s.seq_parameter_set_id = 32;
  EXPECT_EQ(element_of(s), "seq_parameter_set_id");
  s = {};
  s.log2_max_frame_num_minus4 = 13;
  EXPECT_EQ(element_of(s), "log2_max_frame_num_minus4");
  s = {};
  s.pic_order_cnt_type = 3;
  EXPECT_EQ(element_of(s), "pic_order_cnt_type");
  s = {};
  s.log2_max_pic_order_cnt_lsb_minus4 = 13;
  EXPECT_EQ(element_of(s), "log2_max_pic_order_cnt_lsb_minus4");
  s = {};
  s.pic_order_cnt_type = 1;
  s.pic_order_cnt_type_1 = [](BitWriter& w) { w.flag(false).se(0).se(0).ue(256); };
  EXPECT_EQ(element_of(s), "num_ref_frames_in_pic_order_cnt_cycle");
  s = {};
  s.max_num_ref_frames = 17;
  EXPECT_EQ(element_of(s), "max_num_ref_frames");
  s = {};
  s.frame_mbs_only_flag = false;
  s.direct_8x8_inference_flag = false;
  EXPECT_EQ(element_of(s), "direct_8x8_inference_flag");
}

TEST(Sps, HoldsSizesAgainstTheLimits) {
  const auto code_of = [](std::uint64_t width, std::uint64_t height, bool frame_mbs_only) {
    SpsSyntax syntax;
    syntax.pic_width_in_mbs_minus1 = width / 16 - 1;
    syntax.pic_height_in_map_units_minus1 = height / (frame_mbs_only ? 16 : 32) - 1;
    syntax.frame_mbs_only_flag = frame_mbs_only;
    Sps sps;
    return parse(syntax.write(), sps).code;
  };
  EXPECT_EQ(code_of(8192, 4320, true), StatusCode::kOk);
  EXPECT_EQ(code_of(8192, 4320, false), StatusCode::kOk);
  EXPECT_EQ(code_of(16384, 16384, true), StatusCode::kLimitExceeded);
  EXPECT_EQ(code_of(16384, 16384, false), StatusCode::kLimitExceeded);
  EXPECT_EQ(code_of(32768, 16, true), StatusCode::kLimitExceeded);
  EXPECT_EQ(code_of(std::uint64_t{0xfffffffe} * 16, 16, true), StatusCode::kLimitExceeded);
  EXPECT_EQ(code_of(16, std::uint64_t{0xfffffffe} * 32, false), StatusCode::kLimitExceeded);
}

TEST(Sps, RefusesEveryTruncationButThatOfTheVui) {
  SpsSyntax syntax;
  syntax.profile_idc = 100;
  syntax.scaling_lists = [](BitWriter& w) {
    w.flag(true).se(-8);  // Intra Y: default
    for (int i = 1; i < 8; ++i) w.flag(false);
  };
  const BitWriter without_vui = syntax.write();
  std::size_t num_bytes = without_vui.bytes().size();
  for (std::size_t size = 0; size < num_bytes; ++size) {
    std::vector<std::uint8_t> bytes = without_vui.bytes();
    bytes.resize(size);
    const Rbsp rbsp(std::move(bytes));
    bits::BitReader r = rbsp.reader();
    Sps sps;
    // The last byte may hold nothing but trailing bits.
    if (size + 1 < num_bytes) {
      EXPECT_FALSE(parse_sps(r, Limits{}, sps).ok()) << size;
    }
  }

  syntax.vui = [](BitWriter& w) {
    w.flag(false).flag(false).flag(false).flag(false);
    w.flag(true).u(32, 1).u(32, 50).flag(true);  // timing
    w.flag(false).flag(false).flag(false);
    w.flag(true).flag(true).ue(0).ue(0).ue(16).ue(16).ue(2).ue(4);
  };
  const std::vector<std::uint8_t> whole = syntax.write().bytes();
  bool had_timing_only = false;
  for (std::size_t size = num_bytes; size <= whole.size(); ++size) {
    const Rbsp rbsp(
        std::vector<std::uint8_t>(whole.begin(), whole.begin() + static_cast<int>(size)));
    bits::BitReader r = rbsp.reader();
    Sps sps;
    ASSERT_TRUE(parse_sps(r, Limits{}, sps).ok()) << size;
    if (sps.vui.timing_info_present_flag) {
      EXPECT_EQ(sps.vui.time_scale, 50u);
    }
    if (sps.vui.bitstream_restriction_flag) {
      EXPECT_EQ(sps.vui.max_num_reorder_frames, 2u);
    }
    had_timing_only |= sps.vui.timing_info_present_flag && !sps.vui.bitstream_restriction_flag;
    if (size == whole.size()) {
      EXPECT_TRUE(sps.vui.bitstream_restriction_flag);
    }
  }
  EXPECT_TRUE(had_timing_only);
}

}  // namespace
}  // namespace cope::h264
