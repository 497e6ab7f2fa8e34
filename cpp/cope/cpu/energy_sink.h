#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "cope/cpu/area_average.h"
#include "cope/cpu/coeff_blocks.h"
#include "cope/cpu/h265_blocks.h"
#include "cope/cpu/lattice.h"

namespace cope::cpu {

template <int kSize>
inline constexpr BasisEnergies<kSize> kEnergies;

/// Adds densities of rectangles of a picture to the cells of the frame's grid.
class Spreader {
 public:
  Spreader(const prim::PictureInfo& info, const CellGrid& grid, float weight, float* out) noexcept
      : index_(grid),
        grid_(grid),
        log2_cell_(std::has_single_bit(static_cast<unsigned>(grid.cell_4x4))
                       ? std::countr_zero(static_cast<unsigned>(grid.cell_4x4))
                       : -1),
        is_field_(is_field_picture(info)),
        weight_(weight),
        out_(out) {}

  /// Adds `density`, per luma sample of the picture, on a rectangle of the picture's own 4x4
  /// lattice.
  void add(std::int32_t x, std::int32_t y, std::int32_t width, std::int32_t height, float density) {
    // What a field picture says of one of its rows it says of two rows of the frame.
    if (is_field_) {
      y *= 2;
      height *= 2;
    }
    const std::int32_t x0 = std::max(x - grid_.left_4x4, 0);
    const std::int32_t y0 = std::max(y - grid_.top_4x4, 0);
    const std::int32_t x1 = std::min(x - grid_.left_4x4 + width, grid_.width_4x4);
    const std::int32_t y1 = std::min(y - grid_.top_4x4 + height, grid_.height_4x4);
    if (x0 >= x1 || y0 >= y1) return;
    density *= weight_;
    const std::int32_t first_x = cell_of(x0), first_y = cell_of(y0);
    if (first_x == cell_of(x1 - 1) && first_y == cell_of(y1 - 1)) {
      add_to_cell(first_x, first_y, (x1 - x0) * (y1 - y0), density);
      return;
    }
    const std::int32_t cell = grid_.cell_4x4;
    for (std::int32_t j = y0; j < y1;) {
      const std::int32_t cell_y = cell_of(j), next_j = std::min((cell_y + 1) * cell, y1);
      for (std::int32_t i = x0; i < x1;) {
        const std::int32_t cell_x = cell_of(i), next_i = std::min((cell_x + 1) * cell, x1);
        add_to_cell(cell_x, cell_y, (next_i - i) * (next_j - j), density);
        i = next_i;
      }
      j = next_j;
    }
  }

  /// Whether blocks of so many 4x4 blocks a side lie in one cell each, and are not of a field.
  bool holds_blocks(std::int32_t cells) const noexcept {
    return !is_field_ && grid_.cell_4x4 % cells == 0 && grid_.left_4x4 % cells == 0 &&
           grid_.top_4x4 % cells == 0;
  }

  /// Adds amounts per block to the cells that hold them: of a row of blocks of `cells` 4x4 blocks a
  /// side at (0, y), as far as whole cells reach. Pre: `holds_blocks(cells)`.
  /// \param unit  of the amounts, per luma sample
  /// \returns 4x4 blocks from the left up to which it has
  std::int32_t add_row(std::int32_t y, std::int32_t cells, const std::uint32_t* amounts,
                       std::int32_t num_amounts, float unit) noexcept {
    const std::int32_t y0 = std::max(y - grid_.top_4x4, 0);
    const std::int32_t y1 = std::min(y - grid_.top_4x4 + cells, grid_.height_4x4);
    const std::int32_t per_cell = grid_.cell_4x4 / cells;
    const std::int32_t first = grid_.left_4x4 / cells;
    const std::int32_t num_whole =
        std::min((num_amounts - first) / per_cell, grid_.width_4x4 / grid_.cell_4x4);
    const std::int32_t end = grid_.left_4x4 + num_whole * grid_.cell_4x4;
    if (y0 >= y1) return end;
    const std::int32_t cell_y = cell_of(y0);
    float* const out = out_ + static_cast<std::ptrdiff_t>(cell_y) * grid_.width;
    unit *= weight_ * static_cast<float>((y1 - y0) * cells);
    amounts += first;
    for (std::int32_t x = 0; x < num_whole; ++x, amounts += per_cell) {
      std::uint64_t sum = 0;
      for (std::int32_t i = 0; i < per_cell; ++i) sum += amounts[i];
      out[x] += static_cast<float>(sum) * unit * index_.share(x, cell_y);
    }
    return end;
  }

 private:
  std::int32_t cell_of(std::int32_t i) const noexcept {
    return log2_cell_ >= 0 ? i >> log2_cell_ : i / grid_.cell_4x4;
  }
  void add_to_cell(std::int32_t x, std::int32_t y, std::int32_t num_blocks,
                   float density) noexcept {
    const float share = static_cast<float>(num_blocks) * index_.share(x, y);
    out_[static_cast<std::ptrdiff_t>(y) * grid_.width + x] += density * share;
  }

  CellIndex index_;
  const CellGrid& grid_;
  int log2_cell_;  ///< -1 where a cell is no power of two
  bool is_field_;
  float weight_;
  float* out_;
};

/// Sums the squares of the luma residual without transforming it back.
class EnergySink {
 public:
  EnergySink(Spreader& spreader, float unit) noexcept : spreader_(spreader), unit_(unit) {}

  bool wants(int plane) const noexcept { return plane == 0; }

  void block_4x4(const BlockPlace& place, const ScaledCoeffs& coeffs) { block<4>(place, coeffs); }
  void block_8x8(const BlockPlace& place, const ScaledCoeffs& coeffs) { block<8>(place, coeffs); }

  void samples(const BlockPlace& place, std::int32_t width, std::int32_t height,
               const std::int32_t* samples) {
    for (std::int32_t y = 0; y < height / 4; ++y) {
      for (std::int32_t x = 0; x < width / 4; ++x) {
        float energy = 0;
        for (std::int32_t i = 0; i < 16; ++i) {
          const float value = static_cast<float>(samples[(y * 4 + i / 4) * 16 + x * 4 + i % 4]);
          energy += value * value;
        }
        add(place, x, y, 1, energy / 16);
      }
    }
  }

 private:
  template <int kSize>
  void block(const BlockPlace& place, const ScaledCoeffs& coeffs) {
    const auto& energies = kEnergies<kSize>.energy;
    float energy = 0;
    for (std::int32_t k = 0; k < coeffs.count; ++k) {
      const float value = static_cast<float>(coeffs.value[k]);
      energy += value * value * energies[coeffs.position[k] / kSize] *
                energies[coeffs.position[k] % kSize];
    }
    add(place, 0, 0, kSize / 4, energy / (kSize * kSize));
  }

  /// Adds the mean square of a block of `size` x `size` 4x4 blocks, (x, y) of them from `place`. In
  /// a field macroblock its samples are half of those of twice as many rows.
  void add(const BlockPlace& place, std::int32_t x, std::int32_t y, std::int32_t size,
           float mean_square) {
    const std::int32_t column = place.x / 4 + x, row = place.y / 4 + y;
    if (place.field == 0) {
      spreader_.add(column, row, size, size, mean_square * unit_);
    } else {
      spreader_.add(column, 2 * row, size, 2 * size, mean_square * unit_ / 2);
    }
  }

  Spreader& spreader_;
  float unit_;
};

/// The same for the transform blocks of H.265.
class H265EnergySink {
 public:
  H265EnergySink(Spreader& spreader, float unit) noexcept : spreader_(spreader), unit_(unit) {}

  bool wants(int plane) const noexcept { return plane == 0; }

  void block(const prim::CoeffRecord& record, const h265::ScaledBlock& scaled) {
    float energy = 0;
    for (std::int32_t k = 0; k < scaled.count; ++k) {
      const float value = static_cast<float>(scaled.value[k]);
      energy += value * value;
    }
    // A basis function's square sums up to 64^2 * size per axis, the stages shift by 7 and by
    // bdShift: the sizes cancel in the mean.
    const float scale = 32.0F / static_cast<float>(1 << scaled.bdShift);
    add(record, 1 << scaled.log2_size, 0, 0, energy * scale * scale);
  }

  void samples(const prim::CoeffRecord& record, int size, const std::int32_t* samples) {
    for (std::int32_t y = 0; y < size; y += 4) {
      for (std::int32_t x = 0; x < size; x += 4) {
        float energy = 0;
        for (std::int32_t i = 0; i < 16; ++i) {
          const float value = static_cast<float>(samples[(y + i / 4) * size + x + i % 4]);
          energy += value * value;
        }
        add(record, 4, x, y, energy / 16);
      }
    }
  }

 private:
  /// Adds the mean square of `size` x `size` samples, (x, y) from the corner of the block.
  void add(const prim::CoeffRecord& record, std::int32_t size, std::int32_t x, std::int32_t y,
           float mean_square) {
    spreader_.add((record.x + x) / 4, (record.y + y) / 4, size / 4, size / 4, mean_square * unit_);
  }

  Spreader& spreader_;
  float unit_;
};

}  // namespace cope::cpu
