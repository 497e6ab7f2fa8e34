#include "cope/h264/poc.h"

#include <algorithm>

namespace cope::h264 {
namespace {

/// Sums of counts are formed modulo 2^64 and kept modulo 2^32, so that no input overflows.
std::uint64_t wide(std::int64_t value) noexcept { return static_cast<std::uint64_t>(value); }

std::int32_t wrap32(std::uint64_t value) noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
}

}  // namespace

std::int32_t pic_order_cnt(PicOrderCnt poc, bool field_pic_flag, bool bottom_field_flag) noexcept {
  if (!field_pic_flag) return std::min(poc.top, poc.bottom);
  return bottom_field_flag ? poc.bottom : poc.top;
}

PicOrderCnt PicOrderCntDecoder::derive(const Sps& sps, const NalUnitHeader& nal,
                                       const SliceHeader& header) noexcept {
  const bool is_reference = nal.nal_ref_idc != 0;
  if (sps.pic_order_cnt_type == 0) return derive_type_0(sps, nal.IdrPicFlag(), header);
  derive_frame_num_offset(sps, nal.IdrPicFlag(), header.frame_num);
  if (sps.pic_order_cnt_type == 1) return derive_type_1(sps, is_reference, header);
  return derive_type_2(nal.IdrPicFlag(), is_reference, header);
}

// 8.2.1.1
PicOrderCnt PicOrderCntDecoder::derive_type_0(const Sps& sps, bool IdrPicFlag,
                                              const SliceHeader& header) noexcept {
  const std::int32_t lsb = header.pic_order_cnt_lsb;
  const std::int32_t MaxPicOrderCntLsb = sps.MaxPicOrderCntLsb();
  std::int32_t prevMsb = prevPicOrderCntMsb_;
  std::int32_t prevLsb = prevPicOrderCntLsb_;
  if (IdrPicFlag) {
    prevMsb = prevLsb = 0;
  } else if (!has_previous_) {
    prevMsb = 0;
    prevLsb = lsb;
  }
  if (lsb < prevLsb && prevLsb - lsb >= MaxPicOrderCntLsb / 2) {
    PicOrderCntMsb_ = wrap32(wide(prevMsb) + wide(MaxPicOrderCntLsb));
  } else if (lsb > prevLsb && lsb - prevLsb > MaxPicOrderCntLsb / 2) {
    PicOrderCntMsb_ = wrap32(wide(prevMsb) - wide(MaxPicOrderCntLsb));
  } else {
    PicOrderCntMsb_ = prevMsb;
  }
  PicOrderCnt poc;
  poc.top = wrap32(wide(PicOrderCntMsb_) + wide(lsb));
  poc.bottom = header.field_pic_flag
                   ? poc.top
                   : wrap32(wide(poc.top) + wide(header.delta_pic_order_cnt_bottom));
  return poc;
}

// (8-6) and (8-11)
void PicOrderCntDecoder::derive_frame_num_offset(const Sps& sps, bool IdrPicFlag,
                                                 std::int32_t frame_num) noexcept {
  if (IdrPicFlag || !has_previous_) {
    FrameNumOffset_ = 0;
  } else if (prevFrameNum_ > frame_num) {
    FrameNumOffset_ = prevFrameNumOffset_ + sps.MaxFrameNum();
  } else {
    FrameNumOffset_ = prevFrameNumOffset_;
  }
}

// 8.2.1.2
PicOrderCnt PicOrderCntDecoder::derive_type_1(const Sps& sps, bool is_reference,
                                              const SliceHeader& header) noexcept {
  const std::int64_t num_ref_frames = sps.num_ref_frames_in_pic_order_cnt_cycle;
  std::int64_t absFrameNum = num_ref_frames != 0 ? FrameNumOffset_ + header.frame_num : 0;
  if (!is_reference && absFrameNum > 0) --absFrameNum;
  std::uint64_t expectedPicOrderCnt = 0;
  if (absFrameNum > 0) {
    const std::int64_t picOrderCntCycleCnt = (absFrameNum - 1) / num_ref_frames;
    const std::int64_t frameNumInPicOrderCntCycle = (absFrameNum - 1) % num_ref_frames;
    std::uint64_t ExpectedDeltaPerPicOrderCntCycle = 0;
    for (std::int64_t i = 0; i < num_ref_frames; ++i) {
      ExpectedDeltaPerPicOrderCntCycle += wide(sps.offset_for_ref_frame[i]);
      if (i <= frameNumInPicOrderCntCycle) expectedPicOrderCnt += wide(sps.offset_for_ref_frame[i]);
    }
    expectedPicOrderCnt += wide(picOrderCntCycleCnt) * ExpectedDeltaPerPicOrderCntCycle;
  }
  if (!is_reference) expectedPicOrderCnt += wide(sps.offset_for_non_ref_pic);
  const std::uint64_t first = expectedPicOrderCnt + wide(header.delta_pic_order_cnt[0]);
  const std::uint64_t second = first + wide(sps.offset_for_top_to_bottom_field);
  PicOrderCnt poc;
  poc.top = wrap32(first);
  poc.bottom =
      wrap32(header.field_pic_flag ? second : second + wide(header.delta_pic_order_cnt[1]));
  return poc;
}

// 8.2.1.3
PicOrderCnt PicOrderCntDecoder::derive_type_2(bool IdrPicFlag, bool is_reference,
                                              const SliceHeader& header) noexcept {
  if (IdrPicFlag) return {};
  const std::uint64_t tempPicOrderCnt =
      2 * wide(FrameNumOffset_ + header.frame_num) - (is_reference ? 0u : 1u);
  return {wrap32(tempPicOrderCnt), wrap32(tempPicOrderCnt)};
}

PicOrderCnt PicOrderCntDecoder::infer_frame(const Sps& sps, std::int32_t frame_num) noexcept {
  SliceHeader header;
  header.frame_num = static_cast<std::uint16_t>(frame_num);
  PicOrderCnt poc;
  if (sps.pic_order_cnt_type != 0) {
    derive_frame_num_offset(sps, false, frame_num);
    poc = sps.pic_order_cnt_type == 1 ? derive_type_1(sps, true, header)
                                      : derive_type_2(false, true, header);
    prevFrameNum_ = frame_num;
    prevFrameNumOffset_ = FrameNumOffset_;
  }
  return poc;
}

void PicOrderCntDecoder::finish_picture(const NalUnitHeader& nal, const SliceHeader& header,
                                        bool has_operation_5,
                                        PicOrderCnt poc_after_marking) noexcept {
  if (nal.nal_ref_idc != 0) {
    if (has_operation_5) {
      prevPicOrderCntMsb_ = 0;
      prevPicOrderCntLsb_ = header.bottom_field_flag ? 0 : poc_after_marking.top;
    } else {
      prevPicOrderCntMsb_ = PicOrderCntMsb_;
      prevPicOrderCntLsb_ = header.pic_order_cnt_lsb;
    }
  } else if (!has_previous_) {
    // Later pictures must not take their own counts as a start again.
    prevPicOrderCntMsb_ = 0;
    prevPicOrderCntLsb_ = header.pic_order_cnt_lsb;
  }
  prevFrameNum_ = has_operation_5 ? 0 : header.frame_num;
  prevFrameNumOffset_ = has_operation_5 ? 0 : FrameNumOffset_;
  has_previous_ = true;
}

}  // namespace cope::h264
