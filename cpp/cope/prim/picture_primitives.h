#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "cope/prim/block_map.h"
#include "cope/prim/coeff_stream.h"
#include "cope/prim/motion_field.h"
#include "cope/prim/picture_info.h"

namespace cope::prim {

/// Everything parsed from one coded picture: the seam between codecs and field operations.
///
/// Codecs write it, `cpu` and `gpu` operations and the bindings read it. Its buffers are reused
/// through `PicturePool`; holders keep a shared_ptr as long as they look at any of them.
struct PicturePrimitives {
  PictureInfo info;
  MotionField motion;
  BlockMap blocks;
  CoeffStream coeffs;
  std::vector<SliceRefs> slice_refs;     ///< [slice_idx]; what `ref_idx` of its macroblocks means
  std::vector<ScalingMatrices> scaling;  ///< [CoeffRecord::scaling_idx]

  /// Motion of colour planes 1 and 2; null unless separate_colour_plane_flag is 1.
  std::unique_ptr<PicturePrimitives> colour_plane[2];

  /// Sizes every per-block array for a picture of the given coded luma size; contents unspecified.
  void allocate_blocks(std::int32_t width, std::int32_t height, std::int32_t block_size);

  /// Fills `out` [2][height_4x4][width_4x4] with the POC of each block's reference, 0 where unused.
  void write_ref_poc(std::int32_t* out) const;
};

/// Hands out pictures whose buffers come back for reuse when the last holder lets go. Thread-safe;
/// allocates nothing once it owns as many pictures as are held at a time.
class PicturePool {
 public:
  /// A picture of unspecified content that nobody else holds. It may outlive the pool.
  std::shared_ptr<PicturePrimitives> acquire();

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<PicturePrimitives>>
      pictures_;  ///< the pool's own holds on all of them
};

}  // namespace cope::prim
