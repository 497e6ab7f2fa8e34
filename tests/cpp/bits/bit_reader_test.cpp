#include "cope/bits/bit_reader.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace cope::bits {
namespace {

/// Bytes of a string of 0 and 1 (other characters are ignored), zero filled, with the padding
/// that `BitReader` asks for.
struct Bits {
  explicit Bits(std::string_view text) {
    std::size_t n = 0;
    for (const char c : text) {
      if (c != '0' && c != '1') continue;
      if (n % 8 == 0) data.push_back(0);
      if (c == '1') data.back() = static_cast<std::uint8_t>(data.back() | 0x80 >> n % 8);
      ++n;
    }
    size = data.size();
    data.resize(size + 8, 0xff);  // ones: a read beyond the end would show
  }
  BitReader reader() const { return {data.data(), size}; }

  std::vector<std::uint8_t> data;
  std::size_t size = 0;
};

std::string exp_golomb(std::uint64_t code_num) {  // 9.1: M zeros, one, M bits
  std::string suffix;
  for (std::uint64_t v = code_num + 1; v > 1; v >>= 1) suffix.insert(0, 1, v & 1 ? '1' : '0');
  return std::string(suffix.size(), '0') + '1' + suffix;
}

TEST(BitReader, ReadsFixedLengths) {
  const Bits bits("1 01 00110 10101010 11111111 00000000 11110000 0000 1");
  BitReader r = bits.reader();
  EXPECT_TRUE(r.flag());
  EXPECT_EQ(r.u(2), 1u);
  EXPECT_EQ(r.u(0), 0u);
  EXPECT_EQ(r.u(5), 6u);
  EXPECT_TRUE(r.byte_aligned());
  EXPECT_EQ(r.u(32), 0xaaff00f0u);
  EXPECT_EQ(r.u(4), 0u);
  EXPECT_EQ(r.bit_pos(), 44u);
  EXPECT_EQ(r.u(4), 8u);
  EXPECT_FALSE(r.overrun());
  EXPECT_EQ(r.bits_left(), 0u);
}

TEST(BitReader, ReadsTheExpGolombCodesOfTable9_2) {
  const Bits bits("1 010 011 00100 00101 00110 00111 0001000 0001001 0001010");
  BitReader r = bits.reader();
  for (std::uint32_t code_num = 0; code_num < 10; ++code_num) EXPECT_EQ(r.ue(), code_num);
  EXPECT_FALSE(r.overrun());
}

TEST(BitReader, MapsSignedExpGolombAsTable9_3) {
  const Bits bits("1 010 011 00100 00101 00110 00111");
  BitReader r = bits.reader();
  for (const std::int32_t value : {0, 1, -1, 2, -2, 3, -3}) EXPECT_EQ(r.se(), value);
}

TEST(BitReader, TruncatedExpGolombIsOneInvertedBitForOneChoice) {
  const Bits bits("1 0 011 1");
  BitReader r = bits.reader();
  EXPECT_EQ(r.te(1), 0u);
  EXPECT_EQ(r.te(1), 1u);
  EXPECT_EQ(r.te(2), 2u);
  EXPECT_EQ(r.te(31), 0u);
}

TEST(BitReader, ReadsExpGolombOfEveryLength) {
  std::vector<std::uint64_t> values;
  for (unsigned m = 0; m < 32; ++m) {
    values.push_back((std::uint64_t{1} << m) - 1);  // first and last code of each length
    values.push_back((std::uint64_t{2} << m) - 2);
  }
  for (unsigned lead = 0; lead < 8; ++lead) {
    std::string text(lead, '0');
    for (const std::uint64_t v : values) text += exp_golomb(v);
    const Bits bits(text);
    BitReader r = bits.reader();
    r.skip(lead);
    for (const std::uint64_t v : values) EXPECT_EQ(r.ue(), v) << "lead " << lead;
    EXPECT_FALSE(r.overrun());
  }
}

TEST(BitReader, SignedExtremesFit) {
  const Bits bits(exp_golomb(0xfffffffdu) + exp_golomb(0xfffffffeu));
  BitReader r = bits.reader();
  EXPECT_EQ(r.se(), 0x7fffffff);
  EXPECT_EQ(r.se(), -0x7fffffff);
  EXPECT_FALSE(r.overrun());
}

TEST(BitReader, OverlongExpGolombIsAnOverrun) {
  for (const unsigned zeros : {32u, 33u, 40u, 70u}) {
    const Bits bits(std::string(zeros, '0') + std::string(80, '1'));
    BitReader r = bits.reader();
    EXPECT_EQ(r.ue(), 0u) << zeros;
    EXPECT_TRUE(r.overrun()) << zeros;
  }
}

TEST(BitReader, CodesCutByTheEndAreOverruns) {
  for (const std::uint32_t value : {1u, 6u, 254u, 65534u, 65535u, 4294967294u}) {
    const std::string code = exp_golomb(value);
    for (std::size_t cut = 0; cut < code.size(); ++cut) {
      // The code starts so that the data ends after its first `cut` bits.
      const std::size_t lead = (8 - cut % 8) % 8;
      const Bits bits(std::string(lead, '1') + code.substr(0, cut));
      BitReader r = bits.reader();
      r.skip(lead);
      EXPECT_EQ(r.ue(), 0u) << code << " cut at " << cut;
      EXPECT_TRUE(r.overrun()) << code << " cut at " << cut;
      EXPECT_EQ(r.bit_pos(), r.size_bits());
    }
  }
}

TEST(BitReader, OverrunIsSticky) {
  const Bits bits("11111111");
  BitReader r = bits.reader();
  EXPECT_EQ(r.u(9), 0u);
  EXPECT_TRUE(r.overrun());
  EXPECT_EQ(r.u(1), 0u);
  EXPECT_EQ(r.ue(), 0u);
  EXPECT_EQ(r.se(), 0);
  r.skip(0);
  EXPECT_TRUE(r.overrun());
  EXPECT_EQ(r.bits_left(), 0u);
}

TEST(BitReader, SkipOfAnySizeStaysInside) {
  const Bits bits("00000000 1");
  BitReader r = bits.reader();
  r.skip(~std::size_t{0});
  EXPECT_TRUE(r.overrun());
  EXPECT_EQ(r.bit_pos(), 16u);
  EXPECT_TRUE(BitReader(bits.data.data(), bits.size, 17).overrun());
  EXPECT_FALSE(BitReader(bits.data.data(), bits.size, 16).overrun());
}

TEST(BitReader, EmptyData) {
  const Bits bits("");
  BitReader r = bits.reader();
  EXPECT_FALSE(r.more_rbsp_data());
  EXPECT_EQ(r.u(0), 0u);
  EXPECT_FALSE(r.overrun());
  EXPECT_EQ(r.u(1), 0u);
  EXPECT_TRUE(r.overrun());
}

TEST(BitReader, MoreRbspDataEndsAtTheStopBit) {
  const Bits bits("1010 1000 00000000 00000000");  // stop bit in the first byte, cabac_zero_words
  BitReader r = bits.reader();
  for (std::size_t pos = 0; pos < 4; ++pos, r.skip(1)) EXPECT_TRUE(r.more_rbsp_data()) << pos;
  EXPECT_FALSE(r.more_rbsp_data());
  r.skip(1);
  EXPECT_FALSE(r.more_rbsp_data());
  EXPECT_FALSE(Bits("00000000 00000000").reader().more_rbsp_data());
  EXPECT_FALSE(Bits("10000000").reader().more_rbsp_data());
  EXPECT_TRUE(Bits("00000001 10000000").reader().more_rbsp_data());
}

TEST(BitReader, AgreesWithABitStringOnRandomReads) {
  std::mt19937 random(1);
  std::string text;
  for (int i = 0; i < 4000; ++i) text += random() & 1 ? '1' : '0';
  const Bits bits(text);
  for (int round = 0; round < 200; ++round) {
    BitReader r = bits.reader();
    std::size_t pos = 0;
    while (true) {
      const auto n = static_cast<unsigned>(random() % 33);
      if (pos + n > text.size()) break;
      std::uint32_t expected = 0;
      for (unsigned i = 0; i < n; ++i) expected = expected << 1 | (text[pos + i] == '1');
      if (pos + 32 <= text.size()) {
        EXPECT_EQ(n == 0 ? 0 : r.peek32() >> (32 - n), expected);
      }
      ASSERT_EQ(r.u(n), expected) << n << " bits at " << pos;
      pos += n;
      ASSERT_EQ(r.bit_pos(), pos);
      ASSERT_EQ(r.byte_aligned(), pos % 8 == 0);
    }
    EXPECT_FALSE(r.overrun());
  }
}

}  // namespace
}  // namespace cope::bits
