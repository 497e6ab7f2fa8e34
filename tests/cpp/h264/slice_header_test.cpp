#include "cope/h264/slice_header.h"

#include <gtest/gtest.h>

#include <string>

#include "bit_writer.h"
#include "cope/h264/access_unit.h"

namespace cope::h264 {
namespace {

constexpr NalUnitHeader kReferenceSlice{false, 2, NalUnitType::kSlice};
constexpr NalUnitHeader kIdrSlice{false, 3, NalUnitType::kSliceIdr};
constexpr NalUnitHeader kNonReferenceSlice{false, 0, NalUnitType::kSlice};

/// 4 x 3 macroblocks, frame_num of 4 bits, pic_order_cnt_type 2: the shortest headers.
Sps small_sps() {
  Sps sps;
  sps.pic_width_in_mbs_minus1 = 3;
  sps.pic_height_in_map_units_minus1 = 2;
  sps.pic_order_cnt_type = 2;
  sps.max_num_ref_frames = 16;
  return sps;
}

Status parse(const BitWriter& w, const NalUnitHeader& nal, const Sps& sps, const Pps& pps,
             SliceHeader& header, std::size_t* end = nullptr) {
  const Rbsp rbsp(w);
  bits::BitReader r = rbsp.reader();
  const Status status = parse_slice_header(r, nal, sps, pps, header);
  if (end != nullptr) *end = r.bit_pos();
  return status;
}

std::string element_of(const BitWriter& w, const NalUnitHeader& nal, const Sps& sps,
                       const Pps& pps) {
  SliceHeader header;
  const Status status = parse(w, nal, sps, pps, header);
  EXPECT_EQ(status.code, StatusCode::kInvalidBitstream);
  return status.element != nullptr ? status.element : "";
}

// A slice written and worked by hand, of a 32x16 stream at QP 32:
// 1 first_mb 0 | 00110 slice_type 5 | 1 pps 0 | 0001 frame_num | 0 no override | 0 no modification
// | 0 sliding window | 1 slice_qp_delta 0 | 010 disable_deblocking_filter_idc 1
TEST(SliceHeader, ReadsTheWorkedExample) {
  Sps sps = small_sps();
  sps.pic_width_in_mbs_minus1 = 1;
  sps.pic_height_in_map_units_minus1 = 0;
  Pps pps;
  pps.pic_init_qp_minus26 = 6;
  pps.deblocking_filter_control_present_flag = true;
  const Rbsp rbsp({0x9a, 0x22, 0xa9, 0x46, 0x4d, 0x77, 0xe5, 0xf1, 0xb3, 0xc5, 0x4d, 0xc0});
  bits::BitReader r = rbsp.reader();
  SliceHeader h;
  ASSERT_TRUE(parse_slice_header(r, kReferenceSlice, sps, pps, h).ok());
  EXPECT_EQ(h.first_mb_in_slice, 0u);
  EXPECT_EQ(h.slice_type, SliceType::P);
  EXPECT_EQ(h.frame_num, 1);
  EXPECT_EQ(h.num_ref_idx_active[0], 1);
  EXPECT_EQ(h.num_ref_idx_active[1], 0);
  EXPECT_EQ(h.SliceQPY, 32);
  EXPECT_EQ(h.disable_deblocking_filter_idc, 1);
  EXPECT_EQ(h.PicSizeInMbs, 2);
  EXPECT_EQ(r.bit_pos(), 18u);
}

TEST(SliceHeader, FrameFieldAndMbaffDerivations) {
  Sps sps = small_sps();
  sps.frame_mbs_only_flag = false;
  sps.mb_adaptive_frame_field_flag = true;
  sps.pic_order_cnt_type = 0;
  sps.log2_max_frame_num_minus4 = 1;
  Pps pps;
  pps.bottom_field_pic_order_in_frame_present_flag = true;
  SliceHeader h;
  std::size_t end = 0;
  // Frame: field_pic_flag 0, pic_order_cnt_lsb, delta_pic_order_cnt_bottom.
  BitWriter frame;
  frame.ue(11).ue(7).ue(0).u(5, 9).flag(false).u(4, 5).se(-3).flag(false).se(4);
  ASSERT_TRUE(parse(frame, kReferenceSlice, sps, pps, h, &end).ok());
  EXPECT_EQ(end, frame.size());
  EXPECT_TRUE(h.MbaffFrameFlag);
  EXPECT_EQ(h.PicHeightInMbs, 6);
  EXPECT_EQ(h.PicSizeInMbs, 24);
  EXPECT_EQ(h.MaxPicNum, 32);
  EXPECT_EQ(h.CurrPicNum, 9);
  EXPECT_EQ(h.pic_order_cnt_lsb, 5);
  EXPECT_EQ(h.delta_pic_order_cnt_bottom, -3);
  EXPECT_EQ(h.SliceQPY, 30);
  // Addresses are of macroblock pairs: 12 of them.
  BitWriter beyond;
  beyond.ue(12).ue(7).ue(0).u(5, 9).flag(false).u(4, 5).se(-3).flag(false).se(4);
  EXPECT_EQ(element_of(beyond, kReferenceSlice, sps, pps), "first_mb_in_slice");
  // Bottom field: no delta_pic_order_cnt_bottom.
  BitWriter field;
  field.ue(11).ue(7).ue(0).u(5, 9).flag(true).flag(true).u(4, 5).flag(false).se(4);
  ASSERT_TRUE(parse(field, kReferenceSlice, sps, pps, h, &end).ok());
  EXPECT_EQ(end, field.size());
  EXPECT_FALSE(h.MbaffFrameFlag);
  EXPECT_TRUE(h.bottom_field_flag);
  EXPECT_EQ(h.PicHeightInMbs, 3);
  EXPECT_EQ(h.PicSizeInMbs, 12);
  EXPECT_EQ(h.MaxPicNum, 64);
  EXPECT_EQ(h.CurrPicNum, 19);
}

TEST(SliceHeader, ReferenceCountsComeFromPpsUnlessOverridden) {
  const Sps sps = small_sps();
  Pps pps;
  pps.num_ref_idx_l0_default_active_minus1 = 2;
  pps.num_ref_idx_l1_default_active_minus1 = 1;
  SliceHeader h;
  BitWriter defaults;
  defaults.ue(0).ue(1).ue(0).u(4, 3).flag(true).flag(false).flag(false).flag(false).se(0);
  ASSERT_TRUE(parse(defaults, kNonReferenceSlice, sps, pps, h).ok());
  EXPECT_TRUE(h.direct_spatial_mv_pred_flag);
  EXPECT_EQ(h.num_ref_idx_active[0], 3);
  EXPECT_EQ(h.num_ref_idx_active[1], 2);
  BitWriter overridden;
  overridden.ue(0)
      .ue(1)
      .ue(0)
      .u(4, 3)
      .flag(false)
      .flag(true)
      .ue(0)
      .ue(15)
      .flag(false)
      .flag(false)
      .se(0);
  ASSERT_TRUE(parse(overridden, kNonReferenceSlice, sps, pps, h).ok());
  EXPECT_EQ(h.num_ref_idx_active[0], 1);
  EXPECT_EQ(h.num_ref_idx_active[1], 16);
  // 32 references are for fields; a frame may not even inherit them.
  BitWriter too_many;
  too_many.ue(0).ue(1).ue(0).u(4, 3).flag(false).flag(true).ue(0).ue(16).flag(false).flag(false).se(
      0);
  EXPECT_EQ(element_of(too_many, kNonReferenceSlice, sps, pps), "num_ref_idx_l1_active_minus1");
  pps.num_ref_idx_l0_default_active_minus1 = 16;
  EXPECT_EQ(element_of(defaults, kNonReferenceSlice, sps, pps), "num_ref_idx_active_override_flag");
}

TEST(SliceHeader, ModificationAndMarkingCommands) {
  const Sps sps = small_sps();
  Pps pps;
  pps.num_ref_idx_l0_default_active_minus1 = 2;
  BitWriter w;
  w.ue(0).ue(0).ue(0).u(4, 3).flag(false);
  w.flag(true).ue(0).ue(15).ue(2).ue(7).ue(1).ue(0).ue(3);
  w.flag(true).ue(1).ue(4).ue(2).ue(3).ue(3).ue(0).ue(1).ue(4).ue(16).ue(6).ue(15).ue(0).se(0);
  SliceHeader h;
  std::size_t end = 0;
  ASSERT_TRUE(parse(w, kReferenceSlice, sps, pps, h, &end).ok());
  EXPECT_EQ(end, w.size());
  ASSERT_EQ(h.num_ref_pic_list_modifications[0], 3);
  EXPECT_EQ(h.ref_pic_list_modification[0][0].modification_of_pic_nums_idc, 0);
  EXPECT_EQ(h.ref_pic_list_modification[0][0].abs_diff_pic_num_minus1, 15u);
  EXPECT_EQ(h.ref_pic_list_modification[0][1].long_term_pic_num, 7u);
  EXPECT_EQ(h.ref_pic_list_modification[0][2].modification_of_pic_nums_idc, 1);
  const DecRefPicMarking& m = h.dec_ref_pic_marking;
  ASSERT_EQ(m.num_mmco, 5);
  EXPECT_EQ(m.mmco[0].difference_of_pic_nums_minus1, 4u);
  EXPECT_EQ(m.mmco[1].long_term_pic_num, 3u);
  EXPECT_EQ(m.mmco[2].difference_of_pic_nums_minus1, 0u);
  EXPECT_EQ(m.mmco[2].long_term_frame_idx, 1u);
  EXPECT_EQ(m.mmco[3].max_long_term_frame_idx_plus1, 16u);
  EXPECT_EQ(m.mmco[4].long_term_frame_idx, 15u);
  EXPECT_FALSE(m.has_operation_5());
}

TEST(SliceHeader, RefusesEndlessCommandLists) {
  const Sps sps = small_sps();
  Pps pps;
  BitWriter modifications;  // one reference, two commands
  modifications.ue(0).ue(0).ue(0).u(4, 3).flag(false).flag(true).ue(0).ue(0).ue(0).ue(0).ue(3);
  modifications.flag(false).se(0);
  EXPECT_EQ(element_of(modifications, kReferenceSlice, sps, pps), "modification_of_pic_nums_idc");
  BitWriter marking;
  marking.ue(0).ue(2).ue(0).u(4, 3).flag(true);
  for (int i = 0; i < kMaxMmco + 1; ++i) marking.ue(5);
  marking.ue(0).se(0);
  EXPECT_EQ(element_of(marking, kReferenceSlice, sps, pps), "memory_management_control_operation");
  BitWriter cut;  // ends inside the list: zeros read as operation 0 would end it silently
  cut.ue(0).ue(2).ue(0).u(4, 3).flag(true).ue(5);
  EXPECT_EQ(element_of(cut, kReferenceSlice, sps, pps), "rbsp_overrun");
  BitWriter range;
  range.ue(0).ue(0).ue(0).u(4, 3).flag(false).flag(true).ue(0).ue(16).ue(3).flag(false).se(0);
  EXPECT_EQ(element_of(range, kReferenceSlice, sps, pps), "abs_diff_pic_num_minus1");
}

TEST(SliceHeader, PredWeightTableInfersAbsentWeights) {
  const Sps sps = small_sps();
  Pps pps;
  pps.weighted_bipred_idc = 1;
  pps.num_ref_idx_l0_default_active_minus1 = 1;
  BitWriter w;
  w.ue(0).ue(1).ue(0).u(4, 3).flag(true).flag(false).flag(false).flag(false);
  w.ue(5).ue(3);
  w.flag(true).se(-128).se(127).flag(false);          // list 0, 0
  w.flag(false).flag(true).se(1).se(2).se(3).se(-4);  // list 0, 1
  w.flag(false).flag(false);                          // list 1, 0
  w.se(0);
  SliceHeader h;
  std::size_t end = 0;
  ASSERT_TRUE(parse(w, kNonReferenceSlice, sps, pps, h, &end).ok());
  EXPECT_EQ(end, w.size());
  ASSERT_TRUE(h.has_pred_weight_table);
  const PredWeightTable& t = h.pred_weight_table;
  EXPECT_EQ(t.luma_weight[0][0], -128);
  EXPECT_EQ(t.luma_offset[0][0], 127);
  EXPECT_EQ(t.chroma_weight[0][0][1], 8);
  EXPECT_EQ(t.luma_weight[0][1], 32);
  EXPECT_EQ(t.chroma_weight[0][1][0], 1);
  EXPECT_EQ(t.chroma_offset[0][1][0], 2);
  EXPECT_EQ(t.chroma_weight[0][1][1], 3);
  EXPECT_EQ(t.chroma_offset[0][1][1], -4);
  EXPECT_EQ(t.luma_weight[1][0], 32);
  BitWriter bad;
  bad.ue(0).ue(1).ue(0).u(4, 3).flag(true).flag(false).flag(false).flag(false).ue(8);
  EXPECT_EQ(element_of(bad, kNonReferenceSlice, sps, pps), "luma_log2_weight_denom");
  BitWriter weight;
  weight.ue(0).ue(1).ue(0).u(4, 3).flag(true).flag(false).flag(false).flag(false);
  weight.ue(5).ue(3).flag(true).se(128).se(0);
  EXPECT_EQ(element_of(weight, kNonReferenceSlice, sps, pps), "luma_weight");
}

TEST(SliceHeader, SwitchingSlicesAndPartitions) {
  const Sps sps = small_sps();
  Pps pps;
  pps.pic_init_qs_minus26 = -6;
  BitWriter w;
  w.ue(0).ue(3).ue(0).u(4, 3).flag(false).flag(false).flag(false);
  w.se(-2).flag(true).se(5).ue(9);  // slice_qp_delta, sp_for_switch_flag, slice_qs_delta, slice_id
  SliceHeader h;
  std::size_t end = 0;
  const NalUnitHeader partition_a{false, 2, NalUnitType::kSliceDataPartitionA};
  ASSERT_TRUE(parse(w, partition_a, sps, pps, h, &end).ok());
  EXPECT_EQ(end, w.size());
  EXPECT_EQ(h.slice_type, SliceType::SP);
  EXPECT_TRUE(h.sp_for_switch_flag);
  EXPECT_EQ(h.SliceQPY, 24);
  EXPECT_EQ(h.QSY, 25);
  EXPECT_EQ(h.slice_id, 9u);
}

TEST(SliceHeader, SliceGroupChangeCycleHasAsManyBitsAsItNeeds) {
  const Sps sps = small_sps();  // 12 map units
  Pps pps;
  pps.num_slice_groups_minus1 = 1;
  pps.slice_group_map_type = 4;
  // Ceil(Log2(12 / rate + 1))
  const struct {
    std::uint32_t rate;
    unsigned num_bits;
  } cases[] = {{1, 4}, {2, 3}, {4, 2}, {5, 2}, {11, 2}, {12, 1}};
  for (const auto& c : cases) {
    pps.slice_group_change_rate_minus1 = c.rate - 1;
    BitWriter w;
    w.ue(0).ue(2).ue(0).u(4, 3).se(0).u(c.num_bits, 1);
    SliceHeader h;
    std::size_t end = 0;
    ASSERT_TRUE(parse(w, kNonReferenceSlice, sps, pps, h, &end).ok());
    EXPECT_EQ(end, w.size()) << c.rate;
    EXPECT_EQ(h.slice_group_change_cycle, 1u) << c.rate;
  }
}

TEST(SliceHeader, RefusesValuesOutOfRange) {
  const Sps sps = small_sps();
  Pps pps;
  pps.deblocking_filter_control_present_flag = true;
  pps.entropy_coding_mode_flag = true;
  EXPECT_EQ(element_of(BitWriter().ue(0).ue(10).ue(0), kReferenceSlice, sps, pps), "slice_type");
  EXPECT_EQ(element_of(BitWriter().ue(0).ue(5).ue(0), kIdrSlice, sps, pps), "slice_type");
  EXPECT_EQ(element_of(BitWriter().ue(0).ue(2).ue(256), kReferenceSlice, sps, pps),
            "pic_parameter_set_id");
  EXPECT_EQ(element_of(BitWriter().ue(12).ue(2).ue(0).u(4, 0), kReferenceSlice, sps, pps),
            "first_mb_in_slice");
  EXPECT_EQ(element_of(BitWriter().ue(0).ue(2).ue(0).u(4, 0).ue(65536), kIdrSlice, sps, pps),
            "idr_pic_id");
  const auto intra = [] { return BitWriter().ue(0).ue(2).ue(0).u(4, 0); };
  EXPECT_EQ(element_of(intra().se(26), kNonReferenceSlice, sps, pps), "slice_qp_delta");
  EXPECT_EQ(element_of(intra().se(-27), kNonReferenceSlice, sps, pps), "slice_qp_delta");
  EXPECT_EQ(element_of(intra().se(-2147483647), kNonReferenceSlice, sps, pps), "slice_qp_delta");
  EXPECT_EQ(element_of(intra().se(0).ue(3), kNonReferenceSlice, sps, pps),
            "disable_deblocking_filter_idc");
  EXPECT_EQ(element_of(intra().se(0).ue(0).se(7), kNonReferenceSlice, sps, pps),
            "slice_alpha_c0_offset_div2");
  EXPECT_EQ(element_of(intra().se(0).ue(0).se(0).se(-7), kNonReferenceSlice, sps, pps),
            "slice_beta_offset_div2");
  EXPECT_EQ(element_of(BitWriter().ue(0).ue(0).ue(0).u(4, 0).flag(false).flag(false).ue(3),
                       kNonReferenceSlice, sps, pps),
            "cabac_init_idc");
  Sps planes = sps;
  planes.chroma_format_idc = 3;
  planes.separate_colour_plane_flag = true;
  EXPECT_EQ(element_of(BitWriter().ue(0).ue(2).ue(0).u(2, 3), kReferenceSlice, planes, pps),
            "colour_plane_id");
}

// ---- 7.4.1.2.4

struct Slice {
  NalUnitHeader nal = kReferenceSlice;
  SliceHeader header;
  const Sps* sps = nullptr;
};

bool starts(const Slice& first, const Slice& current) {
  return identity_of(first.nal, first.header, first.sps) !=
         identity_of(current.nal, current.header, current.sps);
}

TEST(AccessUnit, EachDifferenceStartsAPicture) {
  Slice first;
  first.header.first_mb_in_slice = 0;
  Slice next = first;
  next.header.first_mb_in_slice = 6;
  next.header.slice_type = SliceType::P;
  EXPECT_FALSE(starts(first, next));
  next.nal.nal_ref_idc = 1;  // differs, but is not 0
  next.header.pic_parameter_set_id = 1;
  EXPECT_FALSE(starts(first, next));

  const auto differs = [&](auto change) {
    Slice other = next;
    change(other);
    return starts(first, other);
  };
  EXPECT_TRUE(differs([](Slice& s) { s.header.frame_num = 1; }));
  EXPECT_TRUE(differs([](Slice& s) { s.header.field_pic_flag = true; }));
  EXPECT_TRUE(differs([](Slice& s) { s.header.bottom_field_flag = true; }));
  EXPECT_TRUE(differs([](Slice& s) { s.nal.nal_ref_idc = 0; }));
  EXPECT_TRUE(differs([](Slice& s) { s.nal.nal_unit_type = NalUnitType::kSliceIdr; }));
  EXPECT_TRUE(differs([](Slice& s) { s.header.idr_pic_id = 1; }));
  EXPECT_TRUE(differs([](Slice& s) { s.header.pic_order_cnt_lsb = 2; }));
  EXPECT_TRUE(differs([](Slice& s) { s.header.delta_pic_order_cnt_bottom = 1; }));
  EXPECT_TRUE(differs([](Slice& s) { s.header.delta_pic_order_cnt[0] = 1; }));
  EXPECT_TRUE(differs([](Slice& s) { s.header.delta_pic_order_cnt[1] = 1; }));
  const Sps other_sps;
  EXPECT_TRUE(differs([&](Slice& s) { s.sps = &other_sps; }));
  EXPECT_FALSE(differs([](Slice& s) {
    s.header.first_mb_in_slice = 0;
    s.header.colour_plane_id = 1;
  }));
}

}  // namespace
}  // namespace cope::h264
