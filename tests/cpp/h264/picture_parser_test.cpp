#include "cope/h264/picture_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <vector>

#include "allocation_counter.h"
#include "cope/bits/annex_b.h"
#include "cope/h264/header_decoder.h"

namespace cope::h264 {
namespace {

namespace fs = std::filesystem;

std::vector<std::uint8_t> read_stream(const char* name) {
  const char* const folder = std::getenv("COPE_TEST_DATA");
  const fs::path root = folder != nullptr ? fs::path(folder)
                                          : fs::path(__FILE__).parent_path() / "../../../../shared";
  std::ifstream file(root / "streams" / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A decoder as small as one can be: everything but a container and threads.
class Decoder {
 public:
  explicit Decoder(const std::vector<std::uint8_t>& stream) {
    bits::split_annex_b(stream, nals_);
    references_.reserve(64);
  }

  /// Parses to the end; `on_picture(job)` sees each picture.
  template <class OnPicture>
  void run(OnPicture on_picture) {
    for (const auto& nal : nals_) {
      (void)headers_.push_nal(nal, {});
      drain(on_picture);
    }
    headers_.end_access_unit();
    drain(on_picture);
  }

 private:
  template <class OnPicture>
  void drain(OnPicture& on_picture) {
    while (headers_.pop_picture(job_.coded)) {
      job_.picture = pool_.acquire();
      parser_.parse(job_, {});
      derive_motion(
          job_,
          [](void* context, std::int64_t decode_index) -> const prim::PicturePrimitives* {
            for (const auto& picture : static_cast<Decoder*>(context)->references_) {
              if (picture->info.decode_index == decode_index) return picture.get();
            }
            return nullptr;
          },
          this);
      references_.push_back(job_.picture);
      std::erase_if(references_, [this](const auto& picture) {
        const auto& live = job_.coded.live;
        return std::find(live.begin(), live.end(), picture->info.decode_index) == live.end();
      });
      on_picture(job_);
    }
  }

  std::vector<std::span<const std::uint8_t>> nals_;
  HeaderDecoder headers_{Limits{}};
  PictureParser parser_;
  PictureJob job_;
  prim::PicturePool pool_;
  std::vector<std::shared_ptr<prim::PicturePrimitives>> references_;
};

class Stream : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    stream_ = read_stream(GetParam());
    if (stream_.empty()) {
      ASSERT_EQ(std::getenv("COPE_REQUIRE_DATA"), nullptr) << "no " << GetParam();
      GTEST_SKIP() << "no " << GetParam() << ": set COPE_TEST_DATA";
    }
  }
  std::vector<std::uint8_t> stream_;
};

TEST_P(Stream, AllocatesNothingInTheSteadyState) {
  Decoder decoder(stream_);
  // Until every picture of the pool has met the largest one.
  for (int pass = 0; pass < 8; ++pass) decoder.run([](const PictureJob&) {});
  const std::int64_t before = num_allocations;
  int num_pictures = 0;
  decoder.run([&](const PictureJob&) { ++num_pictures; });
  EXPECT_GT(num_pictures, 20);
  // What is left belongs to the parameter sets that the stream begins with, not to its pictures.
  EXPECT_LT(num_allocations - before, 10);
}

TEST_P(Stream, EveryBitOfSliceDataBelongsToAMacroblock) {
  Decoder(stream_).run([](const PictureJob& job) {
    ASSERT_TRUE(job.report.first_error.ok()) << job.coded.info.decode_index;
    std::int64_t spent = 0;
    for (const std::uint32_t bits : job.picture->blocks.bits.span()) spent += bits;
    std::int64_t sliced = 0;
    for (std::int32_t i = 0; i < job.coded.info.num_slices; ++i) {
      const CodedSlice& slice = job.coded.slices[static_cast<std::size_t>(i)];
      sliced += static_cast<std::int64_t>(slice.rbsp.size * 8 - slice.data_bit_offset);
    }
    // Alignment and trailing bits of a slice, and the look-ahead with which CABAC starts.
    EXPECT_LE(spent, sliced);
    EXPECT_GE(spent, sliced - 24 * job.coded.info.num_slices);
  });
}

INSTANTIATE_TEST_SUITE_P(H264, Stream,
                         testing::Values("h264_conformance/jvt/CABA3_SVA_B.264",
                                         "h264_conformance/jvt/BA1_FT_C.264"));

}  // namespace
}  // namespace cope::h264
