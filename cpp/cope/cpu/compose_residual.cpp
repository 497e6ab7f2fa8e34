#include "cope/cpu/compose_picture.h"
#include "cope/cpu/energy_sink.h"
#include "cope/cpu/h265_reduced_sink.h"
#include "cope/cpu/reduced_sink.h"

namespace cope::cpu {
namespace {

/// Sends every block to two sinks, so that levels are scaled once for both. The second one takes
/// luma alone.
template <class Reduced, class Energy>
class BothSinks {
 public:
  BothSinks(Reduced& reduced, Energy& energy) noexcept : reduced_(reduced), energy_(energy) {}

  bool wants(int plane) const noexcept { return reduced_.wants(plane); }

  void block_4x4(const BlockPlace& place, const ScaledCoeffs& coeffs) {
    reduced_.block_4x4(place, coeffs);
    if (place.plane == 0) energy_.block_4x4(place, coeffs);
  }
  void block_8x8(const BlockPlace& place, const ScaledCoeffs& coeffs) {
    reduced_.block_8x8(place, coeffs);
    if (place.plane == 0) energy_.block_8x8(place, coeffs);
  }
  void samples(const BlockPlace& place, std::int32_t width, std::int32_t height,
               const std::int32_t* samples) {
    reduced_.samples(place, width, height, samples);
    if (place.plane == 0) energy_.samples(place, width, height, samples);
  }

  // H.265
  void block(const prim::CoeffRecord& record, const h265::ScaledBlock& scaled) {
    reduced_.block(record, scaled);
    if (record.plane == 0) energy_.block(record, scaled);
  }
  void samples(const prim::CoeffRecord& record, int size, const std::int32_t* samples) {
    reduced_.samples(record, size, samples);
    if (record.plane == 0) energy_.samples(record, size, samples);
  }

 private:
  Reduced& reduced_;
  Energy& energy_;
};

}  // namespace

void WindowComposer::add_residual(const prim::PicturePrimitives& picture, State& state,
                                  float weight) {
  ResidualScale scale[3];
  Plane<float> planes[3];
  for (int i = 0; i < num_planes(picture.info); ++i) {
    scale[i] = luma_grid_scale(picture.info, i, 4);
    planes[i] = {state.values.data() + kResidual + i,
                 static_cast<std::ptrdiff_t>(state.width_4x4) * kNumValues, state.width_4x4,
                 state.height_4x4};
  }
  const float sample = eight_bit_unit(picture.info.bit_depth_luma);
  Spreader spreader(picture.info, grid_, weight, spent_.data() + grid_.size());
  if (picture.info.codec == prim::Codec::kH265) {
    h265::ReducedSink<kNumValues> reduced(scale, planes);
    H265EnergySink energy(spreader, sample * sample);
    BothSinks both(reduced, energy);
    h265::TransformBlocks(picture, both).walk();
  } else {
    ReducedSink<kNumValues> reduced(scale, planes);
    EnergySink energy(spreader, sample * sample);
    BothSinks both(reduced, energy);
    CoeffBlocks(picture, both).walk();
  }
}

}  // namespace cope::cpu
