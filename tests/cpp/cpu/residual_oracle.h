#pragma once

#include <array>
#include <cstdint>
#include <vector>

/// A slow and literal reading of H.264 8.5.6 to 8.5.15, to hold the fast one against. Shares
/// nothing with it: transforms are matrix products, scans are walked, normAdjust comes from its
/// rule.
namespace oracle {

using Matrix = std::vector<std::vector<std::int64_t>>;  // [row][column]

inline Matrix zeros(int rows, int columns) {
  return Matrix(static_cast<std::size_t>(rows),
                std::vector<std::int64_t>(static_cast<std::size_t>(columns), 0));
}

struct Position {
  int x, y;
};

// 8.5.6, 8.5.7: the zig-zag walk.
inline std::vector<Position> zigzag(int size) {
  std::vector<Position> scan;
  for (int diagonal = 0; diagonal <= 2 * (size - 1); ++diagonal) {
    for (int i = 0; i <= diagonal; ++i) {
      const Position p = diagonal % 2 == 0 ? Position{i, diagonal - i} : Position{diagonal - i, i};
      if (p.x < size && p.y < size) scan.push_back(p);
    }
  }
  return scan;
}

// Figure 8-8 (b), and Table 8-2's field scan, read down its columns.
inline std::vector<Position> field_scan(int size) {
  if (size == 4) {
    return {{0, 0}, {0, 1}, {1, 0}, {0, 2}, {0, 3}, {1, 1}, {1, 2}, {1, 3},
            {2, 0}, {2, 1}, {2, 2}, {2, 3}, {3, 0}, {3, 1}, {3, 2}, {3, 3}};
  }
  return {{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {0, 3}, {0, 4}, {1, 2}, {2, 0}, {1, 3}, {0, 5},
          {0, 6}, {0, 7}, {1, 4}, {2, 1}, {3, 0}, {2, 2}, {1, 5}, {1, 6}, {1, 7}, {2, 3}, {3, 1},
          {4, 0}, {3, 2}, {2, 4}, {2, 5}, {2, 6}, {2, 7}, {3, 3}, {4, 1}, {5, 0}, {4, 2}, {3, 4},
          {3, 5}, {3, 6}, {3, 7}, {4, 3}, {5, 1}, {6, 0}, {5, 2}, {4, 4}, {4, 5}, {4, 6}, {4, 7},
          {5, 3}, {6, 1}, {6, 2}, {5, 4}, {5, 5}, {5, 6}, {5, 7}, {6, 3}, {7, 0}, {7, 1}, {6, 4},
          {6, 5}, {6, 6}, {6, 7}, {7, 2}, {7, 3}, {7, 4}, {7, 5}, {7, 6}, {7, 7}};
}

inline Matrix inverse_scan(const std::vector<std::int32_t>& list, int size, bool field) {
  const std::vector<Position> scan = field ? field_scan(size) : zigzag(size);
  Matrix c = zeros(size, size);
  for (std::size_t k = 0; k < list.size(); ++k) {
    c[static_cast<std::size_t>(scan[k].y)][static_cast<std::size_t>(scan[k].x)] = list[k];
  }
  return c;
}

// 8.5.9
inline int norm_adjust(int size, int m, int i, int j) {
  static constexpr int v4[6][3] = {{10, 16, 13}, {11, 18, 14}, {13, 20, 16},
                                   {14, 23, 18}, {16, 25, 20}, {18, 29, 23}};
  static constexpr int v8[6][6] = {{20, 18, 32, 19, 25, 24}, {22, 19, 35, 21, 28, 26},
                                   {26, 23, 42, 24, 33, 31}, {28, 25, 45, 26, 35, 33},
                                   {32, 28, 51, 30, 40, 38}, {36, 32, 58, 34, 46, 43}};
  if (size == 4) return v4[m][i % 2 == 0 && j % 2 == 0 ? 0 : i % 2 == 1 && j % 2 == 1 ? 1 : 2];
  if (i % 4 == 0 && j % 4 == 0) return v8[m][0];
  if (i % 2 == 1 && j % 2 == 1) return v8[m][1];
  if (i % 4 == 2 && j % 4 == 2) return v8[m][2];
  if ((i % 4 == 0 && j % 2 == 1) || (i % 2 == 1 && j % 4 == 0)) return v8[m][3];
  if ((i % 4 == 0 && j % 4 == 2) || (i % 4 == 2 && j % 4 == 0)) return v8[m][4];
  return v8[m][5];
}

/// A factor of a transform matrix: sign * (value >> shift); sign 0 for no contribution.
struct Factor {
  int sign, shift;
};
template <std::size_t N>
using FactorMatrix = std::array<std::array<Factor, N>, N>;

template <std::size_t N>
std::array<std::int64_t, N> multiply(const FactorMatrix<N>& m,
                                     const std::array<std::int64_t, N>& v) {
  std::array<std::int64_t, N> out{};
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t j = 0; j < N; ++j) out[i] += m[i][j].sign * (v[j] >> m[i][j].shift);
  }
  return out;
}

inline constexpr Factor O{0, 0}, P{1, 0}, N{-1, 0}, PH{1, 1}, NH{-1, 1}, PQ{1, 2}, NQ{-1, 2};

// 8.5.12.2 as one matrix; 8.5.13 as its three stages a, b and the last.
inline std::array<std::int64_t, 4> transform(const std::array<std::int64_t, 4>& d) {
  static constexpr FactorMatrix<4> m = {
      {{P, P, P, PH}, {P, PH, N, N}, {P, NH, N, P}, {P, N, P, NH}}};
  return multiply(m, d);
}
inline std::array<std::int64_t, 8> transform(const std::array<std::int64_t, 8>& d) {
  static constexpr FactorMatrix<8> a1 = {{{P, O, O, O, P, O, O, O},
                                          {O, O, O, N, O, P, O, N},
                                          {P, O, O, O, N, O, O, O},
                                          {O, P, O, N, O, O, O, P},
                                          {O, O, PH, O, O, O, N, O},
                                          {O, N, O, O, O, P, O, P},
                                          {O, O, P, O, O, O, PH, O},
                                          {O, P, O, P, O, P, O, O}}};
  // The odd rows add one halved value on top.
  static constexpr FactorMatrix<8> a2 = {{{O, O, O, O, O, O, O, O},
                                          {O, O, O, O, O, O, O, NH},
                                          {O, O, O, O, O, O, O, O},
                                          {O, O, O, NH, O, O, O, O},
                                          {O, O, O, O, O, O, O, O},
                                          {O, O, O, O, O, PH, O, O},
                                          {O, O, O, O, O, O, O, O},
                                          {O, PH, O, O, O, O, O, O}}};
  static constexpr FactorMatrix<8> b = {{{P, O, O, O, O, O, P, O},
                                         {O, P, O, O, O, O, O, PQ},
                                         {O, O, P, O, P, O, O, O},
                                         {O, O, O, P, O, PQ, O, O},
                                         {O, O, P, O, N, O, O, O},
                                         {O, O, O, PQ, O, N, O, O},
                                         {P, O, O, O, O, O, N, O},
                                         {O, NQ, O, O, O, O, O, P}}};
  static constexpr FactorMatrix<8> c = {{{P, O, O, O, O, O, O, P},
                                         {O, O, P, O, O, P, O, O},
                                         {O, O, O, P, P, O, O, O},
                                         {O, P, O, O, O, O, P, O},
                                         {O, N, O, O, O, O, P, O},
                                         {O, O, O, N, P, O, O, O},
                                         {O, O, P, O, O, N, O, O},
                                         {P, O, O, O, O, O, O, N}}};
  std::array<std::int64_t, 8> a = multiply(a1, d);
  const std::array<std::int64_t, 8> extra = multiply(a2, d);
  for (std::size_t i = 0; i < 8; ++i) a[i] += extra[i];
  return multiply(c, multiply(b, a));
}

template <std::size_t kSize>
Matrix inverse_transform(Matrix d) {
  for (auto& row : d) {
    std::array<std::int64_t, kSize> v{};
    for (std::size_t j = 0; j < kSize; ++j) v[j] = row[j];
    v = transform(v);
    for (std::size_t j = 0; j < kSize; ++j) row[j] = v[j];
  }
  for (std::size_t j = 0; j < kSize; ++j) {
    std::array<std::int64_t, kSize> v{};
    for (std::size_t i = 0; i < kSize; ++i) v[i] = d[i][j];
    v = transform(v);
    for (std::size_t i = 0; i < kSize; ++i) d[i][j] = (v[i] + 32) >> 6;
  }
  return d;
}

/// weightScale in raster order, times normAdjust.
inline std::int64_t level_scale(const std::uint8_t* weight, int size, int m, int i, int j) {
  return std::int64_t{weight[i * size + j]} * norm_adjust(size, m, i, j);
}

inline std::int64_t shift_scaled(std::int64_t value, int qp, int unity) {
  const int q = qp / 6;
  if (qp >= 6 * unity) return value << (q - unity);
  return (value + (std::int64_t{1} << (unity - 1 - q))) >> (unity - q);
}

// 8.5.12, 8.5.13. `dc`: d_00 where it comes from elsewhere.
inline Matrix residual_block(const Matrix& c, int size, const std::uint8_t* weight, int qp,
                             const std::int64_t* dc) {
  Matrix d = c;
  for (int i = 0; i < size; ++i) {
    for (int j = 0; j < size; ++j) {
      std::int64_t& value = d[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
      value = shift_scaled(value * level_scale(weight, size, qp % 6, i, j), qp, size == 4 ? 4 : 6);
    }
  }
  if (dc != nullptr) d[0][0] = *dc;
  return size == 4 ? inverse_transform<4>(d) : inverse_transform<8>(d);
}

inline Matrix product(const Matrix& a, const Matrix& b) {
  Matrix out = zeros(static_cast<int>(a.size()), static_cast<int>(b[0].size()));
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b[0].size(); ++j) {
      for (std::size_t k = 0; k < b.size(); ++k) out[i][j] += a[i][k] * b[k][j];
    }
  }
  return out;
}

inline const Matrix kHadamard = {{1, 1, 1, 1}, {1, 1, -1, -1}, {1, -1, -1, 1}, {1, -1, 1, -1}};
inline const Matrix kButterfly = {{1, 1}, {1, -1}};

// 8.5.10
inline Matrix luma_dc(const Matrix& c, const std::uint8_t* weight, int qp) {
  Matrix f = product(product(kHadamard, c), kHadamard);
  for (auto& row : f) {
    for (auto& value : row)
      value = shift_scaled(value * level_scale(weight, 4, qp % 6, 0, 0), qp, 6);
  }
  return f;
}

// 8.5.11: `list` of 4 or 8 levels to rows of 2 DC values.
inline Matrix chroma_dc_matrix(const std::vector<std::int32_t>& list) {
  if (list.size() == 4) return {{list[0], list[1]}, {list[2], list[3]}};
  return {{list[0], list[2]}, {list[1], list[5]}, {list[3], list[6]}, {list[4], list[7]}};
}
inline Matrix chroma_dc(const std::vector<std::int32_t>& list, const std::uint8_t* weight, int qp) {
  const Matrix c = chroma_dc_matrix(list);
  if (list.size() == 4) {
    Matrix f = product(product(kButterfly, c), kButterfly);
    for (auto& row : f) {
      for (auto& value : row)
        value = ((value * level_scale(weight, 4, qp % 6, 0, 0)) << (qp / 6)) >> 5;
    }
    return f;
  }
  const int qp_dc = qp + 3;
  Matrix f = product(product(kHadamard, c), kButterfly);
  for (auto& row : f) {
    for (auto& value : row)
      value = shift_scaled(value * level_scale(weight, 4, qp_dc % 6, 0, 0), qp_dc, 6);
  }
  return f;
}

// 8.5.15
inline void accumulate(Matrix& r, bool horizontal) {
  for (std::size_t i = 0; i < r.size(); ++i) {
    for (std::size_t j = 0; j < r[0].size(); ++j) {
      if (horizontal && j > 0) r[i][j] += r[i][j - 1];
      if (!horizontal && i > 0) r[i][j] += r[i - 1][j];
    }
  }
}

}  // namespace oracle
