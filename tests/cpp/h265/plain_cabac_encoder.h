#pragma once

#include <cstdint>
#include <vector>

#include "cope/entropy/cabac_tables.h"

namespace cope::h265 {

/// The arithmetic encoder of 9.3.5 as written, one bit at a time.
class PlainCabacEncoder {
 public:
  struct Context {
    unsigned pStateIdx = 0;
    unsigned valMps = 0;
  };

  void decision(Context& context, unsigned binVal) {
    const unsigned lps = entropy::kRangeTabLps[context.pStateIdx][(ivlCurrRange_ >> 6) & 3];
    ivlCurrRange_ -= lps;
    if (binVal != context.valMps) {
      ivlLow_ += ivlCurrRange_;
      ivlCurrRange_ = lps;
      if (context.pStateIdx == 0) context.valMps = 1 - context.valMps;
      context.pStateIdx = entropy::kTransIdxLps[context.pStateIdx];
    } else if (context.pStateIdx < 62) {
      ++context.pStateIdx;
    }
    renorm();
  }

  void bypass(unsigned binVal) {
    ivlLow_ <<= 1;
    if (binVal != 0) ivlLow_ += ivlCurrRange_;
    if (ivlLow_ >= 1024) {
      put_bit(1);
      ivlLow_ -= 1024;
    } else if (ivlLow_ < 512) {
      put_bit(0);
    } else {
      ivlLow_ -= 512;
      ++bitsOutstanding_;
    }
  }

  /// `n` bypass bins, the highest of `value` first.
  void bypass(unsigned value, unsigned n) {
    while (n-- != 0) bypass(value >> n & 1);
  }

  void align() { ivlCurrRange_ = 256; }

  void terminate(unsigned binVal) {
    ivlCurrRange_ -= 2;
    if (binVal == 0) return renorm();
    ivlLow_ += ivlCurrRange_;
    ivlCurrRange_ = 2;
    renorm();
    put_bit(ivlLow_ >> 9 & 1);
    write_bit(ivlLow_ >> 8 & 1);
    write_bit(1);
  }

  /// All that was written, in whole bytes.
  std::vector<std::uint8_t> bytes() const {
    std::vector<std::uint8_t> data((bits_.size() + 7) / 8, 0);
    for (std::size_t i = 0; i < bits_.size(); ++i) {
      data[i / 8] = static_cast<std::uint8_t>(data[i / 8] | bits_[i] << (7 - i % 8));
    }
    return data;
  }

 private:
  void renorm() {
    while (ivlCurrRange_ < 256) {
      if (ivlLow_ < 256) {
        put_bit(0);
      } else if (ivlLow_ >= 512) {
        ivlLow_ -= 512;
        put_bit(1);
      } else {
        ivlLow_ -= 256;
        ++bitsOutstanding_;
      }
      ivlCurrRange_ <<= 1;
      ivlLow_ <<= 1;
    }
  }

  void put_bit(unsigned bit) {
    if (firstBitFlag_) {
      firstBitFlag_ = false;
    } else {
      write_bit(bit);
    }
    for (; bitsOutstanding_ > 0; --bitsOutstanding_) write_bit(1 - bit);
  }

  void write_bit(unsigned bit) { bits_.push_back(static_cast<std::uint8_t>(bit)); }

  std::vector<std::uint8_t> bits_;
  unsigned ivlLow_ = 0;
  unsigned ivlCurrRange_ = 510;
  bool firstBitFlag_ = true;
  int bitsOutstanding_ = 0;
};

}  // namespace cope::h265
