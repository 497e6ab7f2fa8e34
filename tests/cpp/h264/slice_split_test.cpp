#include "cope/h264/slice_split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "cope/bits/annex_b.h"
#include "cope/h264/header_decoder.h"
#include "expect_same_picture.h"

namespace cope::h264 {
namespace {

namespace fs = std::filesystem;

fs::path conformance_folder() {
  const char* const folder = std::getenv("COPE_TEST_DATA");
  const fs::path root = folder != nullptr ? fs::path(folder)
                                          : fs::path(__FILE__).parent_path() / "../../../../shared";
  return root / "streams/h264_conformance";
}

void expect_same_picture(const prim::PicturePrimitives& a, const prim::PicturePrimitives& b) {
  expect_same_parse(a, b);
  ASSERT_EQ(a.motion.mv.size(), b.motion.mv.size());
  expect_same(a.motion.mv.span(), b.motion.mv.span(), "mv");
  expect_same(a.motion.ref_idx.span(), b.motion.ref_idx.span(), "ref_idx");
  std::vector<std::int32_t> ref_poc[2];
  for (const auto* picture : {&a, &b}) {
    auto& poc = ref_poc[picture == &b];
    poc.resize(2 * picture->motion.plane_size());
    picture->write_ref_poc(poc.data());
  }
  EXPECT_EQ(ref_poc[0], ref_poc[1]);
}

struct Outcome {
  int num_pictures = 0;
  int num_split = 0;
  int num_joined = 0;
};

/// Parses every picture as a whole and in parts, and compares.
/// \param damage_one_in  0: none; else one of so many pictures gets a wrong byte
Outcome compare(const fs::path& path, std::size_t max_parts, unsigned damage_one_in) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<std::uint8_t> stream{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::span<const std::uint8_t>> nals;
  bits::split_annex_b(stream, nals);

  HeaderDecoder headers{Limits{}};
  std::mt19937 random(11);
  PictureParser parser;
  SliceSplit split;
  PictureJob job;
  std::vector<std::shared_ptr<prim::PicturePrimitives>> references;
  const auto lookup = [](void* context, std::int64_t index) -> const prim::PicturePrimitives* {
    for (const auto& picture : *static_cast<decltype(references)*>(context)) {
      if (picture->info.decode_index == index) return picture.get();
    }
    return nullptr;
  };
  Outcome outcome;
  const auto compare_all = [&] {
    while (headers.pop_picture(job.coded)) {
      ++outcome.num_pictures;
      if (damage_one_in > 0 && random() % damage_one_in == 0) {
        const auto num_slices = static_cast<unsigned>(job.coded.info.num_slices);
        const CodedSlice& slice = job.coded.slices[random() % num_slices];
        if (slice.rbsp.size > 8) {
          const std::size_t at = slice.data_bit_offset / 8 + 1;
          const std::size_t room = std::max<std::size_t>(1, slice.rbsp.size - at);
          job.coded.rbsp[slice.rbsp.offset + at + random() % room] ^=
              static_cast<std::uint8_t>(1u << random() % 8);
        }
      }
      std::shared_ptr<prim::PicturePrimitives> joined;
      ParseReport joined_report;
      const std::size_t num_parts = split.begin(job, max_parts, 16);
      if (num_parts > 1) {
        ++outcome.num_split;
        EXPECT_LE(num_parts, max_parts);
        for (std::size_t i = num_parts; i-- > 0;) split.parse(i, job, {});
        job.picture = std::make_shared<prim::PicturePrimitives>();
        if (split.join(job, {})) {
          ++outcome.num_joined;
          derive_motion(job, lookup, &references);
          joined = job.picture;
          joined_report = job.report;
        }
      }
      job.picture = std::make_shared<prim::PicturePrimitives>();
      parser.parse(job, {});
      derive_motion(job, lookup, &references);
      if (joined) {
        // What damage elsewhere makes of motion is the same, too.
        EXPECT_EQ(job.report.num_slices_damaged, 0);
        EXPECT_EQ(job.report.num_motion_lost, joined_report.num_motion_lost);
        EXPECT_EQ(job.report.first_error.code, joined_report.first_error.code);
        expect_same_picture(*joined, *job.picture);
      }
      references.push_back(job.picture);
      std::erase_if(references, [&job](const auto& picture) {
        return std::find(job.coded.live.begin(), job.coded.live.end(),
                         picture->info.decode_index) == job.coded.live.end();
      });
      if (testing::Test::HasFailure()) return;
    }
  };
  for (const auto& nal : nals) {
    (void)headers.push_nal(nal, {});
    compare_all();
    if (testing::Test::HasFailure()) return outcome;
  }
  headers.end_access_unit();
  compare_all();
  return outcome;
}

TEST(SliceSplit, PartsMakeTheWhole) {
  if (!fs::exists(conformance_folder())) GTEST_SKIP() << "no streams: set COPE_TEST_DATA";
  int num_joined = 0;
  int num_streams = 0;
  for (const auto& entry : fs::recursive_directory_iterator(conformance_folder())) {
    if (!entry.is_regular_file() || entry.file_size() > 600'000) continue;
    SCOPED_TRACE(entry.path());
    const Outcome outcome = compare(entry.path(), 2 + static_cast<std::size_t>(num_streams) % 4, 0);
    num_joined += outcome.num_joined;
    num_streams += outcome.num_joined > 0;
    if (HasFailure()) return;
  }
  RecordProperty("pictures", num_joined);
  EXPECT_GT(num_streams, 10);
  EXPECT_GT(num_joined, 500);
}

TEST(SliceSplit, LeavesDamageToTheWhole) {
  if (!fs::exists(conformance_folder())) GTEST_SKIP() << "no streams: set COPE_TEST_DATA";
  const Outcome outcome = compare(conformance_folder() / "made/x264_slices8.264", 4, 2);
  EXPECT_GT(outcome.num_joined, 0);
  EXPECT_LT(outcome.num_joined, outcome.num_split);
}

}  // namespace
}  // namespace cope::h264
