#include "cope/entropy/cabac_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

namespace cope::entropy {
namespace {

/// 9.3.1.2 and 9.3.3.2 as written: nine bits of offset, one bit at a time, zeros behind the data.
class PlainDecoder {
 public:
  explicit PlainDecoder(const std::vector<std::uint8_t>& data) : data_(data) {
    for (int i = 0; i < 9; ++i) codIOffset_ = codIOffset_ << 1 | read_bit();
  }

  unsigned decision(unsigned& pStateIdx, unsigned& valMPS) {
    const unsigned codIRangeLPS = kRangeTabLps[pStateIdx][(codIRange_ >> 6) & 3];
    codIRange_ -= codIRangeLPS;
    unsigned binVal = valMPS;
    if (codIOffset_ >= codIRange_) {
      binVal = 1 - valMPS;
      codIOffset_ -= codIRange_;
      codIRange_ = codIRangeLPS;
      if (pStateIdx == 0) valMPS = 1 - valMPS;
      pStateIdx = kTransIdxLps[pStateIdx];
    } else {
      pStateIdx = std::min(pStateIdx + 1, 62u);
    }
    renorm();
    return binVal;
  }

  unsigned bypass() {
    codIOffset_ = codIOffset_ << 1 | read_bit();
    if (codIOffset_ < codIRange_) return 0;
    codIOffset_ -= codIRange_;
    return 1;
  }

  unsigned terminate() {
    codIRange_ -= 2;
    if (codIOffset_ >= codIRange_) return 1;
    renorm();
    return 0;
  }

  /// 9.3.4.3.6 of H.265: an encoder aligned its range, too.
  bool can_align() const { return codIOffset_ < 256; }
  void align() { codIRange_ = 256; }

  void renorm() {
    while (codIRange_ < 256) {
      codIRange_ <<= 1;
      codIOffset_ = codIOffset_ << 1 | read_bit();
    }
  }

  std::size_t pos() const { return pos_; }

 private:
  unsigned read_bit() {
    const std::size_t byte = pos_ >> 3;
    const unsigned bit = byte < data_.size() ? (data_[byte] >> (7 - (pos_ & 7))) & 1 : 0;
    ++pos_;
    return bit;
  }

  const std::vector<std::uint8_t>& data_;
  std::size_t pos_ = 0;
  unsigned codIRange_ = 510;
  unsigned codIOffset_ = 0;
};

std::vector<std::uint8_t> random_data(std::mt19937& random, std::size_t size) {
  std::vector<std::uint8_t> data(size);
  // Many zeros or ones make runs of one decision; the first 9 bits of a stream are below 510.
  const std::uint32_t kind = static_cast<std::uint32_t>(random() % 4);
  for (auto& byte : data) {
    byte = static_cast<std::uint8_t>(kind == 0   ? random()
                                     : kind == 1 ? random() & random()
                                     : kind == 2 ? random() | random()
                                                 : random() % 3);
  }
  if (!data.empty() && data[0] == 0xff) data[0] = 0x7f;
  return data;
}

TEST(CabacEngine, EqualsTheDecoderOfTheStandard) {
  std::mt19937 random(4);
  for (int round = 0; round < 600; ++round) {
    const std::size_t size = round < 100 ? static_cast<std::size_t>(round) % 20 : random() % 300;
    std::vector<std::uint8_t> data = random_data(random, size);
    PlainDecoder plain(data);
    data.resize(size + 8, 0xff);  // padding must not count as data
    CabacEngine engine(data.data(), data.data() + size);
    data.resize(size);
    ASSERT_EQ(engine.bit_pos(), plain.pos());

    constexpr std::size_t kNumContexts = 8;
    ContextWord contexts[kNumContexts];
    unsigned pStateIdx[kNumContexts];
    unsigned valMPS[kNumContexts];
    for (std::size_t i = 0; i < kNumContexts; ++i) {
      pStateIdx[i] = static_cast<unsigned>(random() % 63);
      valMPS[i] = static_cast<unsigned>(random() & 1);
      contexts[i] = kBinWords.word[pStateIdx[i] << 1 | valMPS[i]];
    }
    while (plain.pos() < size * 8 + 100) {
      const std::uint32_t op = static_cast<std::uint32_t>(random() % 16);
      if (op == 0) {
        const unsigned bin = plain.terminate();
        ASSERT_EQ(engine.terminate(), bin != 0);
        if (bin) {
          EXPECT_EQ(engine.bit_pos_after_terminate(), plain.pos());
          break;
        }
      } else if (op < 4) {
        ASSERT_EQ(engine.bypass(), plain.bypass());
      } else if (op == 4) {
        const auto n = static_cast<unsigned>(random() % 17);
        unsigned bins = 0;
        for (unsigned i = 0; i < n; ++i) bins = bins << 1 | plain.bypass();
        if ((random() & 1) != 0) {
          ASSERT_EQ(engine.peek_bypass() >> (16 - n), bins);
          engine.skip_bypass(n, bins);
        } else {
          ASSERT_EQ(engine.bypass_bins(n), bins);
        }
      } else if (op == 5 && plain.can_align()) {
        plain.align();
        engine.align_bypass();
      } else {
        const std::size_t i = op % kNumContexts;
        const unsigned bin = plain.decision(pStateIdx[i], valMPS[i]);
        switch (random() % 3) {  // all ways to say the same
          case 0:
            ASSERT_EQ(engine.decision(contexts[i]), bin);
            break;
          case 1:
            ASSERT_EQ(engine.decision(contexts[i], contexts[i]), bin);
            break;
          default:
            ASSERT_EQ(engine.decision_again(contexts[i], contexts[i]), bin);
        }
        ASSERT_EQ(contexts[i], kBinWords.word[pStateIdx[i] << 1 | valMPS[i]]);
      }
      ASSERT_EQ(engine.bit_pos(), plain.pos());
      ASSERT_EQ(engine.overrun(), plain.pos() > size * 8);
    }
  }
}

TEST(CabacEngine, TheStopBitIsTheLastBitRead) {
  // A slice whose only bin is the terminating one. EncodeFlush (9.3.4.5) meets codILow 508: seven
  // outstanding ones behind a first bit that is not written, then 01 with the stop bit.
  const std::vector<std::uint8_t> data = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0};
  CabacEngine engine(data.data(), data.data() + 2);
  EXPECT_TRUE(engine.terminate());
  EXPECT_EQ(engine.bit_pos_after_terminate(), 9u);
  EXPECT_FALSE(engine.overrun());
}

TEST(CabacEngine, BypassBinsOfForbiddenDataStayInRange) {
  std::vector<std::uint8_t> data(64, 0xff);  // codIOffset 511, which no encoder writes (9.3.1.2)
  CabacEngine engine(data.data(), data.data() + 56);
  EXPECT_LT(engine.peek_bypass(), 1u << 16);
  ContextWord context = kBinWords.word[60];
  for (int i = 0; i < 40; ++i) {
    engine.decision(context);
    engine.align_bypass();
    EXPECT_LT(engine.bypass_bins(5), 32u);
  }
}

TEST(CabacEngine, TouchesNothingBehindThePromisedPadding) {
  for (std::size_t size = 0; size < 12; ++size) {
    const auto data = std::make_unique<std::uint8_t[]>(size + 8);  // a sanitizer guards its end
    CabacEngine engine(data.get(), data.get() + size);
    ContextWord context = kBinWords.word[0];
    for (int i = 0; i < 1000; ++i) engine.decision(context);
    for (int i = 0; i < 1000; ++i) engine.bypass();
    EXPECT_TRUE(engine.overrun());
  }
}

}  // namespace
}  // namespace cope::entropy
