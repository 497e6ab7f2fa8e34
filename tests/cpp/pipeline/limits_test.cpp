// Every limit, as a stream that asks for more meets it.
#include "cope/base/limits.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cope/pipeline/codec.h"
#include "cope/pipeline/picture_source.h"
#include "hostile_stream.h"

namespace cope::pipeline {
namespace {

struct Outcome {
  int num_pictures = 0;
  Status end;
  ReadStats stats;
};

Outcome read(const std::vector<std::uint8_t>& bytes, const Limits& limits) {
  auto headers = open_bytes(bytes, limits);
  if (!headers.ok()) return {0, headers.status(), {}};
  PictureSource pictures(std::move(headers).value(), {2, OnError::kConceal}, true);
  Outcome outcome;
  for (;;) {
    const auto item = pictures.next({});
    outcome.end = item.status();
    outcome.stats = pictures.stats();
    if (!item.ok()) return outcome;
    ++outcome.num_pictures;
  }
}

void expect_limit(const HostileStream& stream, const Limits& limits, const char* name) {
  EXPECT_EQ(read(stream.bytes(), {}).end.code, StatusCode::kEndOfStream) << name;
  const Status end = read(stream.bytes(), limits).end;
  ASSERT_EQ(end.code, StatusCode::kLimitExceeded) << name;
  EXPECT_STREQ(end.element, name);
}

/// Three pictures of 64x48, the later ones of three slices each.
HostileStream small_stream() {
  HostileStream stream(64, 48, 2);
  stream.add_parameter_sets();
  stream.add_idr();
  for (int i = 0; i < 2; ++i) {
    for (unsigned row = 0; row < 3; ++row) stream.add_skipped_slice(4 * row, 4);
    stream.next_picture();
  }
  return stream;
}

TEST(Limits, PictureSize) {
  Limits limits;
  limits.max_luma_samples = 64 * 48 - 1;
  expect_limit(small_stream(), limits, "max_luma_samples");
  limits = {};
  limits.max_dimension = 63;
  expect_limit(small_stream(), limits, "max_dimension");
}

TEST(Limits, SlicesPerPicture) {
  Limits limits;
  limits.max_slices_per_picture = 2;
  expect_limit(small_stream(), limits, "max_slices_per_picture");
}

TEST(Limits, References) {
  Limits limits;
  limits.max_references = 1;
  expect_limit(small_stream(), limits, "max_references");
}

TEST(Limits, NalBytes) {
  HostileStream stream = small_stream();
  stream.add(std::vector<std::uint8_t>(2000, 0x06));
  Limits limits;
  limits.max_nal_bytes = 1999;
  expect_limit(stream, limits, "max_nal_bytes");
}

/// mb_type I_16x16 with a DC level of 1 in each macroblock of a row of 4, and nothing else.
h264::BitWriter four_levels() {
  h264::BitWriter w;
  for (int i = 0; i < 4; ++i) {
    w.ue(3);                   // I_16x16_2_0_0: no AC, no chroma
    w.ue(0);                   // intra_chroma_pred_mode
    w.se(0);                   // mb_qp_delta
    w.u(2, 1);                 // coeff_token for nC 0: one coefficient, one trailing one
    w.flag(false).flag(true);  // its sign, total_zeros 0
  }
  return w;
}

TEST(Limits, CoefficientsPerPicture) {
  HostileStream stream(64, 16);
  stream.add_parameter_sets();
  stream.add_idr(four_levels());
  Limits limits;
  limits.max_coefficients_per_picture = 4;
  EXPECT_EQ(read(stream.bytes(), limits).num_pictures, 1);
  limits.max_coefficients_per_picture = 3;
  expect_limit(stream, limits, "max_coefficients_per_picture");
  limits.max_coefficients_per_picture = 1;
  expect_limit(stream, limits, "max_coefficients_per_picture");
}

TEST(Limits, SecondsPerPicture) {
  Limits limits;
  limits.max_seconds_per_picture = 1e-9;
  expect_limit(small_stream(), limits, "max_seconds_per_picture");
}

/// A packet with more pictures than one: a container's sample that holds a whole stream.
TEST(Limits, PicturesInFlight) {
  HostileStream stream(64, 48);
  stream.add_parameter_sets();
  stream.add_idr();
  for (int i = 0; i < 5; ++i) {
    stream.add_skipped_slice(0);
    stream.next_picture();
  }
  media::StreamInfo info;
  info.codec_id = media::CodecId::kH264;
  media::PacketView packet;
  packet.data = stream.bytes();
  for (const std::int32_t max_pictures : {6, 5}) {
    Limits limits;
    limits.max_pictures_in_flight = max_pictures;
    auto codec = make_codec(info, limits);
    ASSERT_TRUE(codec.ok());
    const Status status = codec.value()->push(packet);
    if (max_pictures == 6) {
      EXPECT_TRUE(status.ok());
    } else {
      ASSERT_EQ(status.code, StatusCode::kLimitExceeded);
      EXPECT_STREQ(status.element, "max_pictures_in_flight");
    }
  }
}

/// Every slice has a macroblock of its own: what says otherwise is dropped and counted, most of it
/// as the repetition that it is.
TEST(Limits, NoMoreSlicesThanMacroblocks) {
  HostileStream stream(32, 32);
  stream.add_parameter_sets();
  stream.add_idr();
  stream.add_skipped_slice(0, 1);
  for (unsigned i = 0; i < 1000; ++i) stream.add_skipped_slice(1 + i % 3, 1);
  const Outcome outcome = read(stream.bytes(), {});
  EXPECT_EQ(outcome.num_pictures, 2);
  EXPECT_EQ(outcome.stats.num_nal_units_damaged + outcome.stats.num_nal_units_repeated, 1001 - 4);
}

TEST(Limits, AdmitTheLargestPicture) {
  HostileStream stream(8192, 4352 - 32);
  stream.add_parameter_sets();
  stream.add_idr();
  stream.add_skipped_slice(0);
  const Outcome outcome = read(stream.bytes(), {});
  EXPECT_EQ(outcome.end.code, StatusCode::kEndOfStream);
  EXPECT_EQ(outcome.num_pictures, 2);
  EXPECT_EQ(outcome.stats.num_concealed_pictures, 1);  // the IDR picture has no data
}

/// Thousands of slices of a few bytes, each of which skips the rest of the picture from another
/// macroblock on, do not cost thousands of pictures.
TEST(Limits, OverlappingSlicesCostNoMoreThanAFewPictures) {
  HostileStream stream(4096, 2304);
  stream.add_parameter_sets();
  stream.add_idr();
  for (unsigned i = 4000; i-- > 0;) stream.add_skipped_slice(i);
  const auto start = std::chrono::steady_clock::now();
  const Outcome outcome = read(stream.bytes(), {});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(outcome.end.code, StatusCode::kEndOfStream);
  EXPECT_EQ(outcome.stats.num_concealed_pictures, 2);
  // 4000 times 36864 macroblocks would take several seconds at the least, a minute with a
  // sanitizer.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  EXPECT_LT(seconds.count(), 20.0);
#else
  EXPECT_LT(seconds.count(), 2.0);
#endif
}

}  // namespace
}  // namespace cope::pipeline
