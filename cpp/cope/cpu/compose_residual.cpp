#include "cope/cpu/compose_picture.h"
#include "cope/cpu/energy_sink.h"
#include "cope/cpu/h265_reduced_sink.h"
#include "cope/cpu/reduced_sink.h"

namespace cope::cpu {
namespace {

/// Sends every block to two sinks, so that levels are scaled once for both.
template <class First, class Second>
class BothSinks {
 public:
  BothSinks(First& first, Second& second) noexcept : first_(first), second_(second) {}

  bool wants(int plane) const noexcept { return first_.wants(plane) || second_.wants(plane); }

  void block_4x4(const BlockPlace& place, const ScaledCoeffs& coeffs) {
    for_each(place.plane, [&](auto& sink) { sink.block_4x4(place, coeffs); });
  }
  void block_8x8(const BlockPlace& place, const ScaledCoeffs& coeffs) {
    for_each(place.plane, [&](auto& sink) { sink.block_8x8(place, coeffs); });
  }
  void samples(const BlockPlace& place, std::int32_t width, std::int32_t height,
               const std::int32_t* samples) {
    for_each(place.plane, [&](auto& sink) { sink.samples(place, width, height, samples); });
  }

  // H.265
  void block(const prim::CoeffRecord& record, const h265::ScaledBlock& scaled) {
    for_each(record.plane, [&](auto& sink) { sink.block(record, scaled); });
  }
  void samples(const prim::CoeffRecord& record, int size, const std::int32_t* samples) {
    for_each(record.plane, [&](auto& sink) { sink.samples(record, size, samples); });
  }

 private:
  template <class Call>
  void for_each(int plane, Call call) {
    if (first_.wants(plane)) call(first_);
    if (second_.wants(plane)) call(second_);
  }

  First& first_;
  Second& second_;
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
