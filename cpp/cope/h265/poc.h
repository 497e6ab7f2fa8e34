#pragma once

#include <cstdint>

#include "cope/h265/nal_unit.h"
#include "cope/h265/slice_header.h"
#include "cope/h265/sps.h"

namespace cope::h265 {

/// Decoding process for picture order count, 8.3.1, with what it remembers of earlier pictures.
///
/// Hostile streams can drive the counts past 32 bits; they wrap then.
class PicOrderCntDecoder {
 public:
  /// PicOrderCntVal of the current picture. A stream that does not start with an IRAP picture is
  /// taken to continue from 0.
  std::int32_t derive(const Sps& sps, const NalUnitHeader& nal, const SliceHeader& header,
                      bool NoRaslOutputFlag) const noexcept;

  /// Remembers the picture of which `derive` gave `PicOrderCntVal` where later ones count from it.
  void start_picture(const NalUnitHeader& nal, std::int32_t PicOrderCntVal) noexcept;

  void reset() noexcept { prevTid0Poc_ = 0; }

 private:
  std::int32_t prevTid0Poc_ = 0;  ///< PicOrderCntVal of prevTid0Pic
};

}  // namespace cope::h265
