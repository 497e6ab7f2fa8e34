#include "cope/h264/parameter_sets.h"

#include <algorithm>

#include "cope/h264/coded_picture.h"

namespace cope::h264 {
namespace {

/// Above the largest parameter set there can be: a PPS with 139264 slice_group_id of 3 bits.
constexpr std::size_t kMaxParameterSetBytes = 1 << 16;

/// Keeps `rbsp` with the padding that readers need.
void store(std::vector<std::uint8_t>& stored, const std::uint8_t* rbsp, std::size_t size) {
  stored.assign(size + kRbspPadding, 0);
  std::copy(rbsp, rbsp + size, stored.begin());
}

bool is_same(const std::vector<std::uint8_t>& stored, const std::uint8_t* rbsp, std::size_t size) {
  return stored.size() == size + kRbspPadding && std::equal(rbsp, rbsp + size, stored.begin());
}

}  // namespace

Status ParameterSets::put_sps(const std::uint8_t* rbsp, std::size_t size, const Limits& limits) {
  if (size > kMaxParameterSetBytes) return Status::limit("parameter_set_bytes");
  bits::BitReader r(rbsp, size);
  Sps sps;
  COPE_RETURN_IF_ERROR(parse_sps(r, limits, sps));
  StoredSps& stored = sps_[sps.seq_parameter_set_id];
  if (is_same(stored.rbsp, rbsp, size)) return {};
  store(stored.rbsp, rbsp, size);
  stored.sps = std::make_shared<const Sps>(sps);
  return {};
}

Status ParameterSets::put_pps(const std::uint8_t* rbsp, std::size_t size) {
  if (size > kMaxParameterSetBytes) return Status::limit("parameter_set_bytes");
  const bits::BitReader start(rbsp, size);
  const std::uint32_t seq_parameter_set_id = peek_pps_sps_id(start);
  const Sps* sps = seq_parameter_set_id < 32 ? sps_[seq_parameter_set_id].sps.get() : nullptr;
  Pps pps;
  bits::BitReader r = start;
  if (const Status status = parse_pps(r, sps, pps); !status.ok()) {
    // The SPS that it is meant for may be yet to come: perhaps it reads well with the other number
    // of scaling lists.
    Sps other;
    other.chroma_format_idc = sps != nullptr && sps->chroma_format_idc == 3 ? 1 : 3;
    r = start;
    if (!parse_pps(r, &other, pps).ok()) return status;
  }
  StoredPps& stored = pps_[pps.pic_parameter_set_id];
  if (is_same(stored.rbsp, rbsp, size)) return {};
  store(stored.rbsp, rbsp, size);
  stored.seq_parameter_set_id = pps.seq_parameter_set_id;
  stored.activated = {};
  return {};
}

Status ParameterSets::find(std::uint32_t pic_parameter_set_id,
                           const std::shared_ptr<const Sps>& active_sps, bool may_change_sps,
                           ActiveParameterSets& out) {
  if (pic_parameter_set_id > 255 || pps_[pic_parameter_set_id].rbsp.empty()) {
    return Status::invalid("pic_parameter_set_id", "H.264 7.4.1.2.1");
  }
  StoredPps& stored = pps_[pic_parameter_set_id];
  const bool goes_on = !may_change_sps && active_sps != nullptr &&
                       active_sps->seq_parameter_set_id == stored.seq_parameter_set_id;
  const std::shared_ptr<const Sps>& sps =
      goes_on ? active_sps : sps_[stored.seq_parameter_set_id].sps;
  if (sps == nullptr) return Status::invalid("seq_parameter_set_id", "H.264 7.4.1.2.1");
  if (stored.activated.sps != sps) {
    bits::BitReader r(stored.rbsp.data(), stored.rbsp.size() - kRbspPadding);
    auto pps = std::make_shared<Pps>();
    COPE_RETURN_IF_ERROR(parse_pps(r, sps.get(), *pps));
    COPE_RETURN_IF_ERROR(activate_pps(*sps, *pps));
    stored.activated = {sps, std::move(pps)};
  }
  out = stored.activated;
  return {};
}

}  // namespace cope::h264
