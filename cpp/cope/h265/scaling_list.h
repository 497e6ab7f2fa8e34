#pragma once

#include <cstdint>

#include "cope/base/status.h"
#include "cope/bits/bit_reader.h"
#include "cope/prim/coeff_stream.h"

namespace cope::h265 {

/// scaling_list_data() (7.3.4) with its predictions resolved: ScalingList and
/// scaling_list_dc_coef_minus8 + 8 of 7.4.5.
///
/// matrixId: 0..2 intra Y, Cb, Cr; 3..5 inter Y, Cb, Cr. The 32x32 lists of chroma are those of
/// 16x16, as ChromaArrayType 3 wants them (7.4.5); other formats never use them.
struct ScalingList {
  std::uint8_t list_4x4[6][16];     ///< [matrixId][i], up-right diagonal scan, 1..255
  std::uint8_t list_8x8[3][6][64];  ///< [sizeId - 1][matrixId][i], up-right diagonal scan, 1..255
  std::uint8_t dc[2][6];            ///< [sizeId - 2][matrixId], 1..255
};

/// The default lists, Tables 7-5 and 7-6.
void set_default_scaling_list(ScalingList& out) noexcept;

/// Reads scaling_list_data().
Status parse_scaling_list_data(bits::BitReader& r, ScalingList& out);

/// ScalingFactor (7.4.5) in the compact form that prim keeps. Null: flat, 16 everywhere.
void make_scaling_matrices(const ScalingList* list, prim::ScalingMatrices& out) noexcept;

}  // namespace cope::h265
