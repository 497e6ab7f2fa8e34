#include "cope/h264/sei.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace cope::h264 {
namespace {

// payloadType, Annex D.1.1
constexpr std::uint64_t kPicTiming = 1;
constexpr std::uint64_t kUserDataUnregistered = 5;
constexpr std::uint64_t kRecoveryPoint = 6;
constexpr std::uint64_t kFramePackingArrangement = 45;

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

/// Zero bytes that a reader needs behind its data.
constexpr std::size_t kReaderPadding = 8;

/// frame_packing_arrangement(), D.1.26.
void read_frame_packing(bits::BitReader r, Sei& sei) noexcept {
  r.ue();  // frame_packing_arrangement_id
  const bool cancel_flag = r.flag();
  std::uint32_t type = 0;
  std::uint32_t repetition_period = 0;
  if (!cancel_flag) {
    type = r.u(7);
    const bool quincunx_sampling_flag = r.flag();
    // content_interpretation_type, spatial_flipping_flag, frame0_flipped_flag, field_views_flag,
    // current_frame_is_frame0_flag, frame0_self_contained_flag, frame1_self_contained_flag
    r.skip(6 + 6);
    if (!quincunx_sampling_flag && type != 5) r.skip(4 * 4);  // positions of the grids
    r.skip(8);  // frame_packing_arrangement_reserved_byte
    repetition_period = r.ue();
  }
  if (r.overrun()) return;
  sei.has_frame_packing = true;
  sei.frame_packing_arrangement_cancel_flag = cancel_flag;
  sei.frame_packing_arrangement_type = static_cast<std::uint8_t>(type);
  sei.frame_packing_arrangement_repetition_period = repetition_period;
}

}  // namespace

std::int32_t read_pic_struct(const Sei& sei, const Sps& sps) noexcept {
  const Vui& vui = sps.vui;
  if (sei.pic_timing_size == 0 || !vui.pic_struct_present_flag) return -1;
  bits::BitReader r(sei.pic_timing.data(), sei.pic_timing_size);
  if (vui.CpbDpbDelaysPresentFlag) {
    r.u(vui.cpb_removal_delay_length_minus1 + 1u);
    r.u(vui.dpb_output_delay_length_minus1 + 1u);
  }
  const std::uint32_t pic_struct = r.u(4);
  return r.overrun() || pic_struct > 8 ? -1 : static_cast<std::int32_t>(pic_struct);
}

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
    } else if (payloadType == kPicTiming) {
      sei.pic_timing_size = std::min(size, sei.pic_timing.size() - kReaderPadding);
      std::memcpy(sei.pic_timing.data(), r.data() + r.bit_pos() / 8, sei.pic_timing_size);
    } else if (payloadType == kFramePackingArrangement) {
      read_frame_packing(bits::BitReader(r.data(), r.bit_pos() / 8 + size, r.bit_pos()), sei);
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
