#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace cope::bench {

/// Reproducible bytes, followed by `padding` zeros for readers that load wide words.
inline std::vector<std::uint8_t> random_bytes(std::size_t size, std::size_t padding = 64) {
  std::mt19937_64 random(1);
  std::vector<std::uint8_t> bytes(size + padding);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(random());
  return bytes;
}

}  // namespace cope::bench
