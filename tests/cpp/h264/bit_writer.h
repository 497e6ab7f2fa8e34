#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "cope/bits/bit_reader.h"

namespace cope::h264 {

/// Writes the bits that a test wants to read: u(n), ue(v), se(v).
class BitWriter {
 public:
  BitWriter& u(unsigned n, std::uint64_t value) {
    for (unsigned i = n; i-- > 0;) bits_.push_back(((value >> i) & 1) != 0);
    return *this;
  }
  BitWriter& flag(bool value) { return u(1, value ? 1 : 0); }
  BitWriter& ue(std::uint64_t value) {
    const auto length = static_cast<unsigned>(std::bit_width(value + 1));
    return u(length - 1, 0).u(length, value + 1);
  }
  BitWriter& se(std::int64_t value) {
    return ue(value > 0 ? static_cast<std::uint64_t>(2 * value - 1)
                        : static_cast<std::uint64_t>(-2 * value));
  }
  BitWriter& append(const BitWriter& other) {
    bits_.insert(bits_.end(), other.bits_.begin(), other.bits_.end());
    return *this;
  }
  /// rbsp_trailing_bits().
  BitWriter& trailing() {
    flag(true);
    while (bits_.size() % 8 != 0) flag(false);
    return *this;
  }
  std::size_t size() const { return bits_.size(); }

  /// Whole bytes, the last filled with zeros.
  std::vector<std::uint8_t> bytes() const {
    std::vector<std::uint8_t> out((bits_.size() + 7) / 8);
    for (std::size_t i = 0; i < bits_.size(); ++i) {
      if (bits_[i]) out[i / 8] = static_cast<std::uint8_t>(out[i / 8] | (0x80u >> (i % 8)));
    }
    return out;
  }

  /// A NAL unit with this payload, emulation prevention added.
  std::vector<std::uint8_t> nal(unsigned nal_ref_idc, unsigned nal_unit_type) const {
    std::vector<std::uint8_t> out{static_cast<std::uint8_t>(nal_ref_idc << 5 | nal_unit_type)};
    int zeros = 0;
    for (const std::uint8_t byte : bytes()) {
      if (zeros == 2 && byte <= 3) {
        out.push_back(3);
        zeros = 0;
      }
      out.push_back(byte);
      zeros = byte == 0 ? zeros + 1 : 0;
    }
    return out;
  }

 private:
  std::vector<bool> bits_;
};

/// Bytes with the padding that a BitReader needs.
class Rbsp {
 public:
  explicit Rbsp(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)), size_(bytes_.size()) {
    bytes_.resize(size_ + 8);
  }
  explicit Rbsp(const BitWriter& writer) : Rbsp(writer.bytes()) {}
  bits::BitReader reader() const { return bits::BitReader(bytes_.data(), size_); }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t size_;
};

}  // namespace cope::h264
