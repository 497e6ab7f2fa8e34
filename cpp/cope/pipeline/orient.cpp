#include "cope/pipeline/orient.h"

#include <cstddef>
#include <utility>

namespace cope::pipeline {
namespace {

// Turns `num_planes` planes of height x width; the caller swaps the sizes of a quarter turn.
void turn(Buffer<float>& planes, std::size_t num_planes, std::int32_t height, std::int32_t width,
          bool is_mirrored, std::int32_t rotation) {
  Buffer<float> out;
  out.resize_uninitialized(planes.size());
  const std::int32_t out_height = rotation % 180 == 0 ? height : width;
  const std::int32_t out_width = rotation % 180 == 0 ? width : height;
  const std::size_t size = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  for (std::size_t plane = 0; plane < num_planes; ++plane) {
    float* to = out.data() + plane * size;
    const float* from = planes.data() + plane * size;
    for (std::int32_t y = 0; y < out_height; ++y) {
      for (std::int32_t x = 0; x < out_width; ++x) {
        std::int32_t from_y = y;
        std::int32_t from_x = x;
        if (rotation == 90) {
          from_y = height - 1 - x;
          from_x = y;
        } else if (rotation == 180) {
          from_y = height - 1 - y;
          from_x = width - 1 - x;
        } else if (rotation == 270) {
          from_y = x;
          from_x = width - 1 - y;
        }
        if (is_mirrored) from_x = width - 1 - from_x;
        *to++ = from[static_cast<std::size_t>(from_y) * static_cast<std::size_t>(width) +
                     static_cast<std::size_t>(from_x)];
      }
    }
  }
  planes = std::move(out);
}

// In fractions of width and height a quarter turn only swaps the axes.
void turn_vectors(Buffer<float>& motion, bool is_mirrored, std::int32_t rotation) {
  const std::size_t size = motion.size() / 2;
  for (std::size_t i = 0; i < size; ++i) {
    float x = is_mirrored ? -motion[i] : motion[i];
    float y = motion[size + i];
    if (rotation == 90) {
      x = -std::exchange(y, x);
    } else if (rotation == 180) {
      x = -x;
      y = -y;
    } else if (rotation == 270) {
      y = -std::exchange(x, y);
    }
    motion[i] = x;
    motion[size + i] = y;
  }
}

}  // namespace

void orient(WindowItem& item, bool is_mirrored, std::int32_t rotation) {
  if (!is_mirrored && rotation == 0) return;
  const auto cells = [&](Buffer<float>& planes, std::size_t num_planes) {
    turn(planes, num_planes, item.height, item.width, is_mirrored, rotation);
  };
  turn_vectors(item.motion, is_mirrored, rotation);
  cells(item.motion, 2);
  cells(item.valid, 1);
  cells(item.intra, 1);
  cells(item.lost, 1);
  cells(item.scaled, 1);
  cells(item.saliency, 3);
  turn(item.residual, 3, item.residual_height, item.residual_width, is_mirrored, rotation);
  if (rotation % 180 != 0) {
    std::swap(item.height, item.width);
    std::swap(item.residual_height, item.residual_width);
  }
}

}  // namespace cope::pipeline
