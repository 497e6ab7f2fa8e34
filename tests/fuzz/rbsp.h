#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cope/bits/bit_reader.h"

namespace cope::fuzz {

/// Input as an RBSP with the padding that `bits::BitReader` needs.
class Rbsp {
 public:
  explicit Rbsp(std::span<const std::uint8_t> payload)
      : bytes_(payload.begin(), payload.end()), size_(payload.size()) {
    bytes_.resize(size_ + kPadding);
  }

  bits::BitReader reader() const { return {bytes_.data(), size_}; }

 private:
  static constexpr std::size_t kPadding = 64;  // as the header decoders have it

  std::vector<std::uint8_t> bytes_;
  std::size_t size_;
};

}  // namespace cope::fuzz
