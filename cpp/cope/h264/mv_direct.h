#pragma once

#include <cstdint>

#include "cope/h264/mv_pred.h"
#include "cope/h264/picture_parser.h"
#include "cope/prim/picture_primitives.h"

namespace cope::h264 {

/// A frame or field that a vector points at, whatever list it stands in.
struct RefIdentity {
  std::int64_t frame = -1;  ///< RefPicture::frame_id()
  prim::PictureStructure structure =
      prim::PictureStructure::kFrame;  ///< kFrame, or which field of it
  friend bool operator==(const RefIdentity&, const RefIdentity&) = default;
};

/// vertMvScale of 8.4.1.2.1: how vectors of the collocated block relate to the current macroblock.
enum class VertMvScale : std::uint8_t { kOneToOne, kFrmToFld, kFldToFrm };

/// What direct prediction takes from the collocated picture.
struct ColocatedBlock {
  std::int8_t refIdxCol = -1;   ///< -1: intra coded
  MotionVector mvCol{0, 0};     ///< quarter samples of colPic
  RefIdentity ref;              ///< refPicCol
  bool is_ref_missing = false;  ///< refPicCol is missing, or not certain
  VertMvScale vertMvScale = VertMvScale::kOneToOne;
};

/// Where the current macroblock is and how it is coded.
struct DirectMb {
  std::int32_t mb_x = 0;
  std::int32_t mb_row = 0;  ///< row by macroblock address
  bool is_field = false;    ///< field macroblock of an MBAFF frame
};

/// Finds collocated blocks for the direct modes of one slice (8.4.1.2.1).
class ColocatedFinder {
 public:
  /// Prepares for a B slice. `info` is the current picture's.
  void begin_slice(const prim::PictureInfo& info, const prim::SliceRefs& refs,
                   bool direct_8x8_inference_flag, PictureLookup lookup, void* lookup_context);

  /// False when the picture that RefPicList1[0] names is not at hand.
  bool is_available() const noexcept {
    return frame_ != nullptr || (field_[0] != nullptr && field_[1] != nullptr) ||
           single_field_ != nullptr;
  }

  /// Whether the collocated block was parsed and its vectors are known.
  bool is_known(const DirectMb& mb, unsigned x, unsigned y) const noexcept;

  /// The block collocated with 4x4 block (x, y) of the macroblock.
  ColocatedBlock find(const DirectMb& mb, unsigned x, unsigned y) const noexcept;

  /// The collocated frame where all macroblocks of the slice meet those at their own address,
  /// corner blocks alone; else null.
  const prim::PicturePrimitives* aligned_frame() const noexcept {
    return current_is_field_picture_ || current_is_mbaff_ || !inference_ ? nullptr : frame_;
  }

  /// colZeroFlag but for what the slice says: the collocated block refers to index 0 and is as good
  /// as still.
  bool is_still(const DirectMb& mb, unsigned x, unsigned y) const noexcept;

 private:
  /// A 4x4 block of a collocated picture.
  struct Place {
    const prim::PicturePrimitives* picture;
    std::int32_t mb_row;
    std::int32_t mb_x;
    unsigned x;
    unsigned y;
    VertMvScale scale;

    std::size_t cell() const noexcept {
      return (static_cast<std::size_t>(mb_row) * 4 + y) *
                 static_cast<std::size_t>(picture->motion.width_4x4) +
             static_cast<std::size_t>(mb_x) * 4 + x;
    }
  };
  Place locate(const DirectMb& mb, unsigned x, unsigned y) const noexcept;

  const prim::PicturePrimitives* frame_ = nullptr;  // colPic coded as a frame
  const prim::PicturePrimitives* field_[2] = {};    // top and bottom of a complementary field pair
  const prim::PicturePrimitives* single_field_ = nullptr;  // colPic of a field picture
  bool current_is_field_picture_ = false;
  bool current_is_bottom_field_ = false;
  bool current_is_mbaff_ = false;
  bool inference_ = false;
  bool nearer_is_bottom_ = false;  // topAbsDiffPOC >= bottomAbsDiffPOC
};

}  // namespace cope::h264
