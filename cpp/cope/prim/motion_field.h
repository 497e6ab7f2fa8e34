#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "cope/base/buffer.h"

namespace cope::prim {

/// A vector in quarter luma samples. It says: predict x from the reference at x + mv.
struct MotionVector {
  std::int16_t x;
  std::int16_t y;
  friend constexpr bool operator==(MotionVector, MotionVector) = default;
};
static_assert(sizeof(MotionVector) == 4);

/// A number of luma rows of a picture: all that there are.
inline constexpr std::int32_t kAllRows = std::numeric_limits<std::int32_t>::max();

/// Motion of one picture on the lattice of 4x4 luma blocks, as finally derived.
///
/// Both arrays have the axes [list][y4][x4]; list 0 and 1 are RefPicList0 and RefPicList1. MBAFF:
/// rows follow macroblock addresses (the top-field macroblock of a field pair lies above the
/// other).
struct MotionField {
  std::int32_t width_4x4 = 0;
  std::int32_t height_4x4 = 0;
  /// Luma samples from one block to the next; 4 in what H.265 keeps for temporal prediction, which
  /// has every fourth block of both axes.
  std::int32_t log2_cell = 2;
  Buffer<MotionVector> mv;  ///< [2][height_4x4][width_4x4], 0 where the list is unused
  Buffer<std::int8_t>
      ref_idx;  ///< [2][height_4x4][width_4x4], refIdxLX, -1 where the list is unused

  std::size_t plane_size() const noexcept {
    return static_cast<std::size_t>(width_4x4) * static_cast<std::size_t>(height_4x4);
  }
};

/// A reference picture as one slice sees it: what a `ref_idx` of that slice means.
struct RefPicture {
  std::int64_t decode_index =
      -1;  ///< of the referenced coded picture; a frame of two fields: the first
  std::int64_t second_decode_index =
      -1;  ///< of the other field, -1 where there is none or it is part of a coded frame
  std::int32_t poc = 0;  ///< as in the golden: of the frame, or of the field that is referenced
  std::int32_t top_poc = 0;
  std::int32_t bottom_poc = 0;
  std::uint8_t structure = 0;  ///< PictureStructure of the reference (frame, top or bottom field)
  bool is_long_term = false;
  bool is_missing = false;  ///< "no reference picture": inferred by frame_num gaps or lost

  /// Tells frames apart, whichever field is referenced: decode_index of the frame or its first
  /// field.
  constexpr std::int64_t frame_id() const noexcept {
    return second_decode_index >= 0 && second_decode_index < decode_index ? second_decode_index
                                                                          : decode_index;
  }
};

/// Both reference lists of one slice.
struct SliceRefs {
  std::int32_t num_ref[2] = {0, 0};
  RefPicture ref[2][32];
};

}  // namespace cope::prim
