#pragma once

#include <cstdint>
#include <vector>

#include "cope/h264/pps.h"
#include "cope/h264/slice_header.h"
#include "cope/h264/sps.h"

namespace cope::h264 {

/// Fills mbToSliceGroupMap of a picture (8.2.2): [PicSizeInMbs], the slice group of each macroblock
/// address. Empty when the picture has one slice group. `pps` is activated against `sps`.
void derive_mb_to_slice_group_map(const Sps& sps, const Pps& pps, const SliceHeader& header,
                                  std::vector<std::uint8_t>& map);

}  // namespace cope::h264
