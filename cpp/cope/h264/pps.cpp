#include "cope/h264/pps.h"

#include <bit>

namespace cope::h264 {
namespace {

/// Map units of the largest picture of any level (MaxFS, Table A-1): caps slice_group_id before the
/// SPS that says the exact number is known.
constexpr std::uint32_t kMaxMapUnits = 139264;

Status parse_slice_groups(bits::BitReader& r, Pps& pps) {
  const std::uint32_t num_slice_groups_minus1 = r.ue();
  COPE_REQUIRE(num_slice_groups_minus1 <= 7, "num_slice_groups_minus1", "H.264 7.4.2.2");
  pps.num_slice_groups_minus1 = static_cast<std::uint8_t>(num_slice_groups_minus1);
  if (num_slice_groups_minus1 == 0) return {};
  const std::uint32_t slice_group_map_type = r.ue();
  COPE_REQUIRE(slice_group_map_type <= 6, "slice_group_map_type", "H.264 7.4.2.2");
  pps.slice_group_map_type = static_cast<std::uint8_t>(slice_group_map_type);
  if (slice_group_map_type == 0) {
    for (std::uint32_t iGroup = 0; iGroup <= num_slice_groups_minus1; ++iGroup) {
      pps.run_length_minus1[iGroup] = r.ue();
    }
  } else if (slice_group_map_type == 2) {
    for (std::uint32_t iGroup = 0; iGroup < num_slice_groups_minus1; ++iGroup) {
      pps.top_left[iGroup] = r.ue();
      pps.bottom_right[iGroup] = r.ue();
    }
  } else if (slice_group_map_type >= 3 && slice_group_map_type <= 5) {
    COPE_REQUIRE(num_slice_groups_minus1 == 1, "num_slice_groups_minus1", "H.264 7.4.2.2");
    pps.slice_group_change_direction_flag = r.flag();
    pps.slice_group_change_rate_minus1 = r.ue();
  } else if (slice_group_map_type == 6) {
    const std::uint32_t pic_size_in_map_units_minus1 = r.ue();
    COPE_REQUIRE(pic_size_in_map_units_minus1 < kMaxMapUnits, "pic_size_in_map_units_minus1",
                 "H.264 7.4.2.2");
    // Ceil(Log2(num_slice_groups_minus1 + 1)) bits each.
    const auto num_bits = static_cast<unsigned>(std::bit_width(num_slice_groups_minus1));
    COPE_REQUIRE((std::size_t{pic_size_in_map_units_minus1} + 1) * num_bits <= r.bits_left(),
                 "slice_group_id", "H.264 7.3.2.2");
    pps.slice_group_id.resize(std::size_t{pic_size_in_map_units_minus1} + 1);
    for (std::uint8_t& slice_group_id : pps.slice_group_id) {
      slice_group_id = static_cast<std::uint8_t>(r.u(num_bits));
      COPE_REQUIRE(slice_group_id <= num_slice_groups_minus1, "slice_group_id", "H.264 7.4.2.2");
    }
  }
  return {};
}

/// Whether the fields of the High profiles may follow. Encoders of the older profiles exist that
/// leave other bytes behind a PPS which by its profile ends there.
bool may_have_high_profile_fields(const Sps* sps) noexcept {
  return sps == nullptr ||
         (sps->profile_idc != 66 && sps->profile_idc != 77 && sps->profile_idc != 88) ||
         (sps->constraint_set_flags & 7) == 0;
}

Status parse_high_profile_fields(bits::BitReader& r, int chroma_format_idc, Pps& pps) {
  pps.transform_8x8_mode_flag = r.flag();
  pps.pic_scaling_matrix_present_flag = r.flag();
  if (pps.pic_scaling_matrix_present_flag) {
    const int num_8x8 = !pps.transform_8x8_mode_flag ? 0 : chroma_format_idc != 3 ? 2 : 6;
    COPE_RETURN_IF_ERROR(parse_scaling_lists(r, 6 + num_8x8, pps.scaling_lists));
  }
  const std::int32_t second_chroma_qp_index_offset = r.se();
  COPE_REQUIRE(second_chroma_qp_index_offset >= -12 && second_chroma_qp_index_offset <= 12,
               "second_chroma_qp_index_offset", "H.264 7.4.2.2");
  pps.second_chroma_qp_index_offset = static_cast<std::int8_t>(second_chroma_qp_index_offset);
  return {};
}

}  // namespace

Status parse_pps(bits::BitReader& r, const Sps* sps, Pps& out) {
  out = Pps{};
  const std::uint32_t pic_parameter_set_id = r.ue();
  COPE_REQUIRE(pic_parameter_set_id <= 255, "pic_parameter_set_id", "H.264 7.4.2.2");
  out.pic_parameter_set_id = static_cast<std::uint8_t>(pic_parameter_set_id);
  const std::uint32_t seq_parameter_set_id = r.ue();
  COPE_REQUIRE(seq_parameter_set_id <= 31, "seq_parameter_set_id", "H.264 7.4.2.2");
  out.seq_parameter_set_id = static_cast<std::uint8_t>(seq_parameter_set_id);
  out.entropy_coding_mode_flag = r.flag();
  out.bottom_field_pic_order_in_frame_present_flag = r.flag();
  COPE_RETURN_IF_ERROR(parse_slice_groups(r, out));
  const std::uint32_t num_ref_idx_l0_default_active_minus1 = r.ue();
  COPE_REQUIRE(num_ref_idx_l0_default_active_minus1 <= 31, "num_ref_idx_l0_default_active_minus1",
               "H.264 7.4.2.2");
  out.num_ref_idx_l0_default_active_minus1 =
      static_cast<std::uint8_t>(num_ref_idx_l0_default_active_minus1);
  const std::uint32_t num_ref_idx_l1_default_active_minus1 = r.ue();
  COPE_REQUIRE(num_ref_idx_l1_default_active_minus1 <= 31, "num_ref_idx_l1_default_active_minus1",
               "H.264 7.4.2.2");
  out.num_ref_idx_l1_default_active_minus1 =
      static_cast<std::uint8_t>(num_ref_idx_l1_default_active_minus1);
  out.weighted_pred_flag = r.flag();
  out.weighted_bipred_idc = static_cast<std::uint8_t>(r.u(2));
  COPE_REQUIRE(out.weighted_bipred_idc <= 2, "weighted_bipred_idc", "H.264 7.4.2.2");
  const std::int32_t pic_init_qp_minus26 = r.se();
  COPE_REQUIRE(pic_init_qp_minus26 >= -(26 + 36) && pic_init_qp_minus26 <= 25,
               "pic_init_qp_minus26", "H.264 7.4.2.2");
  out.pic_init_qp_minus26 = static_cast<std::int8_t>(pic_init_qp_minus26);
  // Encoders exist that lower it by QpBdOffsetY, as pic_init_qp_minus26 may be. Only SP and SI
  // slices use it, and they check QSY.
  const std::int32_t pic_init_qs_minus26 = r.se();
  COPE_REQUIRE(pic_init_qs_minus26 >= -62 && pic_init_qs_minus26 <= 25, "pic_init_qs_minus26",
               "H.264 7.4.2.2");
  out.pic_init_qs_minus26 = static_cast<std::int8_t>(pic_init_qs_minus26);
  const std::int32_t chroma_qp_index_offset = r.se();
  COPE_REQUIRE(chroma_qp_index_offset >= -12 && chroma_qp_index_offset <= 12,
               "chroma_qp_index_offset", "H.264 7.4.2.2");
  out.chroma_qp_index_offset = static_cast<std::int8_t>(chroma_qp_index_offset);
  out.deblocking_filter_control_present_flag = r.flag();
  out.constrained_intra_pred_flag = r.flag();
  out.redundant_pic_cnt_present_flag = r.flag();
  COPE_REQUIRE(!r.overrun(), "rbsp_overrun", "H.264 7.3.2.2");
  out.second_chroma_qp_index_offset = out.chroma_qp_index_offset;
  if (may_have_high_profile_fields(sps) && r.more_rbsp_data()) {
    COPE_RETURN_IF_ERROR(
        parse_high_profile_fields(r, sps != nullptr ? sps->chroma_format_idc : 1, out));
    COPE_REQUIRE(!r.overrun(), "rbsp_overrun", "H.264 7.3.2.2");
  }
  return {};
}

Status activate_pps(const Sps& sps, Pps& pps) noexcept {
  if (pps.pic_init_qp_minus26 < -(26 + sps.QpBdOffsetY())) {
    return Status::invalid("pic_init_qp_minus26", "H.264 7.4.2.2");
  }
  if (pps.num_slice_groups_minus1 > 0) {
    const auto PicSizeInMapUnits = static_cast<std::uint32_t>(sps.PicSizeInMapUnits());
    const auto PicWidthInMbs = static_cast<std::uint32_t>(sps.PicWidthInMbs());
    for (int iGroup = 0; iGroup <= pps.num_slice_groups_minus1; ++iGroup) {
      if (pps.run_length_minus1[iGroup] >= PicSizeInMapUnits) {
        return Status::invalid("run_length_minus1", "H.264 7.4.2.2");
      }
    }
    for (int iGroup = 0; iGroup < pps.num_slice_groups_minus1; ++iGroup) {
      if (pps.top_left[iGroup] > pps.bottom_right[iGroup] ||
          pps.bottom_right[iGroup] >= PicSizeInMapUnits ||
          pps.top_left[iGroup] % PicWidthInMbs > pps.bottom_right[iGroup] % PicWidthInMbs) {
        return Status::invalid("top_left", "H.264 7.4.2.2");
      }
    }
    if (pps.slice_group_change_rate_minus1 >= PicSizeInMapUnits) {
      return Status::invalid("slice_group_change_rate_minus1", "H.264 7.4.2.2");
    }
    if (pps.slice_group_map_type == 6 && pps.slice_group_id.size() != PicSizeInMapUnits) {
      return Status::invalid("pic_size_in_map_units_minus1", "H.264 7.4.2.2");
    }
  }
  pps.scaling =
      resolve_scaling_matrices(sps.seq_scaling_matrix_present_flag ? &sps.scaling_lists : nullptr,
                               pps.pic_scaling_matrix_present_flag ? &pps.scaling_lists : nullptr);
  return {};
}

std::uint32_t peek_pps_sps_id(bits::BitReader r) noexcept {
  r.ue();  // pic_parameter_set_id
  const std::uint32_t seq_parameter_set_id = r.ue();
  return r.overrun() || seq_parameter_set_id > 31 ? 32 : seq_parameter_set_id;
}

}  // namespace cope::h264
