#include "cope/h264/header_decoder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "allocation_counter.h"
#include "parameter_set_writer.h"
#include "slice_writer.h"

namespace cope::h264 {
namespace {

TEST(HeaderDecoder, FillsPictureInfo) {
  SpsSyntax sps = test_sps();
  sps.profile_idc = 122;
  sps.chroma_format_idc = 2;
  sps.bit_depth_luma_minus8 = 2;
  sps.bit_depth_chroma_minus8 = 1;
  sps.frame_cropping = [](BitWriter& w) { w.ue(0).ue(1).ue(2).ue(3); };
  Stream s(sps);
  SliceSyntax first = idr();
  first.pic_order_cnt_lsb = 6;
  const Nal nal = first.nal();
  ASSERT_TRUE(s.push(nal, {90, 60, 5}).ok());
  SliceSyntax second = first;
  second.first_mb_in_slice = 6;
  ASSERT_TRUE(s.push(second, {1, 1, 1}).ok());
  EXPECT_TRUE(s.pictures.empty());
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 1u);
  const prim::PictureInfo& info = s.pictures[0].info;
  EXPECT_EQ(info.decode_index, 0);
  EXPECT_EQ(info.pts, 90);
  EXPECT_EQ(info.dts, 60);
  EXPECT_EQ(info.packet_index, 5);
  EXPECT_EQ(info.size_bytes, static_cast<std::int64_t>(nal.size() + second.nal().size()));
  EXPECT_EQ(info.poc, 6);
  EXPECT_EQ(info.structure, prim::PictureStructure::kFrame);
  EXPECT_TRUE(info.is_idr);
  EXPECT_TRUE(info.is_random_access);
  EXPECT_TRUE(info.is_reference);
  EXPECT_EQ(info.nal_ref_idc, 3);
  EXPECT_EQ(info.slice_types, prim::kHasI);
  EXPECT_EQ(info.num_slices, 2);
  EXPECT_EQ(info.width, 64);
  EXPECT_EQ(info.height, 48);
  EXPECT_EQ(info.crop_right, 2);
  EXPECT_EQ(info.crop_top, 2);
  EXPECT_EQ(info.crop_bottom, 3);
  EXPECT_EQ(info.chroma_format_idc, 2);
  EXPECT_EQ(info.bit_depth_luma, 10);
  EXPECT_EQ(info.bit_depth_chroma, 9);
  EXPECT_EQ(s.pictures[0].slices[1].nal_index, 3);
  EXPECT_EQ(s.pictures[0].live, (Indices{0}));
}

TEST(HeaderDecoder, PayloadsAreUnescapedAndDataOffsetsPointIntoThem) {
  Stream s;
  SliceSyntax slice = idr();
  slice.num_data_bytes = 4;
  ASSERT_TRUE(s.push(slice).ok());
  s.end_access_unit();
  const CodedPicture& picture = s.pictures[0];
  const CodedSlice& coded = picture.slices[0];
  bits::BitReader r(picture.rbsp.data() + coded.rbsp.offset, coded.rbsp.size,
                    coded.data_bit_offset);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(r.u(8), 0x5au);
  EXPECT_FALSE(r.more_rbsp_data());
}

TEST(HeaderDecoder, SlidingWindowListsAndLivePictures) {
  Stream s;
  PpsSyntax three_refs;
  three_refs.num_ref_idx_l0_default_active_minus1 = 2;
  three_refs.num_ref_idx_l1_default_active_minus1 = 1;
  ASSERT_TRUE(s.push(three_refs.write().nal(3, 8)).ok());
  s.accept(idr());
  for (int i = 1; i < 5; ++i) ASSERT_TRUE(s.push(p(i, 4 * i)).ok());
  ASSERT_TRUE(s.push(b(5, 14)).ok());
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 6u);
  EXPECT_EQ(refs_of(s.pictures[1]), (Indices{0, -1, -1}));
  EXPECT_EQ(refs_of(s.pictures[4]), (Indices{3, 2, 1}));
  // Of its references, picture 1 leaves the window; it is live while this picture may look at it.
  EXPECT_EQ(s.pictures[4].live, (Indices{1, 2, 3, 4}));
  EXPECT_EQ(refs_of(s.pictures[5], 0), (Indices{3, 2, 4}));  // POC 12, 8, then 16
  EXPECT_EQ(refs_of(s.pictures[5], 1), (Indices{4, 3}));
  EXPECT_EQ(s.pictures[5].live, (Indices{2, 3, 4}));  // not a reference itself
}

TEST(HeaderDecoder, RepetitionOfAPictureIsAPicture) {
  Stream s;
  s.accept(idr());
  SliceSyntax other = idr();  // even the idr_pic_id is the same
  other.num_data_bytes = 9;
  s.accept(other);
  s.accept(Nal{0x09, 0x10});  // access unit delimiter
  s.accept(other);
  s.end_access_unit();
  EXPECT_EQ(s.pictures.size(), 3u);
}

TEST(HeaderDecoder, AccessUnitsEndAtEndOfSequence) {
  Stream s;
  s.accept(idr());
  s.accept(Nal{0x0a});
  EXPECT_EQ(s.pictures.size(), 1u);
}

TEST(HeaderDecoder, RepeatedParameterSetsChangeNothing) {
  Stream s;
  s.accept(idr());
  s.accept(p(1, 2));
  s.accept(test_sps().write().nal(3, 7));
  s.accept(PpsSyntax{}.write().nal(3, 8));
  SliceSyntax rest = p(1, 2);  // even between two slices of one picture
  rest.first_mb_in_slice = 6;
  s.accept(rest);
  s.accept(p(2, 4));
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 3u);
  EXPECT_EQ(s.pictures[1].info.num_slices, 2);
  EXPECT_EQ(refs_of(s.pictures[2]), (Indices{1}));
  EXPECT_EQ(s.pictures[0].slices[0].sps, s.pictures[2].slices[0].sps);
  EXPECT_EQ(s.pictures[0].slices[0].pps, s.pictures[2].slices[0].pps);
}

TEST(HeaderDecoder, ChangedSpsWaitsForAnIdrPicture) {
  Stream s;
  s.accept(idr());
  SpsSyntax wider = test_sps();
  wider.pic_width_in_mbs_minus1 = 5;
  s.accept(p(1, 2));
  s.accept(wider.write().nal(3, 7));
  EXPECT_FALSE(s.push(p(2, 4)).ok());  // of the old sequence or of the new one
  SliceSyntax next = idr();
  next.idr_pic_id = 1;
  s.accept(next);
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 3u);
  EXPECT_EQ(s.pictures[1].info.width, 64);
  EXPECT_EQ(refs_of(s.pictures[1]), (Indices{0}));
  EXPECT_EQ(s.pictures[2].info.width, 96);
}

TEST(HeaderDecoder, PpsMayComeBeforeItsSps) {
  HeaderDecoder decoder{Limits{}};
  PpsSyntax pps;
  pps.high_profile_fields = [](BitWriter& w) {
    w.flag(true).flag(true);
    for (int i = 0; i < 12; ++i) w.flag(false);
    w.se(2);
  };
  SpsSyntax sps = test_sps();
  sps.profile_idc = 244;
  sps.chroma_format_idc = 3;
  ASSERT_TRUE(decoder.push_nal(pps.write().nal(3, 8), {}).ok());
  ASSERT_TRUE(decoder.push_nal(sps.write().nal(3, 7), {}).ok());
  ASSERT_TRUE(decoder.push_nal(idr().nal(), {}).ok());
  decoder.end_access_unit();
  CodedPicture picture;
  ASSERT_TRUE(decoder.pop_picture(picture));
  EXPECT_EQ(picture.slices[0].pps->second_chroma_qp_index_offset, 2);
  EXPECT_EQ(picture.slices[0].pps->scaling.weight_4x4[0][0], 6);  // fall-back rule A: default
}

TEST(HeaderDecoder, DropsAndCountsWhatItCannotUse) {
  Stream s;
  EXPECT_EQ(s.push(Nal{}).code, StatusCode::kInvalidBitstream);
  EXPECT_EQ(s.push(Nal{0xe5, 0x88}).code, StatusCode::kInvalidBitstream);  // forbidden_zero_bit
  SliceSyntax unknown = idr();
  unknown.pic_parameter_set_id = 3;
  const Status status = s.push(unknown);
  EXPECT_EQ(std::string(status.element), "pic_parameter_set_id");
  EXPECT_EQ(status.nal_index, 4);
  SpsSyntax broken = test_sps();
  broken.max_num_ref_frames = 17;
  EXPECT_FALSE(s.push(broken.write().nal(3, 7)).ok());
  EXPECT_EQ(s.decoder().counts().num_nal_units_damaged, 4);
  EXPECT_EQ(s.decoder().counts().first_error.nal_index, 2);
  for (const unsigned type : {14u, 15u, 19u, 20u, 21u}) {
    EXPECT_TRUE(s.push(Nal{static_cast<std::uint8_t>(0x60 | type), 0xff}).ok());
  }
  EXPECT_EQ(s.decoder().counts().num_nal_units_skipped, 5);
  for (const unsigned type : {0u, 9u, 12u, 13u, 16u, 22u, 24u, 31u}) {
    EXPECT_TRUE(s.push(Nal{static_cast<std::uint8_t>(type), 0xff}).ok());
  }
  s.accept(idr());
  s.end_access_unit();
  EXPECT_EQ(s.pictures.size(), 1u);
  EXPECT_EQ(s.decoder().counts().num_nal_units, 2 + 4 + 5 + 8 + 1);
}

TEST(HeaderDecoder, Limits) {
  Limits limits;
  limits.max_slices_per_picture = 2;
  limits.max_nal_bytes = 1000;
  Stream s(test_sps(), {}, limits);
  SliceSyntax slice = idr();
  for (unsigned i = 0; i < 3; ++i) {
    slice.first_mb_in_slice = i;
    EXPECT_EQ(s.push(slice).code, i < 2 ? StatusCode::kOk : StatusCode::kLimitExceeded);
  }
  EXPECT_EQ(s.push(Nal(1001, 0x65)).code, StatusCode::kLimitExceeded);
  SpsSyntax huge = test_sps();
  huge.pic_width_in_mbs_minus1 = huge.pic_height_in_map_units_minus1 = 1023;
  EXPECT_EQ(s.push(huge.write().nal(3, 7)).code, StatusCode::kLimitExceeded);
}

TEST(HeaderDecoder, LimitsTheBytesOfAPicture) {
  Limits limits;
  limits.max_nal_bytes = 1000;
  Stream s(test_sps(), {}, limits);
  SliceSyntax slice = idr();
  slice.num_data_bytes = 900;
  for (unsigned i = 0; i < 6; ++i) {
    slice.first_mb_in_slice = i;
    EXPECT_EQ(s.push(slice).code, i < 4 ? StatusCode::kOk : StatusCode::kLimitExceeded) << i;
  }
  s.end_access_unit();
  EXPECT_EQ(s.pictures[0].info.num_slices, 4);
}

TEST(HeaderDecoder, DropsRedundantSlices) {
  PpsSyntax pps;
  pps.redundant_pic_cnt_present_flag = true;
  Stream s(test_sps(), pps);
  for (int i = 0; i < 3; ++i) {
    for (int redundant_pic_cnt = 0; redundant_pic_cnt < 2; ++redundant_pic_cnt) {
      SliceSyntax slice = i == 0 ? idr() : p(i, 2 * i);
      slice.redundant_pic_cnt = redundant_pic_cnt;
      s.accept(slice);
    }
  }
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 3u);
  for (const CodedPicture& picture : s.pictures) EXPECT_EQ(picture.info.num_slices, 1);
  EXPECT_EQ(s.decoder().counts().num_nal_units_skipped, 3);
}

Nal partition(unsigned nal_unit_type, unsigned slice_id, std::uint8_t data) {
  return BitWriter().ue(slice_id).u(8, data).trailing().nal(1, nal_unit_type);
}

TEST(HeaderDecoder, AssemblesDataPartitions) {
  Stream s;
  s.accept(idr());
  SliceSyntax a = p(1, 2);
  a.nal_unit_type = 2;
  s.accept(a);
  EXPECT_TRUE(s.push(partition(3, 0, 0xb0)).ok());
  EXPECT_TRUE(s.push(partition(4, 0, 0xc0)).ok());
  a.first_mb_in_slice = 4;
  a.slice_id = 1;
  s.accept(a);
  EXPECT_TRUE(s.push(partition(4, 1, 0xc1)).ok());  // no partition B
  EXPECT_TRUE(s.push(partition(4, 1, 0xc1)).ok());  // twice
  EXPECT_EQ(s.decoder().counts().num_nal_units_repeated, 1);
  EXPECT_FALSE(s.push(partition(4, 1, 0xc2)).ok());  // another one
  EXPECT_FALSE(s.push(partition(3, 2, 0xb2)).ok());  // partition A was lost
  s.end_access_unit();
  EXPECT_FALSE(s.push(partition(3, 0, 0xb0)).ok());
  ASSERT_EQ(s.pictures.size(), 2u);
  const CodedPicture& picture = s.pictures[1];
  ASSERT_EQ(picture.info.num_slices, 2);
  const auto first_byte = [&](const RbspSpan& span, std::size_t bit_offset) {
    return bits::BitReader(picture.rbsp.data() + span.offset, span.size, bit_offset).u(8);
  };
  EXPECT_EQ(first_byte(picture.slices[0].partition_b, picture.slices[0].partition_b_bit_offset),
            0xb0u);
  EXPECT_EQ(first_byte(picture.slices[0].partition_c, picture.slices[0].partition_c_bit_offset),
            0xc0u);
  EXPECT_EQ(picture.slices[1].partition_b.size, 0u);
  EXPECT_EQ(first_byte(picture.slices[1].partition_c, picture.slices[1].partition_c_bit_offset),
            0xc1u);
}

// A partition B behind a lost partition A must not join a slice of the picture before.
TEST(HeaderDecoder, PartitionsOfALostSliceAreDropped) {
  Stream s;
  s.accept(idr());
  SliceSyntax a = p(1, 2);
  a.nal_unit_type = 2;
  s.accept(a);
  SliceSyntax lost = p(2, 4);
  lost.nal_unit_type = 2;
  lost.pic_parameter_set_id = 9;
  EXPECT_FALSE(s.push(lost).ok());
  EXPECT_FALSE(s.push(partition(3, 0, 0xb0)).ok());
  s.end_access_unit();
  EXPECT_EQ(s.pictures[1].slices[0].partition_b.size, 0u);
}

TEST(HeaderDecoder, GapsInFrameNumAreFilled) {
  SpsSyntax sps = test_sps();
  sps.gaps_in_frame_num_value_allowed_flag = true;
  PpsSyntax pps;
  pps.num_ref_idx_l0_default_active_minus1 = 3;
  Stream s(sps, pps);
  s.accept(idr());
  s.accept(p(1, 2));
  s.accept(p(3, 6));  // 2 is missing
  s.accept(p(2, 8));  // 4 .. 15, 0, 1
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 4u);
  EXPECT_EQ(refs_of(s.pictures[2]), (Indices{-1, 1, 0, -1}));
  EXPECT_TRUE(s.pictures[2].slices[0].refs.ref[0][0].is_missing);
  EXPECT_EQ(refs_of(s.pictures[3]), (Indices{-1, -1, -1, -1}));
  EXPECT_EQ(s.decoder().counts().num_frame_num_gaps, 1 + 14);
}

TEST(HeaderDecoder, NonReferencePicturesShareTheNextFrameNum) {
  Stream s;
  s.accept(idr());
  s.accept(p(1, 8));
  s.accept(b(2, 4));
  s.accept(b(2, 6));
  s.accept(p(2, 16));
  s.end_access_unit();
  EXPECT_EQ(s.pictures.size(), 5u);
  EXPECT_EQ(s.decoder().counts().num_frame_num_gaps, 0);
  EXPECT_EQ(refs_of(s.pictures[3], 0), (Indices{0}));
  EXPECT_EQ(refs_of(s.pictures[3], 1), (Indices{1}));
}

TEST(HeaderDecoder, StartsAnywhere) {
  Stream s;
  s.accept(p(9, 100));
  s.accept(p(10, 102));
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 2u);
  EXPECT_EQ(s.pictures[0].info.poc, 100);
  EXPECT_FALSE(s.pictures[0].info.is_random_access);
  EXPECT_EQ(refs_of(s.pictures[0]), (Indices{-1}));
  EXPECT_EQ(refs_of(s.pictures[1]), (Indices{0}));
  EXPECT_EQ(s.decoder().counts().num_frame_num_gaps, 0);
}

Nal recovery_point_sei() {
  BitWriter payload;
  payload.ue(0).flag(true).flag(false).u(2, 0).flag(true).u(2, 0);
  BitWriter w;
  w.u(8, 5).u(8, 17);  // user data first
  for (int i = 0; i < 17; ++i) w.u(8, 0x33);
  w.u(8, 6).u(8, payload.bytes().size());
  for (const std::uint8_t byte : payload.bytes()) w.u(8, byte);
  return w.trailing().nal(0, 6);
}

TEST(HeaderDecoder, RecoveryPointsAndLeadingPictures) {
  Stream s;
  s.accept(idr());
  s.accept(recovery_point_sei());
  SliceSyntax intra = p(1, 40);
  intra.slice_type = 7;
  s.accept(intra);
  s.accept(b(2, 36));
  s.accept(b(2, 44));
  s.accept(p(2, 60));
  s.accept(recovery_point_sei());
  s.accept(p(3, 70));  // a recovery point, but decoding cannot start at a P picture
  s.accept(b(4, 66));
  SliceSyntax second_idr = idr();
  s.accept(second_idr);
  s.accept(b(1, -2));
  s.end_access_unit();
  std::string random_access, leading;
  for (const CodedPicture& picture : s.pictures) {
    random_access += picture.info.is_random_access ? '1' : '0';
    leading += picture.info.is_leading ? '1' : '0';
  }
  EXPECT_EQ(random_access,
            "1100000"
            "10");
  EXPECT_EQ(leading,
            "0010000"
            "00");
}

TEST(HeaderDecoder, FieldPairs) {
  SpsSyntax sps = test_sps();
  sps.frame_mbs_only_flag = false;
  sps.mb_adaptive_frame_field_flag = true;
  PpsSyntax pps;
  pps.num_ref_idx_l0_default_active_minus1 = 3;
  Stream s(sps, pps);
  s.accept(field(idr(), 1));
  s.accept(field(p(0, 1), 2));   // 1: completes the IDR frame
  s.accept(field(p(1, 4), 0));   // 2: an MBAFF frame
  s.accept(field(p(2, 9), 2));   // 3: bottom field first
  s.accept(field(p(2, 8), 1));   // 4
  s.accept(field(b(3, 6), 1));   // 5: non-reference pair
  s.accept(field(b(3, 7), 2));   // 6
  s.accept(field(p(3, 12), 1));  // 7: alone
  s.accept(field(p(4, 16), 1));  // 8: alone, too
  s.accept(field(b(5, 17), 2));  // 9: not a pair: 8 is a reference
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 10u);
  std::string second;
  for (const CodedPicture& picture : s.pictures) second += picture.info.is_second_field ? '2' : '1';
  EXPECT_EQ(second, "1211212111");
  EXPECT_EQ(s.decoder().counts().num_frame_num_gaps, 0);
  EXPECT_TRUE(s.pictures[2].info.mbaff);
  EXPECT_EQ(s.pictures[2].info.height, 96);
  EXPECT_EQ(s.pictures[3].info.height, 48);
  EXPECT_EQ(s.pictures[3].info.structure, prim::PictureStructure::kBottom);
  EXPECT_EQ(refs_of(s.pictures[1]), (Indices{0, -1, -1, -1}));
  EXPECT_EQ(refs_of(s.pictures[2]), (Indices{0, -1, -1, -1}));
  EXPECT_EQ(s.pictures[2].slices[0].refs.ref[0][0].second_decode_index, 1);
  EXPECT_EQ(refs_of(s.pictures[3]), (Indices{2, 2, 1, 0}));
  EXPECT_EQ(refs_of(s.pictures[4]), (Indices{2, 3, 0, 2}));  // top fields: 2, 0; bottom: 3, 2, 1
  EXPECT_EQ(refs_of(s.pictures[5], 0), (Indices{2, 2, 0, 1}));
  EXPECT_EQ(refs_of(s.pictures[5], 1), (Indices{4}));
  // Frames in the window: {2}, {3, 4}, {7}. Top: 7, 4, 2; bottom: 3, 2.
  EXPECT_EQ(refs_of(s.pictures[8]), (Indices{7, 3, 4, 2}));
}

TEST(HeaderDecoder, Operation5RestartsCounts) {
  Stream s;
  s.accept(idr());
  s.accept(p(1, 20));
  SliceSyntax reset = p(2, 30);
  reset.marking = [](BitWriter& w) { w.ue(5).ue(0); };
  s.accept(reset);
  s.accept(p(1, 4));
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 4u);
  EXPECT_TRUE(s.pictures[2].info.has_memory_management_5);
  EXPECT_EQ(s.pictures[2].info.poc, 30);
  EXPECT_EQ(s.pictures[2].live, (Indices{0, 1, 2}));
  EXPECT_EQ(s.pictures[3].info.poc, 4);
  EXPECT_EQ(refs_of(s.pictures[3]), (Indices{2}));
  EXPECT_EQ(s.pictures[3].slices[0].refs.ref[0][0].poc, 0);  // as seen after the reset
  EXPECT_EQ(s.decoder().counts().num_frame_num_gaps, 0);
}

TEST(HeaderDecoder, ResetForgetsPicturesButNotParameterSets) {
  Stream s;
  s.accept(idr());
  s.accept(p(1, 2));
  s.decoder().reset();
  s.accept(p(7, 60));
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(),
            2u);  // the unfinished picture 1 is gone, its index is not used again
  EXPECT_EQ(s.pictures[1].info.decode_index, 2);
  EXPECT_EQ(s.pictures[1].info.poc, 60);
  EXPECT_EQ(refs_of(s.pictures[1]), (Indices{-1}));
}

TEST(HeaderDecoder, AllocatesNothingInTheSteadyState) {
  SpsSyntax sps = test_sps();
  PpsSyntax pps;
  pps.slice_groups = [](BitWriter& w) { w.ue(1).ue(1); };
  std::vector<Nal> nals;
  for (int i = 0; i < 16; ++i) {
    for (unsigned slice = 0; slice < 3; ++slice) {
      SliceSyntax syntax = p(i + 1, 2 * i + 2);
      syntax.first_mb_in_slice = 4 * slice;
      syntax.num_data_bytes = 100 + 10 * static_cast<std::size_t>((i * 7) % 16);
      nals.push_back(syntax.nal());
    }
  }
  const Nal sps_nal = sps.write().nal(3, 7);
  const Nal pps_nal = pps.write().nal(3, 8);
  const Nal idr_nal = idr().nal();
  HeaderDecoder decoder{Limits{}};
  ASSERT_TRUE(decoder.push_nal(sps_nal, {}).ok());
  ASSERT_TRUE(decoder.push_nal(pps_nal, {}).ok());
  ASSERT_TRUE(decoder.push_nal(idr_nal, {}).ok());
  CodedPicture picture;
  std::int64_t num_pictures = 0;
  const auto run = [&](int rounds) {
    for (int i = 0; i < rounds; ++i) {
      (void)decoder.push_nal(sps_nal, {});
      for (const Nal& nal : nals) {
        (void)decoder.push_nal(nal, {});
        while (decoder.pop_picture(picture)) ++num_pictures;
      }
    }
  };
  run(20);
  const std::int64_t before = num_allocations;
  const std::int64_t pictures_before = num_pictures;
  run(20);
  EXPECT_EQ(num_allocations, before);
  EXPECT_EQ(num_pictures - pictures_before, 20 * 16);
  EXPECT_EQ(decoder.counts().num_nal_units_damaged, 0);
}

}  // namespace
}  // namespace cope::h264
