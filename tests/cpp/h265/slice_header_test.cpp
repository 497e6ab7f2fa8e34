#include "cope/h265/slice_header.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "parameter_set_writer.h"

namespace cope::h265 {
namespace {

/// Parameter sets and the header that is read with them.
struct Reading {
  SpsSyntax sps_syntax;
  PpsSyntax pps_syntax;
  unsigned nal_unit_type = 1;
  SliceHeader previous;
  bool has_previous = false;
  SliceHeader header;
  std::size_t bits_read = 0;

  Status read(const BitWriter& w) {
    Sps sps;
    const Rbsp sps_rbsp(sps_syntax.write());
    bits::BitReader sps_reader = sps_rbsp.reader();
    EXPECT_TRUE(parse_sps(sps_reader, Limits{}, sps).ok());
    Pps pps;
    const Rbsp pps_rbsp(pps_syntax.write());
    bits::BitReader pps_reader = pps_rbsp.reader();
    EXPECT_TRUE(parse_pps(pps_reader, pps).ok());
    EXPECT_TRUE(activate_pps(sps, pps).ok());
    const Rbsp rbsp(w);
    bits::BitReader r = rbsp.reader();
    const NalUnitHeader nal{false, static_cast<NalUnitType>(nal_unit_type), 0, 1};
    const Status status =
        parse_slice_header(r, nal, sps, pps, has_previous ? &previous : nullptr, header);
    bits_read = r.bit_pos();
    return status;
  }
  std::string refusal(const BitWriter& w) {
    const Status status = read(w);
    return status.ok() ? "accepted" : status.element;
  }
};

/// first_slice_segment_in_pic_flag, slice_pic_parameter_set_id.
BitWriter first_segment() { return BitWriter().flag(true).ue(0); }

TEST(SliceHeader, IdrPicture) {
  Reading reading;
  reading.nal_unit_type = 19;
  BitWriter w;
  w.flag(true).flag(true).ue(0).ue(2).se(5).trailing();
  ASSERT_TRUE(reading.read(w).ok());
  const SliceHeader& h = reading.header;
  EXPECT_TRUE(h.no_output_of_prior_pics_flag);
  EXPECT_TRUE(h.is_intra());
  EXPECT_TRUE(h.pic_output_flag);
  EXPECT_EQ(h.SliceQpY, 31);
  EXPECT_EQ(h.NumPicTotalCurr, 0);
  EXPECT_EQ(h.num_ref_idx_active[0], 0);
  EXPECT_EQ(reading.bits_read, w.size());
}

TEST(SliceHeader, InterPictureWithEverything) {
  Reading reading;
  SpsSyntax& sps = reading.sps_syntax;
  sps.log2_max_pic_order_cnt_lsb_minus4 = 4;
  sps.sample_adaptive_offset_enabled_flag = true;
  sps.sps_temporal_mvp_enabled_flag = true;
  sps.short_term_ref_pic_sets = [](BitWriter& w) {
    w.ue(3).ue(1).ue(0).ue(0).flag(true);
    w.flag(false).ue(2).ue(1).ue(0).flag(true).ue(1).flag(true).ue(0).flag(true);  // -1, -3, 1
    w.flag(false).ue(0).ue(0);
  };
  sps.long_term_ref_pics = [](BitWriter& w) {
    w.ue(3).u(8, 10).flag(true).u(8, 20).flag(false).u(8, 30).flag(true);
  };
  PpsSyntax& pps = reading.pps_syntax;
  pps.output_flag_present_flag = true;
  pps.num_extra_slice_header_bits = 2;
  pps.cabac_init_present_flag = true;
  pps.lists_modification_present_flag = true;
  pps.weighted_bipred_flag = true;
  pps.pps_slice_chroma_qp_offsets_present_flag = true;
  pps.pps_loop_filter_across_slices_enabled_flag = true;
  pps.deblocking = [](BitWriter& w) { w.flag(true).flag(false).se(1).se(2); };
  pps.slice_segment_header_extension_present_flag = true;

  BitWriter w = first_segment();
  w.u(2, 3).ue(0).flag(false);                // slice_reserved_flag, B, pic_output_flag
  w.u(8, 200).flag(true).u(2, 1);             // lsb, the SPS's set 1
  w.ue(1).ue(2);                              // num_long_term_sps, num_long_term_pics
  w.u(2, 2).flag(false);                      // lt_idx_sps 2, no MSB
  w.u(8, 77).flag(true).flag(true).ue(3);     // MSB cycle 3
  w.u(8, 78).flag(false).flag(true).ue(1);    // MSB cycle 3 + 1
  w.flag(true).flag(true).flag(false);        // TMVP, SAO luma, chroma
  w.flag(true).ue(2).ue(1);                   // 3 and 2 active
  w.flag(true).u(3, 4).u(3, 0).u(3, 4);       // NumPicTotalCurr 5: 3 bits
  w.flag(false);                              // list 1 as it is
  w.flag(true).flag(true).flag(false).ue(1);  // mvd_l1_zero, cabac_init, collocated in list 1
  w.ue(6).se(1);                              // pred_weight_table
  w.u(3, 0b010).u(3, 0b001).se(-128).se(127).se(127).se(511).se(0).se(-512);
  w.u(2, 0b10).u(2, 0b00).se(1).se(-1);
  w.ue(2);                                // five_minus_max_num_merge_cand
  w.se(-10).se(-12).se(12);               // QP
  w.flag(true).flag(false).se(-6).se(6);  // deblocking override
  w.flag(false);                          // across slices
  w.ue(2).u(16, 0xffff);                  // extension
  w.trailing();
  ASSERT_EQ(reading.refusal(w), "accepted");
  const SliceHeader& h = reading.header;
  EXPECT_TRUE(h.is_b());
  EXPECT_FALSE(h.pic_output_flag);
  EXPECT_EQ(h.slice_pic_order_cnt_lsb, 200);
  EXPECT_EQ(h.short_term_ref_pic_set_idx, 1);
  EXPECT_EQ(h.short_term_ref_pic_set.DeltaPocS0[1], -3);
  ASSERT_EQ(h.num_long_term_pics, 3);
  EXPECT_EQ(h.long_term[0].PocLsbLt, 30);
  EXPECT_TRUE(h.long_term[0].UsedByCurrPicLt);
  EXPECT_FALSE(h.long_term[0].delta_poc_msb_present_flag);
  EXPECT_EQ(h.long_term[1].PocLsbLt, 77);
  EXPECT_EQ(h.long_term[1].DeltaPocMsbCycleLt, 3);
  EXPECT_EQ(h.long_term[2].DeltaPocMsbCycleLt, 4);
  EXPECT_FALSE(h.long_term[2].UsedByCurrPicLt);
  EXPECT_EQ(h.NumPicTotalCurr, 5);
  EXPECT_TRUE(h.slice_temporal_mvp_enabled_flag);
  EXPECT_TRUE(h.slice_sao_luma_flag);
  EXPECT_FALSE(h.slice_sao_chroma_flag);
  EXPECT_EQ(h.num_ref_idx_active[0], 3);
  EXPECT_EQ(h.num_ref_idx_active[1], 2);
  EXPECT_TRUE(h.ref_pic_list_modification_flag[0]);
  EXPECT_EQ(h.list_entry[0][0], 4);
  EXPECT_EQ(h.list_entry[0][2], 4);
  EXPECT_FALSE(h.ref_pic_list_modification_flag[1]);
  EXPECT_TRUE(h.mvd_l1_zero_flag);
  EXPECT_TRUE(h.cabac_init_flag);
  EXPECT_FALSE(h.collocated_from_l0_flag);
  EXPECT_EQ(h.collocated_ref_idx, 1);
  EXPECT_TRUE(h.has_pred_weight_table);
  EXPECT_EQ(h.MaxNumMergeCand(), 3);
  EXPECT_EQ(h.SliceQpY, 16);
  EXPECT_EQ(h.slice_cb_qp_offset, -12);
  EXPECT_EQ(h.slice_cr_qp_offset, 12);
  EXPECT_EQ(h.slice_beta_offset_div2, -6);
  EXPECT_EQ(h.slice_tc_offset_div2, 6);
  EXPECT_FALSE(h.slice_loop_filter_across_slices_enabled_flag);
  EXPECT_EQ(reading.bits_read, w.size());
}

/// A P slice up to num_ref_idx_active_override_flag, its set coded in the header: {-1}.
BitWriter p_slice() {
  BitWriter w = first_segment();
  w.ue(1).u(4, 3).flag(false).flag(false).ue(1).ue(0).ue(0).flag(true).flag(false);
  return w;
}

TEST(SliceHeader, SetOfItsOwn) {
  Reading reading;
  ASSERT_EQ(reading.refusal(p_slice().ue(0).se(0).trailing()), "accepted");
  EXPECT_FALSE(reading.header.short_term_ref_pic_set_sps_flag);
  EXPECT_EQ(reading.header.short_term_ref_pic_set.DeltaPocS0[0], -1);
  EXPECT_EQ(reading.header.num_ref_idx_active[0], 1);
  EXPECT_EQ(reading.header.num_ref_idx_active[1], 0);
  EXPECT_TRUE(reading.header.collocated_from_l0_flag);
}

TEST(SliceHeader, WeightsOfMonochrome) {
  Reading reading;
  reading.sps_syntax.chroma_format_idc = 0;
  reading.pps_syntax.weighted_pred_flag = true;
  BitWriter w = p_slice();
  w.ue(7).flag(true).se(0).se(-128).ue(0).se(0).trailing();
  ASSERT_EQ(reading.refusal(w), "accepted");
  EXPECT_EQ(reading.bits_read, w.size());
}

TEST(SliceHeader, RangesOfWeights) {
  Reading reading;
  reading.pps_syntax.weighted_pred_flag = true;
  EXPECT_EQ(reading.refusal(p_slice().ue(8)), "luma_log2_weight_denom");
  EXPECT_EQ(reading.refusal(p_slice().ue(5).se(3)), "delta_chroma_log2_weight_denom");
  EXPECT_EQ(reading.refusal(p_slice().ue(0).se(0).u(2, 2).se(128)), "delta_luma_weight");
  EXPECT_EQ(reading.refusal(p_slice().ue(0).se(0).u(2, 2).se(0).se(128)), "luma_offset");
  EXPECT_EQ(reading.refusal(p_slice().ue(0).se(0).u(2, 1).se(0).se(512)), "delta_chroma_offset");
  // high_precision_offsets_enabled_flag with 10 bits: up to 511
  reading.sps_syntax.bit_depth_luma_minus8 = 2;
  reading.sps_syntax.extensions = [](BitWriter& w) { w.u(8, 128).u(9, 0b000000100); };
  EXPECT_EQ(reading.refusal(p_slice().ue(0).se(0).u(2, 2).se(0).se(511).ue(0).se(0).trailing()),
            "accepted");
}

TEST(SliceHeader, DependentSegmentContinuesItsSlice) {
  Reading reading;
  reading.pps_syntax.dependent_slice_segments_enabled_flag = true;
  reading.pps_syntax.entropy_coding_sync_enabled_flag = true;
  BitWriter w;  // 4x3 CTBs: 4 bits of address
  w.flag(false).ue(0).flag(true).u(4, 5).ue(1).ue(3).u(4, 9).trailing();
  EXPECT_EQ(reading.refusal(w), "dependent_slice_segment_flag");  // none to continue
  reading.has_previous = true;
  reading.previous.slice_type = SliceType::P;
  reading.previous.SliceQpY = 40;
  reading.previous.first_slice_segment_in_pic_flag = true;
  reading.previous.entry_point_offset_minus1 = {1, 2};
  ASSERT_EQ(reading.refusal(w), "accepted");
  EXPECT_TRUE(reading.header.dependent_slice_segment_flag);
  EXPECT_FALSE(reading.header.first_slice_segment_in_pic_flag);
  EXPECT_EQ(reading.header.slice_segment_address, 5u);
  EXPECT_EQ(reading.header.slice_type, SliceType::P);
  EXPECT_EQ(reading.header.SliceQpY, 40);
  EXPECT_EQ(reading.header.entry_point_offset_minus1, (std::vector<std::uint32_t>{9}));
}

TEST(SliceHeader, EntryPoints) {
  Reading reading;
  reading.nal_unit_type = 20;
  reading.pps_syntax.tiles = [](BitWriter& w) { w.ue(1).ue(2).flag(true); };  // 2x3
  const auto slice = [] { return BitWriter().flag(true).flag(false).ue(0).ue(2).se(0); };
  EXPECT_EQ(reading.refusal(slice().ue(0).trailing()), "accepted");
  EXPECT_EQ(reading.refusal(slice().ue(6)), "num_entry_point_offsets");
  EXPECT_EQ(reading.refusal(slice().ue(5).ue(32)), "offset_len_minus1");
  EXPECT_EQ(reading.refusal(slice().ue(5).ue(31).u(32, 1)), "entry_point_offset_minus1");
  BitWriter w = slice().ue(2).ue(31).u(32, 0xffffffff).u(32, 0).trailing();
  ASSERT_EQ(reading.refusal(w), "accepted");
  EXPECT_EQ(reading.header.entry_point_offset_minus1, (std::vector<std::uint32_t>{0xffffffff, 0}));
  EXPECT_EQ(reading.bits_read, w.size());
  reading.pps_syntax.entropy_coding_sync_enabled_flag = true;  // 2 columns by 3 rows of CTBs
  EXPECT_EQ(reading.refusal(slice().ue(6)), "num_entry_point_offsets");
}

TEST(SliceHeader, Ranges) {
  Reading reading;
  EXPECT_EQ(reading.refusal(BitWriter().flag(true).ue(64)), "slice_pic_parameter_set_id");
  EXPECT_EQ(reading.refusal(BitWriter().flag(false).ue(0).u(4, 12)), "slice_segment_address");
  EXPECT_EQ(reading.refusal(BitWriter().flag(false).ue(0).u(4, 0)), "slice_segment_address");
  EXPECT_EQ(reading.refusal(first_segment().ue(3)), "slice_type");
  EXPECT_EQ(reading.refusal(p_slice().ue(5)), "five_minus_max_num_merge_cand");
  EXPECT_EQ(reading.refusal(p_slice().ue(0).se(26)), "slice_qp_delta");
  EXPECT_EQ(reading.refusal(p_slice().ue(0).se(-27)), "slice_qp_delta");
  EXPECT_EQ(reading.refusal(p_slice().ue(0).se(0).u(8, 0)), "alignment_bit_equal_to_one");
  EXPECT_EQ(reading.refusal(p_slice().ue(0).se(0).u(2, 3).u(8, 0)), "alignment_bit_equal_to_zero");
  BitWriter no_references = first_segment();
  no_references.ue(1).u(4, 3).flag(false).flag(false).ue(0).ue(0).flag(false);
  EXPECT_EQ(reading.refusal(no_references), "NumPicTotalCurr");
  BitWriter p_of_irap = BitWriter().flag(true).flag(false).ue(0).ue(1);
  reading.nal_unit_type = 21;
  EXPECT_EQ(reading.refusal(p_of_irap), "slice_type");
}

TEST(SliceHeader, PeekFindsTheParameterSet) {
  const NalUnitHeader trail{false, NalUnitType::kTrailR, 0, 1};
  const NalUnitHeader cra{false, NalUnitType::kCra, 0, 1};
  const Rbsp rbsp(BitWriter().flag(true).flag(true).ue(9));
  EXPECT_EQ(peek_pic_parameter_set_id(rbsp.reader(), cra), 9u);
  EXPECT_EQ(peek_pic_parameter_set_id(rbsp.reader(), trail), 0u);
  const Rbsp cut(BitWriter().u(8, 0));
  EXPECT_GT(peek_pic_parameter_set_id(cut.reader(), trail), 63u);
}

}  // namespace
}  // namespace cope::h265
