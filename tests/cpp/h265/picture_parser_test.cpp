#include "cope/h265/picture_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "allocation_counter.h"
#include "coded_pictures.h"

namespace cope::h265 {
namespace {

using prim::BlockType;

/// The headers of a stream's pictures; skips the test where the stream is not at hand.
#define COPE_LOAD(pictures, name)                                          \
  auto pictures = load_pictures(streams_folder() / (name));                \
  if (pictures.empty()) {                                                  \
    ASSERT_EQ(std::getenv("COPE_REQUIRE_DATA"), nullptr) << "no " << name; \
    GTEST_SKIP() << "no " << name << ": set COPE_TEST_DATA";               \
  }

PictureJob make_job(const CodedPicture& coded) {
  PictureJob job;
  job.coded = coded;
  job.picture = std::make_shared<prim::PicturePrimitives>();
  return job;
}

template <class T>
bool equal(const Buffer<T>& a, const Buffer<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

bool equal_blocks(const prim::BlockMap& a, const prim::BlockMap& b) {
  return equal(a.type, b.type) && equal(a.flags, b.flags) && equal(a.partition, b.partition) &&
         equal(a.partition_shape, b.partition_shape) && equal(a.qp, b.qp) &&
         equal(a.slice_idx, b.slice_idx) && equal(a.bits, b.bits);
}

std::int32_t count(const prim::BlockMap& blocks, BlockType type) {
  return static_cast<std::int32_t>(
      std::ranges::count(blocks.type.span(), static_cast<std::uint8_t>(type)));
}

constexpr const char* kStreams[] = {
    "gen/hm_ld_depslices_wpp.265",
    "gen/hm_ra_tiles_pcm.265",
    "gen/hm_rext_444_ccp.265",
    "gen/x265_rect_amp_b8_ref4.265",
};

class Stream : public testing::TestWithParam<const char*> {};

TEST_P(Stream, AllocatesNothingInTheSteadyState) {
  COPE_LOAD(pictures, GetParam());
  PictureParser parser;
  PictureJob job = make_job(pictures.front());
  const auto pass = [&] {
    for (CodedPicture& coded : pictures) {
      std::swap(job.coded, coded);
      parser.parse(job, {});
      std::swap(job.coded, coded);
    }
  };
  pass();
  const std::int64_t before = num_allocations;
  pass();
  EXPECT_EQ(num_allocations, before);
}

TEST_P(Stream, EveryBitOfSliceDataBelongsToACodingUnit) {
  COPE_LOAD(pictures, GetParam());
  PictureParser parser;
  for (const CodedPicture& coded : pictures) {
    PictureJob job = make_job(coded);
    parser.parse(job, {});
    ASSERT_TRUE(job.report.first_error.ok()) << coded.info.decode_index;
    std::int64_t spent = 0;
    for (const std::uint32_t bits : job.picture->blocks.bits.span()) spent += bits;
    std::int64_t coded_bits = 0;
    std::int64_t num_substreams = 0;
    for (std::int32_t i = 0; i < coded.info.num_slice_segments; ++i) {
      const CodedSegment& segment = coded.segments[static_cast<std::size_t>(i)];
      coded_bits += static_cast<std::int64_t>(segment.rbsp.size * 8 - segment.data_bit_offset);
      num_substreams +=
          1 + static_cast<std::int64_t>(segment.header.entry_point_offset_minus1.size());
    }
    // Terminating bins, alignment, and the look-ahead with which a substream starts.
    EXPECT_LE(spent, coded_bits);
    EXPECT_GE(spent, coded_bits - 26 * num_substreams);
  }
}

TEST_P(Stream, PredictionUnitsCoverTheInterBlocks) {
  COPE_LOAD(pictures, GetParam());
  PictureParser parser;
  for (const CodedPicture& coded : pictures) {
    PictureJob job = make_job(coded);
    parser.parse(job, {});
    std::int64_t area = 0;
    for (const PredictionUnit& unit : job.motion_syntax->units.span()) {
      area += unit.width * unit.height;
    }
    const prim::BlockMap& blocks = job.picture->blocks;
    EXPECT_EQ(area, std::int64_t{blocks.block_size} * blocks.block_size *
                        (count(blocks, BlockType::kInter) + count(blocks, BlockType::kSkip)));
  }
}

TEST_P(Stream, WithoutCoefficientsAllElseIsTheSame) {
  COPE_LOAD(pictures, GetParam());
  PictureParser parser;
  for (const CodedPicture& coded : pictures) {
    PictureJob with = make_job(coded);
    PictureJob without = make_job(coded);
    parser.parse(with, {});
    parser.parse(without, {.keep_coefficients = false});
    EXPECT_EQ(without.picture->coeffs.records.size(), 0u);
    EXPECT_EQ(without.picture->coeffs.levels.size(), 0u);
    EXPECT_TRUE(equal_blocks(with.picture->blocks, without.picture->blocks));
    EXPECT_TRUE(equal_units(*with.motion_syntax, *without.motion_syntax));
    EXPECT_EQ(with.picture->info.qp_sum, without.picture->info.qp_sum);
  }
}

TEST_P(Stream, DamageIsMarkedCountedAndLeavesNoTrace) {
  COPE_LOAD(pictures, GetParam());
  PictureParser parser;
  std::mt19937 random(5);
  for (const CodedPicture& coded : pictures) {
    PictureJob intact = make_job(coded);
    parser.parse(intact, {});
    for (int round = 0; round < 8; ++round) {
      PictureJob damaged = make_job(coded);
      for (std::int32_t i = 0; i < coded.info.num_slice_segments; ++i) {
        const CodedSegment& segment = coded.segments[static_cast<std::size_t>(i)];
        const std::size_t first = segment.rbsp.offset + segment.data_bit_offset / 8;
        const std::size_t size = segment.rbsp.offset + segment.rbsp.size - first;
        if (size == 0 || (round & 1) != (i & 1)) continue;
        for (int k = 0; k < 4; ++k) {
          damaged.coded.rbsp[first + random() % size] ^= static_cast<std::uint8_t>(random());
        }
      }
      parser.parse(damaged, {});
      const prim::BlockMap& blocks = damaged.picture->blocks;
      EXPECT_EQ(damaged.report.num_blocks_lost, count(blocks, BlockType::kLost));
      EXPECT_EQ(damaged.report.num_blocks_lost,
                std::ranges::count(blocks.slice_idx.span(), prim::kNoSlice));
      EXPECT_EQ(damaged.report.num_blocks_lost != 0, damaged.picture->info.num_blocks_lost != 0);
      if (damaged.report.num_blocks_lost != 0) {
        EXPECT_FALSE(damaged.report.first_error.ok());
      }
    }
    PictureJob again = make_job(coded);
    parser.parse(again, {});
    EXPECT_TRUE(equal_blocks(again.picture->blocks, intact.picture->blocks));
    EXPECT_TRUE(equal(again.picture->coeffs.records, intact.picture->coeffs.records));
    EXPECT_TRUE(equal(again.picture->coeffs.levels, intact.picture->coeffs.levels));
    EXPECT_TRUE(equal_units(*again.motion_syntax, *intact.motion_syntax));
  }
}

TEST_P(Stream, SegmentsInFrontOfATruncatedOneStay) {
  COPE_LOAD(pictures, GetParam());
  PictureParser parser;
  for (const CodedPicture& coded : pictures) {
    PictureJob intact = make_job(coded);
    parser.parse(intact, {});
    PictureJob damaged = make_job(coded);
    const auto last = static_cast<std::size_t>(coded.info.num_slice_segments) - 1;
    CodedSegment& segment = damaged.coded.segments[last];
    const std::size_t data = segment.data_bit_offset / 8;
    segment.rbsp.size = data + (segment.rbsp.size - data) / 2;
    std::memset(damaged.coded.rbsp.data() + segment.rbsp.offset + segment.rbsp.size, 0xff,
                kRbspPadding / 2);
    parser.parse(damaged, {});
    EXPECT_EQ(damaged.report.num_slices_damaged, 1);
    EXPECT_GT(damaged.report.num_blocks_lost, 0);
    EXPECT_EQ(damaged.report.first_error.nal_index, segment.nal_index);
    const prim::BlockMap& blocks = damaged.picture->blocks;
    const prim::BlockMap& expected = intact.picture->blocks;
    const std::int32_t first_lost_ctb =
        static_cast<std::int32_t>(segment.header.slice_segment_address);
    const Sps& sps = *segment.sps;
    const int log2 = sps.CtbLog2SizeY - sps.MinCbLog2SizeY;
    for (std::int32_t y = 0; y < blocks.height; ++y) {
      for (std::int32_t x = 0; x < blocks.width; ++x) {
        const auto ctb = static_cast<std::size_t>((y >> log2) * sps.PicWidthInCtbsY + (x >> log2));
        const Pps& pps = *segment.pps;
        if (pps.CtbAddrRsToTs[ctb] >= pps.CtbAddrRsToTs[static_cast<std::size_t>(first_lost_ctb)]) {
          continue;
        }
        const auto i = static_cast<std::size_t>(y * blocks.width + x);
        ASSERT_EQ(blocks.type[i], expected.type[i]);
        ASSERT_EQ(blocks.bits[i], expected.bits[i]);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(H265, Stream, testing::ValuesIn(kStreams));

TEST(PictureParser, RepeatedAndMisplacedSegmentsAreRefused) {
  COPE_LOAD(pictures, "gen/x265_slices_wpp.265");
  PictureParser parser;
  for (const CodedPicture& coded : pictures) {
    ASSERT_GT(coded.info.num_slice_segments, 1);
    PictureJob intact = make_job(coded);
    parser.parse(intact, {});

    PictureJob repeated = make_job(coded);
    repeated.coded.segments.insert(repeated.coded.segments.begin() + 1,
                                   repeated.coded.segments.front());
    ++repeated.coded.info.num_slice_segments;
    parser.parse(repeated, {});
    EXPECT_EQ(repeated.report.num_slices_damaged, 1);
    EXPECT_EQ(repeated.report.num_blocks_lost, 0);
    EXPECT_TRUE(equal_blocks(repeated.picture->blocks, intact.picture->blocks));
    EXPECT_TRUE(equal(repeated.picture->coeffs.levels, intact.picture->coeffs.levels));

    PictureJob outside = make_job(coded);
    outside.coded.segments[1].header.slice_segment_address = 1u << 20;
    parser.parse(outside, {});
    EXPECT_EQ(outside.report.num_slices_damaged, 1);
    EXPECT_STREQ(outside.report.first_error.element, "CtbAddrInTs");
  }
}

TEST(PictureParser, ADependentSegmentNeedsTheOneBefore) {
  COPE_LOAD(pictures, "gen/hm_ld_depslices_wpp.265");
  PictureParser parser;
  int num_refused = 0;
  for (const CodedPicture& coded : pictures) {
    for (std::int32_t i = 1; i < coded.info.num_slice_segments; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (!coded.segments[at].header.dependent_slice_segment_flag) continue;
      PictureJob job = make_job(coded);
      job.coded.segments.erase(job.coded.segments.begin() + i - 1);
      --job.coded.info.num_slice_segments;
      parser.parse(job, {});
      EXPECT_GT(job.report.num_blocks_lost, 0);
      num_refused += job.report.num_slices_damaged;
    }
  }
  EXPECT_GT(num_refused, 0);
}

}  // namespace
}  // namespace cope::h265
