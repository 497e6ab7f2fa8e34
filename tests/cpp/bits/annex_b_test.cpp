#include "cope/bits/annex_b.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace cope::bits {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::vector<Bytes> split(const Bytes& stream) {
  std::vector<std::span<const std::uint8_t>> nals = {std::span<const std::uint8_t>(stream)};
  split_annex_b(stream, nals);
  std::vector<Bytes> copies;
  for (const auto nal : nals) copies.emplace_back(nal.begin(), nal.end());
  return copies;
}

/// byte_stream_nal_unit() of B.1.1, one byte at a time.
std::vector<Bytes> split_slowly(const Bytes& s) {
  const auto is_start_code = [&](std::size_t i) {
    return i + 2 < s.size() && s[i] == 0 && s[i + 1] == 0 && s[i + 2] == 1;
  };
  std::vector<Bytes> nals;
  std::size_t i = 0;
  while (i < s.size() && !is_start_code(i)) ++i;
  while (i < s.size()) {
    i += 3;
    Bytes nal;
    while (i < s.size() && !is_start_code(i)) nal.push_back(s[i++]);
    while (!nal.empty() && nal.back() == 0) nal.pop_back();
    if (!nal.empty()) nals.push_back(nal);
  }
  return nals;
}

TEST(AnnexB, SplitsAtThreeAndFourByteStartCodes) {
  EXPECT_EQ(split({0, 0, 0, 1, 0x67, 9, 0, 0, 1, 0x68, 8, 7, 0, 0, 0, 1, 0x65, 0, 1, 2}),
            (std::vector<Bytes>{{0x67, 9}, {0x68, 8, 7}, {0x65, 0, 1, 2}}));
}

TEST(AnnexB, IgnoresWhatPrecedesTheFirstStartCode) {
  EXPECT_EQ(split({0, 0, 0, 0, 0, 0, 1, 0x09, 0x10}), (std::vector<Bytes>{{0x09, 0x10}}));
  EXPECT_EQ(split({0xff, 1, 0, 1, 0, 0, 2, 0, 0, 1, 0x09}), (std::vector<Bytes>{{0x09}}));
}

TEST(AnnexB, DropsTrailingZerosButNotTheLastByteOfACabacZeroWord) {
  EXPECT_EQ(split({0, 0, 1, 0x41, 0x80, 0, 0, 3, 0, 0, 3, 0, 0, 0, 0, 1, 0x41, 0x80, 0, 0}),
            (std::vector<Bytes>{{0x41, 0x80, 0, 0, 3, 0, 0, 3}, {0x41, 0x80}}));
}

TEST(AnnexB, LeavesOutEmptyUnits) {
  EXPECT_EQ(split({0, 0, 1, 0, 0, 1, 0x41, 0, 0, 0, 1}), (std::vector<Bytes>{{0x41}}));
  EXPECT_TRUE(split({0, 0, 1}).empty());
  EXPECT_TRUE(split({0, 0, 1, 0, 0, 0}).empty());
}

TEST(AnnexB, FindsNothingWithoutAStartCode) {
  EXPECT_TRUE(split({}).empty());
  EXPECT_TRUE(split({1}).empty());
  EXPECT_TRUE(split({0, 1}).empty());
  EXPECT_TRUE(split({0, 0}).empty());
  EXPECT_TRUE(split(Bytes(1000, 0)).empty());
  EXPECT_TRUE(split(Bytes(1000, 1)).empty());
  EXPECT_TRUE(split({0, 0, 2, 1, 0, 0, 3, 1}).empty());
}

TEST(AnnexB, AStartCodeDoesNotShareItsOneWithTheNext) {
  EXPECT_EQ(split({0, 0, 1, 1, 0, 1, 0, 0, 1, 1}), (std::vector<Bytes>{{1, 0, 1}, {1}}));
}

TEST(AnnexB, AgreesWithTheSyntaxTableOnRandomBytes) {
  std::mt19937 random(2);
  for (int round = 0; round < 20000; ++round) {
    Bytes stream(random() % 40);
    for (auto& byte : stream) {
      const std::uint8_t choices[] = {0, 0, 0, 1, 1, 3, static_cast<std::uint8_t>(random())};
      byte = choices[random() % 7];
    }
    ASSERT_EQ(split(stream), split_slowly(stream));
  }
}

}  // namespace
}  // namespace cope::bits
