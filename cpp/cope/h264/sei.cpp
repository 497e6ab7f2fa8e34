#include "cope/h264/sei.h"

#include <cstddef>

namespace cope::h264 {
namespace {

constexpr std::uint64_t kRecoveryPoint = 6;  // payloadType, Annex D.1.1

/// payloadType or payloadSize: bytes of 255 and a last one (7.3.2.3.1).
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
  while (r.more_rbsp_data()) {
    const std::uint64_t payloadType = read_sum_of_bytes(r);
    const std::uint64_t payloadSize = read_sum_of_bytes(r);
    if (r.overrun() || payloadSize > r.bits_left() / 8) break;
    const auto size = static_cast<std::size_t>(payloadSize);
    if (payloadType == kRecoveryPoint) {  // recovery_point(), D.1.8
      bits::BitReader payload(r.data(), r.bit_pos() / 8 + size, r.bit_pos());
      const std::uint32_t recovery_frame_cnt = payload.ue();
      const bool exact_match_flag = payload.flag();
      const bool broken_link_flag = payload.flag();
      if (!payload.overrun()) {
        sei = {true, recovery_frame_cnt, exact_match_flag, broken_link_flag};
      }
    }
    r.skip(size * 8);
  }
  return sei;
}

}  // namespace cope::h264
