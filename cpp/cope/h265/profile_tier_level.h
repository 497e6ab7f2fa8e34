#pragma once

#include <cstdint>

#include "cope/base/status.h"
#include "cope/bits/bit_reader.h"

namespace cope::h265 {

/// What profile_tier_level() (7.3.3) says of the whole stream; sub-layers' own values are skipped.
struct ProfileTierLevel {
  std::uint8_t general_profile_space = 0;  // 0..3
  bool general_tier_flag = false;
  std::uint8_t general_profile_idc = 0;                   // 0..31
  std::uint32_t general_profile_compatibility_flags = 0;  // bit 31 - j: flag [j]
  bool general_progressive_source_flag = false;
  bool general_interlaced_source_flag = false;
  bool general_non_packed_constraint_flag = false;
  bool general_frame_only_constraint_flag = false;
  std::uint64_t general_constraint_flags = 0;  // the 44 bits behind them, first bit highest
  std::uint8_t general_level_idc = 0;          // 30 times the level

  constexpr bool is_compatible_with(int profile_idc) const noexcept {
    return general_profile_idc == profile_idc ||
           (general_profile_compatibility_flags >> (31 - profile_idc) & 1) != 0;
  }
};

/// Reads profile_tier_level(profilePresentFlag, maxNumSubLayersMinus1), the latter 0..6.
Status parse_profile_tier_level(bits::BitReader& r, bool profilePresentFlag,
                                int maxNumSubLayersMinus1, ProfileTierLevel& out);

}  // namespace cope::h265
