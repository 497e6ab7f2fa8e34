#pragma once

#include <cstdint>
#include <span>

#include "cope/h264/ref_marking.h"
#include "cope/h264/slice_header.h"
#include "cope/h264/sps.h"
#include "cope/prim/motion_field.h"

namespace cope::h264 {

/// Builds RefPicList0 and RefPicList1 of a slice: decoding process for reference picture lists
/// construction, 8.2.4.
///
/// \param header        of the slice; lists have num_ref_idx_active entries
/// \param PicOrderCnt   of the current picture, PicOrderCnt(CurrPic)
/// \param frames        reference frames, numbered for this picture; the first field of the current
///                      frame among them
/// \param out           entries without a picture, and inferred pictures, are `is_missing`
void build_ref_pic_lists(const Sps& sps, const SliceHeader& header, std::int32_t PicOrderCnt,
                         std::span<const ReferenceFrame> frames, prim::SliceRefs& out) noexcept;

}  // namespace cope::h264
