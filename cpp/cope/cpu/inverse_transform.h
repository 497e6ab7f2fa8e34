#pragma once

#include <cstdint>

namespace cope::cpu {

// One butterfly serves two purposes: on integers it is the standard's inverse transform, shifts and
// all; on real numbers, where halving is exact, it yields the basis functions.
constexpr std::int32_t half(std::int32_t x) noexcept { return x >> 1; }
constexpr std::int32_t quarter(std::int32_t x) noexcept { return x >> 2; }
constexpr double half(double x) noexcept { return x / 2; }
constexpr double quarter(double x) noexcept { return x / 4; }

/// The one-dimensional inverse transform of 4 values `stride` apart, in place.
/// Spec: H.264 8.5.12.2 (equations for e_ij and f_ij; g_ij and h_ij are the same on columns).
template <class T>
constexpr void inverse_transform_4(T* v, int stride) noexcept {
  const T d0 = v[0], d1 = v[stride], d2 = v[2 * stride], d3 = v[3 * stride];
  const T e0 = d0 + d2;
  const T e1 = d0 - d2;
  const T e2 = half(d1) - d3;
  const T e3 = d1 + half(d3);
  v[0] = e0 + e3;
  v[stride] = e1 + e2;
  v[2 * stride] = e1 - e2;
  v[3 * stride] = e0 - e3;
}

/// The one-dimensional inverse transform of 8 values `stride` apart, in place.
/// Spec: H.264 8.5.13.2 (equations for a_ij, b_ij and e_ij; columns likewise).
template <class T>
constexpr void inverse_transform_8(T* v, int stride) noexcept {
  const T d0 = v[0], d1 = v[stride], d2 = v[2 * stride], d3 = v[3 * stride];
  const T d4 = v[4 * stride], d5 = v[5 * stride], d6 = v[6 * stride], d7 = v[7 * stride];
  const T a0 = d0 + d4;
  const T a1 = -d3 + d5 - d7 - half(d7);
  const T a2 = d0 - d4;
  const T a3 = d1 + d7 - d3 - half(d3);
  const T a4 = half(d2) - d6;
  const T a5 = -d1 + d7 + d5 + half(d5);
  const T a6 = d2 + half(d6);
  const T a7 = d3 + d5 + d1 + half(d1);
  const T b0 = a0 + a6;
  const T b1 = a1 + quarter(a7);
  const T b2 = a2 + a4;
  const T b3 = a3 + quarter(a5);
  const T b4 = a2 - a4;
  const T b5 = quarter(a3) - a5;
  const T b6 = a0 - a6;
  const T b7 = a7 - quarter(a1);
  v[0] = b0 + b7;
  v[stride] = b2 + b5;
  v[2 * stride] = b4 + b3;
  v[3 * stride] = b6 + b1;
  v[4 * stride] = b6 - b1;
  v[5 * stride] = b4 - b3;
  v[6 * stride] = b2 - b5;
  v[7 * stride] = b0 - b7;
}

template <int kSize, class T>
constexpr void inverse_transform_1d(T* v, int stride) noexcept {
  static_assert(kSize == 4 || kSize == 8);
  if constexpr (kSize == 4) {
    inverse_transform_4(v, stride);
  } else {
    inverse_transform_8(v, stride);
  }
}

/// Rows first, then columns, as the standard orders it: with its shifts the order matters. Leaves
/// the values before the final rounding (x + 32) >> 6. `rows` has a bit for each row that is not
/// all zero.
template <int kSize>
inline void inverse_transform_2d(std::int32_t (&block)[kSize * kSize], unsigned rows) noexcept {
  for (int i = 0; i < kSize; ++i) {
    if ((rows >> i & 1) != 0) inverse_transform_1d<kSize>(block + i * kSize, 1);
  }
  for (int j = 0; j < kSize; ++j) inverse_transform_1d<kSize>(block + j, kSize);
}

}  // namespace cope::cpu
