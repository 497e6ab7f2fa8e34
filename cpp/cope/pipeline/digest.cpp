#include "cope/pipeline/digest.h"

#include <cstddef>
#include <cstdlib>

namespace cope::pipeline {
namespace {

/// Key of a level of H.264.
///
/// Bits 0..1 plane, 2..4 kind, 5..8 block, 9..14 scan position, 15..38 mbAddr, 39..63 level.
struct MacroblockLevelKey {
  static std::uint64_t place(const prim::CoeffRecord& record) {
    return static_cast<std::uint64_t>(record.plane) | static_cast<std::uint64_t>(record.kind) << 2 |
           static_cast<std::uint64_t>(record.block_idx) << 5 |
           static_cast<std::uint64_t>(record.mb_addr) << 15;
  }
  static std::uint64_t level(const prim::CoeffRecord&, std::uint16_t position, std::int32_t level) {
    return static_cast<std::uint64_t>(position) << 9 |
           static_cast<std::uint64_t>(static_cast<std::int64_t>(level)) << 39;
  }
};

/// Key of a level of H.265.
///
/// Bits 0..1 plane, 2..3 log2 of the size - 2, 4..8 xC, 9..13 yC, 14..25 x0 / 4, 26..37 y0 / 4,
/// 38..63 level.
struct TransformLevelKey {
  static std::uint64_t place(const prim::CoeffRecord& record) {
    return static_cast<std::uint64_t>(record.plane) | (log2_size(record) - 2) << 2 |
           static_cast<std::uint64_t>(record.x / 4) << 14 |
           static_cast<std::uint64_t>(record.y / 4) << 26;
  }
  static std::uint64_t level(const prim::CoeffRecord& record, std::uint16_t position,
                             std::int32_t level) {
    const std::uint64_t xC = position & ((1u << log2_size(record)) - 1);
    const std::uint64_t yC = static_cast<std::uint64_t>(position) >> log2_size(record);
    return xC << 4 | yC << 9 | static_cast<std::uint64_t>(static_cast<std::int64_t>(level)) << 38;
  }

 private:
  static std::uint64_t log2_size(const prim::CoeffRecord& record) {
    return static_cast<std::uint64_t>(
        prim::log2_transform_size(static_cast<prim::CoeffKind>(record.kind)));
  }
};

template <class Key>
void add_levels(const prim::CoeffStream& coeffs, std::array<LevelDigest, 3>& planes) {
  for (const prim::CoeffRecord& record : coeffs.records.span()) {
    LevelDigest& plane = planes[record.plane];
    plane.num_levels += record.count;
    const std::uint64_t place = Key::place(record);
    for (std::size_t i = record.first; i < std::size_t{record.first} + record.count; ++i) {
      plane.sum_abs += std::abs(std::int64_t{coeffs.levels[i]});
      plane.hash += mix64(place | Key::level(record, coeffs.positions[i], coeffs.levels[i]));
    }
  }
}

void add_levels(const prim::PicturePrimitives& picture, std::array<LevelDigest, 3>& planes) {
  if (picture.info.codec == prim::Codec::kH265) {
    add_levels<TransformLevelKey>(picture.coeffs, planes);
  } else {
    add_levels<MacroblockLevelKey>(picture.coeffs, planes);
  }
}

// bits 0..11 x4, 12..23 y4, 24..31 ref_idx, 32..63 POC
std::uint64_t place_key(std::int32_t x4, std::int32_t y4, std::int8_t ref_idx, std::int32_t poc) {
  return static_cast<std::uint64_t>(x4) | static_cast<std::uint64_t>(y4) << 12 |
         static_cast<std::uint64_t>(static_cast<std::uint8_t>(ref_idx)) << 24 |
         static_cast<std::uint64_t>(static_cast<std::uint32_t>(poc)) << 32;
}

std::uint64_t vector_key(prim::MotionVector mv) {
  return static_cast<std::uint64_t>(static_cast<std::uint16_t>(mv.x)) |
         static_cast<std::uint64_t>(static_cast<std::uint16_t>(mv.y)) << 16;
}

}  // namespace

BlockDigest Digester::digest_blocks(const prim::PicturePrimitives& picture) {
  BlockDigest digest;
  const prim::BlockMap& blocks = picture.blocks;
  const bool is_h265 = picture.info.codec == prim::Codec::kH265;
  const std::int64_t area = is_h265 ? blocks.block_size * blocks.block_size / 64 : 1;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto type = static_cast<prim::BlockType>(blocks.type[i]);
    digest.num_blocks[blocks.type[i]] += area;
    if ((blocks.flags[i] & prim::kTransquantBypass) != 0) digest.num_bypass += area;
    if (type != prim::BlockType::kLost && (is_h265 || type != prim::BlockType::kPcm)) {
      digest.qp_sum += area * blocks.qp[i];
    }
  }

  const prim::MotionField& motion = picture.motion;
  ref_poc_.resize(2 * motion.plane_size());
  picture.write_ref_poc(ref_poc_.data());
  std::size_t i = 0;
  for (MotionDigest& list : digest.motion) {
    for (std::int32_t y4 = 0; y4 < motion.height_4x4; ++y4) {
      for (std::int32_t x4 = 0; x4 < motion.width_4x4; ++x4, ++i) {
        const std::int8_t ref_idx = motion.ref_idx[i];
        if (ref_idx < 0) continue;
        const std::uint64_t k2 = vector_key(motion.mv[i]);
        ++list.num_items;
        list.hash += mix64(mix64(place_key(x4, y4, ref_idx, ref_poc_[i])) ^ k2);
        list.hash_nopoc += mix64(mix64(place_key(x4, y4, ref_idx, 0)) ^ k2);
      }
    }
  }
  return digest;
}

PictureDigest Digester::digest(const prim::PicturePrimitives& picture) {
  PictureDigest digest;
  digest.blocks = digest_blocks(picture);
  add_levels(picture, digest.levels);
  if (picture.colour_plane[0] && picture.colour_plane[1]) {
    digest.colour_plane.emplace();
    for (std::size_t i = 0; i < 2; ++i) {
      (*digest.colour_plane)[i] = digest_blocks(*picture.colour_plane[i]);
      add_levels(*picture.colour_plane[i], digest.levels);
    }
  }
  return digest;
}

}  // namespace cope::pipeline
