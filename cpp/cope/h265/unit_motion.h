#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cope/prim/motion_field.h"

namespace cope::h265 {

using prim::MotionVector;

/// Motion of one prediction unit: MvLX and RefIdxLX of both lists.
struct UnitMotion {
  MotionVector mv[2] = {{0, 0}, {0, 0}};  ///< quarter samples, 0 where the list is unused
  std::int8_t ref_idx[2] = {-1, -1};      ///< -1 where the list is unused

  constexpr bool uses(int list) const noexcept { return ref_idx[list] >= 0; }
  friend bool operator==(const UnitMotion& a, const UnitMotion& b) noexcept {
    return std::memcmp(&a, &b, sizeof a) == 0;
  }
};
static_assert(sizeof(UnitMotion) == 10);  // without a gap

/// The motion of a picture in work, on its lattice of 4x4 luma blocks.
struct MotionLattice {
  MotionVector* mv = nullptr;
  std::int8_t* ref_idx = nullptr;
  std::ptrdiff_t stride = 0;  ///< cells from one row to the next
  std::ptrdiff_t plane = 0;   ///< cells from list 0 to list 1

  UnitMotion at(std::int32_t x, std::int32_t y) const noexcept {
    const std::ptrdiff_t cell = (y >> 2) * stride + (x >> 2);
    // In two stores, not four: what is read together next would have to wait for each.
    static_assert(std::endian::native == std::endian::little);
    const auto mv0 = std::bit_cast<std::uint32_t>(mv[cell]);
    const auto mv1 = std::bit_cast<std::uint32_t>(mv[cell + plane]);
    const std::uint64_t vectors = mv0 | std::uint64_t{mv1} << 32;
    const auto ref_idx0 = static_cast<std::uint8_t>(ref_idx[cell]);
    const auto ref_idx1 = static_cast<std::uint8_t>(ref_idx[cell + plane]);
    const auto indices = static_cast<std::uint16_t>(ref_idx0 | ref_idx1 << 8);
    UnitMotion motion;
    std::memcpy(motion.mv, &vectors, sizeof vectors);
    std::memcpy(motion.ref_idx, &indices, sizeof indices);
    return motion;
  }
};

namespace detail {

/// (16384 + (Abs(td) >> 1)) / td for td -128..127, at td + 128; 0 for td 0.
inline constexpr std::array<std::int16_t, 256> kTx = [] {
  std::array<std::int16_t, 256> tx{};
  for (int td = -128; td < 128; ++td) {
    if (td != 0) {
      tx[static_cast<std::size_t>(td + 128)] =
          static_cast<std::int16_t>((16384 + ((td < 0 ? -td : td) >> 1)) / td);
    }
  }
  return tx;
}();

}  // namespace detail

/// Clip3(-128, 127, DiffPicOrderCnt()): what td and tb are made of.
constexpr int clip_poc_distance(std::int64_t distance) noexcept {
  return static_cast<int>(std::clamp<std::int64_t>(distance, -128, 127));
}

/// Scales a vector that spans `td` of picture order count to one that spans `tb`; both -128..127.
/// Spec: H.265 8.5.3.2.7 (8-179 to 8-183).
constexpr MotionVector scale_vector(MotionVector mv, int tb, int td) noexcept {
  const int tx = detail::kTx[static_cast<std::size_t>(td + 128)];
  const int distScaleFactor = std::clamp((tb * tx + 32) >> 6, -4096, 4095);
  const auto scale = [distScaleFactor](int component) {
    const int product = distScaleFactor * component;
    const int magnitude = ((product < 0 ? -product : product) + 127) >> 8;
    return static_cast<std::int16_t>(
        std::clamp(product < 0 ? -magnitude : magnitude, -32768, 32767));
  };
  return {scale(mv.x), scale(mv.y)};
}

}  // namespace cope::h265
