#include "cope/h265/parameter_sets.h"

#include <algorithm>
#include <utility>

namespace cope::h265 {
namespace {

/// Above the largest parameter set without extension data.
constexpr std::size_t kMaxParameterSetBytes = 1 << 16;

bool is_same(const std::vector<std::uint8_t>& stored, const std::uint8_t* rbsp, std::size_t size) {
  return stored.size() == size && std::equal(rbsp, rbsp + size, stored.begin());
}

}  // namespace

Status ParameterSets::put_sps(const std::uint8_t* rbsp, std::size_t size, const Limits& limits) {
  if (size > kMaxParameterSetBytes) return Status::limit("parameter_set_bytes");
  bits::BitReader r(rbsp, size);
  Sps sps;
  COPE_RETURN_IF_ERROR(parse_sps(r, limits, sps));
  StoredSps& stored = sps_[sps.sps_seq_parameter_set_id];
  if (is_same(stored.rbsp, rbsp, size)) return {};
  stored.rbsp.assign(rbsp, rbsp + size);
  stored.sps = std::make_shared<const Sps>(std::move(sps));
  return {};
}

Status ParameterSets::put_pps(const std::uint8_t* rbsp, std::size_t size) {
  if (size > kMaxParameterSetBytes) return Status::limit("parameter_set_bytes");
  bits::BitReader r(rbsp, size);
  Pps pps;
  COPE_RETURN_IF_ERROR(parse_pps(r, pps));
  StoredPps& stored = pps_[pps.pps_pic_parameter_set_id];
  if (is_same(stored.rbsp, rbsp, size)) return {};
  stored.rbsp.assign(rbsp, rbsp + size);
  stored.pps = std::move(pps);
  stored.activated = {};
  return {};
}

Status ParameterSets::find(std::uint32_t slice_pic_parameter_set_id,
                           const std::shared_ptr<const Sps>& active_sps, bool may_change_sps,
                           ActiveParameterSets& out) {
  if (slice_pic_parameter_set_id >= pps_.size() || pps_[slice_pic_parameter_set_id].rbsp.empty()) {
    return Status::invalid("slice_pic_parameter_set_id", "H.265 7.4.2.4.2");
  }
  StoredPps& stored = pps_[slice_pic_parameter_set_id];
  const std::uint8_t pps_seq_parameter_set_id = stored.pps.pps_seq_parameter_set_id;
  const bool goes_on = !may_change_sps && active_sps != nullptr &&
                       active_sps->sps_seq_parameter_set_id == pps_seq_parameter_set_id;
  const std::shared_ptr<const Sps>& sps = goes_on ? active_sps : sps_[pps_seq_parameter_set_id].sps;
  if (sps == nullptr) return Status::invalid("pps_seq_parameter_set_id", "H.265 7.4.2.4.2");
  if (stored.activated.sps != sps) {
    auto pps = std::make_shared<Pps>(stored.pps);
    COPE_RETURN_IF_ERROR(activate_pps(*sps, *pps));
    stored.activated = {sps, std::move(pps)};
  }
  out = stored.activated;
  return {};
}

}  // namespace cope::h265
