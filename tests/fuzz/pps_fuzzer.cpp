// A PPS of any content behind an SPS of any content. The first byte is the size of the SPS.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "cope/h264/pps.h"
#include "cope/h264/sps.h"
#include "fuzz/limits.h"
#include "fuzz/rbsp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::span<const std::uint8_t> input(data + 1, size - 1);
  const std::size_t sps_size = std::min<std::size_t>(data[0], input.size());
  const cope::fuzz::Rbsp sps_rbsp(input.first(sps_size));
  const cope::fuzz::Rbsp pps_rbsp(input.subspan(sps_size));

  cope::h264::Pps pps;
  cope::bits::BitReader r = pps_rbsp.reader();
  (void)cope::h264::parse_pps(r, nullptr, pps);

  cope::h264::Sps sps;
  cope::bits::BitReader sps_reader = sps_rbsp.reader();
  if (!cope::h264::parse_sps(sps_reader, cope::fuzz::kLimits, sps).ok()) return 0;
  r = pps_rbsp.reader();
  if (cope::h264::parse_pps(r, &sps, pps).ok()) (void)cope::h264::activate_pps(sps, pps);
  return 0;
}
