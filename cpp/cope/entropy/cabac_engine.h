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
      : data_(begin), size_(end - begin) {
    refill();
    keep_below_range();
  }

  // Member by member: compilers copy a whole engine in wider pieces than its members were stored
  // in, and wait for memory where such a load meets such a store.
  COPE_HD COPE_FORCE_INLINE CabacEngine(const CabacEngine& other) noexcept
      : range_(other.range_),
        value_(other.value_),
        bits_(other.bits_),
        next_(other.next_),
        data_(other.data_),
        size_(other.size_) {}
  COPE_HD COPE_FORCE_INLINE CabacEngine& operator=(const CabacEngine& other) noexcept {
    data_ = other.data_;
    size_ = other.size_;
    advance_to(other);
    return *this;
  }

  /// Goes on where a copy of this engine has arrived.
  COPE_HD COPE_FORCE_INLINE void advance_to(const CabacEngine& copy) noexcept {
    range_ = copy.range_;
    value_ = copy.value_;
    bits_ = copy.bits_;
    next_ = copy.next_;
  }

  /// DecodeDecision (9.3.3.2.1). Branch-free, as which way a bin goes is what cannot be predicted.
  /// A context holds its bin word, which is one look-up sooner at hand than its state.
  COPE_HD COPE_FORCE_INLINE unsigned decision(ContextWord& context) noexcept {
    return decision(context, context);
  }

  /// The same for a context that stands in a register.
  COPE_HD COPE_FORCE_INLINE unsigned decision(ContextWord word, ContextWord& next) noexcept {
    const std::uint64_t outcome = decode<false>(word, 0, next);
    next = kBinWords.word[outcome & 0xff];
    return static_cast<unsigned>(outcome >> 16) & 1;
  }

  /// The same where the next bin may well be of the same context: both words that it may have then
  /// are looked up beforehand.
  COPE_HD COPE_FORCE_INLINE unsigned decision_again(ContextWord word, ContextWord& next) noexcept {
    next = kBinWords.word[(word >> 8) & 0xff];
    const std::uint64_t outcome = decode<true>(word, kBinWords.word[word & 0xff], next);
    return static_cast<unsigned>(outcome >> 16) & 1;
  }

  /// DecodeBypass (9.3.3.2.3).
  COPE_HD COPE_FORCE_INLINE unsigned bypass() noexcept {
    const std::uint64_t half = range_ >> 1;
    std::uint64_t value = value_;
    bool bin;
#if defined(__x86_64__) && !defined(__CUDACC__)
    // By hand, as in decode(): a branch on a sign is mispredicted every other time.
    asm("sub %[half], %[value]\n\t"
        "cmovc %[old_value], %[value]"
        : [value] "+&r"(value), "=@ccnc"(bin)
        : [half] "r"(half), [old_value] "r"(value_));
#else
    bin = value >= half;
    value = bin ? value - half : value;
#endif
    value_ = value << 1;
    if (COPE_UNLIKELY(--bits_ <= 0)) refill();
    return bin;
  }

  /// `n` bins of DecodeBypass at once, n in 0..16, the first one highest: all of them are one
  /// division of codIOffset by codIRange.
  COPE_HD COPE_FORCE_INLINE unsigned bypass_bins(unsigned n) noexcept {
    if (bits_ <= static_cast<int>(n)) refill();
    const std::uint64_t step = range_ >> n;
    const std::uint64_t bins = value_ / step;
    value_ = (value_ - bins * step) << n;
    bits_ -= static_cast<int>(n);
    return static_cast<unsigned>(bins);
  }

  /// The next 16 bins of DecodeBypass without consuming them.
  COPE_HD COPE_FORCE_INLINE unsigned peek_bypass() noexcept {
    if (bits_ <= 16) refill();
    return static_cast<unsigned>(value_ / (range_ >> 16));
  }

  /// Consumes `n` bins, 0..16, right after they were peeked; `bins` are their values.
  COPE_HD COPE_FORCE_INLINE void skip_bypass(unsigned n, unsigned bins) noexcept {
    value_ = (value_ - bins * (range_ >> n)) << n;
    bits_ -= static_cast<int>(n);
  }

  /// The alignment before bypass bins of H.265 9.3.4.3.6: ivlCurrRange becomes 256.
  COPE_HD void align_bypass() noexcept {
    range_ = std::uint64_t{256} << kOffsetShift;
    keep_below_range();
  }

  /// DecodeTerminate (9.3.3.2.2.3). After a 1 the bitstream continues at
  /// `bit_pos_after_terminate()`.
  COPE_HD COPE_FORCE_INLINE bool terminate() noexcept {
    range_ -= std::uint64_t{2} << kOffsetShift;
    if (value_ >= range_) return true;
    renormalise();
    return false;
  }

  /// Bits read by the standard's decoder so far, its 9 initial bits included; relative to `begin`.
  COPE_HD std::size_t bit_pos() const noexcept {
    return static_cast<std::size_t>(next_ * 8 - bits_);
  }

  /// Where the data behind a terminating bin of 1 starts. The encoder flushes (9.3.4.5) so that the
  /// last bit read by then is rbsp_stop_one_bit, or the bit before pcm_alignment_zero_bit.
  COPE_HD std::size_t bit_pos_after_terminate() const noexcept { return bit_pos(); }

  /// More bits were consumed than there are. A terminating bin of valid data looks no further than
  /// its last bit, so that every bin before an overrun is decoded from real data.
  COPE_HD bool overrun() const noexcept { return next_ * 8 - bits_ > size_ * 8; }

 private:
  static constexpr int kOffsetShift = 55;

  /// codIOffset is less than codIRange, but for damaged data where either is set. Several bypass
  /// bins at once rely on it.
  COPE_HD void keep_below_range() noexcept {
    if (COPE_UNLIKELY(value_ >= range_)) value_ = range_ - 1;
  }

  /// Decodes a bin; the word shifted so that byte 0 and bit 16 are those of what came. With
  /// `kAhead`, `next` comes in as the context's word after the LPS and leaves as the one that it
  /// has.
  template <bool kAhead>
  COPE_HD COPE_FORCE_INLINE std::uint64_t decode(ContextWord word, ContextWord after_mps,
                                                 ContextWord& next) noexcept {
    const std::uint64_t qCodIRangeIdx_bits = (range_ >> 58) & 24;  // the index times 8
    std::uint64_t range = (word << qCodIRangeIdx_bits) & kBinWordRange;
    const std::uint64_t range_mps = range_ - range;
    std::uint64_t value = value_;
    std::uint64_t outcome = word >> 8;
#if defined(__x86_64__) && !defined(__CUDACC__)
    // By hand, as compilers make a branch of it that is mispredicted once in three or four bins.
    if constexpr (kAhead) {
      asm("sub %[range_mps], %[value]\n\t"
          "cmovc %[old_value], %[value]\n\t"
          "cmovc %[range_mps], %[range]\n\t"
          "cmovc %[word], %[outcome]\n\t"
          "cmovc %[after_mps], %[next]"
          : [value] "+&r"(value), [range] "+&r"(range), [outcome] "+&r"(outcome), [next] "+&r"(next)
          : [range_mps] "r"(range_mps), [old_value] "r"(value_), [word] "r"(word),
            [after_mps] "rm"(after_mps)
          : "cc");
    } else {
      asm("sub %[range_mps], %[value]\n\t"
          "cmovc %[old_value], %[value]\n\t"
          "cmovc %[range_mps], %[range]\n\t"
          "cmovc %[word], %[outcome]"
          : [value] "+&r"(value), [range] "+&r"(range), [outcome] "+&r"(outcome)
          : [range_mps] "r"(range_mps), [old_value] "r"(value_), [word] "r"(word)
          : "cc");
    }
#else
    const bool is_mps = value < range_mps;
    value = is_mps ? value : value - range_mps;
    range = is_mps ? range_mps : range;
    outcome = is_mps ? word : outcome;
    if constexpr (kAhead) next = is_mps ? after_mps : next;
#endif
    value_ = value;
    range_ = range;
    renormalise();
    return outcome;
  }

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
  /// itself are missing; they are zero until they come. Inline, or the engine would have an address
  /// and live in memory.
  COPE_HD COPE_FORCE_INLINE void refill() noexcept {
    std::uint32_t word;
    if (COPE_LIKELY(size_ - next_ >= 4)) {
      std::memcpy(&word, data_ + next_, sizeof word);
      word = from_big_endian(word);
    } else {
      word = last_word(data_, next_, size_);
    }
    next_ += 4;
    value_ |= static_cast<std::uint64_t>(word) << (kOffsetShift - 32 - bits_);
    bits_ += 32;
  }

  /// What is left of the data, and zeros behind it.
  COPE_HD static std::uint32_t last_word(const std::uint8_t* data, std::ptrdiff_t next,
                                         std::ptrdiff_t size) noexcept {
    std::uint32_t word = 0;
    for (int i = 0; i < 4; ++i, ++next) word = word << 8 | (next < size ? data[next] : 0u);
    return word;
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
  int bits_ = -9;            // read ahead behind codIOffset
  std::ptrdiff_t next_ = 0;  // bytes read; beyond the end they were zeros
  const std::uint8_t* data_ = nullptr;
  std::ptrdiff_t size_ = 0;  // bytes
};

}  // namespace cope::entropy
