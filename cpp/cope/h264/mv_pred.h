#pragma once

#include <bit>
#include <cstdint>

#include "cope/base/host_device.h"
#include "cope/prim/motion_field.h"

namespace cope::h264 {

using prim::MotionVector;

/// Motion of a neighbouring partition in one list (8.4.1.3.2): what prediction looks at.
struct NeighbourMotion {
  bool is_available = false;
  std::int8_t refIdx = -1;  ///< -1: intra coded, the list is unused, or not available
  MotionVector mv{0, 0};    ///< quarter samples, in the units of the current macroblock
};

/// Neighbours A (left), B (above) and C (above right, or D above left in its place).
struct NeighbourPartitions {
  NeighbourMotion a;
  NeighbourMotion b;
  NeighbourMotion c;
};

enum class MbPartShape : std::uint8_t { kOther, k16x8, k8x16 };

COPE_HD constexpr int median(int a, int b, int c) noexcept {
  const int low = a < b ? a : b;
  const int high = a < b ? b : a;
  const int below = c < high ? c : high;
  return low > below ? low : below;
}

/// Median prediction (8.4.1.3.1). Without branches where it can: which neighbours match is hard to
/// predict.
COPE_HD constexpr MotionVector median_prediction(const NeighbourPartitions& n,
                                                 int refIdx) noexcept {
  if (!n.b.is_available && !n.c.is_available && n.a.is_available) return n.a.mv;
  const bool match_a = n.a.refIdx == refIdx;
  const bool match_b = n.b.refIdx == refIdx;
  const bool match_c = n.c.refIdx == refIdx;
  const auto bits = [](MotionVector mv) { return std::bit_cast<std::uint32_t>(mv); };
  const std::uint32_t b_or_c = match_b ? bits(n.b.mv) : bits(n.c.mv);
  const std::uint32_t matching = match_a ? bits(n.a.mv) : b_or_c;
  const MotionVector middle{static_cast<std::int16_t>(median(n.a.mv.x, n.b.mv.x, n.c.mv.x)),
                            static_cast<std::int16_t>(median(n.a.mv.y, n.b.mv.y, n.c.mv.y))};
  const bool one_matches = match_a + match_b + match_c == 1;
  return std::bit_cast<MotionVector>(one_matches ? matching : bits(middle));
}

/// mvpLX of one partition (8.4.1.3): directional for the halves of a macroblock, else median.
COPE_HD constexpr MotionVector derive_mvp(const NeighbourPartitions& n, int refIdx,
                                          MbPartShape shape, unsigned mbPartIdx) noexcept {
  if (shape == MbPartShape::k16x8) {
    const NeighbourMotion& beside = mbPartIdx == 0 ? n.b : n.a;
    if (beside.refIdx == refIdx) return beside.mv;
  } else if (shape == MbPartShape::k8x16) {
    const NeighbourMotion& beside = mbPartIdx == 0 ? n.a : n.c;
    if (beside.refIdx == refIdx) return beside.mv;
  }
  return median_prediction(n, refIdx);
}

/// The vector of P_Skip (8.4.1.1): refIdx 0, and zero at edges and beside still blocks.
COPE_HD constexpr MotionVector derive_p_skip(const NeighbourPartitions& n) noexcept {
  const auto still = [](const NeighbourMotion& m) {
    return m.refIdx == 0 && m.mv.x == 0 && m.mv.y == 0;
  };
  if (!n.a.is_available || !n.b.is_available || still(n.a) || still(n.b)) return {0, 0};
  return median_prediction(n, 0);
}

/// Sum of two vectors modulo 2^16, as conforming streams never exceed the range (7.4.5.1).
COPE_HD constexpr MotionVector add(MotionVector a, MotionVector b) noexcept {
  return {static_cast<std::int16_t>(a.x + b.x), static_cast<std::int16_t>(a.y + b.y)};
}

/// Reference index of spatial direct prediction: the smallest that is not negative (8.4.1.2.2).
COPE_HD constexpr int min_positive(int x, int y) noexcept {
  return static_cast<unsigned>(x) < static_cast<unsigned>(y) ? x : y;
}

/// DistScaleFactor (8-197..8-202 of temporal direct prediction), 256 is "as far".
COPE_HD constexpr int dist_scale_factor(int poc_current, int poc0, int poc1) noexcept {
  const auto clip = [](int low, int high, int v) { return v < low ? low : (v > high ? high : v); };
  const int tb = clip(-128, 127, poc_current - poc0);
  const int td = clip(-128, 127, poc1 - poc0);
  if (td == 0) return 256;
  const int tx = (16384 + (td < 0 ? -(td / 2) : td / 2)) / td;
  return clip(-1024, 1023, (tb * tx + 32) >> 6);
}

}  // namespace cope::h264
