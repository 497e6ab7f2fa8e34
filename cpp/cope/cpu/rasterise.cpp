#include "cope/cpu/rasterise.h"

#include <algorithm>
#include <cmath>

#include "cope/cpu/lattice.h"

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

}  // namespace

void rasterise_motion(const prim::PicturePrimitives& picture, const PictureTimes& times,
                      const CellGrid& grid, BiPrediction bi_prediction, float* motion,
                      float* valid) {
  const std::size_t size = grid.size();
  std::fill_n(motion, 2 * size, 0.0F);
  std::fill_n(valid, size, 0.0F);

  const prim::MotionField& field = picture.motion;
  const prim::BlockMap& blocks = picture.blocks;
  const std::int32_t cells = blocks.block_size / 4;
  const bool is_field = is_field_picture(picture.info);
  const CellIndex index(grid);
  SliceRates rates(picture, times);
  std::size_t block = 0;
  for (std::int32_t by = 0; by < blocks.height; ++by) {
    for (std::int32_t bx = 0; bx < blocks.width; ++bx, ++block) {
      const auto type = static_cast<prim::BlockType>(blocks.type[block]);
      if (type != prim::BlockType::kInter && type != prim::BlockType::kSkip) continue;
      if (!rates.select(blocks.slice_idx[block])) continue;
      const bool mbaff_field = is_mbaff_field(picture.info, blocks.flags[block]);
      const int ref_shift = mbaff_field ? 1 : 0;  // ref_idx counts fields (8.4.2.1)
      const float y_scale = mbaff_field ? 2.0F : 1.0F;
      for (std::int32_t i = 0; i < cells; ++i) {
        const std::int32_t row = display_row(by, i, cells, mbaff_field);
        const std::size_t first =
            static_cast<std::size_t>(by * cells + i) * static_cast<std::size_t>(field.width_4x4) +
            static_cast<std::size_t>(bx * cells);
        for (std::int32_t j = 0; j < cells; ++j) {
          const std::size_t cell0 = first + static_cast<std::size_t>(j);
          const std::size_t cell1 = field.plane_size() + cell0;
          const float rate0 = rates.at(0, field.ref_idx[cell0] >> ref_shift);
          const float rate1 = rates.at(1, field.ref_idx[cell1] >> ref_shift);
          if (rate0 == 0 && rate1 == 0) continue;
          const Velocity velocity =
              combine(field.mv[cell0], field.mv[cell1], rate0, rate1, bi_prediction);
          for (std::int32_t copy = 0; copy < (is_field ? 2 : 1); ++copy) {
            const std::ptrdiff_t at = index.at(bx * cells + j, is_field ? 2 * row + copy : row);
            if (at < 0) continue;
            motion[at] += velocity.x;
            motion[static_cast<std::ptrdiff_t>(size) + at] += velocity.y * y_scale;
            valid[at] += 1;
          }
        }
      }
    }
  }

  const PlaneSize display = display_size(picture.info);
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
