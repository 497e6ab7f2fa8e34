#include "cope/bits/rbsp.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace cope::bits {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes unescape(const Bytes& nal) {
  constexpr std::uint8_t kGuard = 0xa5;
  Bytes out(nal.size() + 1, kGuard);
  const std::size_t size = unescape_rbsp(nal, out.data());
  EXPECT_LE(size, nal.size());
  EXPECT_EQ(out.back(), kGuard);
  out.resize(size);
  return out;
}

/// 7.4.1: a 0x03 goes before any byte of 0..3 that follows two zeros, and behind a final
/// cabac_zero_word.
Bytes escape(const Bytes& rbsp) {
  Bytes nal;
  int zeros = 0;
  for (const std::uint8_t byte : rbsp) {
    if (zeros == 2 && byte <= 3) {
      nal.push_back(3);
      zeros = 0;
    }
    nal.push_back(byte);
    zeros = byte == 0 ? zeros + 1 : 0;
  }
  if (zeros == 2) nal.push_back(3);
  return nal;
}

TEST(Rbsp, RemovesEachEmulationPreventionByte) {
  EXPECT_EQ(unescape({0, 0, 3, 0}), (Bytes{0, 0, 0}));
  EXPECT_EQ(unescape({0, 0, 3, 1}), (Bytes{0, 0, 1}));
  EXPECT_EQ(unescape({0, 0, 3, 2}), (Bytes{0, 0, 2}));
  EXPECT_EQ(unescape({0, 0, 3, 3}), (Bytes{0, 0, 3}));
  EXPECT_EQ(unescape({9, 0, 0, 3, 0, 0, 3, 0, 0, 3, 1, 9}), (Bytes{9, 0, 0, 0, 0, 0, 0, 1, 9}));
}

TEST(Rbsp, RemovesOneBehindACabacZeroWordAtTheEnd) {
  EXPECT_EQ(unescape({0x80, 0, 0, 3, 0, 0, 3}), (Bytes{0x80, 0, 0, 0, 0}));
}

TEST(Rbsp, ARemovedByteDoesNotCountAsTheSecondZero) {
  EXPECT_EQ(unescape({0, 0, 3, 0, 3}), (Bytes{0, 0, 0, 3}));
  EXPECT_EQ(unescape({0, 0, 3, 3, 3}), (Bytes{0, 0, 3, 3}));
}

TEST(Rbsp, KeepsOtherBytes) {
  for (const Bytes& bytes :
       {Bytes{}, Bytes{3}, Bytes{0, 3}, Bytes{3, 0, 0}, Bytes{0, 3, 0, 0}, Bytes{0, 0, 4, 3},
        Bytes{1, 0, 3, 0, 3, 0}, Bytes(100, 3), Bytes(100, 0)}) {
    EXPECT_EQ(unescape(bytes), bytes);
  }
}

TEST(Rbsp, DropsAThreeThatNothingMadeNecessary) {
  EXPECT_EQ(unescape({0, 0, 3, 9}), (Bytes{0, 0, 9}));
}

TEST(Rbsp, InvertsTheEscapeOfRandomPayloads) {
  std::mt19937 random(3);
  for (int round = 0; round < 20000; ++round) {
    Bytes rbsp(random() % 40);
    for (auto& byte : rbsp)
      byte = static_cast<std::uint8_t>(random() % 3 ? random() % 5 : random());
    ASSERT_EQ(unescape(escape(rbsp)), rbsp);
  }
}

}  // namespace
}  // namespace cope::bits
