// A PPS of any content behind an SPS of any content. The first byte is the size of the SPS.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "cope/h265/pps.h"
#include "cope/h265/sps.h"
#include "fuzz/limits.h"
#include "fuzz/rbsp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::span<const std::uint8_t> input(data + 1, size - 1);
  const std::size_t sps_size = std::min<std::size_t>(data[0], input.size());
  const cope::fuzz::Rbsp sps_rbsp(input.first(sps_size));
  const cope::fuzz::Rbsp pps_rbsp(input.subspan(sps_size));

  cope::h265::Pps pps;
  cope::bits::BitReader r = pps_rbsp.reader();
  if (!cope::h265::parse_pps(r, pps).ok()) return 0;
  cope::h265::Sps sps;
  r = sps_rbsp.reader();
  if (!cope::h265::parse_sps(r, cope::fuzz::kLimits, sps).ok()) return 0;
  (void)cope::h265::activate_pps(sps, pps);
  return 0;
}
