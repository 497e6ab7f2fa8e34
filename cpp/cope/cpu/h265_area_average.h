#pragma once

#include <cstdint>

#include "cope/cpu/h265_transform.h"

namespace cope::cpu::h265 {

/// Number of stretches of `factor` samples that a block of `size` touches.
constexpr int num_stretches(int size, int factor) noexcept {
  return factor < size ? size / factor : 1;
}

/// The mean of every basis function of one transform over stretches of `kFactor` samples, 1/64
/// included. Where a block is shorter than a stretch, the rest of the stretch counts as zero.
template <int kLog2, bool kDst, int kFactor>
struct BasisMeans {
  static constexpr int kSize = 1 << kLog2;
  static constexpr int kNum = num_stretches(kSize, kFactor);
  float mean[kSize][kNum] = {};

  constexpr BasisMeans() noexcept {
    for (int frequency = 0; frequency < kSize; ++frequency) {
      const std::int8_t* const b = basis_function(kLog2, kDst, frequency);
      for (int s = 0; s < kNum; ++s) {
        int sum = 0;
        for (int i = s * kFactor; i < (s + 1) * kFactor && i < kSize; ++i) sum += b[i];
        mean[frequency][s] = static_cast<float>(sum) / (kFactor * 64);
      }
    }
  }
};

template <int kLog2, bool kDst, int kFactor>
inline constexpr BasisMeans<kLog2, kDst, kFactor> kBasisMeans;

/// Rows of means by frequency, of a transform and factor known at run time.
struct MeanRows {
  const float* first;  ///< [frequency][num]
  int num;             ///< stretches

  const float* at(int frequency) const noexcept { return first + frequency * num; }
};

template <int kLog2, bool kDst>
constexpr MeanRows mean_rows(int factor) noexcept {
  switch (factor) {
    case 2:
      return {kBasisMeans<kLog2, kDst, 2>.mean[0], kBasisMeans<kLog2, kDst, 2>.kNum};
    case 4:
      return {kBasisMeans<kLog2, kDst, 4>.mean[0], kBasisMeans<kLog2, kDst, 4>.kNum};
    default:
      return {kBasisMeans<kLog2, kDst, 8>.mean[0], kBasisMeans<kLog2, kDst, 8>.kNum};
  }
}

}  // namespace cope::cpu::h265
