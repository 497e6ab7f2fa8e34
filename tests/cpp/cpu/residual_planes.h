#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "cope/cpu/residual.h"

/// Planes with a margin that nobody may touch.
template <class T>
struct Planes {
  static constexpr T kMargin = 77;

  void add(int i, cope::cpu::PlaneSize size) {
    const std::size_t stride = static_cast<std::size_t>(size.width) + 5;
    memory[i].assign(stride * static_cast<std::size_t>(size.height + 1), kMargin);
    view[i] = {memory[i].data(), static_cast<std::ptrdiff_t>(stride), size.width, size.height};
  }
  T at(int i, int x, int y) const { return view[i].row(y)[x]; }
  bool margins_are_intact() const {
    for (int i = 0; i < 3; ++i) {
      const std::size_t stride = static_cast<std::size_t>(view[i].stride);
      for (std::size_t k = 0; k < memory[i].size(); ++k) {
        const bool inside = static_cast<std::int32_t>(k % stride) < view[i].width &&
                            static_cast<std::int32_t>(k / stride) < view[i].height;
        if (!inside && memory[i][k] != kMargin) return false;
      }
    }
    return true;
  }

  std::vector<T> memory[3];
  cope::cpu::Plane<T> view[3];
};

/// Holds the full-size residual of a picture against the oracle's: `random` has `picture`,
/// `residual[3]` and `num_planes()`.
template <class Random>
void expect_full_size(const Random& random) {
  Planes<std::int16_t> out;
  for (int i = 0; i < random.num_planes(); ++i)
    out.add(i, cope::cpu::plane_size(random.picture.info, i));
  cope::cpu::write_residual(random.picture, out.view);
  for (int i = 0; i < random.num_planes(); ++i) {
    ASSERT_EQ(out.view[i].height, static_cast<int>(random.residual[i].size()));
    for (int y = 0; y < out.view[i].height; ++y) {
      for (int x = 0; x < out.view[i].width; ++x) {
        const std::int64_t expected =
            random.residual[i][static_cast<std::size_t>(y)][static_cast<std::size_t>(x)];
        ASSERT_EQ(out.at(i, x, y), std::clamp<std::int64_t>(expected, -32768, 32767))
            << "plane " << i << " x " << x << " y " << y;
      }
    }
  }
  EXPECT_TRUE(out.margins_are_intact());
}

/// Holds the residual at reduced size against the average of the oracle's. The bound in the header:
/// rounding of the standard, on the way and at the end.
template <class Random>
void expect_average(const Random& random, const cope::cpu::ResidualScale (&scale)[3],
                    double bound) {
  Planes<float> out;
  for (int i = 0; i < random.num_planes(); ++i) {
    out.add(i, cope::cpu::scaled_plane_size(random.picture.info, i, scale[i]));
  }
  cope::cpu::write_scaled_residual(random.picture, scale, out.view);
  for (int i = 0; i < random.num_planes(); ++i) {
    ASSERT_EQ(out.view[i].height * scale[i].y, static_cast<int>(random.residual[i].size()));
    for (int y = 0; y < out.view[i].height; ++y) {
      for (int x = 0; x < out.view[i].width; ++x) {
        std::int64_t sum = 0;
        for (int k = 0; k < scale[i].x * scale[i].y; ++k) {
          sum += random.residual[i][static_cast<std::size_t>(y * scale[i].y + k / scale[i].x)]
                                [static_cast<std::size_t>(x * scale[i].x + k % scale[i].x)];
        }
        const double mean = static_cast<double>(sum) / (scale[i].x * scale[i].y);
        const double float_error = std::abs(mean) * 1e-5 + 1e-3;
        ASSERT_NEAR(out.at(i, x, y), mean, bound + float_error)
            << "plane " << i << " x " << x << " y " << y;
      }
    }
  }
  EXPECT_TRUE(out.margins_are_intact());
}
