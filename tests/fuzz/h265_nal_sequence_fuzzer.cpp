// H.265 NAL units, each behind a length of two bytes, parsed to primitives: without start codes to
// find, a mutation changes one unit and leaves the others in place.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cope/bits/length_prefixed.h"
#include "fuzz/h265_pictures.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::span<const std::uint8_t>> nals;
  (void)cope::bits::split_length_prefixed({data, size}, 2, nals);
  cope::fuzz::H265Pictures pictures(
      [](const cope::prim::PicturePrimitives&, std::span<const std::int64_t>) {});
  for (const auto nal : nals) pictures.push_nal(nal);
  pictures.finish();
  return 0;
}
