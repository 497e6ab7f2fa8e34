#include "cope/h265/scaling_list.h"

#include <array>
#include <cstring>

#include "cope/h265/scaling_tables.h"

namespace cope::h265 {
namespace {

/// Up-right diagonal scan, 6.5.3: raster position by scan position.
template <int kSize>
constexpr std::array<std::uint8_t, kSize * kSize> up_right_diagonal() noexcept {
  std::array<std::uint8_t, kSize * kSize> scan{};
  std::size_t i = 0;
  for (int diagonal = 0; diagonal < 2 * kSize - 1; ++diagonal) {
    for (int x = 0; x <= diagonal; ++x) {
      const int y = diagonal - x;
      if (x < kSize && y < kSize) scan[i++] = static_cast<std::uint8_t>(y * kSize + x);
    }
  }
  return scan;
}

constexpr auto kScan4x4 = up_right_diagonal<4>();
constexpr auto kScan8x8 = up_right_diagonal<8>();

std::uint8_t* list_of(ScalingList& lists, int sizeId, int matrixId) noexcept {
  return sizeId == 0 ? lists.list_4x4[matrixId] : lists.list_8x8[sizeId - 1][matrixId];
}

std::size_t num_coefs(int sizeId) noexcept { return sizeId == 0 ? 16 : 64; }

void set_default(ScalingList& lists, int sizeId, int matrixId) noexcept {
  if (sizeId == 0) {
    std::memset(lists.list_4x4[matrixId], 16, 16);
  } else {
    std::memcpy(lists.list_8x8[sizeId - 1][matrixId], kDefaultScaling8x8[matrixId / 3], 64);
  }
  if (sizeId > 1) lists.dc[sizeId - 2][matrixId] = 16;
}

/// A list that is a copy of another: scaling_list_pred_mode_flag 0.
Status predict_list(bits::BitReader& r, int sizeId, int matrixId, ScalingList& lists) {
  const std::uint32_t scaling_list_pred_matrix_id_delta = r.ue();
  const int step = sizeId == 3 ? 3 : 1;
  COPE_REQUIRE(scaling_list_pred_matrix_id_delta <= static_cast<std::uint32_t>(matrixId / step),
               "scaling_list_pred_matrix_id_delta", "H.265 7.4.5");
  if (scaling_list_pred_matrix_id_delta == 0) {
    set_default(lists, sizeId, matrixId);
    return {};
  }
  const int refMatrixId = matrixId - static_cast<int>(scaling_list_pred_matrix_id_delta) * step;
  std::memcpy(list_of(lists, sizeId, matrixId), list_of(lists, sizeId, refMatrixId),
              num_coefs(sizeId));
  if (sizeId > 1) lists.dc[sizeId - 2][matrixId] = lists.dc[sizeId - 2][refMatrixId];
  return {};
}

/// A list of its own: scaling_list_pred_mode_flag 1.
Status parse_list(bits::BitReader& r, int sizeId, int matrixId, ScalingList& lists) {
  std::int32_t nextCoef = 8;
  if (sizeId > 1) {
    const std::int32_t scaling_list_dc_coef_minus8 = r.se();
    COPE_REQUIRE(scaling_list_dc_coef_minus8 >= -7 && scaling_list_dc_coef_minus8 <= 247,
                 "scaling_list_dc_coef_minus8", "H.265 7.4.5");
    nextCoef = scaling_list_dc_coef_minus8 + 8;
    lists.dc[sizeId - 2][matrixId] = static_cast<std::uint8_t>(nextCoef);
  }
  std::uint8_t* list = list_of(lists, sizeId, matrixId);
  for (std::size_t i = 0; i < num_coefs(sizeId); ++i) {
    const std::int32_t scaling_list_delta_coef = r.se();
    COPE_REQUIRE(scaling_list_delta_coef >= -128 && scaling_list_delta_coef <= 127,
                 "scaling_list_delta_coef", "H.265 7.4.5");
    nextCoef = (nextCoef + scaling_list_delta_coef + 256) % 256;
    COPE_REQUIRE(nextCoef > 0, "scaling_list_delta_coef", "H.265 7.4.5");
    list[i] = static_cast<std::uint8_t>(nextCoef);
  }
  return {};
}

/// 32x32 lists of chroma, which exist for ChromaArrayType 3 alone and are not coded: those of
/// 16x16.
void derive_chroma_32x32(ScalingList& lists) noexcept {
  for (const int matrixId : {1, 2, 4, 5}) {
    std::memcpy(lists.list_8x8[2][matrixId], lists.list_8x8[1][matrixId], 64);
    lists.dc[1][matrixId] = lists.dc[0][matrixId];
  }
}

}  // namespace

void set_default_scaling_list(ScalingList& out) noexcept {
  for (int sizeId = 0; sizeId < 4; ++sizeId) {
    for (int matrixId = 0; matrixId < 6; ++matrixId) set_default(out, sizeId, matrixId);
  }
}

Status parse_scaling_list_data(bits::BitReader& r, ScalingList& out) {
  for (int sizeId = 0; sizeId < 4; ++sizeId) {
    for (int matrixId = 0; matrixId < 6; matrixId += sizeId == 3 ? 3 : 1) {
      const bool scaling_list_pred_mode_flag = r.flag();
      COPE_RETURN_IF_ERROR(scaling_list_pred_mode_flag ? parse_list(r, sizeId, matrixId, out)
                                                       : predict_list(r, sizeId, matrixId, out));
    }
  }
  derive_chroma_32x32(out);
  COPE_REQUIRE(!r.overrun(), "rbsp_overrun", "H.265 7.3.4");
  return {};
}

void make_scaling_matrices(const ScalingList* list, prim::ScalingMatrices& out) noexcept {
  std::memset(&out, 16, sizeof out);
  if (list == nullptr) return;
  for (std::size_t matrixId = 0; matrixId < 6; ++matrixId) {
    for (std::size_t i = 0; i < 16; ++i) {
      out.weight_4x4[matrixId][kScan4x4[i]] = list->list_4x4[matrixId][i];
    }
    for (std::size_t i = 0; i < 64; ++i) {
      out.weight_8x8[matrixId][kScan8x8[i]] = list->list_8x8[0][matrixId][i];
      out.weight_16x16[matrixId][kScan8x8[i]] = list->list_8x8[1][matrixId][i];
      out.weight_32x32[matrixId][kScan8x8[i]] = list->list_8x8[2][matrixId][i];
    }
    out.dc_16x16[matrixId] = list->dc[0][matrixId];
    out.dc_32x32[matrixId] = list->dc[1][matrixId];
  }
}

}  // namespace cope::h265
