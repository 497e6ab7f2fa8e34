#pragma once

#include <cstdint>

#include "cope/base/host_device.h"

namespace cope::h264 {

/// QPC by qPI - 30 (Table 8-15); below 30 they are equal.
COPE_HD_TABLE std::uint8_t kQpcFrom30[22] = {29, 30, 31, 32, 32, 33, 34, 34, 35, 35, 36,
                                             36, 37, 37, 37, 38, 38, 38, 39, 39, 39, 39};

/// QP'C of one chroma component (8.5.8): 0..51 + QpBdOffsetC.
COPE_HD constexpr int derive_qp_c(int QPY, int chroma_qp_index_offset, int QpBdOffsetC) noexcept {
  int qPI = QPY + chroma_qp_index_offset;
  qPI = qPI < -QpBdOffsetC ? -QpBdOffsetC : (qPI > 51 ? 51 : qPI);
  return (qPI < 30 ? qPI : kQpcFrom30[qPI - 30]) + QpBdOffsetC;
}

/// QPY after mb_qp_delta (7-37).
COPE_HD constexpr int derive_qp_y(int QPY_pred, int mb_qp_delta, int QpBdOffsetY) noexcept {
  return (QPY_pred + mb_qp_delta + 52 + 2 * QpBdOffsetY) % (52 + QpBdOffsetY) - QpBdOffsetY;
}

}  // namespace cope::h264
