#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cope/h265/slice_header.h"
#include "cope/prim/motion_field.h"

namespace cope::h265 {

/// A picture that is marked as "used for reference": a decoded picture buffer of metadata.
struct ReferencePicture {
  std::int64_t decode_index = 0;
  std::int32_t poc = 0;  ///< PicOrderCntVal
  bool is_long_term = false;
  bool is_in_set = false;  ///< while a set is being applied
};

/// Reference picture set and lists (8.3.2 to 8.3.4) with the pictures they choose from.
class ReferencePictures {
 public:
  void clear() noexcept { pictures_.clear(); }

  /// Derives the reference picture set of the current picture and forgets the pictures that are not
  /// in it. A picture that the current one may refer to and that is not there takes its place as
  /// missing (8.3.3).
  void apply_set(const SliceHeader& header, std::int32_t PicOrderCntVal,
                 std::int32_t MaxPicOrderCntLsb);

  /// Builds RefPicList0 and RefPicList1 of a slice of the picture that `apply_set` was called for,
  /// and with the same NumPicTotalCurr.
  void build_lists(const SliceHeader& header, prim::SliceRefs& out) const noexcept;

  /// Adds the current picture, decoded.
  void add(std::int64_t decode_index, std::int32_t poc);

  /// Those of the last set, and what was added since.
  std::span<const ReferencePicture> pictures() const noexcept { return pictures_; }

  /// Those that the current picture may refer to and that are not there.
  std::span<const std::int32_t> missing_pocs() const noexcept {
    return {missing_pocs_, static_cast<std::size_t>(num_missing_)};
  }

  std::int32_t NumPicTotalCurr() const noexcept {
    return num_before_ + num_after_ + num_long_term_;
  }

 private:
  ReferencePicture* find_short_term(std::int32_t poc) noexcept;
  ReferencePicture* find_long_term(std::int32_t poc, std::uint32_t poc_mask) noexcept;
  prim::RefPicture refer_to(const ReferencePicture* picture, std::int32_t poc,
                            bool is_long_term) noexcept;
  void take_long_term(const SliceHeader& header, std::int32_t PicOrderCntVal,
                      std::int32_t MaxPicOrderCntLsb) noexcept;
  /// Half of the short-term set. Returns how many of it the current picture may refer to.
  std::int32_t take_short_term(int num_pics, const std::int32_t (&delta_poc)[kMaxDpbSize],
                               const bool (&used)[kMaxDpbSize], std::int32_t PicOrderCntVal,
                               prim::RefPicture* current) noexcept;

  std::vector<ReferencePicture> pictures_;
  // RefPicSetStCurrBefore, RefPicSetStCurrAfter, RefPicSetLtCurr
  prim::RefPicture current_before_[kMaxDpbSize];
  prim::RefPicture current_after_[kMaxDpbSize];
  prim::RefPicture current_long_term_[kMaxLongTermPics];
  std::int32_t num_before_ = 0;
  std::int32_t num_after_ = 0;
  std::int32_t num_long_term_ = 0;
  std::int32_t missing_pocs_[kMaxDpbSize + kMaxLongTermPics];
  std::int32_t num_missing_ = 0;
};

}  // namespace cope::h265
