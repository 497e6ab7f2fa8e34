#pragma once

#include <cstddef>
#include <cstdint>

#include "cope/base/host_device.h"
#include "cope/cpu/area_average.h"
#include "cope/cpu/coeff_blocks.h"
#include "cope/cpu/residual.h"

namespace cope::cpu {

/// Adds area averages of residuals at reduced size. `kStep`: elements from one to the next in a
/// row.
template <int kStep>
class ReducedSink {
 public:
  ReducedSink(const ResidualScale (&scale)[3], const Plane<float> (&out)[3]) noexcept
      : scale_(scale), out_(out) {}

  bool wants(int plane) const noexcept { return out_[plane].data != nullptr; }
  void block_4x4(const BlockPlace& place, const ScaledCoeffs& coeffs) { block<4>(place, coeffs); }
  void block_8x8(const BlockPlace& place, const ScaledCoeffs& coeffs) { block<8>(place, coeffs); }

  void samples(const BlockPlace& place, std::int32_t width, std::int32_t height,
               const std::int32_t* samples) {
    const Target target = target_of(place);
    const float weight = target.weight / static_cast<float>(target.factor_x * target.factor_y);
    for (std::int32_t i = 0; i < height; ++i, samples += 16) {
      float* row = target.first + i / target.factor_y * target.stride;
      for (std::int32_t j = 0; j < width; ++j) {
        row[j / target.factor_x * kStep] += static_cast<float>(samples[j]) * weight;
      }
    }
  }

 private:
  /// Where a block's averages go. The rows of one field are half of what a value averages over.
  struct Target {
    float* first;
    std::ptrdiff_t stride;
    std::int32_t factor_x;
    std::int32_t factor_y;
    float weight;
  };

  Target target_of(const BlockPlace& place) const noexcept {
    const ResidualScale& scale = scale_[place.plane];
    const std::int32_t factor_y = place.field == 0 ? scale.y : scale.y / 2;
    const Plane<float>& plane = out_[place.plane];
    return {plane.row(place.y / factor_y) + place.x / scale.x * kStep, plane.stride, scale.x,
            factor_y, place.field == 0 ? 1.0F : 0.5F};
  }

  template <int kSize>
  void block(const BlockPlace& place, const ScaledCoeffs& coeffs) {
    const Target target = target_of(place);
    const BasisMeans& columns = basis_means<kSize>(target.factor_x);
    const BasisMeans& rows = basis_means<kSize>(target.factor_y);
    if (columns.num_stretches == 1 && rows.num_stretches == 1) {
      // Over a whole block every basis function but the DC has zero mean.
      if (coeffs.position[0] == 0) {
        *target.first += static_cast<float>(coeffs.value[0]) * columns.mean[0][0] *
                         rows.mean[0][0] * target.weight;
      }
      return;
    }
    if (columns.num_stretches == 2 && rows.num_stretches == 2) {
      add_means<kSize, 2>(target, coeffs, rows, columns, 2, 2);
    } else {
      add_means<kSize, 8>(target, coeffs, rows, columns, rows.num_stretches, columns.num_stretches);
    }
  }

  /// `kMost` bounds the stretches per axis; it and equal arguments are constants in the common
  /// case.
  template <int kSize, int kMost>
  COPE_FORCE_INLINE static void add_means(const Target& target, const ScaledCoeffs& coeffs,
                                          const BasisMeans& rows, const BasisMeans& columns,
                                          int num_rows, int num_columns) {
    float sums[kMost][kMost] = {};
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

  const ResidualScale (&scale_)[3];
  const Plane<float> (&out_)[3];
};

}  // namespace cope::cpu
