#pragma once

#include <cstdint>

#include "cope/base/status.h"
#include "cope/bits/bit_reader.h"

namespace cope::h265 {

/// Pictures that a reference picture set can hold (MaxDpbSize of A.4.2).
inline constexpr int kMaxDpbSize = 16;

/// st_ref_pic_set() (7.3.7) as derived in 7.4.8: both lists go outwards from the current picture.
struct ShortTermRefPicSet {
  std::uint8_t NumNegativePics = 0;           // 0..16
  std::uint8_t NumPositivePics = 0;           // 0..16, with the negative ones
  std::int32_t DeltaPocS0[kMaxDpbSize] = {};  // [NumNegativePics], -1 and less
  std::int32_t DeltaPocS1[kMaxDpbSize] = {};  // [NumPositivePics], 1 and more
  bool UsedByCurrPicS0[kMaxDpbSize] = {};
  bool UsedByCurrPicS1[kMaxDpbSize] = {};

  int NumDeltaPocs() const noexcept { return NumNegativePics + NumPositivePics; }
};

/// Reads st_ref_pic_set(stRpsIdx).
///
/// sps_max_dec_pic_buffering_minus1 is not held against it: encoders exist that write too small a
/// value, and nothing here depends on it.
///
/// \param sets      of the SPS, those before `stRpsIdx` filled
/// \param num_sets  num_short_term_ref_pic_sets; equals `stRpsIdx` in a slice header
Status parse_st_ref_pic_set(bits::BitReader& r, int stRpsIdx, const ShortTermRefPicSet* sets,
                            int num_sets, ShortTermRefPicSet& out);

}  // namespace cope::h265
