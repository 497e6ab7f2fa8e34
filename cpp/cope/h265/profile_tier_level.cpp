#include "cope/h265/profile_tier_level.h"

namespace cope::h265 {
namespace {

constexpr std::size_t kProfileBits = 88;  // general_profile_space .. general_reserved_zero_bit

}  // namespace

Status parse_profile_tier_level(bits::BitReader& r, bool profilePresentFlag,
                                int maxNumSubLayersMinus1, ProfileTierLevel& out) {
  out = ProfileTierLevel{};
  if (profilePresentFlag) {
    out.general_profile_space = static_cast<std::uint8_t>(r.u(2));
    out.general_tier_flag = r.flag();
    out.general_profile_idc = static_cast<std::uint8_t>(r.u(5));
    out.general_profile_compatibility_flags = r.u(32);
    out.general_progressive_source_flag = r.flag();
    out.general_interlaced_source_flag = r.flag();
    out.general_non_packed_constraint_flag = r.flag();
    out.general_frame_only_constraint_flag = r.flag();
    out.general_constraint_flags = std::uint64_t{r.u(32)} << 12;
    out.general_constraint_flags |= r.u(12);
  }
  out.general_level_idc = static_cast<std::uint8_t>(r.u(8));
  if (maxNumSubLayersMinus1 > 0) {
    bool sub_layer_profile_present_flag[8];
    bool sub_layer_level_present_flag[8];
    for (int i = 0; i < maxNumSubLayersMinus1; ++i) {
      sub_layer_profile_present_flag[i] = r.flag();
      sub_layer_level_present_flag[i] = r.flag();
    }
    r.skip(2 * static_cast<std::size_t>(8 - maxNumSubLayersMinus1));  // reserved_zero_2bits
    for (int i = 0; i < maxNumSubLayersMinus1; ++i) {
      if (sub_layer_profile_present_flag[i]) r.skip(kProfileBits);
      if (sub_layer_level_present_flag[i]) r.skip(8);
    }
  }
  COPE_REQUIRE(!r.overrun(), "rbsp_overrun", "H.265 7.3.3");
  return {};
}

}  // namespace cope::h265
