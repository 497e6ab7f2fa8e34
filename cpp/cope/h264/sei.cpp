#include "cope/h264/sei.h"

#include <cstddef>
#include <cstring>
#include <string_view>

namespace cope::h264 {
namespace {

// payloadType, Annex D.1.1
constexpr std::uint64_t kUserDataUnregistered = 5;
constexpr std::uint64_t kRecoveryPoint = 6;

/// payloadType or payloadSize: bytes of 255 and a last one (7.3.2.3.1).
std::uint64_t read_sum_of_bytes(bits::BitReader& r) noexcept {
  std::uint64_t sum = 0;
  for (;;) {
    const std::uint32_t byte = r.u(8);
    sum += byte;
    if (byte != 255) return sum;
  }
}

/// The build of x264 that user_data_unregistered() (D.1.7) names behind its UUID, or -1.
std::int32_t read_x264_build(const std::uint8_t* payload, std::size_t size) noexcept {
  constexpr std::size_t kUuidBytes = 16;
  constexpr std::string_view kSignature = "x264 - core ";
  if (size < kUuidBytes + kSignature.size()) return -1;
  if (std::memcmp(payload + kUuidBytes, kSignature.data(), kSignature.size()) != 0) return -1;
  std::int32_t build = -1;
  for (std::size_t i = kUuidBytes + kSignature.size(); i < size; ++i) {
    if (payload[i] < '0' || payload[i] > '9' || build > 9999) break;
    build = (build < 0 ? 0 : build * 10) + (payload[i] - '0');
  }
  return build;
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
    if (payloadType == kUserDataUnregistered) {
      const std::int32_t build = read_x264_build(r.data() + r.bit_pos() / 8, size);
      if (build >= 0) sei.x264_build = build;
    } else if (payloadType == kRecoveryPoint) {  // recovery_point(), D.1.8
      bits::BitReader payload(r.data(), r.bit_pos() / 8 + size, r.bit_pos());
      const std::uint32_t recovery_frame_cnt = payload.ue();
      const bool exact_match_flag = payload.flag();
      const bool broken_link_flag = payload.flag();
      if (!payload.overrun()) {
        sei.has_recovery_point = true;
        sei.recovery_frame_cnt = recovery_frame_cnt;
        sei.exact_match_flag = exact_match_flag;
        sei.broken_link_flag = broken_link_flag;
      }
    }
    r.skip(size * 8);
  }
  return sei;
}

}  // namespace cope::h264
