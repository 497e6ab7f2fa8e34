// NAL units that were lost, repeated, cut or delivered in another order.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "slice_writer.h"

namespace cope::h264 {
namespace {

/// "7 5? -": decode_index, ? where another picture may stand there, - for none.
std::string list_of(const CodedPicture& picture, int X = 0) {
  std::string out;
  const prim::SliceRefs& refs = picture.slices[0].refs;
  for (int i = 0; i < refs.num_ref[X]; ++i) {
    const prim::RefPicture& ref = refs.ref[X][i];
    if (i > 0) out += ' ';
    out += ref.decode_index < 0 ? "-" : std::to_string(ref.decode_index);
    if (ref.decode_index >= 0 && ref.is_missing) out += '?';
    EXPECT_TRUE(ref.decode_index >= 0 || ref.is_missing);
  }
  return out;
}

PpsSyntax three_refs() {
  PpsSyntax pps;
  pps.num_ref_idx_l0_default_active_minus1 = 2;
  pps.num_ref_idx_l1_default_active_minus1 = 1;
  return pps;
}

TEST(HeaderLoss, EntriesBehindALostFrameAreInDoubt) {
  Stream s(test_sps(), three_refs());
  s.accept(idr());
  for (int i : {1, 2, 4, 5, 6, 7}) s.accept(p(i, 4 * i));  // 3 is lost
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 7u);
  EXPECT_EQ(list_of(s.pictures[2]), "1 0 -");
  EXPECT_EQ(s.pictures[3].info.num_frames_lost, 1);
  EXPECT_EQ(list_of(s.pictures[3]), "- 2? 1?");  // frame_num 4; the lost frame comes first
  EXPECT_EQ(list_of(s.pictures[4]), "3 - 2?");
  EXPECT_EQ(list_of(s.pictures[5]), "4 3 -");
  EXPECT_EQ(list_of(s.pictures[6]), "5 4 3");
  EXPECT_EQ(s.decoder().counts().num_frames_lost, 1);
  EXPECT_EQ(s.decoder().counts().num_nal_units_damaged, 0);
}

TEST(HeaderLoss, AllowedGapsLoseNothing) {
  SpsSyntax sps = test_sps();
  sps.gaps_in_frame_num_value_allowed_flag = true;
  Stream s(sps, three_refs());
  s.accept(idr());
  s.accept(p(2, 8));
  s.end_access_unit();
  EXPECT_EQ(list_of(s.pictures[1]), "- 0 -");
  EXPECT_EQ(s.pictures[1].info.num_frames_lost, 0);
  EXPECT_EQ(s.decoder().counts().num_frame_num_gaps, 1);
}

// Nobody knows the picture order count of what was lost.
TEST(HeaderLoss, ListsByPicOrderCntAreInDoubtWhileALostFrameIsThere) {
  Stream s(test_sps(), three_refs());
  s.accept(idr());
  s.accept(p(1, 8));
  s.accept(p(3, 24));
  s.accept(b(4, 20));
  for (int i : {4, 5, 6}) {
    s.accept(p(i, 8 * i));
    s.accept(b(i + 1, 8 * i - 4));
  }
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 10u);
  EXPECT_EQ(list_of(s.pictures[3], 0), "1? 2? -");
  EXPECT_EQ(list_of(s.pictures[3], 1), "2? 1?");
  EXPECT_EQ(list_of(s.pictures[5], 1), "4? 2?");
  EXPECT_EQ(list_of(s.pictures[9], 0), "6 4 8");  // POC 40, 32, then 48
  EXPECT_EQ(list_of(s.pictures[9], 1), "8 6");
}

TEST(HeaderLoss, AnIdrPictureEndsAllDoubt) {
  Stream s(test_sps(), three_refs());
  s.accept(idr());
  s.accept(p(2, 8));
  s.accept(idr());
  s.accept(p(1, 4));
  s.end_access_unit();
  EXPECT_EQ(list_of(s.pictures[3]), "2 - -");
}

// Pictures of before the start come before those that are known in output order, never after.
TEST(HeaderLoss, StartInTheMiddle) {
  Stream s(test_sps(), three_refs());
  SliceSyntax first = p(7, 40);
  first.slice_type = 7;
  s.accept(
      BitWriter().u(8, 6).u(8, 1).ue(0).flag(true).flag(false).u(2, 0).u(3, 4).u(8, 128).nal(0, 6));
  s.accept(first);
  s.accept(b(8, 36));  // leading
  s.accept(p(8, 56));
  s.accept(b(9, 48));
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 4u);
  EXPECT_EQ(list_of(s.pictures[1], 0), "0? - -");
  EXPECT_EQ(list_of(s.pictures[1], 1), "0 -");
  EXPECT_EQ(list_of(s.pictures[2]), "0 - -");
  EXPECT_EQ(list_of(s.pictures[3], 0), "0 2? -");
  EXPECT_EQ(list_of(s.pictures[3], 1), "2 0");
  EXPECT_EQ(s.pictures[0].info.num_frames_lost, 0);
}

// Where decoding was not meant to start, references may precede that are shown later.
TEST(HeaderLoss, StartBetweenRandomAccessPoints) {
  Stream s(test_sps(), three_refs());
  s.accept(p(7, 40));
  s.accept(b(8, 36));
  s.accept(p(8, 56));
  s.end_access_unit();
  EXPECT_EQ(list_of(s.pictures[1], 0), "0? - -");
  EXPECT_EQ(list_of(s.pictures[1], 1), "0? -");
  EXPECT_EQ(list_of(s.pictures[2]), "0 - -");
}

TEST(HeaderLoss, ASliceDeliveredTwiceCountsOnce) {
  Stream s;
  s.accept(idr());
  SliceSyntax second = idr();
  second.first_mb_in_slice = 6;
  s.accept(second);
  s.accept(idr());
  s.accept(second);
  s.accept(p(1, 2));
  s.accept(p(1, 2));
  s.accept(p(2, 4));
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 3u);
  EXPECT_EQ(s.pictures[0].info.num_slices, 2);
  EXPECT_EQ(list_of(s.pictures[2]), "1");
  EXPECT_EQ(s.decoder().counts().num_nal_units_repeated, 3);
  EXPECT_EQ(s.decoder().counts().num_nal_units_damaged, 0);
}

TEST(HeaderLoss, OfASliceAndAPieceOfItTheSliceStays) {
  const Nal whole = p(1, 2).nal();
  Nal piece(whole.begin(), whole.end() - 4);
  for (const bool piece_first : {false, true}) {
    Stream s;
    s.accept(idr());
    s.accept(piece_first ? piece : whole);
    s.accept(piece_first ? whole : piece);
    s.end_access_unit();
    ASSERT_EQ(s.pictures.size(), 2u);
    EXPECT_EQ(s.pictures[1].info.num_slices, 1);
    EXPECT_EQ(s.pictures[1].info.size_bytes, static_cast<std::int64_t>(whole.size()));
    EXPECT_EQ(s.pictures[1].slices[0].rbsp.size, whole.size() - 1);
  }
}

TEST(HeaderLoss, SlicesBehindThoseOfALaterPictureAreTooLate) {
  Stream s;
  s.accept(idr());
  SliceSyntax one = p(1, 2), two = p(2, 4);
  SliceSyntax one_more = one, two_more = two;
  one_more.first_mb_in_slice = two_more.first_mb_in_slice = 6;
  s.accept(one);
  s.accept(two);
  EXPECT_FALSE(s.push(one_more).ok());
  s.accept(two_more);
  s.accept(p(3, 6));
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 4u);
  EXPECT_EQ(s.pictures[1].info.num_slices, 1);
  EXPECT_EQ(s.pictures[2].info.num_slices, 2);
  EXPECT_EQ(list_of(s.pictures[3]), "2");
  EXPECT_EQ(s.decoder().counts().num_nal_units_damaged, 1);
  EXPECT_EQ(s.decoder().counts().num_frames_lost, 0);
}

TEST(HeaderLoss, ASliceFromBeforeAnIdrPictureIsTooLate) {
  Stream s;
  s.accept(idr());
  s.accept(p(1, 2));
  SliceSyntax next = idr();
  next.idr_pic_id = 1;
  s.accept(next);
  SliceSyntax rest = p(1, 2);
  rest.first_mb_in_slice = 6;
  EXPECT_FALSE(s.push(rest).ok());
  s.accept(p(1, 2));  // the same identity, and a picture
  s.accept(idr());
  s.accept(p(1, 2));
  s.end_access_unit();
  EXPECT_EQ(s.pictures.size(), 6u);
}

TEST(HeaderLoss, APictureBehindALaterOneIsTooLate) {
  SpsSyntax sps = test_sps();
  sps.log2_max_frame_num_minus4 = 0;
  Stream s(sps, three_refs());  // of four bits: a gap, for all but two frames may be lost
  s.accept(idr());
  s.accept(p(2, 4));
  s.accept(p(1, 2));
  s.end_access_unit();
  EXPECT_EQ(s.pictures.size(), 3u);
  EXPECT_EQ(list_of(s.pictures[2]), "- - -");
}

TEST(HeaderLoss, ALostFieldPutsWhatFollowsInDoubt) {
  SpsSyntax sps = test_sps();
  sps.frame_mbs_only_flag = false;
  sps.direct_8x8_inference_flag = true;
  Stream s(sps, three_refs());
  SliceSyntax first = idr();
  first.structure = 0;
  s.accept(first);
  s.accept(field(p(1, 4), 1));  // its bottom field is lost
  s.accept(field(p(2, 8), 0));
  s.accept(field(p(3, 12), 1));
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 4u);
  EXPECT_EQ(list_of(s.pictures[1]), "0? 0? -");  // may be a second field, no pair was seen yet
  EXPECT_EQ(list_of(s.pictures[2]), "0? - -");
  EXPECT_EQ(list_of(s.pictures[3]), "2 2 1");
}

}  // namespace
}  // namespace cope::h264
