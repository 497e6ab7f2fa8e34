#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "cope/prim/picture_info.h"

namespace cope::cpu {

/// Samples of one plane in memory of the caller.
template <class T>
struct Plane {
  T* data = nullptr;          ///< null: the plane is not wanted
  std::ptrdiff_t stride = 0;  ///< elements from one row to the next
  std::int32_t width = 0;
  std::int32_t height = 0;

  T* row(std::int32_t y) const noexcept { return data + y * stride; }
};

struct PlaneSize {
  std::int32_t width = 0;
  std::int32_t height = 0;
  friend constexpr bool operator==(PlaneSize, PlaneSize) = default;
};

/// Cells of a field over the picture as displayed: the cropping window of a frame.
///
/// The window's corner is taken down to the lattice of 4x4 luma blocks. Cells on the right and
/// lower edge may reach over it and then speak for what lies inside. A field picture has the grid
/// of its frame, so that every picture of a stream gives arrays of one shape.
struct CellGrid {
  std::int32_t cell_4x4 = 4;  ///< side of a cell, 4x4 blocks
  std::int32_t left_4x4 = 0;  ///< corner in the coded frame, 4x4 blocks
  std::int32_t top_4x4 = 0;
  std::int32_t width_4x4 = 0;  ///< of the displayed frame, 4x4 blocks, rounded up
  std::int32_t height_4x4 = 0;
  std::int32_t width = 0;   ///< cells
  std::int32_t height = 0;  ///< cells

  std::size_t size() const noexcept {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  }
  friend constexpr bool operator==(const CellGrid&, const CellGrid&) = default;
};

/// The grid of `cell` x `cell` luma samples. Pre: `cell` is a positive multiple of 4.
CellGrid make_cell_grid(const prim::PictureInfo& info, std::int32_t cell) noexcept;

/// Width and height of the displayed frame in luma samples: the unit in which motion leaves.
PlaneSize display_size(const prim::PictureInfo& info) noexcept;

/// Presentation times of the pictures of a stream, by decode_index.
struct PictureTimes {
  std::span<const double> seconds;      ///< NaN where unknown
  std::int64_t first_decode_index = 0;  ///< of `seconds[0]`

  /// NaN when the picture is outside the table.
  double at(std::int64_t decode_index) const noexcept {
    const std::int64_t i = decode_index - first_decode_index;
    return i >= 0 && i < static_cast<std::int64_t>(seconds.size())
               ? seconds[static_cast<std::size_t>(i)]
               : std::numeric_limits<double>::quiet_NaN();
  }
};

/// What stands for a block that is predicted from both lists.
enum class BiPrediction : std::uint8_t {
  kAverage,  ///< the mean of both
  kList0,    ///< list 0 alone
  kNearest,  ///< the reference nearer in presentation time; list 0 when both are as near
};

}  // namespace cope::cpu
