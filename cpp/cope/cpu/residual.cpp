#include "cope/cpu/residual.h"

#include <algorithm>
#include <cstring>

#include "cope/base/host_device.h"
#include "cope/cpu/area_average.h"
#include "cope/cpu/coeff_blocks.h"
#include "cope/cpu/h265_residual.h"
#include "cope/cpu/inverse_transform.h"

namespace cope::cpu {
namespace {

template <class T>
void clear(const Plane<T>& plane) {
  for (std::int32_t y = 0; y < plane.height; ++y) {
    std::memset(plane.row(y), 0, static_cast<std::size_t>(plane.width) * sizeof(T));
  }
}

std::int16_t to_sample(std::int32_t value) noexcept {
  return static_cast<std::int16_t>(std::clamp(value, -32768, 32767));
}

/// Writes residuals at full size.
class FullSizeSink {
 public:
  explicit FullSizeSink(const Plane<std::int16_t> (&out)[3]) noexcept : out_(out) {}

  bool wants(int plane) const noexcept { return out_[plane].data != nullptr; }
  void block_4x4(const BlockPlace& place, const ScaledCoeffs& coeffs) { block<4>(place, coeffs); }
  void block_8x8(const BlockPlace& place, const ScaledCoeffs& coeffs) { block<8>(place, coeffs); }

  void samples(const BlockPlace& place, std::int32_t width, std::int32_t height,
               const std::int32_t* samples) {
    std::int16_t* row = first_row(place);
    for (std::int32_t i = 0; i < height; ++i, row += step(place), samples += 16) {
      for (std::int32_t j = 0; j < width; ++j) row[j] = to_sample(samples[j]);
    }
  }

 private:
  std::int16_t* first_row(const BlockPlace& place) const noexcept {
    return out_[place.plane].row(place.first_row()) + place.x;
  }
  std::ptrdiff_t step(const BlockPlace& place) const noexcept {
    return out_[place.plane].stride * place.row_step();
  }

  template <int kSize>
  void block(const BlockPlace& place, const ScaledCoeffs& coeffs) {
    std::int16_t* row = first_row(place);
    const std::ptrdiff_t row_step = step(place);
    if (coeffs.count == 1 &&
        coeffs.position[0] == 0) {  // the transform copies a lone DC everywhere
      const std::int16_t value = to_sample((coeffs.value[0] + 32) >> 6);
      for (int i = 0; i < kSize; ++i, row += row_step) std::fill_n(row, kSize, value);
      return;
    }
    std::int32_t samples[kSize * kSize] = {};
    unsigned rows = 0;
    for (std::int32_t k = 0; k < coeffs.count; ++k) {
      samples[coeffs.position[k]] = coeffs.value[k];
      rows |= 1U << (coeffs.position[k] / kSize);
    }
    inverse_transform_2d<kSize>(samples, rows);
    for (int i = 0; i < kSize; ++i, row += row_step) {
      for (int j = 0; j < kSize; ++j) row[j] = to_sample((samples[i * kSize + j] + 32) >> 6);
    }
  }

  const Plane<std::int16_t> (&out_)[3];
};

/// Adds area averages of residuals at reduced size. `kStep`: elements from one to the next in a
/// row.
template <int kStep>
class ReducedSink {
 public:
  ReducedSink(const ResidualScale (&scale)[3], const Plane<float> (&out)[3]) noexcept
      : scale_(scale), out_(out) {}

  bool wants(int plane) const noexcept { return out_[plane].data != nullptr; }
  void block_4x4(const BlockPlace& place, const ScaledCoeffs& coeffs) { block<4>(place, coeffs); }
  void block_8x8(const BlockPlace& place, const ScaledCoeffs& coeffs) { block<8>(place, coeffs); }

  void samples(const BlockPlace& place, std::int32_t width, std::int32_t height,
               const std::int32_t* samples) {
    const Target target = target_of(place);
    const float weight = target.weight / static_cast<float>(target.factor_x * target.factor_y);
    for (std::int32_t i = 0; i < height; ++i, samples += 16) {
      float* row = target.first + i / target.factor_y * target.stride;
      for (std::int32_t j = 0; j < width; ++j) {
        row[j / target.factor_x * kStep] += static_cast<float>(samples[j]) * weight;
      }
    }
  }

 private:
  /// Where a block's averages go. The rows of one field are half of what a value averages over.
  struct Target {
    float* first;
    std::ptrdiff_t stride;
    std::int32_t factor_x;
    std::int32_t factor_y;
    float weight;
  };

  Target target_of(const BlockPlace& place) const noexcept {
    const ResidualScale& scale = scale_[place.plane];
    const std::int32_t factor_y = place.field == 0 ? scale.y : scale.y / 2;
    const Plane<float>& plane = out_[place.plane];
    return {plane.row(place.y / factor_y) + place.x / scale.x * kStep, plane.stride, scale.x,
            factor_y, place.field == 0 ? 1.0F : 0.5F};
  }

  template <int kSize>
  void block(const BlockPlace& place, const ScaledCoeffs& coeffs) {
    const Target target = target_of(place);
    const BasisMeans& columns = basis_means<kSize>(target.factor_x);
    const BasisMeans& rows = basis_means<kSize>(target.factor_y);
    if (columns.num_stretches == 1 && rows.num_stretches == 1) {
      // Over a whole block every basis function but the DC has zero mean.
      if (coeffs.position[0] == 0) {
        *target.first += static_cast<float>(coeffs.value[0]) * columns.mean[0][0] *
                         rows.mean[0][0] * target.weight;
      }
      return;
    }
    if (columns.num_stretches == 2 && rows.num_stretches == 2) {
      add_means<kSize, 2>(target, coeffs, rows, columns, 2, 2);
    } else {
      add_means<kSize, 8>(target, coeffs, rows, columns, rows.num_stretches, columns.num_stretches);
    }
  }

  /// `kMost` bounds the stretches per axis; it and equal arguments are constants in the common
  /// case.
  template <int kSize, int kMost>
  COPE_FORCE_INLINE static void add_means(const Target& target, const ScaledCoeffs& coeffs,
                                          const BasisMeans& rows, const BasisMeans& columns,
                                          int num_rows, int num_columns) {
    float sums[kMost][kMost] = {};
    for (std::int32_t k = 0; k < coeffs.count; ++k) {
      const float* row_mean = rows.mean[coeffs.position[k] / kSize];
      const float* column_mean = columns.mean[coeffs.position[k] % kSize];
      const float value = static_cast<float>(coeffs.value[k]);
      for (int i = 0; i < num_rows; ++i) {
        for (int j = 0; j < num_columns; ++j) sums[i][j] += value * row_mean[i] * column_mean[j];
      }
    }
    float* row = target.first;
    for (int i = 0; i < num_rows; ++i, row += target.stride) {
      for (int j = 0; j < num_columns; ++j) row[j * kStep] += sums[i][j] * target.weight;
    }
  }

  const ResidualScale (&scale_)[3];
  const Plane<float> (&out_)[3];
};

}  // namespace

PlaneSize plane_size(const prim::PictureInfo& info, int plane) noexcept {
  if (plane == 0 || info.chroma_format_idc == 3) return {info.width, info.height};
  if (info.chroma_format_idc == 0) return {0, 0};
  return {info.width / 2, info.chroma_format_idc == 1 ? info.height / 2 : info.height};
}

ResidualScale luma_grid_scale(const prim::PictureInfo& info, int plane,
                              std::int32_t scale) noexcept {
  if (plane == 0 || info.chroma_format_idc == 3) return {scale, scale};
  return {scale / 2, info.chroma_format_idc == 1 ? scale / 2 : scale};
}

PlaneSize scaled_plane_size(const prim::PictureInfo& info, int plane,
                            ResidualScale scale) noexcept {
  const PlaneSize size = plane_size(info, plane);
  return {size.width / scale.x, size.height / scale.y};
}

void write_residual(const prim::PicturePrimitives& picture, const Plane<std::int16_t> (&out)[3]) {
  for (const Plane<std::int16_t>& plane : out) {
    if (plane.data != nullptr) clear(plane);
  }
  if (picture.info.codec == prim::Codec::kH265) {
    h265::add_residual(picture, out);
    return;
  }
  FullSizeSink sink(out);
  CoeffBlocks(picture, sink).walk();
}

void write_scaled_residual(const prim::PicturePrimitives& picture, const ResidualScale (&scale)[3],
                           const Plane<float> (&out)[3]) {
  for (const Plane<float>& plane : out) {
    if (plane.data != nullptr) clear(plane);
  }
  add_scaled_residual<1>(picture, scale, out);
}

template <int kStep>
void add_scaled_residual(const prim::PicturePrimitives& picture, const ResidualScale (&scale)[3],
                         const Plane<float> (&out)[3]) {
  if (picture.info.codec == prim::Codec::kH265) {
    h265::add_scaled_residual<kStep>(picture, scale, out);
    return;
  }
  ReducedSink<kStep> sink(scale, out);
  CoeffBlocks(picture, sink).walk();
}

template void add_scaled_residual<1>(const prim::PicturePrimitives&, const ResidualScale (&)[3],
                                     const Plane<float> (&)[3]);
template void add_scaled_residual<5>(const prim::PicturePrimitives&, const ResidualScale (&)[3],
                                     const Plane<float> (&)[3]);

}  // namespace cope::cpu
