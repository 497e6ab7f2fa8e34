#include "cope/h265/reference_pictures.h"

#include <algorithm>

namespace cope::h265 {
namespace {

/// A sum that wraps: hostile streams leave 32 bits.
std::int32_t wrapped(std::int64_t value) noexcept { return static_cast<std::int32_t>(value); }

}  // namespace

ReferencePicture* ReferencePictures::find_short_term(std::int32_t poc) noexcept {
  const auto it =
      std::find_if(pictures_.begin(), pictures_.end(),
                   [poc](const ReferencePicture& p) { return p.poc == poc && !p.is_long_term; });
  return it != pictures_.end() ? &*it : nullptr;
}

ReferencePicture* ReferencePictures::find_long_term(std::int32_t poc,
                                                    std::uint32_t poc_mask) noexcept {
  const auto it =
      std::find_if(pictures_.begin(), pictures_.end(), [poc, poc_mask](const ReferencePicture& p) {
        return ((static_cast<std::uint32_t>(p.poc) ^ static_cast<std::uint32_t>(poc)) & poc_mask) ==
               0;
      });
  return it != pictures_.end() ? &*it : nullptr;
}

/// `picture` as a slice refers to it; null: what takes the place of a picture that is not there.
prim::RefPicture ReferencePictures::refer_to(const ReferencePicture* picture, std::int32_t poc,
                                             bool is_long_term) noexcept {
  prim::RefPicture ref;
  if (picture != nullptr) {
    ref.decode_index = picture->decode_index;
    poc = picture->poc;
  } else {
    ref.is_missing = true;
    missing_pocs_[num_missing_++] = poc;
  }
  ref.poc = ref.top_poc = ref.bottom_poc = poc;
  ref.is_long_term = is_long_term;
  return ref;
}

void ReferencePictures::take_long_term(const SliceHeader& header, std::int32_t PicOrderCntVal,
                                       std::int32_t MaxPicOrderCntLsb) noexcept {
  for (int i = 0; i < header.num_long_term_pics; ++i) {
    const LongTermRefPic& entry = header.long_term[i];
    std::int64_t pocLt = entry.PocLsbLt;
    std::uint32_t poc_mask = static_cast<std::uint32_t>(MaxPicOrderCntLsb) - 1;
    if (entry.delta_poc_msb_present_flag) {  // (8-5)
      pocLt += std::int64_t{PicOrderCntVal} - entry.DeltaPocMsbCycleLt * MaxPicOrderCntLsb -
               (PicOrderCntVal & (MaxPicOrderCntLsb - 1));
      poc_mask = ~std::uint32_t{0};
    }
    ReferencePicture* const picture = find_long_term(wrapped(pocLt), poc_mask);
    if (picture != nullptr) picture->is_in_set = true;
    if (entry.UsedByCurrPicLt) {
      current_long_term_[num_long_term_++] = refer_to(picture, wrapped(pocLt), true);
    }
  }
  for (ReferencePicture& picture : pictures_) {
    picture.is_long_term = picture.is_long_term || picture.is_in_set;
  }
}

std::int32_t ReferencePictures::take_short_term(int num_pics,
                                                const std::int32_t (&delta_poc)[kMaxDpbSize],
                                                const bool (&used)[kMaxDpbSize],
                                                std::int32_t PicOrderCntVal,
                                                prim::RefPicture* current) noexcept {
  std::int32_t num_current = 0;
  for (int i = 0; i < num_pics; ++i) {
    const std::int32_t poc = wrapped(std::int64_t{PicOrderCntVal} + delta_poc[i]);
    ReferencePicture* const picture = find_short_term(poc);
    if (picture != nullptr) picture->is_in_set = true;
    if (used[i]) current[num_current++] = refer_to(picture, poc, false);
  }
  return num_current;
}

void ReferencePictures::apply_set(const SliceHeader& header, std::int32_t PicOrderCntVal,
                                  std::int32_t MaxPicOrderCntLsb) {
  num_long_term_ = num_missing_ = 0;
  for (ReferencePicture& picture : pictures_) picture.is_in_set = false;
  take_long_term(header, PicOrderCntVal, MaxPicOrderCntLsb);
  const ShortTermRefPicSet& set = header.short_term_ref_pic_set;
  num_before_ = take_short_term(set.NumNegativePics, set.DeltaPocS0, set.UsedByCurrPicS0,
                                PicOrderCntVal, current_before_);
  num_after_ = take_short_term(set.NumPositivePics, set.DeltaPocS1, set.UsedByCurrPicS1,
                               PicOrderCntVal, current_after_);
  std::erase_if(pictures_, [](const ReferencePicture& picture) { return !picture.is_in_set; });
}

void ReferencePictures::build_lists(const SliceHeader& header,
                                    prim::SliceRefs& out) const noexcept {
  // RefPicListTemp0, RefPicListTemp1 without the repetitions that fill them up
  const prim::RefPicture* temp[kMaxDpbSize + kMaxLongTermPics];
  for (int list = 0; list < 2; ++list) {
    out.num_ref[list] = header.num_ref_idx_active[list];
    std::int32_t count = 0;
    const auto append = [&temp, &count](const prim::RefPicture* refs, std::int32_t num_refs) {
      for (std::int32_t i = 0; i < num_refs; ++i) temp[count++] = &refs[i];
    };
    if (list == 0) append(current_before_, num_before_);
    append(current_after_, num_after_);
    if (list == 1) append(current_before_, num_before_);
    append(current_long_term_, num_long_term_);
    for (std::int32_t rIdx = 0; rIdx < out.num_ref[list]; ++rIdx) {
      const std::int32_t entry = header.ref_pic_list_modification_flag[list]
                                     ? header.list_entry[list][rIdx]
                                     : rIdx % count;
      out.ref[list][rIdx] = *temp[entry];
    }
  }
}

void ReferencePictures::add(std::int64_t decode_index, std::int32_t poc) {
  pictures_.push_back({decode_index, poc});
}

}  // namespace cope::h265
