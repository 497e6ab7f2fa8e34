#include "cope/cpu/residual.h"

#include <algorithm>
#include <cstring>

#include "cope/cpu/coeff_blocks.h"
#include "cope/cpu/h265_residual.h"
#include "cope/cpu/inverse_transform.h"
#include "cope/cpu/reduced_sink.h"

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
  if (picture.info.codec == prim::Codec::kH265) {
    h265::add_scaled_residual(picture, scale, out);
    return;
  }
  ReducedSink<1> sink(scale, out);
  CoeffBlocks(picture, sink).walk();
}

}  // namespace cope::cpu
