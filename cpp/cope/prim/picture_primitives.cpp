#include "cope/prim/picture_primitives.h"

#include <algorithm>

namespace cope::prim {

void PicturePrimitives::allocate_blocks(std::int32_t width, std::int32_t height,
                                        std::int32_t block_size) {
  motion.width_4x4 = width / 4;
  motion.height_4x4 = height / 4;
  motion.mv.resize_uninitialized(2 * motion.plane_size(), true);
  motion.ref_idx.resize_uninitialized(2 * motion.plane_size(), true);
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

namespace {

/// PicOrderCnt by refIdxLX + 1 for the blocks of one slice; entry 0 stands for an unused list.
struct RefPocTable {
  std::int32_t poc[1 + 64] = {};

  /// `field_parity` -1: the slice's own pictures; 0, 1: a top or bottom field macroblock of an
  /// MBAFF frame, whose indices alternate between fields of the same and of the opposite parity
  /// (8.4.2.1).
  void fill(const RefPicture (&refs)[32], std::int32_t num_ref, int field_parity) noexcept {
    for (std::int32_t i = 0; i < num_ref; ++i) {
      if (field_parity < 0) {
        poc[1 + i] = refs[i].poc;
      } else {
        poc[1 + 2 * i] = field_parity == 0 ? refs[i].top_poc : refs[i].bottom_poc;
        poc[2 + 2 * i] = field_parity == 0 ? refs[i].bottom_poc : refs[i].top_poc;
      }
    }
  }
};

/// One list of `write_ref_poc`. `kCells`: 4x4 blocks along a block's side, 0 when known at run time
/// only.
template <std::int32_t kCells>
void write_list(const PicturePrimitives& picture, std::size_t list, std::int32_t* out) {
  const BlockMap& blocks = picture.blocks;
  const MotionField& motion = picture.motion;
  const std::int32_t cells = kCells != 0 ? kCells : blocks.block_size / 4;
  const auto stride = static_cast<std::size_t>(motion.width_4x4);
  const std::int8_t* const ref_idx = motion.ref_idx.data() + list * motion.plane_size();
  RefPocTable table;
  int table_key = -1;  // of the slice and parity that the table is filled for
  std::size_t block = 0;
  for (std::int32_t row = 0; row < blocks.height; ++row) {
    std::size_t cell = static_cast<std::size_t>(row * cells) * stride;
    for (std::int32_t column = 0; column < blocks.width;
         ++column, ++block, cell += static_cast<std::size_t>(cells)) {
      const std::uint16_t slice = blocks.slice_idx[block];
      const int parity = (blocks.flags[block] & kFieldBlock) != 0 ? row % 2 : -1;
      const int key = slice * 3 + parity + 1;
      if (key != table_key && slice != kNoSlice) {
        const SliceRefs& refs = picture.slice_refs[slice];
        table.fill(refs.ref[list], refs.num_ref[list], parity);
        table_key = key;
      }
      for (std::int32_t y = 0; y < cells; ++y) {
        const std::size_t at = cell + static_cast<std::size_t>(y) * stride;
        for (std::int32_t x = 0; x < cells; ++x) {
          out[at + static_cast<std::size_t>(x)] =
              table.poc[ref_idx[at + static_cast<std::size_t>(x)] + 1];
        }
      }
    }
  }
}

}  // namespace

void PicturePrimitives::write_ref_poc(std::int32_t* out) const {
  for (std::size_t list = 0; list < 2; ++list, out += motion.plane_size()) {
    if (list == 1 && (info.slice_types & kHasB) == 0) {
      std::fill_n(out, motion.plane_size(), 0);
    } else if (blocks.block_size == 16) {
      write_list<4>(*this, list, out);
    } else {
      write_list<0>(*this, list, out);
    }
  }
}

std::shared_ptr<PicturePrimitives> PicturePool::acquire() {
  const std::scoped_lock lock(mutex_);
  // From the front: the fewer pictures go round, the likelier one is still in the cache.
  for (const std::shared_ptr<PicturePrimitives>& picture : pictures_) {
    // Only the pool makes new holders of a picture that it alone holds, so the count cannot rise
    // meanwhile. Letting a copy go orders this thread's writes behind the last holder's reads: the
    // count is taken down in acquire order. (A fence would do, if ThreadSanitizer knew fences.)
    if (picture.use_count() == 1) {
      std::shared_ptr<PicturePrimitives>(picture).reset();
      return picture;
    }
  }
  pictures_.push_back(std::make_shared<PicturePrimitives>());
  return pictures_.back();
}

}  // namespace cope::prim
