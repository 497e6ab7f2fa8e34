#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cope/base/host_device.h"
#include "cope/entropy/cabac_tables.h"
#include "cope/entropy/context_model.h"

namespace cope::entropy {

/// The arithmetic decoding engine of H.264 9.3.3.2 and H.265 9.3.4.3.
///
/// codIRange and codIOffset stand in the top 9 bits of 64-bit words, bits that were read ahead
/// below codIOffset: renormalisation shifts both words by one count of leading zeros, and memory is
/// touched once in four bytes. A context is one byte, `pStateIdx << 1 | valMPS`. Knows nothing of
/// syntax. Past the end of the data it reads zeros; the caller compares `bit_pos()` with the size
/// now and then.
class CabacEngine {
 public:
  CabacEngine() = default;

  /// Starts at a byte boundary (9.3.1.2). At least 8 readable bytes must follow `end`.
  COPE_HD CabacEngine(const std::uint8_t* begin, const std::uint8_t* end) noexcept
      : begin_(begin), next_(begin), end_(end) {
    refill();
  }

  /// DecodeDecision (9.3.3.2.1). Branch-free, as which way a bin goes is what cannot be predicted.
  COPE_HD COPE_FORCE_INLINE unsigned decision(std::uint8_t& context) noexcept {
    const unsigned state = context;
    const std::uint64_t word = kBinWords.word[state];
    const std::uint64_t lps = (word >> ((range_ >> 58) & 24)) << 56 >> 1;
    const std::uint64_t mps = range_ - lps;
    const bool is_lps = value_ >= mps;
    const std::uint64_t rest = value_ - mps;
    range_ = is_lps ? lps : mps;
    value_ = is_lps ? rest : value_;
    context = static_cast<std::uint8_t>(is_lps ? word >> 40 : word >> 32);
    renormalise();
    return (state & 1) ^ static_cast<unsigned>(is_lps);
  }

  /// DecodeBypass (9.3.3.2.3).
  COPE_HD COPE_FORCE_INLINE unsigned bypass() noexcept {
    const std::uint64_t half = range_ >> 1;
    const bool bin = value_ >= half;
    value_ = (bin ? value_ - half : value_) << 1;
    if (COPE_UNLIKELY(--bits_ <= 0)) refill();
    return bin;
  }

  /// DecodeTerminate (9.3.3.2.2.3). After a 1 the bitstream continues at
  /// `bit_pos_after_terminate()`.
  COPE_HD bool terminate() noexcept {
    range_ -= std::uint64_t{2} << kOffsetShift;
    if (value_ >= range_) return true;
    renormalise();
    return false;
  }

  /// Bits read by the standard's decoder so far, its 9 initial bits included; relative to `begin`.
  COPE_HD std::size_t bit_pos() const noexcept {
    return static_cast<std::size_t>(next_ - begin_) * 8 + zero_bits_ -
           static_cast<std::size_t>(bits_);
  }

  /// Where the data behind a terminating bin of 1 starts. The encoder flushes (9.3.4.5) so that the
  /// last bit read by then is rbsp_stop_one_bit, or the bit before pcm_alignment_zero_bit.
  COPE_HD std::size_t bit_pos_after_terminate() const noexcept { return bit_pos(); }

  /// More bits were consumed than there are. A terminating bin of valid data looks no further than
  /// its last bit, so that every bin before an overrun is decoded from real data.
  COPE_HD bool overrun() const noexcept {
    return bit_pos() > static_cast<std::size_t>(end_ - begin_) * 8;
  }

 private:
  static constexpr int kOffsetShift = 55;

  /// RenormD (9.3.3.2.2).
  COPE_HD COPE_FORCE_INLINE void renormalise() noexcept {
#if defined(__CUDA_ARCH__)
    const int shift = __clzll(static_cast<long long>(range_));
#else
    const int shift = __builtin_clzll(range_);  // the range is never 0
#endif
    range_ <<= shift;
    value_ <<= shift;
    bits_ -= shift;
    if (COPE_UNLIKELY(bits_ <= 0)) refill();  // a bypass bin needs one
  }

  /// Puts four bytes behind the bits in hand. A negative `bits_` says how many bits of codIOffset
  /// itself are missing; they are zero until they come.
  COPE_HD void refill() noexcept {
    std::uint32_t word = 0;
    if (COPE_LIKELY(end_ - next_ >= 4)) {
      std::memcpy(&word, next_, sizeof word);
      word = from_big_endian(word);
      next_ += 4;
    } else {
      for (int i = 0; i < 4; ++i) {
        word <<= 8;
        if (next_ < end_) {
          word |= *next_++;
        } else {
          zero_bits_ += 8;
        }
      }
    }
    value_ |= static_cast<std::uint64_t>(word) << (kOffsetShift - 32 - bits_);
    bits_ += 32;
  }

  COPE_HD static std::uint32_t from_big_endian(std::uint32_t word) noexcept {
#if defined(__CUDA_ARCH__)
    return __byte_perm(word, 0, 0x0123);
#else
    if constexpr (std::endian::native == std::endian::little) return __builtin_bswap32(word);
    return word;
#endif
  }

  std::uint64_t range_ = std::uint64_t{510} << kOffsetShift;
  std::uint64_t value_ = 0;
  int bits_ = -9;  // read ahead behind codIOffset
  const std::uint8_t* begin_ = nullptr;
  const std::uint8_t* next_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  std::size_t zero_bits_ = 0;  // supplied beyond the end
};

}  // namespace cope::entropy
