#pragma once

#include "cope/cpu/inverse_transform.h"

namespace cope::cpu {

/// The mean of every basis function of the one-dimensional inverse transform over stretches of
/// `factor` samples.
///
/// `mean[frequency][stretch]` for the stretches that the block touches, 1/8 per axis included (the
/// standard's final shift is 6 for both axes). Where a block is shorter than a stretch, the rest of
/// the stretch counts as zero.
struct BasisMeans {
  float mean[8][8];
  int num_stretches;
};

template <int kSize>
constexpr BasisMeans make_basis_means(int factor) noexcept {
  BasisMeans means{};
  means.num_stretches = factor < kSize ? kSize / factor : 1;
  for (int frequency = 0; frequency < kSize; ++frequency) {
    double basis[kSize] = {};
    basis[frequency] = 1;
    inverse_transform_1d<kSize>(basis, 1);
    double sums[kSize] = {};
    for (int i = 0; i < kSize; ++i) sums[i / factor] += basis[i];
    for (int s = 0; s < means.num_stretches; ++s) {
      means.mean[frequency][s] = static_cast<float>(sums[s] / factor / 8);
    }
  }
  return means;
}

/// By log2 of the factor: 1, 2, 4, 8.
inline constexpr BasisMeans kBasisMeans4[4] = {make_basis_means<4>(1), make_basis_means<4>(2),
                                               make_basis_means<4>(4), make_basis_means<4>(8)};
inline constexpr BasisMeans kBasisMeans8[4] = {make_basis_means<8>(1), make_basis_means<8>(2),
                                               make_basis_means<8>(4), make_basis_means<8>(8)};

template <int kSize>
constexpr const BasisMeans& basis_means(int log2_factor) noexcept {
  if constexpr (kSize == 4) {
    return kBasisMeans4[log2_factor];
  } else {
    return kBasisMeans8[log2_factor];
  }
}

/// The means over halves of a block, by frequency, for its four quarters: top left, top right,
/// bottom left, bottom right.
template <int kSize>
struct FourMeans {
  float row[kSize][4] = {};
  float column[kSize][4] = {};

  constexpr FourMeans() noexcept {
    const BasisMeans means = make_basis_means<kSize>(kSize / 2);
    for (int frequency = 0; frequency < kSize; ++frequency) {
      for (int i = 0; i < 4; ++i) {
        row[frequency][i] = means.mean[frequency][i / 2];
        column[frequency][i] = means.mean[frequency][i % 2];
      }
    }
  }
};

template <int kSize>
inline constexpr FourMeans<kSize> kFourMeans;

/// The squared length of every basis function, 1/64 per axis included: energies of d_ij times the
/// product of both axes' add up to the energy of the samples (Parseval, the basis is orthogonal).
template <int kSize>
struct BasisEnergies {
  float energy[kSize];

  constexpr BasisEnergies() noexcept : energy{} {
    for (int frequency = 0; frequency < kSize; ++frequency) {
      double basis[kSize] = {};
      basis[frequency] = 1;
      inverse_transform_1d<kSize>(basis, 1);
      double sum = 0;
      for (const double b : basis) sum += b * b;
      energy[frequency] = static_cast<float>(sum / 64);
    }
  }
};

}  // namespace cope::cpu
