#include "cope/prim/picture_primitives.h"

#include <mutex>

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

struct PicturePool::Shelf {
  std::mutex mutex;
  std::vector<std::unique_ptr<PicturePrimitives>> free;
};

PicturePool::PicturePool() : shelf_(std::make_shared<Shelf>()) {}
PicturePool::~PicturePool() = default;

std::shared_ptr<PicturePrimitives> PicturePool::acquire() {
  std::unique_ptr<PicturePrimitives> picture;
  {
    const std::scoped_lock lock(shelf_->mutex);
    if (!shelf_->free.empty()) {
      picture = std::move(shelf_->free.back());
      shelf_->free.pop_back();
    }
  }
  if (!picture) picture = std::make_unique<PicturePrimitives>();
  // The deleter holds the shelf weakly: a picture that outlives its pool is simply freed.
  return {picture.release(), [shelf = std::weak_ptr<Shelf>(shelf_)](PicturePrimitives* p) {
            std::unique_ptr<PicturePrimitives> owned(p);
            if (const auto alive = shelf.lock()) {
              const std::scoped_lock lock(alive->mutex);
              alive->free.push_back(std::move(owned));
            }
          }};
}

}  // namespace cope::prim
