// H.264 NAL units, each behind a length of two bytes, parsed and turned into every field that a
// model reads: residual at all sizes, motion, saliency, composition over one window.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cope/bits/length_prefixed.h"
#include "cope/cpu/compose.h"
#include "cope/cpu/rasterise.h"
#include "cope/cpu/residual.h"
#include "cope/cpu/saliency.h"
#include "fuzz/h264_pictures.h"
#include "fuzz/nal_mutator.h"

namespace {

namespace cpu = cope::cpu;
using cope::prim::PicturePrimitives;

std::size_t area(cpu::PlaneSize size) {
  return static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
}

class Fields {
 public:
  /// A byte of the input chooses the options.
  explicit Fields(std::uint8_t choice)
      : cell_(4 << (choice & 3)),
        scale_((choice & 4) != 0 ? 8 : 4),
        bi_prediction_(static_cast<cpu::BiPrediction>((choice >> 3) % 3)),
        composer_({cell_, 4 << (choice >> 6), bi_prediction_}) {}

  void add(const PicturePrimitives& picture, std::span<const std::int64_t> live) {
    seconds_.push_back(0.04 * static_cast<double>(picture.info.poc));
    const cpu::PictureTimes times{seconds_, 0};
    write_residual(picture);
    write_scaled_residual(picture);
    write_motion(picture, times);
    if (is_first_) {
      const std::array<std::int64_t, 1> start{picture.info.decode_index};
      composer_.begin(start, seconds_.back());
      is_first_ = false;
      return;
    }
    composer_.add(picture, times);
    composer_.retain(live);
    write_window(picture.info.decode_index);
  }

 private:
  void write_residual(const PicturePrimitives& picture) {
    std::vector<std::int16_t> samples[3];
    cpu::Plane<std::int16_t> planes[3];
    for (int i = 0; i < 3; ++i) {
      const cpu::PlaneSize size = cpu::plane_size(picture.info, i);
      samples[i].resize(area(size));
      planes[i] = {samples[i].data(), size.width, size.width, size.height};
    }
    cpu::write_residual(picture, planes);
  }

  void write_scaled_residual(const PicturePrimitives& picture) {
    std::vector<float> samples[3];
    cpu::Plane<float> planes[3];
    cpu::ResidualScale scales[3];
    for (int i = 0; i < 3; ++i) {
      if (area(cpu::plane_size(picture.info, i)) == 0) continue;
      scales[i] = cpu::luma_grid_scale(picture.info, i, scale_);
      const cpu::PlaneSize size = cpu::scaled_plane_size(picture.info, i, scales[i]);
      samples[i].resize(area(size));
      planes[i] = {samples[i].data(), size.width, size.width, size.height};
    }
    cpu::write_scaled_residual(picture, scales, planes);
  }

  void write_motion(const PicturePrimitives& picture, const cpu::PictureTimes& times) {
    const cpu::CellGrid grid = cpu::make_cell_grid(picture.info, cell_);
    std::vector<float> motion(2 * grid.size());
    std::vector<float> valid(grid.size());
    std::vector<float> saliency(3 * grid.size());
    cpu::rasterise_motion(picture, times, grid, bi_prediction_, motion.data(), valid.data());
    cpu::write_saliency(picture, grid, motion.data(), saliency.data());
  }

  void write_window(std::int64_t target) {
    const std::size_t size = composer_.grid().size();
    std::vector<float> motion(2 * size), valid(size), intra(size), lost(size), scaled(size);
    std::vector<float> saliency(3 * size), residual(3 * composer_.residual_grid().size());
    (void)composer_.result(target, {motion.data(), valid.data(), intra.data(), lost.data(),
                                    scaled.data(), residual.data(), saliency.data()});
    for (const float share : valid) cope::fuzz::require(share >= 0.0F && share <= 1.001F);
    for (const float share : lost) cope::fuzz::require(share >= 0.0F && share <= 1.001F);
  }

  std::int32_t cell_;
  std::int32_t scale_;
  cpu::BiPrediction bi_prediction_;
  cpu::WindowComposer composer_;
  std::vector<double> seconds_;
  bool is_first_ = true;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::vector<std::span<const std::uint8_t>> nals;
  (void)cope::bits::split_length_prefixed({data, size}, 2, nals);
  Fields fields(data[size - 1]);  // the last byte: the first are a length
  cope::fuzz::H264Pictures pictures(
      [&fields](const PicturePrimitives& picture, std::span<const std::int64_t> live) {
        fields.add(picture, live);
      });
  for (const auto nal : nals) pictures.push_nal(nal);
  pictures.finish();
  return 0;
}
