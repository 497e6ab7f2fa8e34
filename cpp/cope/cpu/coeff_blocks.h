#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "cope/cpu/h264_transform_tables.h"
#include "cope/prim/picture_primitives.h"

namespace cope::cpu {

/// Where a block stands. Blocks of MBAFF field macroblocks stand in the rows of one field, and y
/// counts those.
struct BlockPlace {
  std::int32_t plane = 0;
  std::int32_t x = 0;
  std::int32_t y = 0;
  std::int32_t field = 0;  ///< 0 rows of the picture, 1 of its top field, 2 of its bottom field

  std::int32_t first_row() const noexcept { return field == 0 ? y : 2 * y + field - 1; }
  std::int32_t row_step() const noexcept { return field == 0 ? 1 : 2; }
};

/// The non-zero d_ij of a transform block, ready for the inverse transform.
struct ScaledCoeffs {
  std::int32_t count = 0;
  std::uint8_t position[64];  ///< raster, i * size + j; a position 0 comes first
  std::int32_t value[64];
};

/// A conforming stream keeps |d_ij| below 2^21 (8.5.12.2, 14 bits). Clamping others here keeps 32
/// bits sufficient for everything after.
inline constexpr std::int64_t kMaxScaledLevel = 1 << 24;

/// Walks through the transform blocks of a picture: finds weights and scan, scales the levels
/// (8.5.9 to 8.5.12.1), transforms DC levels and hands them to their blocks, and gathers lossless
/// macroblocks.
///
/// `Sink` has
///   bool wants(int plane)
///   void block_4x4(const BlockPlace&, const ScaledCoeffs&)  at least one coefficient
///   void block_8x8(const BlockPlace&, const ScaledCoeffs&)
///   void samples(const BlockPlace&, int width, int height, const std::int32_t* samples)
/// The last takes a macroblock's residual in transform bypass, 16 samples from row to row.
template <class Sink>
class CoeffBlocks {
 public:
  CoeffBlocks(const prim::PicturePrimitives& picture, Sink& sink) noexcept
      : picture_(picture), sink_(sink) {}

  void walk() {
    const prim::CoeffStream& coeffs = picture_.coeffs;
    for (int plane = 0; plane < 3; ++plane) set_up(pending_[plane], plane);
    for (const prim::CoeffRecord& record : coeffs.records.span()) {
      if (!sink_.wants(record.plane)) continue;
      Pending& mb = pending_[record.plane];
      if (mb.is_open && mb.mb_addr != record.mb_addr) close(mb);
      const std::uint16_t* positions = coeffs.positions.data() + record.first;
      const std::int32_t* levels = coeffs.levels.data() + record.first;
      if ((record.flags & prim::kCoeffBypass) != 0) {
        add_bypass(mb, record, positions, levels);
      } else if (record.kind == kind(prim::CoeffKind::kBlock4x4)) {
        add_4x4(mb, record, positions, levels);
      } else if (record.kind == kind(prim::CoeffKind::kBlock8x8)) {
        add_8x8(mb, record, positions, levels);
      } else {
        open(mb, record);
        add_dc(mb, record, positions, levels);
      }
    }
    for (Pending& mb : pending_) {
      if (mb.is_open) close(mb);
    }
  }

 private:
  /// What one plane of a macroblock has to wait for: blocks that have nothing but a DC have no
  /// record, and lossless prediction accumulates over the macroblock.
  struct Pending {
    std::int32_t mb_width = 16;
    std::int32_t mb_height = 16;
    bool is_open = false;
    bool has_samples = false;
    std::uint8_t accumulate = 0;  ///< CoeffFlag of the macroblock's direction, 0 for none
    std::uint32_t mb_addr = 0;
    std::uint32_t dc_mask = 0;  ///< blocks whose DC is not zero and not yet delivered
    BlockPlace place;           ///< of the macroblock
    std::int32_t dc[16];        ///< [y / 4][x / 4], valid where `dc_mask` says so
    std::int32_t samples[256];
  };

  static constexpr std::uint8_t kind(prim::CoeffKind k) { return static_cast<std::uint8_t>(k); }

  void set_up(Pending& mb, int plane) const noexcept {
    const int chroma_format_idc = picture_.info.chroma_format_idc;
    const bool is_subsampled = plane != 0 && !picture_.info.separate_colour_planes;
    mb.mb_width = is_subsampled && chroma_format_idc < 3 ? 8 : 16;
    mb.mb_height = is_subsampled && chroma_format_idc < 2 ? 8 : 16;
  }

  BlockPlace place_of(const Pending& mb, const prim::CoeffRecord& record) const noexcept {
    BlockPlace place{record.plane, record.x, record.y, 0};
    if (picture_.info.mbaff && (record.flags & prim::kCoeffFieldScan) != 0) {
      const std::int32_t mb_row = record.y / mb.mb_height;
      place.y = mb_row / 2 * mb.mb_height + record.y % mb.mb_height;
      place.field = 1 + mb_row % 2;
    }
    return place;
  }

  void open(Pending& mb, const prim::CoeffRecord& record) {
    if (mb.is_open) return;
    mb.is_open = true;
    mb.has_samples = false;
    mb.accumulate = 0;
    mb.mb_addr = record.mb_addr;
    mb.dc_mask = 0;
    mb.place = place_of(mb, record);
    mb.place.x &= -mb.mb_width;
    mb.place.y &= -mb.mb_height;
  }

  void close(Pending& mb) {
    mb.is_open = false;
    if (mb.has_samples) {
      accumulate(mb.samples, mb.mb_width, mb.mb_height, mb.accumulate);
      sink_.samples(mb.place, mb.mb_width, mb.mb_height, mb.samples);
    }
    const std::int32_t blocks_wide = mb.mb_width / 4;
    for (; mb.dc_mask != 0; mb.dc_mask &= mb.dc_mask - 1) {
      const std::int32_t i = std::countr_zero(mb.dc_mask);
      BlockPlace place = mb.place;
      place.x += i % blocks_wide * 4;
      place.y += i / blocks_wide * 4;
      scaled_.count = 1;
      scaled_.position[0] = 0;
      scaled_.value[0] = mb.dc[i];
      sink_.block_4x4(place, scaled_);
    }
  }

  const prim::ScalingMatrices& weights_of(const prim::CoeffRecord& record) const noexcept {
    return picture_.scaling[record.scaling_idx];
  }
  /// Index of the weight matrix: Intra Y, Cb, Cr, Inter Y, Cb, Cr.
  static int matrix_of(const prim::CoeffRecord& record) noexcept {
    return ((record.flags & prim::kCoeffIntra) != 0 ? 0 : 3) + record.plane;
  }
  static int scan_of(const prim::CoeffRecord& record) noexcept {
    return (record.flags & prim::kCoeffFieldScan) != 0 ? 1 : 0;
  }

  /// value * 2^(qP / 6 - kUnityQp / 6), rounded as 8.5.9 and its neighbours do.
  template <int kUnityQp>
  struct Scaler {
    explicit Scaler(int qp) noexcept
        : left(std::max(qp / 6 - kUnityQp / 6, 0)),
          right(std::max(kUnityQp / 6 - qp / 6, 0)),
          round(right == 0 ? 0 : std::int64_t{1} << (right - 1)) {}
    std::int32_t operator()(std::int64_t value) const noexcept {
      const std::int64_t scaled = ((value << left) + round) >> right;
      return static_cast<std::int32_t>(std::clamp(scaled, -kMaxScaledLevel, kMaxScaledLevel));
    }
    int left;
    int right;
    std::int64_t round;
  };

  void scale(const prim::CoeffRecord& record, const std::uint16_t* positions,
             const std::int32_t* levels, const std::uint8_t* scan, const std::uint8_t* weight,
             const std::uint8_t* norm_adjust, auto scaler, unsigned position_mask) noexcept {
    std::int32_t n = scaled_.count;
    for (std::int32_t k = 0; k < record.count; ++k) {
      const std::uint8_t position = scan[positions[k] & position_mask];
      scaled_.position[n] = position;
      scaled_.value[n] =
          scaler(std::int64_t{levels[k]} * (weight[position] * norm_adjust[position]));
      ++n;
    }
    scaled_.count = n;
  }

  // 8.5.12.1
  void add_4x4(Pending& mb, const prim::CoeffRecord& record, const std::uint16_t* positions,
               const std::int32_t* levels) {
    scaled_.count = 0;
    if ((record.flags & prim::kCoeffSeparateDc) != 0 && mb.is_open) {
      const std::int32_t i = (record.y & (mb.mb_height - 1)) / 4 * (mb.mb_width / 4) +
                             (record.x & (mb.mb_width - 1)) / 4;
      if ((mb.dc_mask >> i & 1) != 0) {
        mb.dc_mask &= ~(1U << i);
        scaled_.count = 1;
        scaled_.position[0] = 0;
        scaled_.value[0] = mb.dc[i];
      }
    }
    scale(record, positions, levels, h264::kScan4x4[scan_of(record)],
          weights_of(record).weight_4x4[matrix_of(record)], h264::kNormAdjust4x4[record.qp % 6],
          Scaler<24>(record.qp), 15);
    sink_.block_4x4(place_of(mb, record), scaled_);
  }

  // 8.5.13.1
  void add_8x8(Pending& mb, const prim::CoeffRecord& record, const std::uint16_t* positions,
               const std::int32_t* levels) {
    scaled_.count = 0;
    scale(record, positions, levels, h264::kScan8x8[scan_of(record)],
          weights_of(record).weight_8x8[matrix_of(record)], h264::kNormAdjust8x8[record.qp % 6],
          Scaler<36>(record.qp), 63);
    sink_.block_8x8(place_of(mb, record), scaled_);
  }

  static std::int32_t clamp_level(std::int32_t level) noexcept {
    return std::clamp(level, static_cast<std::int32_t>(-kMaxScaledLevel),
                      static_cast<std::int32_t>(kMaxScaledLevel));
  }

  /// Multiplies by the 4x4 matrix of 8.5.10 from the left, on one column of `stride`.
  static void hadamard_4(std::int32_t* v, int stride) noexcept {
    const std::int32_t a = v[0] + v[stride], b = v[0] - v[stride];
    const std::int32_t c = v[2 * stride] + v[3 * stride], d = v[2 * stride] - v[3 * stride];
    v[0] = a + c;
    v[stride] = a - c;
    v[2 * stride] = b - d;
    v[3 * stride] = b + d;
  }

  // 8.5.10 and 8.5.11
  void add_dc(Pending& mb, const prim::CoeffRecord& record, const std::uint16_t* positions,
              const std::int32_t* levels) {
    const bool is_luma_like = record.kind == kind(prim::CoeffKind::kIntra16x16Dc);
    const std::int32_t width = mb.mb_width / 4, height = mb.mb_height / 4;
    const std::uint8_t* scan = dc_scan(record, is_luma_like, height);
    const unsigned position_mask = static_cast<unsigned>(width * height - 1);
    std::fill_n(mb.dc, 16, 0);
    for (std::int32_t k = 0; k < record.count; ++k) {
      mb.dc[scan[positions[k] & position_mask]] = clamp_level(levels[k]);
    }
    for (std::int32_t j = 0; j < width; ++j) {
      if (height == 4) {
        hadamard_4(mb.dc + j, width);
      } else {
        butterfly_2(mb.dc + j, width);
      }
    }
    for (std::int32_t i = 0; i < height; ++i) {
      if (width == 4) {
        hadamard_4(mb.dc + i * width, 1);
      } else {
        butterfly_2(mb.dc + i * width, 1);
      }
    }
    const int weight = weights_of(record).weight_4x4[matrix_of(record)][0];
    // 4:2:2: QP'c,dc = QP'c + 3. 4:2:0: (f * LevelScale << qP / 6) >> 5 truncates where the others
    // round.
    const bool is_420 = !is_luma_like && height == 2;
    const int qp = record.qp + (is_luma_like || is_420 ? 0 : 3);
    const std::int64_t level_scale = weight * h264::kNormAdjust4x4[qp % 6][0];
    const Scaler<36> scaler(qp);
    for (std::int32_t i = 0; i < width * height; ++i) {
      const std::int64_t f = mb.dc[i] * level_scale;
      mb.dc[i] = is_420 ? static_cast<std::int32_t>(
                              std::clamp((f << (qp / 6)) >> 5, -kMaxScaledLevel, kMaxScaledLevel))
                        : scaler(f);
      if (mb.dc[i] != 0) mb.dc_mask |= 1U << i;
    }
  }

  static void butterfly_2(std::int32_t* v, int stride) noexcept {
    const std::int32_t sum = v[0] + v[stride], difference = v[0] - v[stride];
    v[0] = sum;
    v[stride] = difference;
  }

  static const std::uint8_t* dc_scan(const prim::CoeffRecord& record, bool is_luma_like,
                                     std::int32_t height) noexcept {
    if (is_luma_like) return h264::kScan4x4[scan_of(record)];
    return height == 4 ? h264::kScanChromaDc2x4 : h264::kScanChromaDc2x2;
  }

  // 8.5.15
  static void accumulate(std::int32_t* samples, std::int32_t width, std::int32_t height,
                         std::uint8_t direction) noexcept {
    if ((direction & prim::kCoeffBypassVertical) != 0) {
      for (std::int32_t i = 1; i < height; ++i) {
        for (std::int32_t j = 0; j < width; ++j) samples[i * 16 + j] += samples[(i - 1) * 16 + j];
      }
    } else if ((direction & prim::kCoeffBypassHorizontal) != 0) {
      for (std::int32_t i = 0; i < height; ++i) {
        for (std::int32_t j = 1; j < width; ++j) samples[i * 16 + j] += samples[i * 16 + j - 1];
      }
    }
  }

  /// Levels are samples. Intra_NxN accumulates block by block, Intra_16x16 and chroma over the
  /// macroblock.
  void add_bypass(Pending& mb, const prim::CoeffRecord& record, const std::uint16_t* positions,
                  const std::int32_t* levels) {
    open(mb, record);
    if (!mb.has_samples) {
      mb.has_samples = true;
      std::fill_n(mb.samples, 256, 0);
    }
    const std::uint8_t direction =
        record.flags & (prim::kCoeffBypassVertical | prim::kCoeffBypassHorizontal);
    std::int32_t* block = mb.samples + record.y % mb.mb_height * 16 + record.x % mb.mb_width;
    if (record.kind == kind(prim::CoeffKind::kBlock4x4)) {
      const std::uint8_t* scan = h264::kScan4x4[scan_of(record)];
      for (std::int32_t k = 0; k < record.count; ++k) {
        const std::uint8_t position = scan[positions[k] & 15U];
        block[position / 4 * 16 + position % 4] = clamp_level(levels[k]);
      }
      if ((record.flags & prim::kCoeffSeparateDc) != 0) {
        mb.accumulate = direction;
      } else {
        accumulate(block, 4, 4, direction);
      }
    } else if (record.kind == kind(prim::CoeffKind::kBlock8x8)) {
      const std::uint8_t* scan = h264::kScan8x8[scan_of(record)];
      for (std::int32_t k = 0; k < record.count; ++k) {
        const std::uint8_t position = scan[positions[k] & 63U];
        block[position / 8 * 16 + position % 8] = clamp_level(levels[k]);
      }
      accumulate(block, 8, 8, direction);
    } else {
      mb.accumulate = direction;
      const std::int32_t width = mb.mb_width / 4, height = mb.mb_height / 4;
      const std::uint8_t* scan =
          dc_scan(record, record.kind == kind(prim::CoeffKind::kIntra16x16Dc), height);
      for (std::int32_t k = 0; k < record.count; ++k) {
        const std::int32_t i = scan[positions[k] & static_cast<unsigned>(width * height - 1)];
        mb.samples[i / width * 4 * 16 + i % width * 4] = clamp_level(levels[k]);
      }
    }
  }

  const prim::PicturePrimitives& picture_;
  Sink& sink_;
  Pending pending_[3];
  ScaledCoeffs scaled_;
};

}  // namespace cope::cpu
