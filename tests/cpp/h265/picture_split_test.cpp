#include "cope/h265/picture_split.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "coded_pictures.h"
#include "expect_same_picture.h"

namespace cope::h265 {
namespace {

namespace fs = std::filesystem;

const fs::path kStreams = streams_folder() / "hevc_conformance";

#define COPE_NEED_STREAMS()                                 \
  if (!fs::exists(kStreams)) {                              \
    ASSERT_EQ(std::getenv("COPE_REQUIRE_DATA"), nullptr);   \
    GTEST_SKIP() << "no H.265 streams: set COPE_TEST_DATA"; \
  }

struct Outcome {
  int num_pictures = 0;
  int num_split = 0;
  int num_joined = 0;
};

/// Parses each picture with `num_threads` threads and with one, and compares.
Outcome compare(std::vector<CodedPicture>& pictures, std::size_t num_threads,
                const ParseOptions& options = {}) {
  PictureParser parser;
  PictureSplit split;
  PictureJob whole;
  PictureJob joined;
  Outcome outcome;
  for (CodedPicture& coded : pictures) {
    ++outcome.num_pictures;
    joined.coded = coded;
    joined.picture = std::make_shared<prim::PicturePrimitives>();
    const std::size_t num_parts = split.begin(joined, options, num_threads, 16);
    EXPECT_LE(num_parts, num_threads);
    if (num_parts < 2) continue;
    ++outcome.num_split;
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < num_parts; ++i) threads.emplace_back([&split] { split.parse(); });
    split.parse();
    threads.clear();
    if (!split.join(joined, options)) continue;
    ++outcome.num_joined;
    whole.coded = coded;
    whole.picture = std::make_shared<prim::PicturePrimitives>();
    parser.parse(whole, options);
    EXPECT_EQ(whole.report.num_slices_damaged, 0);
    EXPECT_TRUE(joined.report.first_error.ok());
    expect_same_parse(*whole.picture, *joined.picture);
    EXPECT_TRUE(equal_units(*whole.motion_syntax, *joined.motion_syntax));
    if (testing::Test::HasFailure()) break;
  }
  return outcome;
}

TEST(PictureSplit, ThreadsMakeTheWhole) {
  COPE_NEED_STREAMS();
  int num_joined = 0;
  int num_split = 0;
  int num_streams = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kStreams)) {
    if (!entry.is_regular_file() || entry.file_size() > 400'000) continue;
    SCOPED_TRACE(entry.path());
    std::vector<CodedPicture> pictures = load_pictures(entry.path());
    const Outcome outcome = compare(pictures, 2 + static_cast<std::size_t>(num_streams) % 4);
    num_split += outcome.num_split;
    num_joined += outcome.num_joined;
    num_streams += outcome.num_joined > 0;
    if (HasFailure()) return;
  }
  RecordProperty("pictures", num_joined);
  RecordProperty("split", num_split);
  EXPECT_GT(num_streams, 10);
  EXPECT_GT(num_joined, 300);
}

struct Tools {
  const char* stream;
  const char* tool;
};

class EveryPictureOf : public testing::TestWithParam<Tools> {};

// By name, so that none of the ways to divide a picture can stop to be used unnoticed.
TEST_P(EveryPictureOf, IsSplit) {
  COPE_NEED_STREAMS();
  std::vector<CodedPicture> pictures = load_pictures(kStreams / GetParam().stream);
  ASSERT_FALSE(pictures.empty());
  const Outcome outcome = compare(pictures, 3);
  EXPECT_EQ(outcome.num_joined, outcome.num_split);
  EXPECT_GE(outcome.num_joined, outcome.num_pictures / 2);  // some are too small
  ParseOptions options;
  options.keep_coefficients = false;
  EXPECT_EQ(compare(pictures, 3, options).num_joined, outcome.num_joined);
}

INSTANTIATE_TEST_SUITE_P(PictureSplit, EveryPictureOf,
                         testing::Values(Tools{"made/kvz_tiles_2x2.bit", "Tiles"},
                                         Tools{"made/x265_default.bit", "Rows"},
                                         Tools{"made/kvz_tiles_3x2_slices.bit", "TilesAndSlices"},
                                         Tools{"made/kvz_wpp_slices.bit", "RowsAndSlices"},
                                         Tools{"jmhm/hm_slices_bytes_wpp_dep.265",
                                               "RowsAndDependentSegments"}),
                         [](const auto& tested) { return tested.param.tool; });

TEST(PictureSplit, LeavesWhatTakesTooLongOrIsTooMuchToTheWhole) {
  COPE_NEED_STREAMS();
  std::vector<CodedPicture> pictures = load_pictures(kStreams / "made/x265_default.bit");
  ASSERT_GT(compare(pictures, 3).num_joined, 0);
  ParseOptions options;
  options.limits.max_seconds_per_picture = 0;
  EXPECT_EQ(compare(pictures, 3, options).num_joined, 0);
  options = {};
  options.limits.max_coefficients_per_picture = 100;
  Outcome outcome = compare(pictures, 3, options);
  EXPECT_LT(outcome.num_joined, outcome.num_pictures / 2);  // few have less
}

TEST(PictureSplit, LeavesDamageToTheWhole) {
  COPE_NEED_STREAMS();
  std::mt19937 random(5);
  for (const char* name : {"made/kvz_tiles_3x2_slices.bit", "made/kvz_wpp_slices.bit",
                           "jmhm/hm_slices_bytes_wpp_dep.265"}) {
    SCOPED_TRACE(name);
    std::vector<CodedPicture> pictures = load_pictures(kStreams / name);
    ASSERT_FALSE(pictures.empty());
    Outcome sum;
    for (int round = 0; round < 20; ++round) {
      std::vector<CodedPicture> damaged = pictures;
      for (CodedPicture& picture : damaged) {
        const auto num_segments = static_cast<unsigned>(picture.info.num_slice_segments);
        const CodedSegment& segment = picture.segments[random() % num_segments];
        const std::size_t begin = segment.data_bit_offset / 8 + 1;
        if (segment.rbsp.size <= begin) continue;
        picture.rbsp[segment.rbsp.offset + begin + random() % (segment.rbsp.size - begin)] ^=
            static_cast<std::uint8_t>(1u << random() % 8);
      }
      const Outcome outcome = compare(damaged, 3);
      sum.num_split += outcome.num_split;
      sum.num_joined += outcome.num_joined;
      if (HasFailure()) return;
    }
    EXPECT_LT(sum.num_joined, sum.num_split);
  }
}

TEST(PictureSplit, LeavesWrongEntryPointsToTheWhole) {
  COPE_NEED_STREAMS();
  for (const char* name : {"made/kvz_tiles_2x2.bit", "made/x265_default.bit"}) {
    SCOPED_TRACE(name);
    std::vector<CodedPicture> pictures = load_pictures(kStreams / name);
    ASSERT_FALSE(pictures.empty());
    for (std::uint32_t error : {1u, 0xffffffffu, 1000u, 0x7fffffffu}) {
      std::vector<CodedPicture> wrong = pictures;
      bool has_entry_points = false;
      for (CodedPicture& picture : wrong) {
        for (CodedSegment& segment : picture.segments) {
          auto& offsets = segment.header.entry_point_offset_minus1;
          if (offsets.empty()) continue;
          offsets[offsets.size() / 2] += error;
          has_entry_points = true;
        }
      }
      ASSERT_TRUE(has_entry_points);
      EXPECT_EQ(compare(wrong, 3).num_joined, 0);
    }
  }
}

}  // namespace
}  // namespace cope::h265
