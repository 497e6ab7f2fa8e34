#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "cope/h264/header_decoder.h"
#include "parameter_set_writer.h"

namespace cope::h264 {

using Nal = std::vector<std::uint8_t>;

/// slice_header() for an SPS of pic_order_cnt_type 0 with 4-bit frame_num and 8-bit lsb.
struct SliceSyntax {
  unsigned nal_unit_type = 1;
  unsigned nal_ref_idc = 1;
  unsigned first_mb_in_slice = 0;
  unsigned slice_type = 5;
  unsigned pic_parameter_set_id = 0;
  int frame_num = 0;
  int structure = -1;  // -1: the SPS has frames only; 0 frame, 1 top field, 2 bottom field
  unsigned idr_pic_id = 0;
  int pic_order_cnt_lsb = 0;
  int redundant_pic_cnt = -1;               // -1: absent
  std::function<void(BitWriter&)> marking;  // commands up to the final 0
  unsigned slice_id = 0;                    // nal_unit_type 2
  std::size_t num_data_bytes = 8;

  Nal nal() const {
    BitWriter w;
    w.ue(first_mb_in_slice)
        .ue(slice_type)
        .ue(pic_parameter_set_id)
        .u(4, static_cast<unsigned>(frame_num) & 15);
    if (structure >= 0) {
      w.flag(structure > 0);
      if (structure > 0) w.flag(structure == 2);
    }
    if (nal_unit_type == 5) w.ue(idr_pic_id);
    w.u(8, static_cast<unsigned>(pic_order_cnt_lsb) & 255);
    if (redundant_pic_cnt >= 0) w.ue(static_cast<unsigned>(redundant_pic_cnt));
    const unsigned type = slice_type % 5;
    if (type == 1) w.flag(true);
    if (type == 0 || type == 1)
      w.flag(false).flag(false);  // no override, no modification of list 0
    if (type == 1) w.flag(false);
    if (nal_ref_idc != 0) {
      if (nal_unit_type == 5) {
        w.flag(false).flag(false);
      } else {
        w.flag(marking != nullptr);
        if (marking) marking(w);
      }
    }
    w.se(0);
    if (nal_unit_type == 2) w.ue(slice_id);
    for (std::size_t i = 0; i < num_data_bytes; ++i) w.u(8, 0x5a);
    return w.trailing().nal(nal_ref_idc, nal_unit_type);
  }
};

inline SliceSyntax idr() {
  SliceSyntax s;
  s.nal_unit_type = 5;
  s.nal_ref_idc = 3;
  s.slice_type = 7;
  return s;
}

inline SliceSyntax p(int frame_num, int lsb) {
  SliceSyntax s;
  s.frame_num = frame_num;
  s.pic_order_cnt_lsb = lsb;
  return s;
}

inline SliceSyntax b(int frame_num, int lsb) {
  SliceSyntax s = p(frame_num, lsb);
  s.nal_ref_idc = 0;
  s.slice_type = 6;
  return s;
}

inline SliceSyntax field(SliceSyntax s, int structure) {
  s.structure = structure;
  return s;
}

inline SpsSyntax test_sps() {
  SpsSyntax s;
  s.log2_max_pic_order_cnt_lsb_minus4 = 4;
  s.max_num_ref_frames = 3;
  return s;
}

/// A decoder and what came out of it.
class Stream {
 public:
  explicit Stream(const SpsSyntax& sps = test_sps(), const PpsSyntax& pps = {},
                  const Limits& limits = {})
      : decoder_(limits) {
    EXPECT_TRUE(push(sps.write().nal(3, 7)).ok());
    EXPECT_TRUE(push(pps.write().nal(3, 8)).ok());
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
  void end_access_unit() {
    decoder_.end_access_unit();
    drain();
  }

  HeaderDecoder& decoder() { return decoder_; }
  /// Finished pictures so far.
  std::vector<CodedPicture> pictures;

 private:
  void drain() {
    CodedPicture picture;
    while (decoder_.pop_picture(picture)) {
      check(picture);
      pictures.push_back(std::move(picture));
      picture = {};
    }
  }
  /// What holds for every picture.
  static void check(const CodedPicture& picture) {
    ASSERT_GT(picture.info.num_slices, 0);
    ASSERT_LE(static_cast<std::size_t>(picture.info.num_slices), picture.slices.size());
    std::int64_t size_bytes = 0;
    for (int i = 0; i < picture.info.num_slices; ++i) {
      const CodedSlice& slice = picture.slices[static_cast<std::size_t>(i)];
      ASSERT_NE(slice.sps, nullptr);
      ASSERT_NE(slice.pps, nullptr);
      ASSERT_LE(slice.data_bit_offset, slice.rbsp.size * 8);
      for (const RbspSpan* span : {&slice.rbsp, &slice.partition_b, &slice.partition_c}) {
        if (span->size == 0) continue;
        ASSERT_LE(span->offset + span->size + kRbspPadding, picture.rbsp.size());
        for (std::size_t k = 0; k < kRbspPadding; ++k) {
          ASSERT_EQ(picture.rbsp[span->offset + span->size + k], 0);
        }
      }
      size_bytes += slice.size_bytes;
    }
    ASSERT_EQ(picture.info.size_bytes, size_bytes);
  }

  HeaderDecoder decoder_;
};

/// decode_index of list X of a slice, -1 for a missing picture.
inline std::vector<std::int64_t> refs_of(const CodedPicture& picture, int X = 0,
                                         std::size_t slice = 0) {
  std::vector<std::int64_t> out;
  const prim::SliceRefs& refs = picture.slices[slice].refs;
  for (int i = 0; i < refs.num_ref[X]; ++i) out.push_back(refs.ref[X][i].decode_index);
  return out;
}

using Indices = std::vector<std::int64_t>;

}  // namespace cope::h264
