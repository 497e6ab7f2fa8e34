#include "cope/h264/scaling_list.h"

#include <algorithm>
#include <cstring>

#include "cope/h264/scaling_tables.h"
#include "cope/h264/scan_tables.h"

namespace cope::h264 {
namespace {

/// scaling_list(), 7.3.2.1.1.1. Returns useDefaultScalingMatrixFlag through `use_default`.
template <int kSize>
Status parse_scaling_list(bits::BitReader& r, std::uint8_t (&list)[kSize], bool& use_default) {
  int lastScale = 8;
  int nextScale = 8;
  use_default = false;
  for (int j = 0; j < kSize; ++j) {
    if (nextScale != 0) {
      const std::int32_t delta_scale = r.se();
      COPE_REQUIRE(delta_scale >= -128 && delta_scale <= 127, "delta_scale", "H.264 7.4.2.1.1.1");
      nextScale = (lastScale + delta_scale + 256) % 256;
      use_default = j == 0 && nextScale == 0;
    }
    if (nextScale != 0) lastScale = nextScale;
    list[j] = static_cast<std::uint8_t>(lastScale);
  }
  return {};
}

/// Every list in force, zig-zag order, in the order of Table 7-2.
struct EffectiveLists {
  std::uint8_t list_4x4[6][16];
  std::uint8_t list_8x8[6][64];
};

constexpr bool bit(std::uint16_t mask, int i) noexcept { return ((mask >> i) & 1) != 0; }

/// Table 7-2: `first` holds what lists 0, 3, 6 and 7 fall back to.
EffectiveLists apply_fall_back(const ScalingLists& coded, const EffectiveLists& first) noexcept {
  EffectiveLists out;
  for (int i = 0; i < 6; ++i) {
    const std::uint8_t* source = i % 3 == 0 ? first.list_4x4[i] : out.list_4x4[i - 1];
    if (bit(coded.use_default, i)) {
      source = kDefaultScaling4x4[i / 3];
    } else if (bit(coded.present, i)) {
      source = coded.list_4x4[i];
    }
    std::memcpy(out.list_4x4[i], source, 16);
  }
  for (int i = 0; i < 6; ++i) {
    const std::uint8_t* source = i < 2 ? first.list_8x8[i] : out.list_8x8[i - 2];
    if (bit(coded.use_default, i + 6)) {
      source = kDefaultScaling8x8[i % 2];
    } else if (bit(coded.present, i + 6)) {
      source = coded.list_8x8[i];
    }
    std::memcpy(out.list_8x8[i], source, 64);
  }
  return out;
}

/// Fall-back rule set A.
EffectiveLists default_lists() noexcept {
  EffectiveLists lists;
  for (int i = 0; i < 6; ++i) {
    std::memcpy(lists.list_4x4[i], kDefaultScaling4x4[i / 3], 16);
    std::memcpy(lists.list_8x8[i], kDefaultScaling8x8[i % 2], 64);
  }
  return lists;
}

}  // namespace

Status parse_scaling_lists(bits::BitReader& r, int num_lists, ScalingLists& out) {
  for (int i = 0; i < num_lists; ++i) {
    if (!r.flag()) continue;
    bool use_default = false;
    COPE_RETURN_IF_ERROR(i < 6 ? parse_scaling_list(r, out.list_4x4[i], use_default)
                               : parse_scaling_list(r, out.list_8x8[i - 6], use_default));
    out.present = static_cast<std::uint16_t>(out.present | (1u << i));
    if (use_default) out.use_default = static_cast<std::uint16_t>(out.use_default | (1u << i));
  }
  return {};
}

prim::ScalingMatrices resolve_scaling_matrices(const ScalingLists* sps_lists,
                                               const ScalingLists* pps_lists) noexcept {
  EffectiveLists lists;
  if (sps_lists != nullptr) {
    lists = apply_fall_back(*sps_lists, default_lists());
  } else {
    std::memset(&lists, 16, sizeof lists);  // Flat_4x4_16, Flat_8x8_16
  }
  if (pps_lists != nullptr) {
    // Rule set B (the SPS's lists) needs an SPS that has lists; else rule set A again.
    lists = apply_fall_back(*pps_lists, sps_lists != nullptr ? lists : default_lists());
  }

  prim::ScalingMatrices matrices;
  for (int i = 0; i < 6; ++i) {
    for (int k = 0; k < 16; ++k) matrices.weight_4x4[i][kScan4x4[0][k]] = lists.list_4x4[i][k];
    const int intra_then_inter = i % 3 * 2 + i / 3;  // Table 7-2 interleaves the 8x8 lists
    for (int k = 0; k < 64; ++k) {
      matrices.weight_8x8[i][kScan8x8[0][k]] = lists.list_8x8[intra_then_inter][k];
    }
  }
  return matrices;
}

}  // namespace cope::h264
