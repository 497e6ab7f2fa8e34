#include "cope/h265/poc.h"

namespace cope::h265 {

std::int32_t PicOrderCntDecoder::derive(const Sps& sps, const NalUnitHeader& nal,
                                        const SliceHeader& header,
                                        bool NoRaslOutputFlag) const noexcept {
  const std::int32_t MaxPicOrderCntLsb = sps.MaxPicOrderCntLsb();
  const std::int32_t lsb = header.slice_pic_order_cnt_lsb;
  std::int64_t PicOrderCntMsb = 0;
  if (!(nal.is_irap() && NoRaslOutputFlag)) {
    const std::int32_t prevPicOrderCntLsb = prevTid0Poc_ & (MaxPicOrderCntLsb - 1);
    PicOrderCntMsb = std::int64_t{prevTid0Poc_} - prevPicOrderCntLsb;
    if (lsb < prevPicOrderCntLsb && prevPicOrderCntLsb - lsb >= MaxPicOrderCntLsb / 2) {
      PicOrderCntMsb += MaxPicOrderCntLsb;
    } else if (lsb > prevPicOrderCntLsb && lsb - prevPicOrderCntLsb > MaxPicOrderCntLsb / 2) {
      PicOrderCntMsb -= MaxPicOrderCntLsb;
    }
  }
  return static_cast<std::int32_t>(PicOrderCntMsb + lsb);
}

void PicOrderCntDecoder::start_picture(const NalUnitHeader& nal,
                                       std::int32_t PicOrderCntVal) noexcept {
  if (nal.TemporalId() == 0 && !nal.is_rasl() && !nal.is_radl() &&
      !nal.is_sub_layer_non_reference()) {
    prevTid0Poc_ = PicOrderCntVal;
  }
}

}  // namespace cope::h265
