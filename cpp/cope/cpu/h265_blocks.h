#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "cope/cpu/h265_transform.h"
#include "cope/prim/picture_primitives.h"

namespace cope::cpu::h265 {

/// Walks through the transform blocks of a picture: scales the levels (8.6.4.2) and works out
/// residuals that no transform makes (8.6.2, 8.6.5 to 8.6.8): lossless, transform skip,
/// accumulation (RDPCM) and cross-component prediction.
///
/// `Sink` has
///   bool wants(int plane)
///   void block(const prim::CoeffRecord&, const ScaledBlock&)  its transform is yet to be made
///   void samples(const prim::CoeffRecord&, int size, const std::int32_t* samples)
/// The last takes the residual of a block, [size][size].
template <class Sink>
class TransformBlocks {
 public:
  TransformBlocks(const prim::PicturePrimitives& picture, Sink& sink) noexcept
      : picture_(picture), sink_(sink) {
    const prim::PictureInfo& info = picture.info;
    for (int plane = 0; plane < 3; ++plane) {
      bit_depth_[plane] = plane == 0 ? info.bit_depth_luma : info.bit_depth_chroma;
      const bool is_extended = info.extended_precision;
      log2_range_[plane] = is_extended ? std::max(15, bit_depth_[plane] + 6) : 15;
      bdShift_[plane] = std::max(20 - bit_depth_[plane], is_extended ? 11 : 0);
      ts_shift_[plane] = is_extended ? std::min(5, bdShift_[plane] - 2) : 5;
    }
    has_lists_ = !std::ranges::all_of(picture.scaling, is_flat);
  }

  void walk() {
    const prim::CoeffRecord* luma = nullptr;
    for (const prim::CoeffRecord& record : picture_.coeffs.records.span()) {
      if (record.plane == 0) luma = &record;
      if (!sink_.wants(record.plane)) continue;
      if (record.plane != 0 && record.block_idx != 0) {
        add_cross_component(record, luma);
      } else if ((record.flags & (prim::kCoeffBypass | prim::kCoeffTransformSkip)) != 0) {
        make_untransformed(record, samples_);
        sink_.samples(record, size_of(record), samples_);
      } else {
        scale(record);
        sink_.block(record, scaled_);
      }
    }
  }

 private:
  static constexpr int log2_size_of(const prim::CoeffRecord& record) noexcept {
    return prim::log2_transform_size(static_cast<prim::CoeffKind>(record.kind));
  }
  static constexpr int size_of(const prim::CoeffRecord& record) noexcept {
    return 1 << log2_size_of(record);
  }

  /// Whether m of 8.6.4.2 is 16 everywhere.
  static bool is_flat(const prim::ScalingMatrices& scaling) noexcept {
    static_assert(std::has_unique_object_representations_v<prim::ScalingMatrices>);
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&scaling);
    return std::all_of(bytes, bytes + sizeof scaling, [](std::uint8_t m) { return m == 16; });
  }

  /// m of 8.6.4.2 by position in the block.
  struct Weights {
    const std::uint8_t* list;
    int log2_size;   ///< of the block
    int log2_ratio;  ///< positions per entry of the list and axis
    std::uint8_t dc;

    int at(unsigned position) const noexcept {
      if (log2_ratio == 0) return list[position];
      if (position == 0) return dc;
      const unsigned x = (position & ((1U << log2_size) - 1)) >> log2_ratio;
      const unsigned y = position >> (log2_size + log2_ratio);
      return list[y * 8 + x];
    }
  };

  Weights weights_of(const prim::CoeffRecord& record) const noexcept {
    const prim::ScalingMatrices& scaling = picture_.scaling[record.scaling_idx];
    const int matrixId = ((record.flags & prim::kCoeffIntra) != 0 ? 0 : 3) + record.plane;
    switch (log2_size_of(record)) {
      case 2:
        return {scaling.weight_4x4[matrixId], 2, 0, 0};
      case 3:
        return {scaling.weight_8x8[matrixId], 3, 0, 0};
      case 4:
        return {scaling.weight_16x16[matrixId], 4, 1, scaling.dc_16x16[matrixId]};
      default:
        return {scaling.weight_32x32[matrixId], 5, 2, scaling.dc_32x32[matrixId]};
    }
  }

  /// Scaling process (8.6.4.2).
  void scale(const prim::CoeffRecord& record) noexcept {
    const int log2_size = log2_size_of(record);
    const unsigned position_mask = (1U << 2 * log2_size) - 1;
    scaled_.log2_size = log2_size;
    scaled_.is_dst = (record.flags & prim::kCoeffDst) != 0;
    scaled_.bdShift = bdShift_[record.plane];
    scaled_.log2_range = log2_range_[record.plane];
    const int bdShift = bit_depth_[record.plane] + log2_size + 10 - scaled_.log2_range;
    const std::int64_t round = std::int64_t{1} << (bdShift - 1);
    const std::int64_t factor = std::int64_t{kLevelScale[record.qp % 6]} << (record.qp / 6);
    const std::int64_t coeffMax = (std::int64_t{1} << scaled_.log2_range) - 1;
    const auto scaled = [=](std::int32_t level, std::int64_t m) {
      return static_cast<std::int32_t>(std::clamp(
          (clamp_level(level) * m * factor + round) >> bdShift, -coeffMax - 1, coeffMax));
    };
    const std::uint16_t* positions = picture_.coeffs.positions.data() + record.first;
    const std::int32_t* levels = picture_.coeffs.levels.data() + record.first;
    const std::int32_t count = std::min<std::int32_t>(record.count, 1024);
    scaled_.count = count;
    for (std::int32_t k = 0; k < count; ++k) {
      scaled_.position[k] = static_cast<std::uint16_t>(positions[k] & position_mask);
    }
    // Transform skip of blocks above 4x4 knows no lists.
    if (!has_lists_ || ((record.flags & prim::kCoeffTransformSkip) != 0 && log2_size > 2)) {
      for (std::int32_t k = 0; k < count; ++k) scaled_.value[k] = scaled(levels[k], 16);
    } else {
      const Weights weights = weights_of(record);
      for (std::int32_t k = 0; k < count; ++k) {
        scaled_.value[k] = scaled(levels[k], weights.at(scaled_.position[k]));
      }
    }
  }

  /// A conforming level has at most 23 bits; others must not overflow what follows.
  static std::int64_t clamp_level(std::int32_t level) noexcept {
    return std::clamp(level, -(1 << 22), (1 << 22) - 1);
  }

  /// Residual of a block with cu_transquant_bypass_flag or transform_skip_flag.
  void make_untransformed(const prim::CoeffRecord& record, std::int32_t* samples) noexcept {
    const int log2_size = log2_size_of(record), size = 1 << log2_size, num = size * size;
    std::fill_n(samples, num, 0);
    const bool rotate = (record.flags & prim::kCoeffRotate) != 0;
    const auto place = [&](unsigned position) {
      return rotate ? static_cast<unsigned>(num) - 1 - position : position;
    };
    if ((record.flags & prim::kCoeffBypass) != 0) {
      const std::uint16_t* positions = picture_.coeffs.positions.data() + record.first;
      const std::int32_t* levels = picture_.coeffs.levels.data() + record.first;
      for (std::int32_t k = 0; k < record.count; ++k) {
        samples[place(positions[k] & static_cast<unsigned>(num - 1))] =
            static_cast<std::int32_t>(clamp_level(levels[k]));
      }
    } else {
      scale(record);
      const int tsShift = ts_shift_[record.plane] + log2_size;
      const int bdShift = bdShift_[record.plane];
      const std::int64_t round = std::int64_t{1} << (bdShift - 1);
      for (std::int32_t k = 0; k < scaled_.count; ++k) {
        samples[place(scaled_.position[k])] = static_cast<std::int32_t>(
            ((std::int64_t{scaled_.value[k]} << tsShift) + round) >> bdShift);
      }
    }
    // Directional residual modification: with each row or column the one before is added.
    if ((record.flags & prim::kCoeffRdpcmVertical) != 0) {
      for (int i = size; i < num; ++i) samples[i] += samples[i - size];
    } else if ((record.flags & prim::kCoeffRdpcmHorizontal) != 0) {
      for (int i = 0; i < num; ++i) {
        if (i % size != 0) samples[i] += samples[i - 1];
      }
    }
  }

  void make_samples(const prim::CoeffRecord& record, std::int32_t* samples) noexcept {
    if (record.count == 0) {
      std::fill_n(samples, size_of(record) * size_of(record), 0);
    } else if ((record.flags & (prim::kCoeffBypass | prim::kCoeffTransformSkip)) != 0) {
      make_untransformed(record, samples);
    } else {
      scale(record);
      inverse_transform(scaled_, samples);
    }
  }

  /// Cross-component prediction (7.3.8.12, 8.6.6): a share of the luma residual of the same
  /// transform unit is added.
  void add_cross_component(const prim::CoeffRecord& record,
                           const prim::CoeffRecord* luma) noexcept {
    const int size = size_of(record);
    make_samples(record, samples_);
    if (luma != nullptr && luma->x == record.x && luma->y == record.y &&
        luma->kind == record.kind) {
      make_samples(*luma, luma_samples_);
      const std::int64_t ResScaleVal = static_cast<std::int8_t>(record.block_idx);
      for (int i = 0; i < size * size; ++i) {
        const std::int64_t rY = (std::int64_t{luma_samples_[i]} << bit_depth_[1]) >> bit_depth_[0];
        samples_[i] += static_cast<std::int32_t>(
            std::clamp<std::int64_t>((ResScaleVal * rY) >> 3, -kMaxShare, kMaxShare));
      }
    }
    sink_.samples(record, size, samples_);
  }

  /// Far beyond what conforming streams have, and 32 bits hold the sum.
  static constexpr std::int64_t kMaxShare = 1 << 28;

  const prim::PicturePrimitives& picture_;
  Sink& sink_;
  int bit_depth_[3];
  int log2_range_[3];  ///< of CoeffMin and CoeffMax
  int bdShift_[3];     ///< 8.6.2
  int ts_shift_[3];    ///< tsShift without Log2(nTbS)
  bool has_lists_;     ///< weights that differ
  ScaledBlock scaled_;
  std::int32_t samples_[32 * 32];
  std::int32_t luma_samples_[32 * 32];
};

}  // namespace cope::cpu::h265
