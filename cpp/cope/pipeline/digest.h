#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "cope/prim/picture_primitives.h"

namespace cope::pipeline {

/// The splitmix64 step: increment and finaliser.
constexpr std::uint64_t mix64(std::uint64_t x) noexcept {
  std::uint64_t z = x + 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// The non-zero levels of one colour plane.
struct LevelDigest {
  std::int64_t num_levels = 0;
  std::int64_t sum_abs = 0;
  std::uint64_t hash = 0;
};

/// The vectors of one reference list, an item per 4x4 luma block that uses the list.
struct MotionDigest {
  std::int64_t num_items = 0;
  std::uint64_t hash = 0;
  std::uint64_t hash_nopoc = 0;  ///< with the POC of the reference taken as 0
};

/// Blocks and vectors of a picture, or of one colour plane where they are coded separately. H.264
/// counts macroblocks, H.265 areas of 8x8 luma samples.
struct BlockDigest {
  std::array<std::int64_t, 7> num_blocks{};  ///< [BlockType]
  std::int64_t num_bypass = 0;               ///< with BlockFlag::kTransquantBypass
  std::int64_t qp_sum = 0;  ///< of QP_Y over all blocks but lost ones and, in H.264, I_PCM
  std::array<MotionDigest, 2> motion;  ///< [list]
};

/// Order-independent sums over everything parsed from a picture: equal for any two parsers that
/// read the same values. A hash is the sum of `mix64` of each item's key, modulo 2^64.
struct PictureDigest {
  BlockDigest blocks;
  std::array<LevelDigest, 3> levels;  ///< Y, Cb, Cr
  std::optional<std::array<BlockDigest, 2>>
      colour_plane;  ///< 1 and 2, with separate_colour_plane_flag
};

/// Digests pictures. Keeps its scratch memory from picture to picture; not thread-safe.
class Digester {
 public:
  PictureDigest digest(const prim::PicturePrimitives& picture);

 private:
  BlockDigest digest_blocks(const prim::PicturePrimitives& picture);

  std::vector<std::int32_t> ref_poc_;
};

}  // namespace cope::pipeline
