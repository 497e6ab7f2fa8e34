#pragma once

#include <cstddef>
#include <cstdint>

#include "cope/prim/picture_primitives.h"

namespace cope::fuzz {

/// Ends the run unless `condition` holds: a broken promise is a finding like a crash.
inline void require(bool condition) {
  if (!condition) __builtin_trap();
}

inline void check_blocks(const prim::PicturePrimitives& picture) {
  const prim::BlockMap& blocks = picture.blocks;
  std::int32_t num_lost = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto type = static_cast<prim::BlockType>(blocks.type[i]);
    require(type <= prim::BlockType::kLost);
    if (type == prim::BlockType::kLost) {
      ++num_lost;
      continue;
    }
    require(blocks.slice_idx[i] < picture.slice_refs.size());
    require(blocks.qp[i] >= -48 && blocks.qp[i] <= 51);
    require(blocks.partition_shape[i] <= (picture.info.codec == prim::Codec::kH265 ? 7 : 3));
  }
  require(num_lost == picture.info.num_blocks_lost);
}

/// Indices name a reference of the block's slice; a vector belongs to an index.
inline void check_motion(const prim::PicturePrimitives& picture) {
  const prim::BlockMap& blocks = picture.blocks;
  const prim::MotionField& motion = picture.motion;
  const auto width = static_cast<std::size_t>(motion.width_4x4);
  const auto cells = static_cast<std::size_t>(blocks.block_size / 4);
  for (std::size_t list = 0; list < 2; ++list) {
    for (std::size_t i = 0; i < motion.plane_size(); ++i) {
      const std::size_t block =
          i / width / cells * static_cast<std::size_t>(blocks.width) + i % width / cells;
      const std::size_t at = list * motion.plane_size() + i;
      const int ref_idx = motion.ref_idx[at];
      if (ref_idx < 0) {
        require(ref_idx == -1 && motion.mv[at] == prim::MotionVector{0, 0});
        continue;
      }
      const std::uint16_t slice = blocks.slice_idx[block];
      require(slice < picture.slice_refs.size());
      const int fields = (blocks.flags[block] & prim::kFieldBlock) != 0 ? 2 : 1;
      require(ref_idx < picture.slice_refs[slice].num_ref[list] * fields);
    }
  }
}

inline void check_coefficients(const prim::PicturePrimitives& picture) {
  const prim::CoeffStream& coeffs = picture.coeffs;
  std::size_t next = 0;
  require(coeffs.levels.size() == coeffs.positions.size());
  for (const prim::CoeffRecord& record : coeffs.records.span()) {
    const bool is_h265 = record.kind >= static_cast<std::uint8_t>(prim::CoeffKind::kTransform4x4);
    const int log2_size = is_h265 ? log2_transform_size(prim::CoeffKind{record.kind}) : 3;
    require(record.first == next && record.count <= 1 << (2 * log2_size));
    require(record.count >= 1 || (is_h265 && record.block_idx != 0));  // ResScaleVal
    next += record.count;
    require(next <= coeffs.levels.size());
    require(record.mb_addr < picture.blocks.size());
    require(record.x < picture.info.width && record.y < picture.info.height);
    require(record.plane < 3 && record.scaling_idx < picture.scaling.size());
    int previous = -1;
    for (std::size_t i = record.first; i < next; ++i) {
      require(coeffs.positions[i] < 1 << (2 * log2_size));
      require(is_h265 || (coeffs.positions[i] > previous && coeffs.levels[i] != 0));
      previous = coeffs.positions[i];
    }
  }
  require(next == coeffs.levels.size());
}

/// What every picture promises, damaged or not.
inline void check_picture(const prim::PicturePrimitives& picture) {
  check_blocks(picture);
  check_motion(picture);
  check_coefficients(picture);
  for (const auto& plane : picture.colour_plane) {
    if (plane == nullptr) continue;
    check_blocks(*plane);
    check_motion(*plane);
  }
}

}  // namespace cope::fuzz
