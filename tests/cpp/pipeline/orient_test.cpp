#include "cope/pipeline/orient.h"

#include <gtest/gtest.h>

#include <numeric>
#include <utility>

namespace cope::pipeline {
namespace {

struct Point {
  int x;
  int y;
};

/// Where the cell at (x, y) of a picture goes: mirrored first, then quarter turns clockwise.
Point displayed(Point p, int width, int height, bool is_mirrored, int rotation) {
  if (is_mirrored) p.x = width - 1 - p.x;
  for (; rotation > 0; rotation -= 90) {
    p = {height - 1 - p.y, p.x};
    std::swap(width, height);
  }
  return p;
}

Buffer<float> ramp(std::size_t size, float first) {
  Buffer<float> values;
  values.resize_uninitialized(size);
  std::iota(values.data(), values.data() + size, first);
  return values;
}

constexpr int kWidth = 3, kHeight = 2, kSize = kWidth * kHeight;

WindowItem make_item() {
  WindowItem item;
  item.width = kWidth;
  item.height = kHeight;
  item.residual_width = 2 * kWidth;
  item.residual_height = 2 * kHeight;
  item.motion = ramp(2 * kSize, 1);
  item.valid = ramp(kSize, 100);
  item.intra = ramp(kSize, 200);
  item.lost = ramp(kSize, 300);
  item.scaled = ramp(kSize, 400);
  item.saliency = ramp(3 * kSize, 500);
  item.residual = ramp(3 * 4 * kSize, 600);
  return item;
}

TEST(Orient, MovesCellsAndTurnsVectors) {
  for (const bool is_mirrored : {false, true}) {
    for (const int rotation : {0, 90, 180, 270}) {
      const WindowItem before = make_item();
      WindowItem item = make_item();
      orient(item, is_mirrored, rotation);

      const bool is_quarter = rotation % 180 != 0;
      ASSERT_EQ(item.width, is_quarter ? kHeight : kWidth);
      ASSERT_EQ(item.height, is_quarter ? kWidth : kHeight);
      ASSERT_EQ(item.residual_width, 2 * item.width);
      ASSERT_EQ(item.residual_height, 2 * item.height);
      for (int y = 0; y < kHeight; ++y) {
        for (int x = 0; x < kWidth; ++x) {
          const auto from = static_cast<std::size_t>(y * kWidth + x);
          const Point p = displayed({x, y}, kWidth, kHeight, is_mirrored, rotation);
          const auto to = static_cast<std::size_t>(p.y * item.width + p.x);
          EXPECT_EQ(item.valid[to], before.valid[from]);
          EXPECT_EQ(item.intra[to], before.intra[from]);
          EXPECT_EQ(item.lost[to], before.lost[from]);
          EXPECT_EQ(item.scaled[to], before.scaled[from]);
          for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_EQ(item.saliency[i * kSize + to], before.saliency[i * kSize + from]);
          }
          // A vector turns as the line from a cell to the place it points at.
          float vx = before.motion[from], vy = before.motion[kSize + from];
          if (is_mirrored) vx = -vx;
          for (int turned = 0; turned < rotation; turned += 90) vx = -std::exchange(vy, vx);
          EXPECT_EQ(item.motion[to], vx);
          EXPECT_EQ(item.motion[kSize + to], vy);
        }
      }
      for (int y = 0; y < 2 * kHeight; ++y) {
        for (int x = 0; x < 2 * kWidth; ++x) {
          const Point p = displayed({x, y}, 2 * kWidth, 2 * kHeight, is_mirrored, rotation);
          for (int plane = 0; plane < 3; ++plane) {
            EXPECT_EQ(
                item.residual[static_cast<std::size_t>(plane * 4 * kSize +
                                                       p.y * item.residual_width + p.x)],
                before.residual[static_cast<std::size_t>(plane * 4 * kSize + y * 2 * kWidth + x)]);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace cope::pipeline
