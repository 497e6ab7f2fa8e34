#include "cope/h265/picture_split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include "cope/bits/annex_b.h"
#include "cope/h265/header_decoder.h"
#include "cope/h265/motion_syntax.h"

namespace cope::h265 {
namespace {

namespace fs = std::filesystem;

fs::path streams_folder() {
  const char* const folder = std::getenv("COPE_TEST_DATA");
  const fs::path root = folder != nullptr ? fs::path(folder)
                                          : fs::path(__FILE__).parent_path() / "../../../../shared";
  return root / "streams/hevc_conformance";
}

#define COPE_NEED_STREAMS()                                 \
  if (!fs::exists(streams_folder())) {                      \
    ASSERT_EQ(std::getenv("COPE_REQUIRE_DATA"), nullptr);   \
    GTEST_SKIP() << "no H.265 streams: set COPE_TEST_DATA"; \
  }

std::vector<CodedPicture> load(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<std::uint8_t> stream{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::span<const std::uint8_t>> nals;
  bits::split_annex_b(stream, nals);
  HeaderDecoder headers{Limits{}};
  std::vector<CodedPicture> pictures;
  const auto drain = [&] {
    for (CodedPicture picture; headers.pop_picture(picture); picture = {}) {
      pictures.push_back(std::move(picture));
    }
  };
  for (const auto& nal : nals) {
    (void)headers.push_nal(nal, {});
    drain();
  }
  headers.end_access_unit();
  drain();
  return pictures;
}

template <class T>
void expect_same(std::span<const T> a, std::span<const T> b, const char* what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  EXPECT_TRUE(a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0) << what;
}

void expect_same_units(const MotionSyntax& a, const MotionSyntax& b) {
  ASSERT_EQ(a.units.size(), b.units.size());
  for (std::size_t i = 0; i < a.units.size(); ++i) {
    const PredictionUnit& u = a.units[i];
    const PredictionUnit& v = b.units[i];
    ASSERT_TRUE(u.x == v.x && u.y == v.y && u.width == v.width && u.height == v.height &&
                u.part_mode == v.part_mode && u.merge_idx == v.merge_idx &&
                u.mvp_flags == v.mvp_flags && u.ref_idx[0] == v.ref_idx[0] &&
                u.ref_idx[1] == v.ref_idx[1] && u.mvd[0].x == v.mvd[0].x &&
                u.mvd[0].y == v.mvd[0].y && u.mvd[1].x == v.mvd[1].x && u.mvd[1].y == v.mvd[1].y)
        << "unit " << i;
  }
}

void expect_same(const PictureJob& a_job, const PictureJob& b_job) {
  const prim::PicturePrimitives& a = *a_job.picture;
  const prim::PicturePrimitives& b = *b_job.picture;
  EXPECT_EQ(a.info.qp_sum, b.info.qp_sum);
  EXPECT_EQ(a.info.qp_min, b.info.qp_min);
  EXPECT_EQ(a.info.qp_max, b.info.qp_max);
  EXPECT_EQ(a.info.num_blocks_lost, b.info.num_blocks_lost);
  expect_same(a.blocks.type.span(), b.blocks.type.span(), "type");
  expect_same(a.blocks.flags.span(), b.blocks.flags.span(), "flags");
  expect_same(a.blocks.partition.span(), b.blocks.partition.span(), "partition");
  expect_same(a.blocks.partition_shape.span(), b.blocks.partition_shape.span(), "shape");
  expect_same(a.blocks.qp.span(), b.blocks.qp.span(), "qp");
  expect_same(a.blocks.slice_idx.span(), b.blocks.slice_idx.span(), "slice_idx");
  expect_same(a.blocks.bits.span(), b.blocks.bits.span(), "bits");
  expect_same(a.coeffs.records.span(), b.coeffs.records.span(), "records");
  expect_same(a.coeffs.positions.span(), b.coeffs.positions.span(), "positions");
  expect_same(a.coeffs.levels.span(), b.coeffs.levels.span(), "levels");
  expect_same(std::span(a.scaling), std::span(b.scaling), "scaling");
  expect_same_units(*a_job.motion_syntax, *b_job.motion_syntax);
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
    expect_same(whole, joined);
    if (testing::Test::HasFailure()) break;
  }
  return outcome;
}

TEST(PictureSplit, ThreadsMakeTheWhole) {
  COPE_NEED_STREAMS();
  int num_joined = 0;
  int num_split = 0;
  int num_streams = 0;
  for (const auto& entry : fs::recursive_directory_iterator(streams_folder())) {
    if (!entry.is_regular_file() || entry.file_size() > 400'000) continue;
    SCOPED_TRACE(entry.path());
    std::vector<CodedPicture> pictures = load(entry.path());
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
  std::vector<CodedPicture> pictures = load(streams_folder() / GetParam().stream);
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
  std::vector<CodedPicture> pictures = load(streams_folder() / "made/x265_default.bit");
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
    std::vector<CodedPicture> pictures = load(streams_folder() / name);
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
    std::vector<CodedPicture> pictures = load(streams_folder() / name);
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
