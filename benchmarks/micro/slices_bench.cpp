// Both passes over the pictures of real clips: bins per second where they are H.264 coded with
// CABAC, else bits per second.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cope/h264/picture_parser.h"
#include "cope/pipeline/header_source.h"
#include "recorded.h"

namespace {

using cope::h264::CodedPicture;
using cope::prim::PicturePrimitives;

/// Pictures that later ones refer to, as a reader keeps them.
class Store {
 public:
  void add(std::shared_ptr<PicturePrimitives> picture, const std::vector<std::int64_t>& live) {
    pictures_.push_back(std::move(picture));
    std::erase_if(pictures_, [&live](const auto& kept) {
      return std::find(live.begin(), live.end(), kept->info.decode_index) == live.end();
    });
  }
  static const PicturePrimitives* find(void* store, std::int64_t decode_index) {
    for (const auto& picture : static_cast<Store*>(store)->pictures_) {
      if (picture->info.decode_index == decode_index) return picture.get();
    }
    return nullptr;
  }

 private:
  std::vector<std::shared_ptr<PicturePrimitives>> pictures_;
};

enum class Pass { kParse, kParseMotionOnly, kDerive };

void run(benchmark::State& state, const std::string& clip, Pass pass) {
  std::vector<CodedPicture> pictures = cope::bench::record_pictures(cope::bench::stream_path(clip));
  if (pictures.empty()) {
    state.SkipWithError("the clip is not there: set COPE_TEST_DATA");
    return;
  }
  std::int64_t num_bins = cope::bench::count_bins(pictures);
  std::int64_t num_bits = 0;
  std::int64_t num_macroblocks = 0;
  for (const CodedPicture& picture : pictures) {
    num_bits += 8 * static_cast<std::int64_t>(picture.rbsp.size());
    num_macroblocks += std::int64_t{picture.info.width} * picture.info.height / 256;
  }
  cope::h264::PictureParser parser;
  cope::h264::PictureJob job;
  cope::prim::PicturePool pool;
  const bool is_derived = pass == Pass::kDerive;
  for (auto _ : state) {
    Store store;
    for (CodedPicture& picture : pictures) {
      if (is_derived) state.PauseTiming();
      std::swap(job.coded, picture);
      job.picture = pool.acquire();
      parser.parse(job, {.keep_coefficients = pass == Pass::kParse});
      if (is_derived) state.ResumeTiming();
      if (is_derived) cope::h264::derive_motion(job, Store::find, &store);
      std::swap(job.coded, picture);
      if (is_derived) store.add(std::move(job.picture), picture.live);
    }
  }
  const auto rate = [&state](std::int64_t per_pass) {
    return benchmark::Counter(static_cast<double>(per_pass * state.iterations()),
                              benchmark::Counter::kIsRate);
  };
  state.counters["macroblocks/s"] = rate(num_macroblocks);
  if (is_derived) return;
  state.counters["bits/s"] = rate(num_bits);
  if (num_bins != 0) state.counters["bins/s"] = rate(num_bins);
}

void run_h265(benchmark::State& state, const std::string& clip, Pass pass) {
  namespace pipeline = cope::pipeline;
  auto opened = pipeline::HeaderSource::open(
      cope::media::Source::from_location(cope::bench::stream_path(clip)), {});
  if (!opened.ok()) {
    state.SkipWithError("the clip is not there: set COPE_TEST_DATA");
    return;
  }
  pipeline::HeaderSource& headers = *opened.value();
  std::vector<std::unique_ptr<pipeline::CodedUnit>> units;
  std::int64_t num_bytes = 0;
  for (pipeline::HeaderPicture picture; headers.next(picture, false, {}).ok();) {
    num_bytes += picture.unit->info().size_bytes;
    units.push_back(std::move(picture.unit));
  }
  const auto worker = headers.codec().make_worker();
  cope::prim::PicturePool pool;
  const bool is_derived = pass == Pass::kDerive;
  for (auto _ : state) {
    Store store;
    for (auto& unit : units) {
      if (is_derived) state.PauseTiming();
      worker->load(*unit, pool.acquire());
      worker->parse(pass == Pass::kParse);
      if (is_derived) state.ResumeTiming();
      if (is_derived) worker->derive(Store::find, &store, cope::prim::kAllRows);
      pipeline::Damage damage;
      auto picture = worker->release(*unit, damage);
      const auto live = unit->live();
      if (is_derived) store.add(std::move(picture), {live.begin(), live.end()});
    }
  }
  state.counters["bits/s"] = benchmark::Counter(
      static_cast<double>(8 * num_bytes * state.iterations()), benchmark::Counter::kIsRate);
}

const char* const kCabac1080 = "bench/h264_1080_def.mp4";
const char* const kCabac360 = "bench/h264_360_def.mp4";
const char* const kCavlc = "clips/exoplayer/video_3.mp4";

BENCHMARK_CAPTURE(run, parse_cabac_1080, kCabac1080, Pass::kParse)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(run, parse_cabac_360, kCabac360, Pass::kParse)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(run, motion_only_cabac_1080, kCabac1080, Pass::kParseMotionOnly)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(run, parse_cavlc, kCavlc, Pass::kParse)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(run, derive_1080, kCabac1080, Pass::kDerive)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(run, derive_360, kCabac360, Pass::kDerive)->Unit(benchmark::kMillisecond);

const char* const kH265 = "bench/hevc_1080_def.mp4";

BENCHMARK_CAPTURE(run_h265, parse_1080, kH265, Pass::kParse)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(run_h265, derive_1080, kH265, Pass::kDerive)->Unit(benchmark::kMillisecond);

}  // namespace
