// Two slice segment headers of any content behind parameter sets of any content, the second of the
// same picture as the first. The first four bytes are the sizes of the SPS, the PPS and the first
// header, and the type of the NAL units.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "cope/h265/nal_unit.h"
#include "cope/h265/pps.h"
#include "cope/h265/reference_pictures.h"
#include "cope/h265/slice_header.h"
#include "cope/h265/sps.h"
#include "fuzz/limits.h"
#include "fuzz/rbsp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  std::span<const std::uint8_t> input(data + 4, size - 4);
  const auto take = [&input](std::size_t max_size) {
    const auto taken = input.first(std::min(max_size, input.size()));
    input = input.subspan(taken.size());
    return cope::fuzz::Rbsp(taken);
  };
  const cope::fuzz::Rbsp sps_rbsp = take(data[0]);
  const cope::fuzz::Rbsp pps_rbsp = take(data[1]);
  const cope::fuzz::Rbsp first_rbsp = take(data[2]);
  const cope::fuzz::Rbsp second_rbsp = take(input.size());

  cope::h265::Sps sps;
  cope::bits::BitReader r = sps_rbsp.reader();
  if (!cope::h265::parse_sps(r, cope::fuzz::kLimits, sps).ok()) return 0;
  cope::h265::Pps pps;
  r = pps_rbsp.reader();
  if (!cope::h265::parse_pps(r, pps).ok()) return 0;
  if (!cope::h265::activate_pps(sps, pps).ok()) return 0;

  const cope::h265::NalUnitHeader nal = cope::h265::parse_nal_unit_header(data[3], 1);
  r = first_rbsp.reader();
  (void)cope::h265::peek_pic_parameter_set_id(r, nal);
  cope::h265::SliceHeader first;
  if (!cope::h265::parse_slice_header(r, nal, sps, pps, nullptr, first).ok()) return 0;
  cope::h265::ReferencePictures references;
  for (int poc = -8; poc < 8; ++poc) references.add(poc + 8, poc);
  references.apply_set(first, 0, sps.MaxPicOrderCntLsb());
  cope::prim::SliceRefs refs;
  references.build_lists(first, refs);

  r = second_rbsp.reader();
  cope::h265::SliceHeader second;
  (void)cope::h265::parse_slice_header(r, nal, sps, pps, &first, second);
  return 0;
}
