// The memory bound of docs/robustness.md, held against what hostile streams make cope allocate.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "cope/h264/coded_picture.h"
#include "cope/h264/mb_state.h"
#include "cope/h264/motion_syntax.h"
#include "cope/pipeline/picture_source.h"
#include "cope/pipeline/window_source.h"
#include "hostile_stream.h"
#include "live_bytes.h"

namespace cope::pipeline {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

/// What the bound depends on.
struct Case {
  std::int64_t num_mbs = 0;        ///< of a picture, all colour planes
  std::int64_t picture_bytes = 0;  ///< NAL units of the largest picture
  std::int64_t num_slices = 1;     ///< of that with most
  std::int64_t references = 1;     ///< frames
  int threads = 2;
};

/// Buffers grow by a quarter more than asked for.
std::int64_t grown(std::int64_t bytes) { return bytes + bytes / 4; }

/// A picture with headers decoded.
std::int64_t coded_bytes(const Case& c) {
  const std::int64_t rbsp =
      c.picture_bytes + c.num_slices * static_cast<std::int64_t>(h264::kRbspPadding);
  const auto slice = static_cast<std::int64_t>(sizeof(h264::CodedSlice));
  return std::max(grown(rbsp), std::min(4 * rbsp, kMiB)) +
         std::max(grown(c.num_slices), std::min<std::int64_t>(4 * c.num_slices, 64)) * slice +
         c.num_mbs + 1024;
}

/// A parsed picture: block map, motion, levels and their records, reference lists.
std::int64_t parsed_bytes(const Case& c, const Limits& limits) {
  const std::int64_t per_mb = 11 + 2 * 16 * (4 + 1);
  const std::int64_t levels =
      std::min({8 * c.picture_bytes, 768 * c.num_mbs, limits.max_coefficients_per_picture}) + 768;
  const std::int64_t records = std::min(levels, 51 * c.num_mbs) + 51;
  return grown(per_mb * c.num_mbs + 6 * levels + 20 * records) +
         2 * c.num_slices * static_cast<std::int64_t>(sizeof(prim::SliceRefs)) + 256 * 480;
}

/// What a parser needs besides: vector differences as coded, neighbour state.
std::int64_t parser_bytes(const Case& c) {
  const std::int64_t per_mb = static_cast<std::int64_t>(
      sizeof(h264::MbMotionSyntax) + 4 * h264::kMaxMvdPerMb + sizeof(h264::MbState) + 48 + 16);
  return grown(per_mb * (c.num_mbs + 1));
}

/// PictureSource: `held` pictures are with the caller.
std::int64_t bound(const Case& c, const Limits& limits, int held) {
  const std::int64_t at_once =
      std::clamp<std::int64_t>((1 << 28) / (256 * c.num_mbs), 2 * c.threads, 8 * c.threads);
  const std::int64_t jobs =
      c.threads == 1 ? 1 : std::min<std::int64_t>(at_once, limits.max_pictures_in_flight);
  const std::int64_t coded = coded_bytes(c);
  const std::int64_t waiting = std::min(66 * coded, 256 * kMiB + coded) +
                               (c.threads == 1 ? 0 : std::min(64 * coded, 32 * kMiB + coded));
  const std::int64_t parsed = jobs + 2 * (c.references + 1) + held;
  return waiting + (jobs + 4) * coded + parsed * parsed_bytes(c, limits) + jobs * parser_bytes(c) +
         8 * kMiB;
}

/// WindowSource: coded pictures wait for the end of their window, parsed ones to be composed, and a
/// composer keeps a displacement and a residual for each picture that may be referenced.
std::int64_t window_bound(const Case& c, const Limits& limits) {
  constexpr std::int64_t kKept = 32;
  const std::int64_t composed = c.num_mbs * 16 * (5 * 4 + 1);
  const std::int64_t windows = c.threads + 2;
  return bound(c, limits, static_cast<int>(kKept) + 2 * c.threads) + 256 * kMiB + coded_bytes(c) +
         windows * (2 * (c.references + 1) + 1) * grown(composed) +
         2 * windows * c.num_mbs * 16 * 4 * 4;
}

std::int64_t peak_of(const std::function<void()>& work) {
  const std::int64_t before = live_bytes;
  peak_bytes = before;
  work();
  return peak_bytes - before;
}

void read_pictures(const std::vector<std::uint8_t>& bytes, int threads) {
  auto headers = open_bytes(bytes);
  if (!headers.ok()) return;
  PictureSource pictures(std::move(headers).value(), {threads, OnError::kConceal}, true);
  while (pictures.next({}).ok()) {
  }
}

void read_windows(const std::vector<std::uint8_t>& bytes, int threads) {
  auto headers = open_bytes(bytes);
  if (!headers.ok()) return;
  WindowOptions options;
  options.density = {1.0, 4.0};
  options.decode_keyframes = false;  // libavcodec's memory is its own
  WindowSource windows(std::move(headers).value(), {threads, OnError::kConceal}, options);
  while (windows.next({}).ok()) {
  }
}

/// Both passes stay within the bound. `absolute`, bytes, tells a bound that has become too wide.
void expect_bounded(const HostileStream& stream, const Case& c, std::int64_t absolute) {
  const std::int64_t pictures = peak_of([&] { read_pictures(stream.bytes(), c.threads); });
  EXPECT_LE(pictures, bound(c, {}, 1)) << pictures / kMiB << " MiB";
  EXPECT_LE(pictures, absolute) << pictures / kMiB << " MiB";
  const std::int64_t windows = peak_of([&] { read_windows(stream.bytes(), c.threads); });
  EXPECT_LE(windows, window_bound(c, {})) << windows / kMiB << " MiB";
  std::printf("peak %ld MiB (bound %ld), windows %ld MiB (bound %ld)\n",
              static_cast<long>(pictures / kMiB), static_cast<long>(bound(c, {}, 1) / kMiB),
              static_cast<long>(windows / kMiB), static_cast<long>(window_bound(c, {}) / kMiB));
}

TEST(Memory, AFewBytesThatClaim8K) {
  HostileStream stream(8192, 4320);
  stream.add_parameter_sets();
  stream.add_idr();
  for (int i = 0; i < 12; ++i) {
    stream.add_skipped_slice(0);
    stream.next_picture();
  }
  ASSERT_LT(stream.bytes().size(), 400u);
  expect_bounded(stream, {.num_mbs = 8192 * 4320 / 256, .picture_bytes = 16, .references = 1},
                 600 * kMiB);
}

TEST(Memory, ThousandsOfSlices) {
  HostileStream stream(2048, 1024);
  stream.add_parameter_sets();
  stream.add_idr();
  for (int picture = 0; picture < 30; ++picture) {
    stream.add_skipped_slice(0, 1);
    for (unsigned i = 1; i < 8000; ++i) stream.add_skipped_slice(1 + i % 15, 1);
    stream.next_picture();
  }
  expect_bounded(stream, {.num_mbs = 8192, .picture_bytes = 8000 * 8, .num_slices = 8000},
                 1500 * kMiB);
}

/// The first picture says that it is shown last, so that all others wait for it.
TEST(Memory, PicturesThatWaitForOneThatIsShownLater) {
  HostileStream stream(64, 64);
  stream.sps.pic_order_cnt_type = 0;
  stream.sps.log2_max_pic_order_cnt_lsb_minus4 = 12;
  stream.pic_order_cnt_lsb = 32000;
  stream.add_parameter_sets();
  stream.add_idr();
  for (unsigned i = 0; i < 20000; ++i) {
    stream.pic_order_cnt_lsb = i;
    stream.add_skipped_slice(0);
    stream.next_picture();
  }
  expect_bounded(stream, {.num_mbs = 16, .picture_bytes = 16}, 64 * kMiB);
}

TEST(Memory, NalUnitsWithoutAnyPicture) {
  HostileStream stream(64, 64);
  stream.add_parameter_sets();
  for (int i = 0; i < 500000; ++i) stream.add({9, 0xf0});
  stream.add_idr();
  expect_bounded(stream, {.num_mbs = 16, .picture_bytes = 16}, 64 * kMiB);
}

/// Random bits are the densest slice data there is.
TEST(Memory, DenseSliceData) {
  HostileStream stream(1920, 1088);
  stream.add_parameter_sets();
  std::mt19937 random(1);
  for (int i = 0; i < 8; ++i) {
    h264::BitWriter data;
    for (int n = 0; n < 100000; ++n) data.u(8, random() & 0xff);
    stream.add_idr(data);
  }
  expect_bounded(stream, {.num_mbs = 1920 * 1088 / 256, .picture_bytes = 101000}, 900 * kMiB);
}

TEST(Memory, OneHugePictureMakesNoOtherHuge) {
  HostileStream stream(64, 64);
  stream.add_parameter_sets();
  h264::BitWriter data;
  for (int n = 0; n < (4 << 20); ++n) data.u(8, 0xff);
  stream.add_idr(data);
  for (int i = 0; i < 100; ++i) {
    stream.add_skipped_slice(0);
    stream.next_picture();
  }
  const std::int64_t peak = peak_of([&] { read_pictures(stream.bytes(), 2); });
  EXPECT_LE(peak, 96 * kMiB) << peak / kMiB << " MiB";
}

}  // namespace
}  // namespace cope::pipeline
