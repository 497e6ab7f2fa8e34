#pragma once

#include <cstddef>
#include <cstdint>

#include "cope/cpu/h265_area_average.h"
#include "cope/cpu/h265_blocks.h"
#include "cope/cpu/residual.h"

namespace cope::cpu::h265 {

/// Adds area averages of residuals at reduced size. `kStep`: elements from one to the next in a
/// row.
template <int kStep>
class ReducedSink {
 public:
  ReducedSink(const ResidualScale (&scale)[3], const Plane<float> (&out)[3]) noexcept
      : scale_(scale), out_(out) {}

  bool wants(int plane) const noexcept { return out_[plane].data != nullptr; }

  void samples(const prim::CoeffRecord& record, int size, const std::int32_t* samples) {
    const ResidualScale& scale = scale_[record.plane];
    const Plane<float>& plane = out_[record.plane];
    const float weight = 1.0F / static_cast<float>(scale.x * scale.y);
    for (int y = 0; y < size; ++y, samples += size) {
      float* const row = plane.row((record.y + y) / scale.y);
      for (int x = 0; x < size; ++x) {
        row[(record.x + x) / scale.x * kStep] += static_cast<float>(samples[x]) * weight;
      }
    }
  }

  void block(const prim::CoeffRecord& record, const ScaledBlock& scaled) {
    switch (scaled.log2_size) {
      case 2:
        if (scaled.is_dst) return add_block<2, true>(record, scaled);
        return add_block<2, false>(record, scaled);
      case 3:
        return add_block<3, false>(record, scaled);
      case 4:
        return add_block<4, false>(record, scaled);
      default:
        return add_block<5, false>(record, scaled);
    }
  }

 private:
  template <int kLog2, bool kDst>
  void add_block(const prim::CoeffRecord& record, const ScaledBlock& scaled) {
    const ResidualScale& scale = scale_[record.plane];
    const Plane<float>& plane = out_[record.plane];
    float* const first = plane.row(record.y / scale.y) + record.x / scale.x * kStep;
    const MeanRows rows = mean_rows<kLog2, kDst>(scale.y);
    switch (scale.x) {
      case 2:
        return add_means<kLog2, kDst, 2>(first, plane.stride, rows, scaled);
      case 4:
        return add_means<kLog2, kDst, 4>(first, plane.stride, rows, scaled);
      default:
        return add_means<kLog2, kDst, 8>(first, plane.stride, rows, scaled);
    }
  }

  /// Sums over the columns of each row of coefficients, then over the rows.
  template <int kLog2, bool kDst, int kFactorX>
  void add_means(float* first, std::ptrdiff_t stride, const MeanRows& rows,
                 const ScaledBlock& scaled) {
    constexpr const auto& columns = kBasisMeans<kLog2, kDst, kFactorX>;
    constexpr int kColumns = columns.kNum;
    // The means have 1/64 per axis; the stages shift by 7 and by bdShift.
    const float unit = 32.0F / static_cast<float>(1 << scaled.bdShift);
    if constexpr (!kDst) {
      // Over a whole block every basis function but the DC has zero mean.
      const bool is_one_value = kColumns == 1 && rows.num == 1;
      if (is_one_value && scaled.position[0] != 0) return;
      if (is_one_value || (scaled.count == 1 && scaled.position[0] == 0)) {
        const float value =
            static_cast<float>(scaled.value[0]) * unit * columns.mean[0][0] * rows.at(0)[0];
        for (int i = 0; i < rows.num; ++i, first += stride) {
          for (int j = 0; j < kColumns; ++j) first[j * kStep] += value;
        }
        return;
      }
    }
    // Side by side before they go to cells, which are far apart: levels come sub-block by
    // sub-block, so that most rows of coefficients are summed several times.
    float means[1 << kLog2 >> 1][kColumns] = {};
    for (std::int32_t k = 0; k < scaled.count;) {
      const int frequency = scaled.position[k] >> kLog2;
      float sums[kColumns] = {};
      do {
        const float* const mean = columns.mean[scaled.position[k] & ((1 << kLog2) - 1)];
        const float value = static_cast<float>(scaled.value[k]) * unit;
        for (int j = 0; j < kColumns; ++j) sums[j] += value * mean[j];
        ++k;
      } while (k < scaled.count && scaled.position[k] >> kLog2 == frequency);
      const float* const mean = rows.at(frequency);
      for (int i = 0; i < rows.num; ++i) {
        for (int j = 0; j < kColumns; ++j) means[i][j] += mean[i] * sums[j];
      }
    }
    for (int i = 0; i < rows.num; ++i, first += stride) {
      for (int j = 0; j < kColumns; ++j) first[j * kStep] += means[i][j];
    }
  }

  const ResidualScale (&scale_)[3];
  const Plane<float> (&out_)[3];
};

}  // namespace cope::cpu::h265
