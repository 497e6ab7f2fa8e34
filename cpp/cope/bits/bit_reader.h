#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cope/base/host_device.h"

namespace cope::bits {

/// Reads an RBSP bit by bit: u(n), ue(v), se(v) of H.264 7.2 and 9.1.
///
/// Reading past the end returns zeros and sets `overrun()`, which stays set: a parser tests once
/// per structure instead of once per element. At least 8 readable bytes must follow `size` bytes of
/// data.
class BitReader {
 public:
  BitReader() = default;
  COPE_HD BitReader(const std::uint8_t* data, std::size_t size_bytes,
                    std::size_t bit_pos = 0) noexcept
      : data_(data), size_bits_(size_bytes * 8), bit_pos_(bit_pos) {
    if (bit_pos_ > size_bits_) set_overrun();
  }

  /// Bits consumed so far, at most the size.
  COPE_HD std::size_t bit_pos() const noexcept { return bit_pos_; }
  COPE_HD std::size_t size_bits() const noexcept { return size_bits_; }
  COPE_HD std::size_t bits_left() const noexcept { return size_bits_ - bit_pos_; }
  COPE_HD bool overrun() const noexcept { return overrun_; }
  COPE_HD const std::uint8_t* data() const noexcept { return data_; }

  /// The next 32 bits without consuming them; bits beyond the data and its padding are not defined.
  COPE_HD std::uint32_t peek32() const noexcept {
    const std::uint64_t word = load64(data_ + (bit_pos_ >> 3));
    return static_cast<std::uint32_t>((word << (bit_pos_ & 7)) >> 32);
  }

  /// Consumes `n` bits.
  COPE_HD void skip(std::size_t n) noexcept {
    if (COPE_UNLIKELY(n > size_bits_ - bit_pos_)) {
      set_overrun();
      return;
    }
    bit_pos_ += n;
  }

  /// u(n), n in 0..32.
  COPE_HD std::uint32_t u(unsigned n) noexcept {
    if (COPE_UNLIKELY(n > size_bits_ - bit_pos_)) {
      set_overrun();
      return 0;
    }
    const std::uint32_t value = n == 0 ? 0 : peek32() >> (32 - n);
    bit_pos_ += n;
    return value;
  }

  COPE_HD bool flag() noexcept { return u(1) != 0; }

  /// ue(v), 0..2^32-2 (9.1). An overlong code sets `overrun()` and returns 0.
  COPE_HD std::uint32_t ue() noexcept {
    const std::uint32_t next = peek32();
    if (COPE_LIKELY(next >= 0x00010000u)) {  // at most 15 leading zeros: the code fits 31 bits
      const unsigned zeros = static_cast<unsigned>(std::countl_zero(next));
      const unsigned length = 2 * zeros + 1;
      if (COPE_UNLIKELY(length > size_bits_ - bit_pos_)) {
        set_overrun();
        return 0;
      }
      bit_pos_ += length;
      return (next >> (32 - length)) - 1;
    }
    return ue_long();
  }

  /// se(v), -2^31+1..2^31-1 (9.1.1).
  COPE_HD std::int32_t se() noexcept {
    const std::uint32_t k = ue();
    const std::uint32_t magnitude = (k >> 1) + (k & 1);
    return (k & 1) != 0 ? static_cast<std::int32_t>(magnitude)
                        : -static_cast<std::int32_t>(magnitude);
  }

  /// te(v) with the given largest value (9.1).
  COPE_HD std::uint32_t te(std::uint32_t max_value) noexcept {
    return max_value > 1 ? ue() : static_cast<std::uint32_t>(!flag());
  }

  COPE_HD bool byte_aligned() const noexcept { return (bit_pos_ & 7) == 0; }

  /// more_rbsp_data() of 7.2: whether anything precedes rbsp_trailing_bits().
  COPE_HD bool more_rbsp_data() const noexcept {
    std::size_t last = size_bits_ >> 3;
    while (last > 0 && data_[last - 1] == 0) --last;  // cabac_zero_words and padding
    if (last == 0) return false;
    const std::size_t stop_bit =
        (last - 1) * 8 + 7 - static_cast<std::size_t>(std::countr_zero(data_[last - 1]));
    return bit_pos_ < stop_bit;
  }

 private:
  COPE_HD static std::uint64_t load64(const std::uint8_t* p) noexcept {
    std::uint64_t word;
    std::memcpy(&word, p, sizeof word);
#if defined(__CUDA_ARCH__)
    word = (static_cast<std::uint64_t>(__byte_perm(static_cast<unsigned>(word), 0, 0x0123)) << 32) |
           __byte_perm(static_cast<unsigned>(word >> 32), 0, 0x0123);
    return word;
#else
    if constexpr (std::endian::native == std::endian::little) return __builtin_bswap64(word);
    return word;
#endif
  }

  COPE_HD std::uint32_t ue_long() noexcept {
    unsigned zeros = 0;
    while (zeros < 32 && bit_pos_ + zeros < size_bits_ &&
           ((data_[(bit_pos_ + zeros) >> 3] >> (7 - ((bit_pos_ + zeros) & 7))) & 1) == 0) {
      ++zeros;
    }
    if (zeros == 32 ||
        bit_pos_ + 2 * zeros + 1 > size_bits_) {  // 2^32-1 and above are not ue(v) values
      set_overrun();
      return 0;
    }
    bit_pos_ += zeros + 1;
    const std::uint32_t suffix = u(zeros);
    return ((1u << (zeros & 31)) - 1u) + suffix;
  }

  COPE_HD void set_overrun() noexcept {
    overrun_ = true;
    bit_pos_ = size_bits_;
  }

  const std::uint8_t* data_ = nullptr;
  std::size_t size_bits_ = 0;
  std::size_t bit_pos_ = 0;
  bool overrun_ = false;
};

}  // namespace cope::bits
