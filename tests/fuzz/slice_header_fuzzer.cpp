// A slice header of any content behind parameter sets of any content. The first three bytes are the
// sizes of the SPS and the PPS and the NAL unit header.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "cope/h264/nal_unit.h"
#include "cope/h264/pps.h"
#include "cope/h264/slice_header.h"
#include "cope/h264/sps.h"
#include "fuzz/limits.h"
#include "fuzz/rbsp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::span<const std::uint8_t> input(data + 3, size - 3);
  const std::size_t sps_size = std::min<std::size_t>(data[0], input.size());
  const std::size_t pps_size = std::min<std::size_t>(data[1], input.size() - sps_size);
  const cope::fuzz::Rbsp sps_rbsp(input.first(sps_size));
  const cope::fuzz::Rbsp pps_rbsp(input.subspan(sps_size, pps_size));
  const cope::fuzz::Rbsp slice_rbsp(input.subspan(sps_size + pps_size));

  cope::h264::Sps sps;
  cope::bits::BitReader r = sps_rbsp.reader();
  if (!cope::h264::parse_sps(r, cope::fuzz::kLimits, sps).ok()) return 0;
  cope::h264::Pps pps;
  r = pps_rbsp.reader();
  if (!cope::h264::parse_pps(r, &sps, pps).ok()) return 0;
  if (!cope::h264::activate_pps(sps, pps).ok()) return 0;

  r = slice_rbsp.reader();
  (void)cope::h264::peek_pic_parameter_set_id(r);
  cope::h264::SliceHeader header;
  (void)cope::h264::parse_slice_header(r, cope::h264::parse_nal_unit_header(data[2]), sps, pps,
                                       header);
  return 0;
}
