#include "cope/h265/header_decoder.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "allocation_counter.h"
#include "parameter_set_writer.h"

namespace cope::h265 {
namespace {

constexpr unsigned kTrailN = 0, kTrailR = 1, kRadlN = 6, kRaslN = 8, kBla = 16, kIdr = 19,
                   kCra = 21;
constexpr unsigned kEos = 36;

/// slice_segment_header() for `test_sps`: 8 bits of slice_pic_order_cnt_lsb, 12 CTBs.
struct SliceSyntax {
  unsigned nal_unit_type = kTrailR;
  int slice_pic_order_cnt_lsb = 0;
  std::vector<int> before;  // deltas of pictures to refer to, -1 and less; I slice where empty
  std::vector<int> keep;    // the same of pictures to keep, less than those
  unsigned slice_segment_address = 0;
  bool dependent_slice_segment_flag = false;
  unsigned slice_pic_parameter_set_id = 0;
  unsigned TemporalId = 0;
  unsigned nuh_layer_id = 0;
  std::size_t num_data_bytes = 8;

  Nal nal() const {
    BitWriter w;
    w.flag(slice_segment_address == 0);
    if (nal_unit_type >= 16) w.flag(false);
    w.ue(slice_pic_parameter_set_id);
    if (slice_segment_address > 0) {
      w.flag(dependent_slice_segment_flag).u(4, slice_segment_address);
    }
    if (!dependent_slice_segment_flag) {
      w.ue(before.empty() ? 2 : 1);
      if (nal_unit_type != kIdr) write_references(w);
      if (!before.empty()) w.flag(true).ue(before.size() - 1).ue(0);
      w.se(0);
    }
    w.trailing();
    for (std::size_t i = 0; i < num_data_bytes; ++i) w.u(8, 0x5a);
    return make_nal(w.trailing(), nal_unit_type, TemporalId, nuh_layer_id);
  }

 private:
  void write_references(BitWriter& w) const {
    w.u(8, static_cast<unsigned>(slice_pic_order_cnt_lsb) & 255).flag(false).flag(false);
    w.ue(before.size() + keep.size()).ue(0);
    int last = 0;
    for (const auto* deltas : {&before, &keep}) {
      for (const int delta : *deltas) {
        w.ue(static_cast<unsigned>(last - delta - 1)).flag(deltas == &before);
        last = delta;
      }
    }
  }
};

SliceSyntax picture(unsigned nal_unit_type, int lsb, std::vector<int> before = {},
                    std::vector<int> keep = {}) {
  SliceSyntax s;
  s.nal_unit_type = nal_unit_type;
  s.slice_pic_order_cnt_lsb = lsb;
  s.before = std::move(before);
  s.keep = std::move(keep);
  return s;
}

SliceSyntax segment(SliceSyntax s, unsigned address, bool is_dependent = false) {
  s.slice_segment_address = address;
  s.dependent_slice_segment_flag = is_dependent;
  return s;
}

SpsSyntax test_sps() {
  SpsSyntax s;
  s.log2_max_pic_order_cnt_lsb_minus4 = 4;
  return s;
}

PpsSyntax test_pps() {
  PpsSyntax s;
  s.dependent_slice_segments_enabled_flag = true;
  return s;
}

/// A decoder and what came out of it.
class Stream {
 public:
  explicit Stream(const Limits& limits = {}) : decoder_(limits) {
    EXPECT_TRUE(push(make_nal(test_sps().write(), 33)).ok());
    EXPECT_TRUE(push(make_nal(test_pps().write(), 34)).ok());
  }

  Status push(const Nal& nal, const NalSource& source = {}) {
    const Nal exact(nal);  // its own allocation, so that reading past the end is noticed
    const Status status = decoder_.push_nal(exact, source);
    drain();
    return status;
  }
  Status push(const SliceSyntax& slice, const NalSource& source = {}) {
    return push(slice.nal(), source);
  }
  /// The same for what must be good.
  template <class T>
  void accept(const T& nal_or_slice) {
    EXPECT_TRUE(push(nal_or_slice).ok());
  }
  void end_sequence() { accept(make_nal(BitWriter(), kEos)); }
  void end_access_unit() {
    decoder_.end_access_unit();
    drain();
  }

  HeaderDecoder& decoder() { return decoder_; }
  std::vector<CodedPicture> pictures;  ///< finished so far

 private:
  void drain() {
    CodedPicture coded;
    while (decoder_.pop_picture(coded)) {
      check(coded);
      EXPECT_EQ(coded.info.decode_index, static_cast<std::int64_t>(pictures.size()));
      pictures.push_back(std::exchange(coded, {}));
    }
  }
  /// What holds for every picture.
  static void check(const CodedPicture& coded) {
    const auto num_segments = static_cast<std::size_t>(coded.info.num_slice_segments);
    ASSERT_GT(num_segments, 0u);
    ASSERT_LE(num_segments, coded.segments.size());
    ASSERT_LE(static_cast<std::size_t>(coded.info.num_slices), coded.slice_refs.size());
    for (std::size_t i = 0; i < num_segments; ++i) {
      const CodedSegment& s = coded.segments[i];
      ASSERT_NE(s.sps, nullptr);
      ASSERT_NE(s.pps, nullptr);
      ASSERT_LT(s.slice_idx, coded.info.num_slices);
      ASSERT_LE(s.rbsp.offset + s.rbsp.size + kRbspPadding, coded.rbsp.size());
      for (std::size_t k = 0; k < kRbspPadding; ++k) {
        ASSERT_EQ(coded.rbsp[s.rbsp.offset + s.rbsp.size + k], 0);
      }
      ASSERT_EQ(coded.rbsp[s.rbsp.offset + s.data_bit_offset / 8], 0x5a);
    }
  }

  HeaderDecoder decoder_;
};

std::vector<int> pocs(const Stream& stream) {
  std::vector<int> out;
  for (const CodedPicture& p : stream.pictures) out.push_back(p.info.poc);
  return out;
}

TEST(HeaderDecoder, TellsPicturesApart) {
  Stream s;
  s.accept(picture(kIdr, 0));
  EXPECT_TRUE(s.pictures.empty());
  s.accept(picture(kTrailR, 1, {-1}));
  EXPECT_EQ(s.pictures.size(), 1u);
  s.accept(picture(kTrailN, 2, {-1, -2}));
  s.end_access_unit();
  ASSERT_EQ(pocs(s), (std::vector{0, 1, 2}));
  const prim::PictureInfo& idr = s.pictures[0].info;
  EXPECT_EQ(idr.codec, prim::Codec::kH265);
  EXPECT_TRUE(idr.is_idr && idr.starts_sequence && idr.is_random_access && idr.is_reference);
  EXPECT_EQ(idr.nal_unit_type, kIdr);
  EXPECT_EQ(idr.slice_types, prim::kHasI);
  EXPECT_EQ(idr.width, 64);
  EXPECT_EQ(idr.height, 48);
  const prim::PictureInfo& last = s.pictures[2].info;
  EXPECT_FALSE(last.is_reference || last.is_random_access || last.is_leading);
  EXPECT_EQ(last.slice_types, prim::kHasP);
  const prim::SliceRefs& refs = s.pictures[2].slice_refs[0];
  ASSERT_EQ(refs.num_ref[0], 2);
  EXPECT_EQ(refs.ref[0][0].decode_index, 1);
  EXPECT_EQ(refs.ref[0][1].decode_index, 0);
  EXPECT_EQ(s.pictures[1].live, (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(s.pictures[2].live, (std::vector<std::int64_t>{0, 1}));  // nothing refers to itself
}

TEST(HeaderDecoder, SlicesAndSegments) {
  Stream s;
  s.accept(picture(kIdr, 0));
  const SliceSyntax p = picture(kTrailR, 1, {-1});
  s.accept(p);
  s.accept(segment(p, 2, true));
  s.accept(segment(p, 5));
  s.accept(segment(p, 6, true));
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 2u);
  const CodedPicture& coded = s.pictures[1];
  EXPECT_EQ(coded.info.num_slices, 2);
  EXPECT_EQ(coded.info.num_slice_segments, 4);
  const int slice_idx[] = {0, 0, 1, 1};
  const int SliceAddrRs[] = {0, 0, 5, 5};
  std::int64_t size_bytes = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(coded.segments[i].slice_idx, slice_idx[i]);
    EXPECT_EQ(coded.segments[i].SliceAddrRs, SliceAddrRs[i]);
    EXPECT_EQ(coded.segments[i].header.slice_type, SliceType::P);
    EXPECT_EQ(coded.segments[i].nal_index, static_cast<std::int64_t>(i) + 3);
    size_bytes += coded.segments[i].size_bytes;
  }
  EXPECT_EQ(coded.info.size_bytes, size_bytes);
}

TEST(HeaderDecoder, LostFirstSegmentDoesNotJoinPictures) {
  Stream s;
  s.accept(picture(kIdr, 0));
  s.accept(segment(picture(kIdr, 0), 6));
  s.accept(segment(picture(kTrailR, 1, {-1}), 6));  // another picture by its type
  s.accept(segment(picture(kTrailR, 2, {-1}), 8));  // by its lsb
  s.accept(segment(picture(kIdr, 0), 8));
  s.accept(segment(picture(kIdr, 0), 4));  // by its address
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 5u);
  EXPECT_EQ(s.pictures[0].info.num_slices, 2);
  EXPECT_EQ(s.pictures[1].segments[0].SliceAddrRs, 6);
  EXPECT_EQ(pocs(s), (std::vector{0, 1, 2, 0, 0}));
}

TEST(HeaderDecoder, RepeatedSegmentsArePassedOver) {
  Stream s;
  s.accept(picture(kIdr, 0));
  const SliceSyntax p = picture(kTrailR, 1, {-1});
  s.accept(p);
  s.accept(p);
  s.accept(segment(p, 5));
  s.accept(p);
  s.accept(segment(p, 5));
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 2u);
  EXPECT_EQ(s.pictures[1].info.num_slice_segments, 2);
  EXPECT_EQ(s.decoder().counts().num_nal_units_repeated, 3);
  EXPECT_EQ(s.decoder().counts().num_nal_units_damaged, 0);
}

TEST(HeaderDecoder, LateSegmentsAreDropped) {
  Stream s;
  s.accept(picture(kIdr, 0));
  s.accept(picture(kTrailR, 1, {-1}));
  s.accept(segment(picture(kTrailR, 1, {-1}), 8));
  EXPECT_STREQ(s.push(segment(picture(kTrailR, 1, {-1}), 4)).element, "late_slice");
  s.accept(picture(kTrailR, 2, {-1, -2}));
  EXPECT_STREQ(s.push(segment(picture(kTrailR, 1, {-1}), 4)).element, "late_slice");
  EXPECT_STREQ(s.push(picture(kTrailR, 1, {-1})).element, "late_slice");
  s.accept(segment(picture(kTrailR, 2, {-1, -2}), 4));
  s.end_access_unit();
  EXPECT_EQ(pocs(s), (std::vector{0, 1, 2}));
  EXPECT_EQ(s.pictures[2].info.num_slices, 2);
  s.accept(picture(kIdr, 0));  // counts start again
  s.accept(picture(kTrailR, 1, {-1}));
  s.end_access_unit();
  EXPECT_EQ(s.pictures.size(), 5u);
}

TEST(HeaderDecoder, DependentSegmentNeedsItsSlice) {
  Stream s;
  EXPECT_FALSE(s.push(segment(picture(kIdr, 0), 3, true)).ok());
  s.accept(picture(kIdr, 0));
  EXPECT_FALSE(s.push(segment(picture(kTrailR, 1), 3, true)).ok());  // of another picture
  s.accept(segment(picture(kIdr, 0), 3, true));
  EXPECT_FALSE(s.push(segment(picture(kIdr, 0), 2, true)).ok());  // backwards
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 1u);
  EXPECT_EQ(s.pictures[0].info.num_slice_segments, 2);
  EXPECT_EQ(s.decoder().counts().num_nal_units_damaged, 3);
}

TEST(HeaderDecoder, SkipsRaslPicturesWhereDecodingStarts) {
  Stream s;
  s.accept(picture(kCra, 8));
  s.accept(picture(kRaslN, 6, {-4}));
  s.accept(segment(picture(kRaslN, 6, {-4}), 5));
  s.accept(picture(kRadlN, 7));
  s.accept(picture(kTrailR, 9, {-1}));
  s.accept(picture(kCra, 16, {}, {-7}));  // not the first: its RASL pictures can be decoded
  s.accept(picture(kRaslN, 12, {-3}));
  s.end_sequence();
  s.accept(picture(kCra, 24));
  s.accept(picture(kRaslN, 20, {-4}));
  s.accept(picture(kBla, 40));
  s.accept(picture(kRaslN, 36, {-4}));
  s.accept(picture(kTrailR, 41, {-1}));
  s.end_access_unit();
  EXPECT_EQ(pocs(s), (std::vector{8, 7, 9, 16, 12, 24, 40, 41}));
  EXPECT_EQ(s.decoder().counts().num_pictures_skipped, 3);
  const bool starts_sequence[] = {true, false, false, false, false, true, true, false};
  const bool is_leading[] = {false, true, false, false, true, false, false, false};
  for (std::size_t i = 0; i < s.pictures.size(); ++i) {
    EXPECT_EQ(s.pictures[i].info.starts_sequence, starts_sequence[i]) << i;
    EXPECT_EQ(s.pictures[i].info.is_leading, is_leading[i]) << i;
    EXPECT_EQ(s.pictures[i].info.is_random_access,
              s.pictures[i].info.slice_types == prim::kHasI && !is_leading[i]);
  }
  EXPECT_FALSE(s.pictures[4].slice_refs[0].ref[0][0].is_missing);
}

TEST(HeaderDecoder, ResetStartsAgain) {
  Stream s;
  s.accept(picture(kIdr, 0));
  s.accept(picture(kTrailR, 1, {-1}));
  s.decoder().reset();
  s.pictures.clear();
  EXPECT_TRUE(s.push(picture(kRaslN, 6, {-4})).ok());
  HeaderDecoder& decoder = s.decoder();
  EXPECT_TRUE(decoder.push_nal(picture(kCra, 200).nal(), {}).ok());
  EXPECT_TRUE(decoder.push_nal(picture(kRaslN, 198, {-4}).nal(), {}).ok());
  EXPECT_TRUE(decoder.push_nal(picture(kTrailR, 201, {-1}).nal(), {}).ok());
  decoder.end_access_unit();
  CodedPicture coded;
  ASSERT_TRUE(decoder.pop_picture(coded));
  EXPECT_EQ(coded.info.poc, 200);
  EXPECT_TRUE(coded.info.starts_sequence);
  ASSERT_TRUE(decoder.pop_picture(coded));
  EXPECT_EQ(coded.info.poc, 201);
  EXPECT_FALSE(coded.slice_refs[0].ref[0][0].is_missing);
  EXPECT_FALSE(decoder.pop_picture(coded));
  EXPECT_EQ(decoder.counts().num_pictures_skipped, 2);
}

TEST(HeaderDecoder, MissingReferencesAreSaid) {
  Stream s;
  s.accept(picture(kIdr, 0));
  s.accept(picture(kTrailR, 3, {-1, -3}));  // 2 is lost
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 2u);
  const prim::SliceRefs& refs = s.pictures[1].slice_refs[0];
  EXPECT_TRUE(refs.ref[0][0].is_missing);
  EXPECT_EQ(refs.ref[0][0].poc, 2);
  EXPECT_EQ(refs.ref[0][1].decode_index, 0);
  EXPECT_EQ(s.pictures[1].info.num_frames_lost, 1);
  s.accept(picture(kTrailR, 4, {-1, -2, -3}));  // 2 again, and 1
  s.end_access_unit();
  EXPECT_EQ(s.pictures[2].info.num_frames_lost, 1);
  EXPECT_EQ(s.decoder().counts().num_frames_lost, 2);
}

TEST(HeaderDecoder, StartsInTheMiddle) {
  Stream s;
  s.accept(picture(kTrailR, 5, {-1}));  // before any IRAP picture
  s.accept(picture(kTrailR, 6, {-1}));
  s.accept(picture(kCra, 200));
  s.accept(picture(kRaslN, 198, {-4}));
  s.accept(picture(kTrailR, 201, {-1}));
  s.end_access_unit();
  ASSERT_EQ(pocs(s), (std::vector{5, 6, 200, 201}));
  EXPECT_TRUE(s.pictures[0].slice_refs[0].ref[0][0].is_missing);
  EXPECT_FALSE(s.pictures[1].slice_refs[0].ref[0][0].is_missing);
  EXPECT_EQ(s.pictures[0].info.num_frames_lost, 0);  // it was never there
  EXPECT_FALSE(s.pictures[0].info.is_random_access);
  EXPECT_TRUE(s.pictures[2].info.starts_sequence);
  EXPECT_EQ(s.decoder().counts().num_pictures_skipped, 1);
}

TEST(HeaderDecoder, PicturesThatAreNotShown) {
  Stream s;
  PpsSyntax pps = test_pps();
  pps.output_flag_present_flag = true;
  s.accept(make_nal(pps.write(), 34));
  const BitWriter hidden = BitWriter().flag(true).flag(false).ue(0).ue(2).flag(false).se(0);
  s.accept(make_nal(BitWriter(hidden).trailing().u(8, 0x5a).trailing(), kIdr));
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 1u);
  EXPECT_FALSE(s.pictures[0].info.is_output);
}

TEST(HeaderDecoder, OtherLayersAreSkipped) {
  Stream s;
  SliceSyntax other = picture(kIdr, 0);
  other.nuh_layer_id = 1;
  s.accept(picture(kIdr, 0));
  s.accept(other);
  other.nuh_layer_id = 63;
  s.accept(other);
  s.end_access_unit();
  EXPECT_EQ(s.pictures.size(), 1u);
  EXPECT_EQ(s.decoder().counts().num_nal_units_skipped, 2);
}

TEST(HeaderDecoder, OnlyTheHighestSubLayerIsWithoutUse) {
  Stream s;
  SpsSyntax sps = test_sps();
  sps.sps_max_sub_layers_minus1 = 1;
  s.accept(make_nal(sps.write(), 33));
  s.accept(picture(kIdr, 0));
  SliceSyntax p = picture(kTrailN, 1, {-1});
  s.accept(p);
  p = picture(kTrailN, 2, {-2});
  p.TemporalId = 1;
  s.accept(p);
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 3u);
  EXPECT_TRUE(s.pictures[1].info.is_reference);  // sub-layer 1 may refer to it
  EXPECT_FALSE(s.pictures[2].info.is_reference);
  EXPECT_EQ(s.pictures[2].info.temporal_id, 1);
}

TEST(HeaderDecoder, AnotherSpsTakesOverAtIrapPictures) {
  Stream s;
  s.accept(picture(kIdr, 0));
  SpsSyntax sps = test_sps();
  sps.pic_width_in_luma_samples = 128;
  s.accept(make_nal(sps.write(), 33));
  s.accept(picture(kTrailR, 1, {-1}));  // still the old one
  SliceSyntax p = picture(kCra, 2, {}, {-1});
  s.accept(p);
  s.accept(picture(kRaslN, 1, {-1}));
  s.accept(picture(kTrailR, 3, {-1}));
  s.end_access_unit();
  ASSERT_EQ(pocs(s), (std::vector{0, 1, 2, 3}));
  EXPECT_EQ(s.pictures[1].info.width, 64);
  EXPECT_FALSE(s.pictures[1].slice_refs[0].ref[0][0].is_missing);
  EXPECT_EQ(s.pictures[2].info.width, 128);
  EXPECT_TRUE(s.pictures[2].info.starts_sequence);
  EXPECT_EQ(s.pictures[2].live, (std::vector<std::int64_t>{2}));
  EXPECT_EQ(s.decoder().counts().num_pictures_skipped, 1);
}

TEST(HeaderDecoder, RepeatedParameterSetsChangeNothing) {
  Stream s;
  s.accept(picture(kIdr, 0));
  s.accept(make_nal(test_sps().write(), 33));
  s.accept(make_nal(test_pps().write(), 34));
  s.accept(picture(kTrailR, 1, {-1}));
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 2u);
  EXPECT_EQ(s.pictures[0].segments[0].pps, s.pictures[1].segments[0].pps);
}

TEST(HeaderDecoder, RecoveryPointMakesIntraPictureRandomAccess) {
  Stream s;
  s.accept(picture(kIdr, 0));
  s.accept(
      make_nal(BitWriter().u(8, 6).u(8, 1).se(0).flag(true).flag(false).u(5, 16).trailing(), 39));
  s.accept(picture(kTrailR, 1));
  s.accept(picture(kTrailR, 2));
  s.end_access_unit();
  ASSERT_EQ(s.pictures.size(), 3u);
  EXPECT_TRUE(s.pictures[1].info.is_random_access);
  EXPECT_FALSE(s.pictures[2].info.is_random_access);
}

TEST(HeaderDecoder, DamagedUnitsAreDroppedAndCounted) {
  Stream s;
  EXPECT_FALSE(s.push(Nal{}).ok());
  EXPECT_FALSE(s.push(Nal{0x26}).ok());
  EXPECT_STREQ(s.push(Nal{0x80 | 0x26, 1, 0xaf}).element, "forbidden_zero_bit");
  EXPECT_STREQ(s.push(Nal{0x26, 0, 0xaf}).element, "nuh_temporal_id_plus1");
  SliceSyntax p = picture(kIdr, 0);
  p.slice_pic_parameter_set_id = 1;
  const Status status = s.push(p);
  EXPECT_STREQ(status.element, "slice_pic_parameter_set_id");
  EXPECT_EQ(status.nal_index, 6);
  EXPECT_EQ(s.decoder().counts().num_nal_units_damaged, 5);
  EXPECT_STREQ(s.decoder().counts().first_error.element, "nal_unit_header");
  s.accept(picture(kIdr, 0));
  s.end_access_unit();
  EXPECT_EQ(s.pictures.size(), 1u);
}

TEST(HeaderDecoder, Limits) {
  Limits limits;
  limits.max_slices_per_picture = 2;
  limits.max_nal_bytes = 100;
  Stream s(limits);
  s.accept(picture(kIdr, 0));
  s.accept(segment(picture(kIdr, 0), 1));
  EXPECT_STREQ(s.push(segment(picture(kIdr, 0), 2)).element, "max_slices_per_picture");
  SliceSyntax p = picture(kTrailR, 1);
  p.num_data_bytes = 100;
  EXPECT_EQ(s.push(p).code, StatusCode::kLimitExceeded);
  limits.max_slices_per_picture = 100;
  Stream t(limits);
  p = picture(kIdr, 0);
  p.num_data_bytes = 60;
  t.accept(p);
  StatusCode code = StatusCode::kOk;
  for (unsigned address = 1; address < 12 && code == StatusCode::kOk; ++address) {
    code = t.push(segment(p, address)).code;
  }
  EXPECT_EQ(code, StatusCode::kLimitExceeded);
}

TEST(HeaderDecoder, AllocatesNothingInSteadyState) {
  HeaderDecoder decoder{Limits{}};
  EXPECT_TRUE(decoder.push_nal(make_nal(test_sps().write(), 33), {}).ok());
  EXPECT_TRUE(decoder.push_nal(make_nal(test_pps().write(), 34), {}).ok());
  EXPECT_TRUE(decoder.push_nal(picture(kIdr, 0).nal(), {}).ok());
  std::vector<Nal> nals;
  for (int i = 1; i <= 200; ++i) {
    const SliceSyntax p = picture(kTrailR, i, {-1});
    nals.push_back(p.nal());
    nals.push_back(segment(p, 3, true).nal());
    nals.push_back(segment(p, 6).nal());
  }
  CodedPicture coded;
  std::int64_t before = 0;
  for (std::size_t i = 0; i < nals.size(); ++i) {
    if (i == 60) before = num_allocations;
    ASSERT_TRUE(decoder.push_nal(nals[i], {}).ok());
    while (decoder.pop_picture(coded)) {
    }
  }
  EXPECT_EQ(num_allocations, before);
}

}  // namespace
}  // namespace cope::h265
