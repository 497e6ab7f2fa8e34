#include "cope/cpu/h265_residual.h"

#include <algorithm>
#include <cstddef>

#include "cope/cpu/h265_blocks.h"
#include "cope/cpu/h265_reduced_sink.h"

namespace cope::cpu::h265 {
namespace {

std::int16_t to_sample(std::int32_t value) noexcept {
  return static_cast<std::int16_t>(std::clamp(value, -32768, 32767));
}

/// Writes residuals at full size.
class FullSizeSink {
 public:
  explicit FullSizeSink(const Plane<std::int16_t> (&out)[3]) noexcept : out_(out) {}

  bool wants(int plane) const noexcept { return out_[plane].data != nullptr; }

  void block(const prim::CoeffRecord& record, const ScaledBlock& scaled) {
    inverse_transform(scaled, samples_);
    samples(record, 1 << scaled.log2_size, samples_);
  }

  void samples(const prim::CoeffRecord& record, int size, const std::int32_t* samples) {
    const Plane<std::int16_t>& plane = out_[record.plane];
    for (int y = 0; y < size; ++y, samples += size) {
      std::int16_t* const row = plane.row(record.y + y) + record.x;
      for (int x = 0; x < size; ++x) row[x] = to_sample(samples[x]);
    }
  }

 private:
  const Plane<std::int16_t> (&out_)[3];
  std::int32_t samples_[32 * 32];
};

}  // namespace

void add_residual(const prim::PicturePrimitives& picture, const Plane<std::int16_t> (&out)[3]) {
  FullSizeSink sink(out);
  TransformBlocks(picture, sink).walk();
}

void add_scaled_residual(const prim::PicturePrimitives& picture, const ResidualScale (&scale)[3],
                         const Plane<float> (&out)[3]) {
  ReducedSink<1> sink(scale, out);
  TransformBlocks(picture, sink).walk();
}

}  // namespace cope::cpu::h265
