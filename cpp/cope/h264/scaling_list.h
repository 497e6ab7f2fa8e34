#pragma once

#include <cstdint>

#include "cope/base/status.h"
#include "cope/bits/bit_reader.h"
#include "cope/prim/coeff_stream.h"

namespace cope::h264 {

/// The scaling lists of one SPS or PPS, as coded (7.3.2.1.1.1).
///
/// Index i of both is that of the standard: 0..5 are the 4x4 lists Intra Y, Cb, Cr, Inter Y, Cb,
/// Cr; 6..11 the 8x8 lists Intra Y, Inter Y, Intra Cb, Inter Cb, Intra Cr, Inter Cr (Table 7-2).
struct ScalingLists {
  std::uint16_t present = 0;          ///< bit i: scaling_list_present_flag[i]
  std::uint16_t use_default = 0;      ///< bit i: UseDefaultScalingMatrixFlag
  std::uint8_t list_4x4[6][16] = {};  ///< [i][zig-zag index], 1..255, where present and not default
  std::uint8_t list_8x8[6][64] =
      {};  ///< [i - 6][zig-zag index], 1..255, where present and not default
};

/// Reads the lists 0 .. `num_lists` - 1 with their present flags.
Status parse_scaling_lists(bits::BitReader& r, int num_lists, ScalingLists& out);

/// Weight matrices in force for an SPS (null: flat or absent lists) and a PPS (null: none of its
/// own), after the fall-back rules A and B of Table 7-2, in raster order (8.5.6: lists always use
/// the zig-zag scan).
///
/// 8x8 lists that a format does not code (Cb, Cr unless 4:4:4) come out as the fall-back rules have
/// them; nothing uses them.
prim::ScalingMatrices resolve_scaling_matrices(const ScalingLists* sps_lists,
                                               const ScalingLists* pps_lists) noexcept;

}  // namespace cope::h264
