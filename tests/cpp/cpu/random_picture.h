#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "cope/prim/picture_primitives.h"
#include "residual_oracle.h"

/// Pictures of random macroblocks with their residual by the oracle: every coding mode, made from a
/// description of the macroblock and not from the records.
class RandomPicture {
 public:
  struct Options {
    int width_in_mbs = 3;
    int height_in_mbs = 5;
    int chroma_format_idc = 1;
    int bit_depth = 8;
    bool mbaff = false;
    bool field_picture = false;
    bool bypass = false;
    bool transform_8x8 = true;
    int qp = -1;  ///< -1: random
    unsigned seed = 1;
  };

  explicit RandomPicture(const Options& options) : options_(options), rng_(options.seed) {
    auto& info = picture.info;
    info.width = options.width_in_mbs * 16;
    info.height = options.height_in_mbs * 16;
    info.chroma_format_idc = static_cast<std::uint8_t>(options.chroma_format_idc);
    info.bit_depth_luma = info.bit_depth_chroma = static_cast<std::uint8_t>(options.bit_depth);
    info.mbaff = options.mbaff;
    if (options.field_picture) info.structure = cope::prim::PictureStructure::kTop;
    picture.allocate_blocks(info.width, info.height, 16);
    picture.scaling.resize(2);
    for (auto& matrices : picture.scaling)
      fill_weights(matrices, &matrices != picture.scaling.data());
    for (int plane = 0; plane < num_planes(); ++plane) {
      residual[plane] = oracle::zeros(options.height_in_mbs * mb_height(plane),
                                      options.width_in_mbs * mb_width(plane));
    }
    for (int row = 0; row < options.height_in_mbs; ++row) {
      for (int column = 0; column < options.width_in_mbs; ++column) {
        make_macroblock(column, row);
      }
    }
    store();
  }

  int num_planes() const { return options_.chroma_format_idc == 0 ? 1 : 3; }
  int mb_width(int plane) const { return plane == 0 || options_.chroma_format_idc == 3 ? 16 : 8; }
  int mb_height(int plane) const { return plane == 0 || options_.chroma_format_idc >= 2 ? 16 : 8; }

  cope::prim::PicturePrimitives picture;
  oracle::Matrix residual[3];

 private:
  using Flag = cope::prim::CoeffFlag;

  int uniform(int low, int high) { return std::uniform_int_distribution<int>(low, high)(rng_); }
  bool coin() { return uniform(0, 1) == 1; }

  void fill_weights(cope::prim::ScalingMatrices& matrices, bool random) {
    for (auto& list : matrices.weight_4x4) {
      for (auto& weight : list) weight = static_cast<std::uint8_t>(random ? uniform(4, 64) : 16);
    }
    for (auto& list : matrices.weight_8x8) {
      for (auto& weight : list) weight = static_cast<std::uint8_t>(random ? uniform(4, 64) : 16);
    }
  }

  /// Levels so small that the block stays in the range of 8.5.12.2.
  std::vector<std::int32_t> random_levels(std::size_t size, std::size_t first, int divisor) {
    std::vector<std::int32_t> list(size, 0);
    const double scaled = 29.0 * 64 * std::pow(2.0, qp_ / 6.0 - 4);
    const int limit =
        bypass_
            ? 200
            : std::clamp(static_cast<int>((64 << options_.bit_depth) / scaled / divisor), 1, 2000);
    const int density = uniform(0, 4);
    for (std::size_t k = first; k < size; ++k) {
      if (uniform(0, 4) < density) list[k] = uniform(-limit, limit);
    }
    return list;
  }

  struct Macroblock {
    int column, row;  // by address
    std::uint32_t addr;
    bool intra, is_16x16, is_8x8;
    std::uint8_t flags;
    int scaling_idx;
  };

  void make_macroblock(int column, int row) {
    Macroblock mb{};
    mb.column = column;
    mb.row = row;
    mb.addr = static_cast<std::uint32_t>(
        options_.mbaff ? (row / 2 * options_.width_in_mbs + column) * 2 + row % 2
                       : row * options_.width_in_mbs + column);
    if (uniform(0, 5) == 0) return;  // nothing coded
    mb.intra = coin();
    mb.is_16x16 = mb.intra && coin();
    mb.is_8x8 = !mb.is_16x16 && options_.transform_8x8 && coin();
    mb.scaling_idx = uniform(0, 1);
    qp_ = options_.qp >= 0 ? options_.qp : uniform(0, 51 + 6 * (options_.bit_depth - 8));
    bypass_ = options_.bypass && coin();
    mb.flags = static_cast<std::uint8_t>(mb.intra ? Flag::kCoeffIntra : 0);
    // A pair is of fields in both of its macroblocks.
    const bool field = options_.field_picture || (options_.mbaff && (column + row / 2) % 2 == 1);
    if (field) mb.flags |= Flag::kCoeffFieldScan;
    if (bypass_) mb.flags |= Flag::kCoeffBypass;
    const bool luma_like_chroma = options_.chroma_format_idc == 3;
    for (int plane = 0; plane < (luma_like_chroma ? 3 : 1); ++plane) make_luma_like(mb, plane);
    if (options_.chroma_format_idc == 1 || options_.chroma_format_idc == 2) make_chroma(mb);
  }

  std::uint8_t direction(const Macroblock& mb) {
    if (!bypass_ || !mb.intra) return 0;
    static constexpr std::uint8_t choices[3] = {0, Flag::kCoeffBypassVertical,
                                                Flag::kCoeffBypassHorizontal};
    return choices[uniform(0, 2)];
  }

  static void accumulate(oracle::Matrix& r, std::uint8_t direction) {
    if (direction != 0) oracle::accumulate(r, direction == Flag::kCoeffBypassHorizontal);
  }

  const std::uint8_t* weight(const Macroblock& mb, int plane, int size) const {
    const auto& matrices = picture.scaling[static_cast<std::size_t>(mb.scaling_idx)];
    const int i = (mb.intra ? 0 : 3) + plane;
    return size == 4 ? matrices.weight_4x4[i] : matrices.weight_8x8[i];
  }

  void record(const Macroblock& mb, int plane, cope::prim::CoeffKind kind, int block_idx, int x,
              int y, std::uint8_t extra_flags, const std::vector<std::int32_t>& list) {
    cope::prim::CoeffRecord r{};
    r.first = static_cast<std::uint32_t>(levels_.size());
    for (std::size_t k = 0; k < list.size(); ++k) {
      if (list[k] == 0) continue;
      levels_.push_back(list[k]);
      positions_.push_back(static_cast<std::uint16_t>(k));
    }
    r.count = static_cast<std::uint16_t>(levels_.size() - r.first);
    if (r.count == 0) return;
    r.mb_addr = mb.addr;
    r.x = static_cast<std::uint16_t>(mb.column * mb_width(plane) + x);
    r.y = static_cast<std::uint16_t>(mb.row * mb_height(plane) + y);
    r.plane = static_cast<std::uint8_t>(plane);
    r.kind = static_cast<std::uint8_t>(kind);
    r.block_idx = static_cast<std::uint8_t>(block_idx);
    r.flags = static_cast<std::uint8_t>(mb.flags | extra_flags);
    r.qp = static_cast<std::uint8_t>(qp_);
    r.scaling_idx = static_cast<std::uint8_t>(mb.scaling_idx);
    records_.push_back(r);
  }

  static void paste(oracle::Matrix& to, const oracle::Matrix& from, int x, int y) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      for (std::size_t j = 0; j < from[0].size(); ++j) {
        to[static_cast<std::size_t>(y) + i][static_cast<std::size_t>(x) + j] = from[i][j];
      }
    }
  }

  /// Puts a macroblock's residual where it is shown.
  void paste_macroblock(const Macroblock& mb, int plane, const oracle::Matrix& r) {
    const int height = mb_height(plane);
    const bool interleaved = options_.mbaff && (mb.flags & Flag::kCoeffFieldScan) != 0;
    for (int i = 0; i < height; ++i) {
      const int row =
          interleaved ? mb.row / 2 * 2 * height + 2 * i + mb.row % 2 : mb.row * height + i;
      std::copy(
          r[static_cast<std::size_t>(i)].begin(), r[static_cast<std::size_t>(i)].end(),
          residual[plane][static_cast<std::size_t>(row)].begin() + mb.column * mb_width(plane));
    }
  }

  void make_luma_like(const Macroblock& mb, int plane) {
    const bool field = (mb.flags & Flag::kCoeffFieldScan) != 0;
    const std::uint8_t mb_direction = mb.is_16x16 ? direction(mb) : 0;
    oracle::Matrix r = oracle::zeros(16, 16);
    oracle::Matrix dc;
    if (mb.is_16x16) {
      const auto list = random_levels(16, 0, 16);
      record(mb, plane, cope::prim::CoeffKind::kIntra16x16Dc, 0, 0, 0, mb_direction, list);
      const oracle::Matrix c = oracle::inverse_scan(list, 4, field);
      dc = bypass_ ? c : oracle::luma_dc(c, weight(mb, plane, 4), qp_);
    }
    const int size = mb.is_8x8 ? 8 : 4;
    for (int block = 0; block < 256 / (size * size); ++block) {
      // 6.4.3, 6.4.5
      const int x = size == 8 ? block % 2 * 8 : block / 4 % 2 * 8 + block % 2 * 4;
      const int y = size == 8 ? block / 2 * 8 : block / 8 * 8 + block % 4 / 2 * 4;
      const std::uint8_t block_direction = mb.is_16x16 ? mb_direction : direction(mb);
      const auto list =
          random_levels(static_cast<std::size_t>(size * size), mb.is_16x16 ? 1 : 0, 2 * size);
      record(
          mb, plane,
          size == 8 ? cope::prim::CoeffKind::kBlock8x8 : cope::prim::CoeffKind::kBlock4x4, block, x,
          y,
          static_cast<std::uint8_t>(block_direction | (mb.is_16x16 ? Flag::kCoeffSeparateDc : 0)),
          list);
      oracle::Matrix c = oracle::inverse_scan(list, size, field);
      const std::int64_t* block_dc =
          mb.is_16x16 ? &dc[static_cast<std::size_t>(y / 4)][static_cast<std::size_t>(x / 4)]
                      : nullptr;
      if (bypass_) {
        if (block_dc != nullptr) c[0][0] = *block_dc;
        if (!mb.is_16x16) accumulate(c, block_direction);
        paste(r, c, x, y);
      } else {
        paste(r, oracle::residual_block(c, size, weight(mb, plane, size), qp_, block_dc), x, y);
      }
    }
    accumulate(r, mb_direction);
    paste_macroblock(mb, plane, r);
  }

  void make_chroma(const Macroblock& mb) {
    const bool field = (mb.flags & Flag::kCoeffFieldScan) != 0;
    const int num_blocks = options_.chroma_format_idc == 1 ? 4 : 8;
    const std::uint8_t mb_direction = direction(mb);
    qp_ = std::min(qp_, 39 + 6 * (options_.bit_depth - 8));
    oracle::Matrix dc[3];
    for (int plane = 1; plane < 3; ++plane) {
      const auto list = random_levels(static_cast<std::size_t>(num_blocks), 0, 16);
      record(mb, plane, cope::prim::CoeffKind::kChromaDc, 0, 0, 0, mb_direction, list);
      dc[plane] = bypass_ ? oracle::chroma_dc_matrix(list)
                          : oracle::chroma_dc(list, weight(mb, plane, 4), qp_);
    }
    for (int plane = 1; plane < 3; ++plane) {
      oracle::Matrix r = oracle::zeros(mb_height(plane), 8);
      for (int block = 0; block < num_blocks; ++block) {
        const int x = block % 2 * 4, y = block / 2 * 4;
        const auto list = random_levels(16, 1, 8);
        record(mb, plane, cope::prim::CoeffKind::kBlock4x4, block, x, y,
               static_cast<std::uint8_t>(mb_direction | Flag::kCoeffSeparateDc), list);
        oracle::Matrix c = oracle::inverse_scan(list, 4, field);
        const std::int64_t block_dc =
            dc[plane][static_cast<std::size_t>(block / 2)][static_cast<std::size_t>(block % 2)];
        if (bypass_) {
          c[0][0] = block_dc;
          paste(r, c, x, y);
        } else {
          paste(r, oracle::residual_block(c, 4, weight(mb, plane, 4), qp_, &block_dc), x, y);
        }
      }
      accumulate(r, mb_direction);
      paste_macroblock(mb, plane, r);
    }
  }

  void store() {
    auto& coeffs = picture.coeffs;
    coeffs.records.resize_uninitialized(records_.size());
    coeffs.positions.resize_uninitialized(positions_.size());
    coeffs.levels.resize_uninitialized(levels_.size());
    std::copy(records_.begin(), records_.end(), coeffs.records.data());
    std::copy(positions_.begin(), positions_.end(), coeffs.positions.data());
    std::copy(levels_.begin(), levels_.end(), coeffs.levels.data());
  }

  Options options_;
  std::mt19937 rng_;
  int qp_ = 0;
  bool bypass_ = false;
  std::vector<cope::prim::CoeffRecord> records_;
  std::vector<std::uint16_t> positions_;
  std::vector<std::int32_t> levels_;
};
