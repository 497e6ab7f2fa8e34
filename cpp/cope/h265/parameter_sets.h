#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "cope/base/limits.h"
#include "cope/base/status.h"
#include "cope/h265/pps.h"
#include "cope/h265/sps.h"

namespace cope::h265 {

/// The parameter sets of a picture.
struct ActiveParameterSets {
  std::shared_ptr<const Sps> sps;
  std::shared_ptr<const Pps> pps;  ///< activated against `sps`
};

/// Holds parameter sets by id until pictures ask for them (7.4.2.4.2).
///
/// A set is stored only after it parsed fully; one equal to what is there changes nothing. What a
/// PPS derives from its SPS is made when a picture activates it. Video parameter sets are not kept:
/// layer 0 needs nothing of them.
class ParameterSets {
 public:
  /// Stores an SPS (PPS) from an RBSP of `size` bytes without its NAL unit header, readable padding
  /// behind it.
  Status put_sps(const std::uint8_t* rbsp, std::size_t size, const Limits& limits);
  Status put_pps(const std::uint8_t* rbsp, std::size_t size);

  /// Finds the parameter sets of a picture. An SPS that was sent again with new content counts only
  /// where `may_change_sps`; elsewhere `active_sps` goes on, if it has the id in question.
  Status find(std::uint32_t slice_pic_parameter_set_id,
              const std::shared_ptr<const Sps>& active_sps, bool may_change_sps,
              ActiveParameterSets& out);

 private:
  struct StoredSps {
    std::vector<std::uint8_t> rbsp;
    std::shared_ptr<const Sps> sps;
  };
  struct StoredPps {
    std::vector<std::uint8_t> rbsp;
    Pps pps;                        ///< not activated
    ActiveParameterSets activated;  ///< by the last picture that asked
  };

  std::array<StoredSps, 16> sps_;
  std::vector<StoredPps> pps_ = std::vector<StoredPps>(64);
};

}  // namespace cope::h265
