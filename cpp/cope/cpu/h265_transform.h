#pragma once

#include <algorithm>
#include <cstdint>

namespace cope::cpu::h265 {

/// levelScale[qP % 6], 8.6.4.2.
inline constexpr std::int32_t kLevelScale[6] = {40, 45, 51, 57, 64, 72};

/// The basis functions of the inverse transforms, [frequency][sample].
///
/// transMatrix of 8.6.4.2 holds 31 magnitudes, one per multiple of pi / 64 of the cosine's
/// argument, each some integer near 64 * sqrt(2) * cos; that of the DC row is 64. Smaller
/// transforms take every second, fourth or eighth row, and the first samples of it.
struct TransformMatrices {
  std::int8_t dct[32][32] = {};
  std::int8_t dst[4][4] = {
      {29, 55, 74, 84}, {74, 74, 0, -74}, {84, -29, -74, 55}, {55, -84, 74, -29}};

  constexpr TransformMatrices() noexcept {
    constexpr std::int8_t magnitude[32] = {0,  90, 90, 90, 89, 88, 87, 85, 83, 82, 80,
                                           78, 75, 73, 70, 67, 64, 61, 57, 54, 50, 46,
                                           43, 38, 36, 31, 25, 22, 18, 13, 9,  4};
    for (int frequency = 0; frequency < 32; ++frequency) {
      for (int i = 0; i < 32; ++i) {
        int angle = frequency * (2 * i + 1) % 128;  // in pi / 64
        if (angle > 64) angle = 128 - angle;
        dct[frequency][i] = frequency == 0 ? std::int8_t{64}
                            : angle > 32   ? static_cast<std::int8_t>(-magnitude[64 - angle])
                                           : magnitude[angle];
      }
    }
  }
};

inline constexpr TransformMatrices kMatrices;

/// Basis function of a transform of 1 << log2_size samples.
constexpr const std::int8_t* basis_function(int log2_size, bool is_dst, int frequency) noexcept {
  return is_dst ? kMatrices.dst[frequency] : kMatrices.dct[frequency << (5 - log2_size)];
}

/// The non-zero d of a transform block after scaling (8.6.4.2), ready for the inverse transform.
struct ScaledBlock {
  int log2_size = 2;
  bool is_dst = false;           ///< trType 1
  int bdShift = 12;              ///< of the residual: rounding behind the second stage (8.6.2)
  int log2_range = 15;           ///< CoeffMinY is -(1 << log2_range), or CoeffMinC
  std::int32_t count = 0;        ///< at least one
  std::uint16_t position[1024];  ///< y * size + x, ascending
  std::int32_t value[1024];
};

/// Inverse transform of a block (8.6.4.2) with its final rounding (8.6.2): columns, then rows. The
/// work goes by the coefficients and columns that are not zero.
///
/// `Sum` is as wide as sums of products become: int32 for 16-bit coefficients, int64 with
/// extended_precision_processing_flag.
///
/// \param out  [size][size]
template <class Sum, int kLog2>
void inverse_transform(const ScaledBlock& block, std::int32_t* out) noexcept {
  constexpr int kSize = 1 << kLog2;
  const auto basis = [&block](int frequency) {
    return basis_function(kLog2, block.is_dst, frequency);
  };
  Sum columns[kSize][kSize];  // [x][y]: e_xy, then g_xy; those of `used` alone
  std::uint32_t used = 0;
  for (std::int32_t k = 0; k < block.count; ++k) {
    const int x = block.position[k] & (kSize - 1), y = block.position[k] >> kLog2;
    const std::int8_t* const b = basis(y);
    const Sum value = block.value[k];
    if ((used >> x & 1) == 0) {
      used |= 1U << x;
      for (int i = 0; i < kSize; ++i) columns[x][i] = b[i] * value;
    } else {
      for (int i = 0; i < kSize; ++i) columns[x][i] += b[i] * value;
    }
  }
  const Sum coeffMax = (Sum{1} << block.log2_range) - 1;
  for (int x = 0; x < kSize; ++x) {
    if ((used >> x & 1) == 0) continue;
    for (Sum& e : columns[x]) e = std::clamp<Sum>((e + 64) >> 7, -coeffMax - 1, coeffMax);
  }
  const Sum round = Sum{1} << (block.bdShift - 1);
  for (int y = 0; y < kSize; ++y, out += kSize) {
    Sum row[kSize];
    std::fill_n(row, kSize, round);
    for (int x = 0; x < kSize; ++x) {
      if ((used >> x & 1) == 0) continue;
      const std::int8_t* const b = basis(x);
      const Sum g = columns[x][y];
      for (int i = 0; i < kSize; ++i) row[i] += b[i] * g;
    }
    for (int i = 0; i < kSize; ++i) out[i] = static_cast<std::int32_t>(row[i] >> block.bdShift);
  }
}

/// The same for the block's own size and range.
inline void inverse_transform(const ScaledBlock& block, std::int32_t* out) noexcept {
  const auto run = [&]<class Sum>(Sum) {
    switch (block.log2_size) {
      case 2:
        return inverse_transform<Sum, 2>(block, out);
      case 3:
        return inverse_transform<Sum, 3>(block, out);
      case 4:
        return inverse_transform<Sum, 4>(block, out);
      default:
        return inverse_transform<Sum, 5>(block, out);
    }
  };
  if (block.log2_range == 15) {
    run(std::int32_t{});
  } else {
    run(std::int64_t{});
  }
}

}  // namespace cope::cpu::h265
