#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cope/base/limits.h"
#include "cope/base/status.h"
#include "cope/h264/pps.h"
#include "cope/h264/sps.h"

namespace cope::h264 {

/// The parameter sets of a slice.
struct ActiveParameterSets {
  std::shared_ptr<const Sps> sps;
  std::shared_ptr<const Pps> pps;  ///< activated against `sps`
};

/// Holds parameter sets by id until slices ask for them (7.4.1.2.1).
///
/// A set is stored only after it parsed fully; one equal to what is there changes nothing. A PPS is
/// kept as its bytes and read when a slice activates it, because its meaning depends on the SPS
/// that is in force then.
class ParameterSets {
 public:
  /// Stores an SPS (PPS) from an RBSP of `size` bytes without its NAL unit header, readable padding
  /// behind it.
  Status put_sps(const std::uint8_t* rbsp, std::size_t size, const Limits& limits);
  Status put_pps(const std::uint8_t* rbsp, std::size_t size);

  /// Finds the parameter sets of a slice. An SPS that was sent again with new content counts only
  /// where `may_change_sps`; elsewhere `active_sps` goes on, if it has the id in question.
  Status find(std::uint32_t pic_parameter_set_id, const std::shared_ptr<const Sps>& active_sps,
              bool may_change_sps, ActiveParameterSets& out);

  /// The SPS stored last under an id 0..31; null when none came.
  const std::shared_ptr<const Sps>& newest_sps(std::uint8_t seq_parameter_set_id) const noexcept {
    return sps_[seq_parameter_set_id].sps;
  }

 private:
  struct StoredSps {
    std::vector<std::uint8_t> rbsp;
    std::shared_ptr<const Sps> sps;
  };
  struct StoredPps {
    std::vector<std::uint8_t> rbsp;
    std::uint8_t seq_parameter_set_id = 0;
    ActiveParameterSets activated;  ///< by the last slice that asked
  };

  std::array<StoredSps, 32> sps_;
  std::array<StoredPps, 256> pps_;
};

}  // namespace cope::h264
