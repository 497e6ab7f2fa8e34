#include "cope/h265/sei.h"

#include <cstddef>

namespace cope::h265 {
namespace {

constexpr std::uint64_t kRecoveryPoint = 6;  // payloadType, D.2.1

/// payloadType or payloadSize: bytes of 255 and a last one (7.3.5).
std::uint64_t read_sum_of_bytes(bits::BitReader& r) noexcept {
  std::uint64_t sum = 0;
  for (;;) {
    const std::uint32_t byte = r.u(8);
    sum += byte;
    if (byte != 255) return sum;
  }
}

}  // namespace

Sei parse_sei(bits::BitReader& r) noexcept {
  Sei sei;
  // The trailing bits read as a message of no meaning. Looking for them each time would be
  // quadratic.
  while (r.bits_left() >= 16) {
    const std::uint64_t payloadType = read_sum_of_bytes(r);
    const std::uint64_t payloadSize = read_sum_of_bytes(r);
    if (r.overrun() || payloadSize > r.bits_left() / 8) break;
    const auto size = static_cast<std::size_t>(payloadSize);
    if (payloadType == kRecoveryPoint) {  // recovery_point(), D.2.8
      bits::BitReader payload(r.data(), r.bit_pos() / 8 + size, r.bit_pos());
      const std::int32_t recovery_poc_cnt = payload.se();
      const bool exact_match_flag = payload.flag();
      const bool broken_link_flag = payload.flag();
      if (!payload.overrun()) {
        sei.has_recovery_point = true;
        sei.recovery_poc_cnt = recovery_poc_cnt;
        sei.exact_match_flag = exact_match_flag;
        sei.broken_link_flag = broken_link_flag;
      }
    }
    r.skip(size * 8);
  }
  return sei;
}

}  // namespace cope::h265
