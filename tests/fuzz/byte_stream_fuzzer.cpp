// A whole H.264 byte stream, parsed to primitives.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cope/bits/annex_b.h"
#include "fuzz/h264_pictures.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::span<const std::uint8_t>> nals;
  cope::bits::split_annex_b({data, size}, nals);
  cope::fuzz::H264Pictures pictures(
      [](const cope::prim::PicturePrimitives&, std::span<const std::int64_t>) {});
  for (const auto nal : nals) pictures.push_nal(nal);
  pictures.finish();
  return 0;
}
