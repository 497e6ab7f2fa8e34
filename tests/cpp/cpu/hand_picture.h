#pragma once

#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

#include "cope/cpu/fields.h"
#include "cope/prim/picture_primitives.h"

/// A picture made by hand: all intra at first, one slice, references by decode_index.
struct HandPicture {
  HandPicture(std::int64_t decode_index, int width_in_mbs, int height_in_mbs) {
    picture.info.decode_index = decode_index;
    picture.info.width = width_in_mbs * 16;
    picture.info.height = height_in_mbs * 16;
    picture.allocate_blocks(picture.info.width, picture.info.height, 16);
    auto& blocks = picture.blocks;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      blocks.type[i] = static_cast<std::uint8_t>(cope::prim::BlockType::kI16x16);
      blocks.flags[i] = 0;
      blocks.slice_idx[i] = 0;
      blocks.bits[i] = 0;
    }
    for (std::size_t i = 0; i < 2 * picture.motion.plane_size(); ++i) {
      picture.motion.mv[i] = {0, 0};
      picture.motion.ref_idx[i] = -1;
    }
    picture.slice_refs.resize(1);
    picture.scaling.resize(1);
    for (auto& list : picture.scaling[0].weight_4x4) std::fill_n(list, 16, std::uint8_t{16});
    for (auto& list : picture.scaling[0].weight_8x8) std::fill_n(list, 64, std::uint8_t{16});
    picture.coeffs.records.assign_zero(0);
  }

  HandPicture& refs(int list, std::initializer_list<std::int64_t> decode_indices) {
    picture.info.slice_types |= list == 0 ? cope::prim::kHasP : cope::prim::kHasB;
    auto& slice = picture.slice_refs[0];
    slice.num_ref[list] = 0;
    for (const std::int64_t i : decode_indices) {
      slice.ref[list][slice.num_ref[list]++].decode_index = i;
    }
    return *this;
  }

  std::size_t mb(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.blocks.width) +
           static_cast<std::size_t>(x);
  }
  std::size_t cell(int list, int x4, int y4) const {
    return static_cast<std::size_t>(list) * picture.motion.plane_size() +
           static_cast<std::size_t>(y4) * static_cast<std::size_t>(picture.motion.width_4x4) +
           static_cast<std::size_t>(x4);
  }

  /// One vector, quarter samples, for a 4x4 block.
  HandPicture& cell_mv(int list, int x4, int y4, int mvx, int mvy, int ref_idx = 0) {
    picture.motion.mv[cell(list, x4, y4)] = {static_cast<std::int16_t>(mvx),
                                             static_cast<std::int16_t>(mvy)};
    picture.motion.ref_idx[cell(list, x4, y4)] = static_cast<std::int8_t>(ref_idx);
    picture.blocks.type[mb(x4 / 4, y4 / 4)] =
        static_cast<std::uint8_t>(cope::prim::BlockType::kInter);
    return *this;
  }
  HandPicture& mb_mv(int list, int x, int y, int mvx, int mvy, int ref_idx = 0) {
    for (int i = 0; i < 16; ++i) cell_mv(list, x * 4 + i % 4, y * 4 + i / 4, mvx, mvy, ref_idx);
    return *this;
  }
  HandPicture& all_mv(int list, int mvx, int mvy, int ref_idx = 0) {
    for (int y = 0; y < picture.blocks.height; ++y) {
      for (int x = 0; x < picture.blocks.width; ++x) mb_mv(list, x, y, mvx, mvy, ref_idx);
    }
    return *this;
  }
  HandPicture& type(int x, int y, cope::prim::BlockType value) {
    picture.blocks.type[mb(x, y)] = static_cast<std::uint8_t>(value);
    return *this;
  }

  /// A flat residual of 10 * amount in a 4x4 luma block: one DC level at qP 36, d = amount * 640.
  HandPicture& residual(int x4, int y4, int amount) {
    levels.emplace_back(x4 + y4 * 1000, amount);
    store();
    return *this;
  }

  operator const cope::prim::PicturePrimitives&() const {
    return picture;
  }  // NOLINT(google-explicit-constructor)

  cope::prim::PicturePrimitives picture;

 private:
  void store() {
    auto& coeffs = picture.coeffs;
    coeffs.records.assign_zero(levels.size());
    coeffs.positions.assign_zero(levels.size());
    coeffs.levels.assign_zero(levels.size());
    for (std::size_t i = 0; i < levels.size(); ++i) {
      const int x4 = levels[i].first % 1000, y4 = levels[i].first / 1000;
      auto& record = coeffs.records[i];
      record.first = static_cast<std::uint32_t>(i);
      record.mb_addr = static_cast<std::uint32_t>(mb(x4 / 4, y4 / 4));
      record.x = static_cast<std::uint16_t>(x4 * 4);
      record.y = static_cast<std::uint16_t>(y4 * 4);
      record.count = 1;
      record.qp = 36;
      coeffs.levels[i] = levels[i].second;
    }
  }

  std::vector<std::pair<int, int>> levels;
};

/// Picture i is shown at `step * i` seconds, or at the times given.
struct HandTimes {
  explicit HandTimes(std::vector<double> t) : seconds(std::move(t)) {}
  operator cope::cpu::PictureTimes() const {
    return {seconds, 0};
  }  // NOLINT(google-explicit-constructor)
  std::vector<double> seconds;
};
