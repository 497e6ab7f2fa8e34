#pragma once

#include <cstdint>

#include "cope/bits/bit_reader.h"

namespace cope::h265 {

/// What one prefix sei_rbsp() (7.3.2.4) says that matters to reading pictures.
struct Sei {
  bool has_recovery_point = false;
  std::int32_t recovery_poc_cnt = 0;  // has_recovery_point
  bool exact_match_flag = false;      // has_recovery_point
  bool broken_link_flag = false;      // has_recovery_point
};

/// Reads every message of an SEI RBSP without its NAL unit header. SEI is advice: damaged messages
/// are passed over, and what precedes the damage counts.
Sei parse_sei(bits::BitReader& r) noexcept;

}  // namespace cope::h265
