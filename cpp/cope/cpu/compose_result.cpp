#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "cope/cpu/compose.h"
#include "cope/cpu/compose_cells.h"
#include "cope/cpu/lattice.h"

namespace cope::cpu {
namespace {

/// Motion and marks of the blocks of a cell.
struct Pool {
  float dx = 0;
  float dy = 0;
  std::int32_t valid = 0;
  std::int32_t intra = 0;
  std::int32_t lost = 0;
  std::int32_t scaled = 0;

  void add(const float* values, std::uint8_t mark) noexcept {
    if (mark != 0) {
      intra += (mark & kMarkIntra) != 0;
      lost += (mark & kMarkLost) != 0;
      scaled += (mark & kMarkScaled) != 0;
      if ((mark & (kMarkIntra | kMarkLost)) != 0) return;
    }
    ++valid;
    dx += values[0];
    dy += values[kDy];
  }
};

}  // namespace

bool WindowComposer::result(std::int64_t target, const WindowFields& out) const {
  const State* state = find(target);
  if (state == nullptr || make_cell_grid(state->info, options_.cell) != grid_) return false;
  pool_motion(*state, out);
  if (out.residual != nullptr) pool_residual(*state, out.residual);
  if (out.saliency != nullptr) {
    const std::size_t size = grid_.size();
    for (std::size_t i = 0; i < size; ++i) {
      out.saliency[i] = spent_[i] / num_spent_;
      out.saliency[size + i] = std::sqrt(spent_[size + i] / num_spent_);
    }
  }
  return true;
}

void WindowComposer::pool_motion(const State& state, const WindowFields& out) const {
  const PlaneSize display = display_size(state.info);
  const float aspect = static_cast<float>(display.width) / static_cast<float>(display.height);
  const int row_shift = is_field_picture(state.info) ? 1 : 0;
  const double seconds = state.seconds - start_seconds_;
  const bool has_rate = std::abs(seconds) > 0;  // NaN where the target's time is not known
  const float rate = has_rate ? static_cast<float>(1 / seconds) : 0.0F;
  const float x_unit = rate / static_cast<float>(display.width);
  const float y_unit = rate / static_cast<float>(display.height >> row_shift);
  const std::size_t size = grid_.size();
  const CellIndex index(grid_);
  std::size_t at = 0;
  for (std::int32_t y = 0; y < grid_.height; ++y) {
    for (std::int32_t x = 0; x < grid_.width; ++x, ++at) {
      Pool pool;
      index.for_each_row(x, y, [&](std::int32_t bx, std::int32_t by, std::int32_t num) {
        const std::size_t first = state.cell_at(bx, by >> row_shift);
        const float* values = state.values.data() + first * kNumValues;
        for (const std::uint8_t mark :
             state.marks.span().subspan(first, static_cast<std::size_t>(num))) {
          pool.add(values, mark);
          values += kNumValues;
        }
      });
      if (!has_rate) pool.valid = 0;
      const float mean = pool.valid == 0 ? 0.0F : 1.0F / static_cast<float>(pool.valid);
      const float share = index.share(x, y);
      const float dx = pool.dx * (mean * x_unit), dy = pool.dy * (mean * y_unit);
      if (out.motion != nullptr) {
        out.motion[at] = dx;
        out.motion[size + at] = dy;
      }
      if (out.saliency != nullptr) out.saliency[2 * size + at] = motion_length(dx, dy, aspect);
      if (out.valid != nullptr) out.valid[at] = static_cast<float>(pool.valid) * share;
      if (out.intra != nullptr) out.intra[at] = static_cast<float>(pool.intra) * share;
      if (out.lost != nullptr) out.lost[at] = static_cast<float>(pool.lost) * share;
      if (out.scaled != nullptr) out.scaled[at] = static_cast<float>(pool.scaled) * share;
    }
  }
}

void WindowComposer::pool_residual(const State& state, float* out) const {
  const int row_shift = is_field_picture(state.info) ? 1 : 0;
  const float luma_unit = eight_bit_unit(state.info.bit_depth_luma);
  const float chroma_unit =
      num_planes(state.info) == 1 ? 0.0F : eight_bit_unit(state.info.bit_depth_chroma);
  const std::size_t size = residual_grid_.size();
  const CellIndex index(residual_grid_);
  std::size_t at = 0;
  for (std::int32_t y = 0; y < residual_grid_.height; ++y) {
    for (std::int32_t x = 0; x < residual_grid_.width; ++x, ++at) {
      float sums[3] = {};
      index.for_each_row(x, y, [&](std::int32_t bx, std::int32_t by, std::int32_t num) {
        const float* values =
            state.values.data() + state.cell_at(bx, by >> row_shift) * kNumValues + kResidual;
        for (std::int32_t i = 0; i < num; ++i, values += kNumValues) {
          for (int plane = 0; plane < 3; ++plane) sums[plane] += values[plane];
        }
      });
      const float share = index.share(x, y);
      out[at] = sums[0] * luma_unit * share;
      out[size + at] = sums[1] * chroma_unit * share;
      out[2 * size + at] = sums[2] * chroma_unit * share;
    }
  }
}

}  // namespace cope::cpu
