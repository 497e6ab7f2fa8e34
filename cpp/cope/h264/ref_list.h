#pragma once

#include <cstdint>
#include <optional>
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
/// \param out           entries without a picture, inferred pictures, and those in doubt, are
///                      `is_missing`
/// \param unknown_before  `ReferenceMarking::unknown_before()`
///
/// After a loss an entry is in doubt where the lost frame, or what it said about older ones
/// (8.2.5.4), may have put another picture at its index. In initial lists (8.2.4.2) those are the
/// entries from the first lost or older frame on; of lists by picture order count all, as long as
/// such frames are there, for the count of a lost one is not known. Short-term pictures that a
/// modification (8.2.4.3) names are certain.
void build_ref_pic_lists(const Sps& sps, const SliceHeader& header, std::int32_t PicOrderCnt,
                         std::span<const ReferenceFrame> frames, prim::SliceRefs& out,
                         std::optional<std::int32_t> unknown_before = std::nullopt) noexcept;

}  // namespace cope::h264
