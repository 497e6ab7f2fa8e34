#pragma once

#include <bit>
#include <cstdint>

#include "cope/base/host_device.h"
#include "cope/h264/cavlc_tables.h"

namespace cope::h264 {

// Look-ups in the variable-length code tables of 9.2. `next` holds the next 32 bits of the slice
// data, first bit highest. A result of length 0 means that no code begins there.

/// First index into kCoeffToken for a block whose nC is at least 0; 3 stands for kCoeffTokenFixed.
COPE_HD constexpr unsigned coeff_token_table(unsigned nC) noexcept {
  return nC < 2 ? 0 : nC < 4 ? 1 : nC < 8 ? 2 : 3;
}

/// Zeros before the first one, at most 31.
COPE_HD constexpr unsigned leading_zeros(std::uint32_t next) noexcept {
  return static_cast<unsigned>(std::countl_zero(next | 1));
}

/// coeff_token in one row set of kCoeffToken: value TotalCoeff << 2 | TrailingOnes.
COPE_HD constexpr VlcEntry find_coeff_token(const VlcEntry (&table)[16][8],
                                            std::uint32_t next) noexcept {
  const unsigned zeros = leading_zeros(next);
  return table[zeros < 15 ? zeros : 15][(next << zeros << 1) >> 29];
}

/// coeff_token for nC >= 0.
COPE_HD constexpr VlcEntry find_coeff_token(unsigned nC, std::uint32_t next) noexcept {
  return nC < 8 ? find_coeff_token(kCoeffToken[coeff_token_table(nC)], next)
                : kCoeffTokenFixed[next >> 26];
}

/// coeff_token of a chroma DC block: nC -1 (4:2:0) or -2 (4:2:2).
COPE_HD constexpr VlcEntry find_coeff_token_chroma_dc(bool is_422, std::uint32_t next) noexcept {
  return find_coeff_token(kCoeffToken[is_422 ? 4 : 3], next);
}

/// total_zeros of a block of more than 8 coefficients, tzVlcIndex in 1..15.
COPE_HD constexpr VlcEntry find_total_zeros(unsigned tzVlcIndex, std::uint32_t next) noexcept {
  const unsigned zeros = leading_zeros(next);
  return kTotalZeros4x4[tzVlcIndex - 1][zeros < 9 ? zeros : 9][(next << zeros << 1) >> 30];
}

/// total_zeros of a chroma DC block, tzVlcIndex in 1..3 (4:2:0) or 1..7 (4:2:2).
COPE_HD constexpr VlcEntry find_total_zeros_chroma_dc(bool is_422, unsigned tzVlcIndex,
                                                      std::uint32_t next) noexcept {
  return is_422 ? kTotalZerosChromaDc2x4[tzVlcIndex - 1][next >> 27]
                : kTotalZerosChromaDc2x2[tzVlcIndex - 1][next >> 29];
}

/// run_before, zerosLeft at least 1.
COPE_HD constexpr VlcEntry find_run_before(unsigned zerosLeft, std::uint32_t next) noexcept {
  const VlcEntry entry = kRunBefore[(zerosLeft < 7 ? zerosLeft : 7) - 1][next >> 29];
  if (COPE_LIKELY(entry.length != 0)) return entry;
  const unsigned zeros = leading_zeros(next);
  return kRunBeforeLong[zeros < 11 ? zeros : 11];
}

}  // namespace cope::h264
