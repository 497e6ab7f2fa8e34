#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cope/bits/bit_reader.h"
#include "cope/h264/coded_picture.h"

namespace cope::fuzz {

/// Input as an RBSP with the padding that `bits::BitReader` needs.
class Rbsp {
 public:
  explicit Rbsp(std::span<const std::uint8_t> payload)
      : bytes_(payload.begin(), payload.end()), size_(payload.size()) {
    bytes_.resize(size_ + h264::kRbspPadding);
  }

  bits::BitReader reader() const { return {bytes_.data(), size_}; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t size_;
};

}  // namespace cope::fuzz
