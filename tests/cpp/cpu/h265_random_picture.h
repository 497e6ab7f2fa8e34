#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "cope/prim/picture_primitives.h"
#include "h265_residual_oracle.h"

/// H.265 pictures of random transform blocks with their residual by the oracle.
class H265RandomPicture {
 public:
  struct Options {
    int width = 72;
    int height = 104;
    int chroma_format_idc = 1;
    int bit_depth_luma = 8;
    int bit_depth_chroma = 8;
    bool extended_precision = false;
    bool transform_only = false;  ///< neither lossless nor transform skip nor cross-component
    bool huge_levels = false;     ///< so that everything clips
    unsigned seed = 1;
  };

  explicit H265RandomPicture(const Options& options) : options_(options), rng_(options.seed) {
    auto& info = picture.info;
    info.codec = cope::prim::Codec::kH265;
    info.width = options.width;
    info.height = options.height;
    info.chroma_format_idc = static_cast<std::uint8_t>(options.chroma_format_idc);
    info.bit_depth_luma = static_cast<std::uint8_t>(options.bit_depth_luma);
    info.bit_depth_chroma = static_cast<std::uint8_t>(options.bit_depth_chroma);
    info.extended_precision = options.extended_precision;
    picture.allocate_blocks(info.width, info.height, 8);
    picture.scaling.resize(2);
    for (auto& matrices : picture.scaling)
      fill_weights(matrices, &matrices != picture.scaling.data());
    for (int plane = 0; plane < num_planes(); ++plane) {
      residual[plane] = oracle::zeros(height(plane), width(plane));
    }
    for (int plane = 0; plane < (options.chroma_format_idc == 3 ? 1 : num_planes()); ++plane) {
      for (int y = 0; y < height(plane); y += 32) {
        for (int x = 0; x < width(plane); x += 32) split(plane, x, y, 5);
      }
    }
    store();
  }

  int num_planes() const { return options_.chroma_format_idc == 0 ? 1 : 3; }
  int width(int plane) const {
    return plane == 0 || options_.chroma_format_idc == 3 ? options_.width : options_.width / 2;
  }
  int height(int plane) const {
    return plane == 0 || options_.chroma_format_idc >= 2 ? options_.height : options_.height / 2;
  }

  cope::prim::PicturePrimitives picture;
  oracle::Matrix residual[3];

 private:
  int uniform(int low, int high) { return std::uniform_int_distribution<int>(low, high)(rng_); }
  bool coin() { return uniform(0, 1) == 1; }

  void fill_weights(cope::prim::ScalingMatrices& matrices, bool random) {
    const auto fill = [&](auto& list) {
      for (auto& weight : list) weight = static_cast<std::uint8_t>(random ? uniform(1, 255) : 16);
    };
    for (auto& list : matrices.weight_4x4) fill(list);
    for (auto& list : matrices.weight_8x8) fill(list);
    for (auto& list : matrices.weight_16x16) fill(list);
    for (auto& list : matrices.weight_32x32) fill(list);
    fill(matrices.dc_16x16);
    fill(matrices.dc_32x32);
  }

  void split(int plane, int x, int y, int log2_size) {
    if (x >= width(plane) || y >= height(plane)) return;
    const int size = 1 << log2_size;
    const bool fits = x + size <= width(plane) && y + size <= height(plane);
    if (log2_size > 2 && (!fits || uniform(0, 2) == 0)) {
      for (int i = 0; i < 4; ++i) {
        split(plane, x + i % 2 * size / 2, y + i / 2 * size / 2, log2_size - 1);
      }
    } else if (fits) {
      make_unit(plane, x, y, log2_size);
    }
  }

  /// One transform block, or one of each plane where chroma is as large as luma.
  void make_unit(int plane, int x, int y, int log2_size) {
    using namespace cope::prim;
    oracle::h265::Block block;
    block.log2_size = log2_size;
    block.extended_precision = options_.extended_precision;
    block.luma_bit_depth = options_.bit_depth_luma;
    const bool intra = coin(), bypass = !options_.transform_only && uniform(0, 3) == 0;
    scaling_idx_ = uniform(0, 1);
    block.scaling = &picture.scaling[static_cast<std::size_t>(scaling_idx_)];
    oracle::Matrix luma;
    const int last = plane == 0 && options_.chroma_format_idc == 3 ? 2 : plane;
    for (int p = plane; p <= last; ++p) {
      block.bit_depth = p == 0 ? options_.bit_depth_luma : options_.bit_depth_chroma;
      block.matrixId = (intra ? 0 : 3) + p;
      block.flags =
          static_cast<std::uint8_t>((intra ? kCoeffIntra : 0) | (bypass ? kCoeffBypass : 0));
      const bool skip = !options_.transform_only && !bypass && uniform(0, 3) == 0;
      if (skip) block.flags |= kCoeffTransformSkip;
      if ((skip || bypass) && log2_size == 2 && coin()) block.flags |= kCoeffRotate;
      if (skip || bypass) {
        static constexpr std::uint8_t direction[3] = {0, kCoeffRdpcmVertical,
                                                      kCoeffRdpcmHorizontal};
        block.flags |= direction[uniform(0, 2)];
      }
      if (!skip && !bypass && p == 0 && intra && log2_size == 2) block.flags |= kCoeffDst;
      block.ResScaleVal = 0;
      if (p > 0 && !luma.empty() && coin()) {
        block.ResScaleVal = (coin() ? 1 : -1) * (1 << uniform(0, 3));
        block.luma = &luma;
      }
      const oracle::Matrix level = random_levels(block, p != 0 && block.ResScaleVal != 0);
      const bool has_levels = record(p, x, y, block, level);
      if (!has_levels && block.ResScaleVal == 0) continue;
      const oracle::Matrix r = oracle::h265::residual(block, level);
      if (p == 0 && !options_.transform_only) luma = r;
      for (std::size_t i = 0; i < r.size(); ++i) {
        for (std::size_t j = 0; j < r.size(); ++j) {
          residual[p][static_cast<std::size_t>(y) + i][static_cast<std::size_t>(x) + j] = r[i][j];
        }
      }
    }
  }

  oracle::Matrix random_levels(oracle::h265::Block& block, bool may_be_empty) {
    const int size = 1 << block.log2_size;
    const int range = block.extended_precision ? std::max(15, block.bit_depth + 6) : 15;
    // So small that no stage clips.
    const double most = 150.0 * (1 << range) / size / 90 / 2;
    const bool flat = (block.flags & cope::prim::kCoeffTransformSkip) != 0;
    double step = 0;
    do {
      block.qp = uniform(0, 51 + 6 * (block.bit_depth - 8));
      step = (flat ? 16 : 255) * 72 *
             std::pow(2.0, block.qp / 6 - (block.bit_depth + block.log2_size + 10 - range));
    } while (!options_.huge_levels && step > most);
    int limit = static_cast<int>(std::clamp(most / step, 1.0, 32767.0));
    if ((block.flags & cope::prim::kCoeffBypass) != 0) limit = 1 << (block.bit_depth - 3);
    if (options_.huge_levels) limit = (1 << range) - 1;
    const int density = uniform(may_be_empty ? 0 : 1, 4);
    oracle::Matrix level = oracle::zeros(size, size);
    for (auto& row : level) {
      for (auto& value : row) {
        if (uniform(0, 4 * size) < density * (coin() ? 1 : size)) value = uniform(-limit, limit);
      }
    }
    if (uniform(0, 3) == 0) {  // a lone DC
      level = oracle::zeros(size, size);
      level[0][0] = uniform(1, limit);
    }
    return level;
  }

  bool record(int plane, int x, int y, const oracle::h265::Block& block,
              const oracle::Matrix& level) {
    cope::prim::CoeffRecord r{};
    r.first = static_cast<std::uint32_t>(levels_.size());
    for (std::size_t i = 0; i < level.size(); ++i) {
      for (std::size_t j = 0; j < level.size(); ++j) {
        if (level[i][j] == 0) continue;
        levels_.push_back(static_cast<std::int32_t>(level[i][j]));
        positions_.push_back(static_cast<std::uint16_t>(i * level.size() + j));
      }
    }
    r.count = static_cast<std::uint16_t>(levels_.size() - r.first);
    if (r.count == 0 && block.ResScaleVal == 0) return false;
    r.x = static_cast<std::uint16_t>(x);
    r.y = static_cast<std::uint16_t>(y);
    r.plane = static_cast<std::uint8_t>(plane);
    r.kind = static_cast<std::uint8_t>(block.log2_size + 2);
    r.block_idx = static_cast<std::uint8_t>(block.ResScaleVal);
    r.flags = block.flags;
    r.qp = static_cast<std::uint8_t>(block.qp);
    r.scaling_idx = static_cast<std::uint8_t>(scaling_idx_);
    records_.push_back(r);
    return r.count != 0;
  }

  void store() {
    auto& coeffs = picture.coeffs;
    coeffs.records.resize_uninitialized(records_.size());
    std::copy(records_.begin(), records_.end(), coeffs.records.data());
    coeffs.positions.resize_uninitialized(positions_.size());
    std::copy(positions_.begin(), positions_.end(), coeffs.positions.data());
    coeffs.levels.resize_uninitialized(levels_.size());
    std::copy(levels_.begin(), levels_.end(), coeffs.levels.data());
  }

  Options options_;
  std::mt19937 rng_;
  int scaling_idx_ = 0;
  std::vector<cope::prim::CoeffRecord> records_;
  std::vector<std::uint16_t> positions_;
  std::vector<std::int32_t> levels_;
};
