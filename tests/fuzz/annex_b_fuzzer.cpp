// Start codes and emulation prevention of a byte stream.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cope/bits/annex_b.h"
#include "cope/bits/rbsp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::span<const std::uint8_t>> nals;
  cope::bits::split_annex_b({data, size}, nals);
  for (const auto nal : nals) {
    std::vector<std::uint8_t> rbsp(nal.size());  // exact: one byte too many is a finding
    if (cope::bits::unescape_rbsp(nal, rbsp.data()) > nal.size()) __builtin_trap();
  }
  return 0;
}
