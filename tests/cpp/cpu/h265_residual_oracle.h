#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cope/prim/coeff_stream.h"
#include "residual_oracle.h"

/// A slow and literal reading of H.265 8.6.2 to 8.6.8. Shares nothing with the fast one: transforms
/// are products of 64-bit matrices, and the matrices are written out.
namespace oracle::h265 {

/// The transform matrix [frequency][sample]. Even frequencies are those of the half-size transform,
/// continued by symmetry; odd ones are written out up to the middle, where they turn around.
inline Matrix dct(int size) {
  static const Matrix odd4 = {{83, 36}, {36, -83}};
  static const Matrix odd8 = {
      {89, 75, 50, 18}, {75, -18, -89, -50}, {50, -89, 18, 75}, {18, -50, 75, -89}};
  static const Matrix odd16 = {
      {90, 87, 80, 70, 57, 43, 25, 9},     {87, 57, 9, -43, -80, -90, -70, -25},
      {80, 9, -70, -87, -25, 57, 90, 43},  {70, -43, -87, 9, 90, 25, -80, -57},
      {57, -80, -25, 90, -9, -87, 43, 70}, {43, -90, 57, 25, -87, 70, 9, -80},
      {25, -70, 90, -80, 43, 9, -57, 87},  {9, -25, 43, -57, 70, -80, 87, -90}};
  static const Matrix odd32 = {
      {90, 90, 88, 85, 82, 78, 73, 67, 61, 54, 46, 38, 31, 22, 13, 4},
      {90, 82, 67, 46, 22, -4, -31, -54, -73, -85, -90, -88, -78, -61, -38, -13},
      {88, 67, 31, -13, -54, -82, -90, -78, -46, -4, 38, 73, 90, 85, 61, 22},
      {85, 46, -13, -67, -90, -73, -22, 38, 82, 88, 54, -4, -61, -90, -78, -31},
      {82, 22, -54, -90, -61, 13, 78, 85, 31, -46, -90, -67, 4, 73, 88, 38},
      {78, -4, -82, -73, 13, 85, 67, -22, -88, -61, 31, 90, 54, -38, -90, -46},
      {73, -31, -90, -22, 78, 67, -38, -90, -13, 82, 61, -46, -88, -4, 85, 54},
      {67, -54, -78, 38, 85, -22, -90, 4, 90, 13, -88, -31, 82, 46, -73, -61},
      {61, -73, -46, 82, 31, -88, -13, 90, -4, -90, 22, 85, -38, -78, 54, 67},
      {54, -85, -4, 88, -46, -61, 82, 13, -90, 38, 67, -78, -22, 90, -31, -73},
      {46, -90, 38, 54, -90, 31, 61, -88, 22, 67, -85, 13, 73, -82, 4, 78},
      {38, -88, 73, -4, -67, 90, -46, -31, 85, -78, 13, 61, -90, 54, 22, -82},
      {31, -78, 90, -61, 4, 54, -88, 82, -38, -22, 73, -90, 67, -13, -46, 85},
      {22, -61, 85, -90, 73, -38, -4, 46, -78, 90, -82, 54, -13, -31, 67, -88},
      {13, -38, 61, -78, 88, -90, 85, -73, 54, -31, 4, 22, -46, 67, -82, 90},
      {4, -13, 22, -31, 38, -46, 54, -61, 67, -73, 78, -82, 85, -88, 90, -90}};
  if (size == 2) return {{64, 64}, {64, -64}};
  const Matrix even = dct(size / 2);
  const Matrix& odd = size == 4 ? odd4 : size == 8 ? odd8 : size == 16 ? odd16 : odd32;
  const auto n = static_cast<std::size_t>(size);
  Matrix m = zeros(size, size);
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t i = 0; i < n / 2; ++i) {
      const std::int64_t value = k % 2 == 0 ? even[k / 2][i] : odd[k / 2][i];
      m[k][i] = value;
      m[k][n - 1 - i] = k % 2 == 0 ? value : -value;
    }
  }
  return m;
}

inline const Matrix kDst = {
    {29, 55, 74, 84}, {74, 74, 0, -74}, {84, -29, -74, 55}, {55, -84, 74, -29}};

inline Matrix transposed(const Matrix& m) {
  Matrix t = zeros(static_cast<int>(m[0].size()), static_cast<int>(m.size()));
  for (std::size_t i = 0; i < m.size(); ++i) {
    for (std::size_t j = 0; j < m[0].size(); ++j) t[j][i] = m[i][j];
  }
  return t;
}

/// What one transform block is coded with.
struct Block {
  int log2_size = 2;
  int bit_depth = 8;
  bool extended_precision = false;
  int qp = 0;
  std::uint8_t flags = 0;  ///< CoeffFlag
  const cope::prim::ScalingMatrices* scaling = nullptr;
  int matrixId = 0;
  int ResScaleVal = 0;
  int luma_bit_depth = 8;
  const Matrix* luma = nullptr;  ///< residual of the same transform unit's luma
};

inline std::int64_t scaling_factor(const Block& b, int x, int y) {
  const bool skip = (b.flags & cope::prim::kCoeffTransformSkip) != 0;
  if (skip && b.log2_size > 2) return 16;
  const auto& s = *b.scaling;
  switch (b.log2_size) {
    case 2:
      return s.weight_4x4[b.matrixId][y * 4 + x];
    case 3:
      return s.weight_8x8[b.matrixId][y * 8 + x];
    case 4:
      return x + y == 0 ? s.dc_16x16[b.matrixId] : s.weight_16x16[b.matrixId][y / 2 * 8 + x / 2];
    default:
      return x + y == 0 ? s.dc_32x32[b.matrixId] : s.weight_32x32[b.matrixId][y / 4 * 8 + x / 4];
  }
}

/// Residual of a block from its TransCoeffLevel [y][x].
inline Matrix residual(const Block& b, const Matrix& level) {
  const int size = 1 << b.log2_size;
  const auto n = static_cast<std::size_t>(size);
  const int range = b.extended_precision ? std::max(15, b.bit_depth + 6) : 15;
  const std::int64_t coeffMin = -(std::int64_t{1} << range), coeffMax = -coeffMin - 1;
  const bool is_bypass = (b.flags & cope::prim::kCoeffBypass) != 0;
  const bool is_skip = (b.flags & cope::prim::kCoeffTransformSkip) != 0;
  const int bdShift = std::max(20 - b.bit_depth, b.extended_precision ? 11 : 0);
  Matrix r = level;
  if (!is_bypass) {
    static constexpr int levelScale[6] = {40, 45, 51, 57, 64, 72};
    const int shift = b.bit_depth + b.log2_size + 10 - range;
    for (int y = 0; y < size; ++y) {
      for (int x = 0; x < size; ++x) {
        std::int64_t& d = r[static_cast<std::size_t>(y)][static_cast<std::size_t>(x)];
        d = ((d * scaling_factor(b, x, y) * levelScale[b.qp % 6] << (b.qp / 6)) +
             (std::int64_t{1} << (shift - 1))) >>
            shift;
        d = std::clamp(d, coeffMin, coeffMax);
      }
    }
  }
  if ((b.flags & cope::prim::kCoeffRotate) != 0) {
    Matrix turned = r;
    for (std::size_t y = 0; y < n; ++y) {
      for (std::size_t x = 0; x < n; ++x) turned[y][x] = r[n - 1 - y][n - 1 - x];
    }
    r = turned;
  }
  if (is_skip && !is_bypass) {
    const int tsShift = (b.extended_precision ? std::min(5, bdShift - 2) : 5) + b.log2_size;
    for (auto& row : r) {
      for (auto& value : row) value <<= tsShift;
    }
  } else if (!is_bypass) {
    const Matrix m = (b.flags & cope::prim::kCoeffDst) != 0 ? kDst : dct(size);
    Matrix e = product(transposed(m), r);  // columns
    for (auto& row : e) {
      for (auto& value : row) value = std::clamp((value + 64) >> 7, coeffMin, coeffMax);
    }
    r = product(e, m);  // rows
  }
  if (!is_bypass) {
    for (auto& row : r) {
      for (auto& value : row) value = (value + (std::int64_t{1} << (bdShift - 1))) >> bdShift;
    }
  }
  for (std::size_t y = 0; y < n; ++y) {
    for (std::size_t x = 0; x < n; ++x) {
      if ((b.flags & cope::prim::kCoeffRdpcmVertical) != 0 && y > 0) r[y][x] += r[y - 1][x];
      if ((b.flags & cope::prim::kCoeffRdpcmHorizontal) != 0 && x > 0) r[y][x] += r[y][x - 1];
    }
  }
  if (b.ResScaleVal != 0 && b.luma != nullptr) {
    for (std::size_t y = 0; y < n; ++y) {
      for (std::size_t x = 0; x < n; ++x) {
        r[y][x] += (b.ResScaleVal * (((*b.luma)[y][x] << b.bit_depth) >> b.luma_bit_depth)) >> 3;
      }
    }
  }
  return r;
}

}  // namespace oracle::h265
