#include "cope/bits/nal_payload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace cope::bits {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes stretch(const Bytes& picture, const RbspSpan& span) {
  const auto begin = picture.begin() + static_cast<std::ptrdiff_t>(span.offset);
  return {begin, begin + static_cast<std::ptrdiff_t>(span.size)};
}

bool is_padded(const Bytes& picture, const RbspSpan& span) {
  const auto begin = picture.begin() + static_cast<std::ptrdiff_t>(span.offset + span.size);
  return picture.end() - begin >= static_cast<std::ptrdiff_t>(kRbspPadding) &&
         std::all_of(begin, begin + kRbspPadding, [](std::uint8_t byte) { return byte == 0; });
}

TEST(NalPayload, RemovesEmulationPreventionAndPads) {
  NalPayload payload;
  payload.load(Bytes(200, 0xff));  // leaves bytes behind a shorter one
  payload.load(Bytes{1, 0, 0, 3, 2});
  ASSERT_EQ(payload.size(), 4u);
  Bytes picture;
  const RbspSpan span = payload.append_to(picture);
  EXPECT_EQ(stretch(picture, span), (Bytes{1, 0, 0, 2}));
  EXPECT_TRUE(is_padded(picture, span));
}

TEST(NalPayload, AppendsBehindWhatIsThere) {
  NalPayload payload;
  Bytes picture;
  std::vector<RbspSpan> spans;
  for (std::uint8_t i = 1; i <= 3; ++i) {
    payload.load(Bytes(100u * i, i));
    spans.push_back(payload.append_to(picture));
  }
  for (std::uint8_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(stretch(picture, spans[i - 1u]), Bytes(100u * i, i));
    EXPECT_TRUE(is_padded(picture, spans[i - 1u]));
  }
}

TEST(NalPayload, KnowsARepetitionCutShort) {
  NalPayload payload;
  Bytes picture;
  payload.load(Bytes{5, 6, 7, 8});
  const RbspSpan span = payload.append_to(picture);
  const auto repeats = [&](const Bytes& bytes) {
    payload.load(bytes);
    return payload.repeats(picture, span);
  };
  EXPECT_TRUE(repeats({5, 6, 7, 8}));
  EXPECT_TRUE(repeats({5, 6}));
  EXPECT_TRUE(repeats({5, 6, 7, 8, 9}));
  EXPECT_FALSE(repeats({5, 6, 8}));
}

TEST(NalPayload, BuffersStopGrowing) {
  NalPayload payload;
  Bytes pictures[2];
  for (int round = 0; round < 8; ++round) {
    Bytes& picture = pictures[round % 2];
    picture.clear();
    payload.load(Bytes(round == 1 ? 5000 : 1000, 1));
    payload.append_to(picture);
  }
  const std::size_t capacity[] = {pictures[0].capacity(), pictures[1].capacity()};
  for (int round = 0; round < 8; ++round) {
    Bytes& picture = pictures[round % 2];
    picture.clear();
    payload.load(Bytes(5000, 1));
    payload.append_to(picture);
    EXPECT_LE(picture.capacity(), std::max(capacity[0], capacity[1]));
  }
}

}  // namespace
}  // namespace cope::bits
