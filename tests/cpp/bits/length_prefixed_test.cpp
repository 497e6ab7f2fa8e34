#include "cope/bits/length_prefixed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace cope::bits {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Nals = std::vector<Bytes>;

Nals copies(const std::vector<std::span<const std::uint8_t>>& nals) {
  Nals out;
  for (const auto nal : nals) out.emplace_back(nal.begin(), nal.end());
  return out;
}

/// A span that a sanitizer guards to the byte.
struct Exact {
  explicit Exact(const Bytes& bytes, std::size_t size_bytes)
      : data(std::make_unique<std::uint8_t[]>(size_bytes)), size(size_bytes) {
    std::copy_n(bytes.begin(), size, data.get());
  }
  std::span<const std::uint8_t> span() const { return {data.get(), size}; }
  std::unique_ptr<std::uint8_t[]> data;
  std::size_t size;
};

const Bytes kAvcc = {1, 100, 0,    31, 0xff, 0xe1, 0,    3,    0x67, 1,    2, 2,
                     0, 2,   0x68, 3,  0,    1,    0x68, 0xfd, 0xf8, 0xf8, 0};

Bytes hvcc() {
  Bytes record(23, 0);
  record[0] = 1;
  record[21] = 0xfc | 3;
  record[22] = 2;
  const Bytes arrays = {0x80 | 32, 0, 1, 0, 2, 0x40, 1, 0x80 | 33, 0, 2, 0, 1, 0x42, 0, 2, 0x42, 7};
  record.insert(record.end(), arrays.begin(), arrays.end());
  return record;
}

TEST(LengthPrefixed, ReadsAvcc) {
  DecoderConfiguration config;
  ASSERT_TRUE(parse_avcc(kAvcc, config).ok());
  EXPECT_EQ(config.nal_length_size, 4u);
  EXPECT_EQ(copies(config.nals), (Nals{{0x67, 1, 2}, {0x68, 3}, {0x68}}));
}

TEST(LengthPrefixed, AvccWithoutParameterSetsIsWellFormed) {
  DecoderConfiguration config;
  config.nals.resize(3);
  ASSERT_TRUE(parse_avcc(Bytes{1, 66, 0, 30, 0xfc, 0xe0, 0}, config).ok());
  EXPECT_EQ(config.nal_length_size, 1u);
  EXPECT_TRUE(config.nals.empty());
}

TEST(LengthPrefixed, AvccCutAnywhereKeepsTheUnitsBeforeTheCut) {
  const std::size_t complete[] = {11, 16, 19};  // bytes up to the end of each unit
  for (std::size_t size = 0; size < 19; ++size) {
    const Exact record(kAvcc, size);
    DecoderConfiguration config;
    const Status status = parse_avcc(record.span(), config);
    EXPECT_EQ(status.code, StatusCode::kInvalidBitstream) << size;
    std::size_t expected = 0;
    for (const std::size_t end : complete) expected += size >= end;
    EXPECT_EQ(config.nals.size(), expected) << size;
    EXPECT_EQ(config.nal_length_size, 4u);
  }
}

TEST(LengthPrefixed, AvccOfAnotherVersionIsInvalid) {
  Bytes record = kAvcc;
  record[0] = 0;  // also how Annex B extradata begins
  DecoderConfiguration config;
  EXPECT_STREQ(parse_avcc(record, config).element, "configurationVersion");
}

TEST(LengthPrefixed, ReadsHvcc) {
  DecoderConfiguration config;
  const Bytes record = hvcc();
  ASSERT_TRUE(parse_hvcc(record, config).ok());
  EXPECT_EQ(config.nal_length_size, 4u);
  EXPECT_EQ(copies(config.nals), (Nals{{0x40, 1}, {0x42}, {0x42, 7}}));
}

TEST(LengthPrefixed, HvccCutAnywhereIsInvalid) {
  const Bytes whole = hvcc();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Exact record(whole, size);
    DecoderConfiguration config;
    EXPECT_EQ(parse_hvcc(record.span(), config).code, StatusCode::kInvalidBitstream) << size;
  }
}

TEST(LengthPrefixed, SplitsSamplesOfEveryLengthSize) {
  for (unsigned length_size = 1; length_size <= 4; ++length_size) {
    Bytes sample;
    const Nals expected = {{0x65, 1, 2}, {0x41}, Bytes(200, 7)};
    for (const Bytes& nal : expected) {
      sample.insert(sample.end(), length_size - 1, 0);
      sample.push_back(static_cast<std::uint8_t>(nal.size()));
      sample.insert(sample.end(), nal.begin(), nal.end());
    }
    std::vector<std::span<const std::uint8_t>> nals;
    EXPECT_TRUE(split_length_prefixed(sample, length_size, nals).ok());
    EXPECT_EQ(copies(nals), expected);
  }
}

TEST(LengthPrefixed, LengthsAreBigEndian) {
  Bytes sample = {0x01, 0x02};
  sample.resize(2 + 0x102, 5);
  std::vector<std::span<const std::uint8_t>> nals;
  EXPECT_TRUE(split_length_prefixed(sample, 2, nals).ok());
  ASSERT_EQ(nals.size(), 1u);
  EXPECT_EQ(nals[0].size(), 0x102u);
}

TEST(LengthPrefixed, LeavesOutEmptyUnits) {
  std::vector<std::span<const std::uint8_t>> nals;
  const Bytes sample = {0, 0, 0, 1, 9, 0};
  EXPECT_TRUE(split_length_prefixed(sample, 1, nals).ok());
  EXPECT_EQ(copies(nals), (Nals{{9}}));
  EXPECT_TRUE(split_length_prefixed({}, 4, nals).ok());
  EXPECT_TRUE(nals.empty());
}

TEST(LengthPrefixed, ALengthBeyondTheSampleIsInvalidAndKeepsEarlierUnits) {
  std::vector<std::span<const std::uint8_t>> nals;
  for (const Bytes& tail : {Bytes{0, 0, 0, 3, 1, 2}, Bytes{0xff, 0xff, 0xff, 0xff, 1},
                            Bytes{0, 0, 0}, Bytes{0}, Bytes{0, 0, 0, 1}}) {
    Bytes bytes = {0, 0, 0, 2, 0x65, 0x88};
    bytes.insert(bytes.end(), tail.begin(), tail.end());
    const Exact sample(bytes, bytes.size());
    const Status status = split_length_prefixed(sample.span(), 4, nals);
    EXPECT_EQ(status.code, StatusCode::kInvalidBitstream);
    EXPECT_EQ(copies(nals), (Nals{{0x65, 0x88}}));
  }
}

TEST(LengthPrefixed, ALengthSizeThatNoRecordCanSayIsRefused) {
  std::vector<std::span<const std::uint8_t>> nals(1);
  EXPECT_FALSE(split_length_prefixed(Bytes{1, 2}, 0, nals).ok());
  EXPECT_FALSE(split_length_prefixed(Bytes{1, 2}, 5, nals).ok());
  EXPECT_TRUE(nals.empty());
}

}  // namespace
}  // namespace cope::bits
