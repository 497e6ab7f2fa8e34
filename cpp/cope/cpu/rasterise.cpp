#include "cope/cpu/rasterise.h"

#include <algorithm>
#include <cmath>

#include "cope/cpu/lattice.h"
#include "cope/cpu/motion_pattern.h"

namespace cope::cpu {
namespace {

/// What the references of one slice are worth: 1 / (t - t_ref), 0 where it is not known.
class SliceRates {
 public:
  SliceRates(const prim::PicturePrimitives& picture, const PictureTimes& times) noexcept
      : picture_(picture), times_(times), seconds_(times.at(picture.info.decode_index)) {}

  /// Turns to a slice; false when the picture has no such slice.
  bool select(std::uint16_t slice_idx) noexcept {
    if (slice_idx == slice_idx_) return true;
    if (slice_idx >= picture_.slice_refs.size()) return false;
    slice_idx_ = slice_idx;
    const prim::SliceRefs& refs = picture_.slice_refs[slice_idx];
    for (int list = 0; list < 2; ++list) {
      std::fill_n(rate_[list], 32, 0.0F);
      for (std::int32_t i = 0; i < refs.num_ref[list]; ++i) {
        const double distance = seconds_ - times_.at(refs.ref[list][i].decode_index);
        const bool is_known = std::isfinite(distance) && distance != 0;
        rate_[list][i] = is_known ? static_cast<float>(1 / distance) : 0.0F;
      }
    }
    return true;
  }

  float at(int list, int ref_idx) const noexcept {
    return ref_idx < 0 ? 0.0F : rate_[list][ref_idx];
  }

 private:
  const prim::PicturePrimitives& picture_;
  const PictureTimes& times_;
  double seconds_;
  std::int32_t slice_idx_ = -1;
  float rate_[2][32];
};

struct Velocity {
  float x = 0;  ///< quarter luma samples per second
  float y = 0;
};

/// Mean, or choice, of what both lists say. Rates of 0 say nothing.
Velocity combine(prim::MotionVector v0, prim::MotionVector v1, float rate0, float rate1,
                 BiPrediction bi_prediction) noexcept {
  float weight0 = rate0, weight1 = rate1;
  if (rate0 != 0 && rate1 != 0) {
    if (bi_prediction == BiPrediction::kAverage) {
      weight0 /= 2;
      weight1 /= 2;
    } else if (bi_prediction == BiPrediction::kList0 || std::abs(rate0) >= std::abs(rate1)) {
      weight1 = 0;  // the larger rate is the nearer reference
    } else {
      weight0 = 0;
    }
  }
  return {static_cast<float>(v0.x) * weight0 + static_cast<float>(v1.x) * weight1,
          static_cast<float>(v0.y) * weight0 + static_cast<float>(v1.y) * weight1};
}

/// Sums of the velocities of blocks: quarter luma samples per second, and how many have one.
struct Sum {
  float x = 0;
  float y = 0;
  float num = 0;

  void add(Velocity velocity) noexcept {
    x += velocity.x;
    y += velocity.y;
    num += 1;
  }
};

class MotionRasteriser {
 public:
  MotionRasteriser(const prim::PicturePrimitives& picture, const PictureTimes& times,
                   const CellGrid& grid, BiPrediction bi_prediction, float* motion,
                   float* valid) noexcept
      : picture_(picture),
        field_(picture.motion),
        grid_(grid),
        index_(grid),
        bi_prediction_(bi_prediction),
        is_field_(is_field_picture(picture.info)),
        rates_(picture, times),
        motion_(motion),
        valid_(valid) {}

  void sum_up() noexcept {
    const prim::BlockMap& blocks = picture_.blocks;
    const std::int32_t cells = blocks.block_size / 4;
    // Macroblocks and cells of one size and place, which is the rule.
    const bool is_aligned = cells == 4 && grid_.cell_4x4 == 4 && grid_.left_4x4 % 4 == 0 &&
                            grid_.top_4x4 % 4 == 0 && !is_field_;
    std::size_t block = 0;
    for (std::int32_t by = 0; by < blocks.height; ++by) {
      for (int list = 0; list < 2; ++list) fetch_motion(field_, list, by * cells, cells);
      for (std::int32_t bx = 0; bx < blocks.width; ++bx, ++block) {
        const auto type = static_cast<prim::BlockType>(blocks.type[block]);
        if (type != prim::BlockType::kInter && type != prim::BlockType::kSkip) continue;
        if (!rates_.select(blocks.slice_idx[block])) continue;
        const bool mbaff_field = is_mbaff_field(picture_.info, blocks.flags[block]);
        if (is_aligned && !mbaff_field) {
          sum_up_cell(bx, by);
        } else {
          sum_up_block(bx, by, mbaff_field);
        }
      }
    }
  }

 private:
  /// What a block says; false when it has no motion.
  bool velocity_at(std::size_t cell, int ref_shift, Velocity& velocity) const noexcept {
    const std::size_t cell1 = field_.plane_size() + cell;
    const float rate0 = rates_.at(0, field_.ref_idx[cell] >> ref_shift);
    const float rate1 = rates_.at(1, field_.ref_idx[cell1] >> ref_shift);
    if (rate0 == 0 && rate1 == 0) return false;
    velocity = combine(field_.mv[cell], field_.mv[cell1], rate0, rate1, bi_prediction_);
    return true;
  }

  /// A macroblock that is a cell. Most move as one; they are summed up all the same, for 16 v is
  /// not the rounded sum.
  void sum_up_cell(std::int32_t bx, std::int32_t by) noexcept {
    const std::ptrdiff_t at = index_.at(4 * bx, 4 * by);
    if (at < 0) return;
    const std::int32_t width = std::min(4, grid_.left_4x4 + grid_.width_4x4 - 4 * bx);
    const std::int32_t height = std::min(4, grid_.top_4x4 + grid_.height_4x4 - 4 * by);
    const std::size_t row = static_cast<std::size_t>(field_.width_4x4);
    std::size_t first = static_cast<std::size_t>(4 * by) * row + static_cast<std::size_t>(4 * bx);
    Sum sum;
    Velocity velocity;
    if (is_uniform(first)) {
      if (!velocity_at(first, 0, velocity)) return;
      for (std::int32_t i = 0; i < width * height; ++i) sum.add(velocity);
    } else {
      for (std::int32_t i = 0; i < height; ++i, first += row) {
        for (std::int32_t j = 0; j < width; ++j) {
          if (velocity_at(first + static_cast<std::size_t>(j), 0, velocity)) sum.add(velocity);
        }
      }
    }
    motion_[at] = sum.x;
    motion_[static_cast<std::ptrdiff_t>(grid_.size()) + at] = sum.y;
    valid_[at] = sum.num;
  }

  bool is_uniform(std::size_t first) const noexcept {
    const auto width = static_cast<std::size_t>(field_.width_4x4);
    return (differences_of_16(field_.mv.data() + first, field_.ref_idx.data() + first, width) |
            differences_of_16(field_.mv.data() + field_.plane_size() + first,
                              field_.ref_idx.data() + field_.plane_size() + first, width)) == 0;
  }

  void sum_up_block(std::int32_t bx, std::int32_t by, bool mbaff_field) noexcept {
    const std::int32_t cells = picture_.blocks.block_size / 4;
    const int ref_shift = mbaff_field ? 1 : 0;  // ref_idx counts fields (8.4.2.1)
    const float y_scale = mbaff_field ? 2.0F : 1.0F;
    for (std::int32_t i = 0; i < cells; ++i) {
      const std::int32_t row = display_row(by, i, cells, mbaff_field);
      const std::size_t first =
          static_cast<std::size_t>(by * cells + i) * static_cast<std::size_t>(field_.width_4x4) +
          static_cast<std::size_t>(bx * cells);
      for (std::int32_t j = 0; j < cells; ++j) {
        Velocity velocity;
        if (!velocity_at(first + static_cast<std::size_t>(j), ref_shift, velocity)) continue;
        velocity.y *= y_scale;
        for (std::int32_t copy = 0; copy < (is_field_ ? 2 : 1); ++copy) {
          const std::ptrdiff_t at = index_.at(bx * cells + j, is_field_ ? 2 * row + copy : row);
          if (at < 0) continue;
          motion_[at] += velocity.x;
          motion_[static_cast<std::ptrdiff_t>(grid_.size()) + at] += velocity.y;
          valid_[at] += 1;
        }
      }
    }
  }

  const prim::PicturePrimitives& picture_;
  const prim::MotionField& field_;
  const CellGrid& grid_;
  const CellIndex index_;
  const BiPrediction bi_prediction_;
  const bool is_field_;
  SliceRates rates_;
  float* const motion_;  ///< sums, as in `Sum`
  float* const valid_;
};

}  // namespace

void rasterise_motion(const prim::PicturePrimitives& picture, const PictureTimes& times,
                      const CellGrid& grid, BiPrediction bi_prediction, float* motion,
                      float* valid) {
  const std::size_t size = grid.size();
  std::fill_n(motion, 2 * size, 0.0F);
  std::fill_n(valid, size, 0.0F);
  MotionRasteriser(picture, times, grid, bi_prediction, motion, valid).sum_up();

  const PlaneSize display = display_size(picture.info);
  const bool is_field = is_field_picture(picture.info);
  const CellIndex index(grid);
  const float x_unit = 0.25F / static_cast<float>(display.width);
  const float y_unit = 0.25F / static_cast<float>(is_field ? display.height / 2 : display.height);
  std::size_t at = 0;
  for (std::int32_t y = 0; y < grid.height; ++y) {
    for (std::int32_t x = 0; x < grid.width; ++x, ++at) {
      if (valid[at] == 0) continue;
      motion[at] *= x_unit / valid[at];
      motion[size + at] *= y_unit / valid[at];
      valid[at] *= index.share(x, y);
    }
  }
}

}  // namespace cope::cpu
