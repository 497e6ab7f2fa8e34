#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "cope/cpu/area_average.h"
#include "cope/cpu/coeff_blocks.h"
#include "cope/cpu/residual.h"

namespace cope::cpu {

/// Adds area averages of residuals at reduced size. `kStep`: elements from one to the next in a
/// row.
template <int kStep>
class ReducedSink {
 public:
  ReducedSink(const ResidualScale (&scale)[3], const Plane<float> (&out)[3]) noexcept : out_(out) {
    for (int i = 0; i < 3; ++i) {
      log2_x_[i] = std::countr_zero(static_cast<unsigned>(scale[i].x));
      log2_y_[i] = std::countr_zero(static_cast<unsigned>(scale[i].y));
    }
  }

  bool wants(int plane) const noexcept { return out_[plane].data != nullptr; }
  void block_4x4(const BlockPlace& place, const ScaledCoeffs& coeffs) { block<4>(place, coeffs); }
  void block_8x8(const BlockPlace& place, const ScaledCoeffs& coeffs) { block<8>(place, coeffs); }

  void samples(const BlockPlace& place, std::int32_t width, std::int32_t height,
               const std::int32_t* samples) {
    const Target target = target_of(place);
    const float weight = target.weight / static_cast<float>(1 << (target.log2_x + target.log2_y));
    for (std::int32_t i = 0; i < height; ++i, samples += 16) {
      float* row = target.first + (i >> target.log2_y) * target.stride;
      for (std::int32_t j = 0; j < width; ++j) {
        row[(j >> target.log2_x) * kStep] += static_cast<float>(samples[j]) * weight;
      }
    }
  }

 private:
  /// Where a block's averages go. The rows of one field are half of what a value averages over.
  struct Target {
    float* first;
    std::ptrdiff_t stride;
    int log2_x;  ///< samples per value
    int log2_y;
    float weight;
  };

  Target target_of(const BlockPlace& place) const noexcept {
    const int log2_x = log2_x_[place.plane];
    const int log2_y = log2_y_[place.plane] - (place.field == 0 ? 0 : 1);
    const Plane<float>& plane = out_[place.plane];
    return {plane.row(place.y >> log2_y) + (place.x >> log2_x) * kStep, plane.stride, log2_x,
            log2_y, place.field == 0 ? 1.0F : 0.5F};
  }

  template <int kSize>
  void block(const BlockPlace& place, const ScaledCoeffs& coeffs) {
    const Target target = target_of(place);
    constexpr int kLog2 = kSize == 4 ? 2 : 3;
    const BasisMeans& columns = basis_means<kSize>(target.log2_x);
    const BasisMeans& rows = basis_means<kSize>(target.log2_y);
    if (target.log2_x >= kLog2 && target.log2_y >= kLog2) {
      // Over a whole block every basis function but the DC has zero mean.
      if (coeffs.position[0] == 0) {
        *target.first += static_cast<float>(coeffs.value[0]) * columns.mean[0][0] *
                         rows.mean[0][0] * target.weight;
      }
    } else if (target.log2_x == kLog2 - 1 && target.log2_y == kLog2 - 1) {
      add_four_means<kSize>(target, coeffs);
    } else {
      add_means<kSize>(target, coeffs, rows, columns);
    }
  }

  /// The common case: 2 x 2 values, side by side in a register.
  template <int kSize>
  static void add_four_means(const Target& target, const ScaledCoeffs& coeffs) {
    const FourMeans<kSize>& means = kFourMeans<kSize>;
    float sums[4] = {};
    for (std::int32_t k = 0; k < coeffs.count; ++k) {
      const float* row_mean = means.row[coeffs.position[k] / kSize];
      const float* column_mean = means.column[coeffs.position[k] % kSize];
      const float value = static_cast<float>(coeffs.value[k]);
      for (int i = 0; i < 4; ++i) sums[i] += value * row_mean[i] * column_mean[i];
    }
    float* const row = target.first;
    row[0] += sums[0] * target.weight;
    row[kStep] += sums[1] * target.weight;
    row[target.stride] += sums[2] * target.weight;
    row[target.stride + kStep] += sums[3] * target.weight;
  }

  template <int kSize>
  static void add_means(const Target& target, const ScaledCoeffs& coeffs, const BasisMeans& rows,
                        const BasisMeans& columns) {
    const int num_rows = rows.num_stretches, num_columns = columns.num_stretches;
    float sums[8][8] = {};
    for (std::int32_t k = 0; k < coeffs.count; ++k) {
      const float* row_mean = rows.mean[coeffs.position[k] / kSize];
      const float* column_mean = columns.mean[coeffs.position[k] % kSize];
      const float value = static_cast<float>(coeffs.value[k]);
      for (int i = 0; i < num_rows; ++i) {
        for (int j = 0; j < num_columns; ++j) sums[i][j] += value * row_mean[i] * column_mean[j];
      }
    }
    float* row = target.first;
    for (int i = 0; i < num_rows; ++i, row += target.stride) {
      for (int j = 0; j < num_columns; ++j) row[j * kStep] += sums[i][j] * target.weight;
    }
  }

  const Plane<float> (&out_)[3];
  int log2_x_[3];
  int log2_y_[3];
};

}  // namespace cope::cpu
