// Decoder configuration records and length-prefixed samples. The input is read as either.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cope/bits/length_prefixed.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> input(data, size);
  cope::bits::DecoderConfiguration config;
  (void)cope::bits::parse_avcc(input, config);
  (void)cope::bits::parse_hvcc(input, config);
  std::vector<std::span<const std::uint8_t>> nals;
  for (unsigned nal_length_size = 1; nal_length_size <= 4; ++nal_length_size) {
    (void)cope::bits::split_length_prefixed(input, nal_length_size, nals);
    for (const auto nal : nals) {
      if (nal.data() < data || nal.data() + nal.size() > data + size) __builtin_trap();
    }
  }
  return 0;
}
