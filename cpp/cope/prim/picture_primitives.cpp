#include "cope/prim/picture_primitives.h"

#include <atomic>

namespace cope::prim {

void PicturePrimitives::allocate_blocks(std::int32_t width, std::int32_t height,
                                        std::int32_t block_size) {
  motion.width_4x4 = width / 4;
  motion.height_4x4 = height / 4;
  motion.mv.resize_uninitialized(2 * motion.plane_size());
  motion.ref_idx.resize_uninitialized(2 * motion.plane_size());
  blocks.block_size = block_size;
  blocks.width = width / block_size;
  blocks.height = height / block_size;
  blocks.type.resize_uninitialized(blocks.size());
  blocks.flags.resize_uninitialized(blocks.size());
  blocks.partition.resize_uninitialized(blocks.size());
  blocks.partition_shape.resize_uninitialized(blocks.size());
  blocks.qp.resize_uninitialized(blocks.size());
  blocks.slice_idx.resize_uninitialized(blocks.size());
  blocks.bits.resize_uninitialized(blocks.size());
}

void PicturePrimitives::write_ref_poc(std::int32_t* out) const {
  const std::int32_t cells = blocks.block_size / 4;
  for (int list = 0; list < 2; ++list) {
    const std::int8_t* ref_idx =
        motion.ref_idx.data() + static_cast<std::size_t>(list) * motion.plane_size();
    for (std::int32_t y = 0; y < motion.height_4x4; ++y) {
      for (std::int32_t x = 0; x < motion.width_4x4; ++x, ++ref_idx, ++out) {
        if (*ref_idx < 0) {
          *out = 0;
          continue;
        }
        const std::size_t block =
            static_cast<std::size_t>(y / cells) * static_cast<std::size_t>(blocks.width) +
            static_cast<std::size_t>(x / cells);
        const SliceRefs& refs = slice_refs[blocks.slice_idx[block]];
        // A field macroblock of an MBAFF frame indexes the fields of the frame list (8.4.2.1).
        if ((blocks.flags[block] & kFieldBlock) != 0) {
          const RefPicture& frame = refs.ref[list][*ref_idx >> 1];
          const bool bottom_mb = (y / cells) % 2 != 0;
          const bool bottom_ref = ((*ref_idx & 1) != 0) != bottom_mb;
          *out = bottom_ref ? frame.bottom_poc : frame.top_poc;
        } else {
          *out = refs.ref[list][*ref_idx].poc;
        }
      }
    }
  }
}

std::shared_ptr<PicturePrimitives> PicturePool::acquire() {
  const std::scoped_lock lock(mutex_);
  for (std::size_t i = 0; i < pictures_.size(); ++i) {
    const std::size_t index = (next_ + i) % pictures_.size();
    // Only the pool makes new holders of a picture that it alone holds, so the count cannot rise
    // meanwhile. The fence orders this thread's writes behind the last holder's reads.
    if (pictures_[index].use_count() == 1) {
      std::atomic_thread_fence(std::memory_order_acquire);
      next_ = index + 1;
      return pictures_[index];
    }
  }
  pictures_.push_back(std::make_shared<PicturePrimitives>());
  return pictures_.back();
}

}  // namespace cope::prim
