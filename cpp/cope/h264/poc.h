#pragma once

#include <cstdint>

#include "cope/h264/nal_unit.h"
#include "cope/h264/slice_header.h"
#include "cope/h264/sps.h"

namespace cope::h264 {

/// TopFieldOrderCnt and BottomFieldOrderCnt of a picture. A field has only its own.
struct PicOrderCnt {
  std::int32_t top = 0;
  std::int32_t bottom = 0;
};

/// PicOrderCnt(picX) of 8.2.1 for a frame or a single field.
std::int32_t pic_order_cnt(PicOrderCnt poc, bool field_pic_flag, bool bottom_field_flag) noexcept;

/// Decoding process for picture order count, 8.2.1, with what it remembers of earlier pictures.
///
/// Hostile streams can drive the counts past 32 bits; they wrap then.
class PicOrderCntDecoder {
 public:
  /// The counts of the current picture, before the effect of a
  /// memory_management_control_operation 5.
  ///
  /// A stream that does not start with an IDR picture has no previous counts: its first picture is
  /// taken to continue with prevPicOrderCntMsb 0 and prevPicOrderCntLsb, frame_num of its own.
  PicOrderCnt derive(const Sps& sps, const NalUnitHeader& nal, const SliceHeader& header) noexcept;

  /// The counts of a frame inferred by 8.2.5.2, for pic_order_cnt_type 1 and 2. Remembers it as the
  /// previous picture.
  PicOrderCnt infer_frame(const Sps& sps, std::int32_t frame_num) noexcept;

  /// Remembers the picture of which `derive` gave `poc` as the previous one. `poc_after_marking`
  /// differs from it when the picture has a memory_management_control_operation 5.
  void finish_picture(const NalUnitHeader& nal, const SliceHeader& header, bool has_operation_5,
                      PicOrderCnt poc_after_marking) noexcept;

  void reset() noexcept { *this = PicOrderCntDecoder(); }

 private:
  PicOrderCnt derive_type_0(const Sps& sps, bool IdrPicFlag, const SliceHeader& header) noexcept;
  PicOrderCnt derive_type_1(const Sps& sps, bool is_reference, const SliceHeader& header) noexcept;
  PicOrderCnt derive_type_2(bool IdrPicFlag, bool is_reference, const SliceHeader& header) noexcept;
  void derive_frame_num_offset(const Sps& sps, bool IdrPicFlag, std::int32_t frame_num) noexcept;

  bool has_previous_ = false;
  std::int32_t prevPicOrderCntMsb_ = 0;
  std::int32_t prevPicOrderCntLsb_ = 0;
  std::int32_t prevFrameNum_ = 0;
  std::int64_t prevFrameNumOffset_ = 0;
  // Of the current picture.
  std::int32_t PicOrderCntMsb_ = 0;
  std::int64_t FrameNumOffset_ = 0;
};

}  // namespace cope::h264
