#include "cope/cpu/fields.h"

namespace cope::cpu {
namespace {

constexpr std::int32_t divide_up(std::int32_t value, std::int32_t divisor) noexcept {
  return (value + divisor - 1) / divisor;
}

}  // namespace

PlaneSize display_size(const prim::PictureInfo& info) noexcept {
  const bool is_field = info.structure != prim::PictureStructure::kFrame;
  return {info.width - info.crop_left - info.crop_right,
          info.height * (is_field ? 2 : 1) - info.crop_top - info.crop_bottom};
}

CellGrid make_cell_grid(const prim::PictureInfo& info, std::int32_t cell) noexcept {
  const PlaneSize display = display_size(info);
  CellGrid grid;
  grid.cell_4x4 = cell / 4;
  grid.left_4x4 = info.crop_left / 4;
  grid.top_4x4 = info.crop_top / 4;
  grid.width_4x4 = divide_up(info.crop_left + display.width, 4) - grid.left_4x4;
  grid.height_4x4 = divide_up(info.crop_top + display.height, 4) - grid.top_4x4;
  grid.width = divide_up(grid.width_4x4, grid.cell_4x4);
  grid.height = divide_up(grid.height_4x4, grid.cell_4x4);
  return grid;
}

}  // namespace cope::cpu
