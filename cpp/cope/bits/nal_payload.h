#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cope/bits/bit_reader.h"

namespace cope::bits {

/// Zero bytes behind every payload, at least: readers load whole words.
inline constexpr std::size_t kRbspPadding = 64;

/// A stretch of a picture's payloads: one NAL unit's, emulation prevention removed.
struct RbspSpan {
  std::size_t offset = 0;  ///< bytes
  std::size_t size = 0;    ///< bytes, 0 when absent
};

/// The payload of the NAL unit at hand, on its way to the picture that it belongs to.
///
/// Its buffer and those of pictures change places, so each is made as large as any had to be so
/// far: they stop growing once the largest picture has passed. But one huge picture does not make
/// all others huge.
class NalPayload {
 public:
  /// Takes a NAL unit's bytes behind its header.
  void load(std::span<const std::uint8_t> bytes);

  const std::uint8_t* data() const noexcept { return rbsp_.data(); }
  std::size_t size() const noexcept { return size_; }
  BitReader reader() const noexcept { return {rbsp_.data(), size_}; }

  /// Whether it is the payload at `span` of a picture, or one of them is the other cut short.
  bool repeats(const std::vector<std::uint8_t>& picture, const RbspSpan& span) const noexcept;

  /// Moves it behind the payloads of a picture, each padded with zeros. What is left here is
  /// unspecified.
  RbspSpan append_to(std::vector<std::uint8_t>& picture);

 private:
  void reserve(std::vector<std::uint8_t>& buffer, std::size_t size);

  std::vector<std::uint8_t> rbsp_;  ///< `size_` bytes and the padding
  std::size_t size_ = 0;
  std::size_t largest_ = 0;  ///< bytes that any buffer had to hold
};

}  // namespace cope::bits
