// Fields made from parsed pictures of a real clip, beside memcpy of what they write: residual at
// full size and at a quarter, rasterised motion, and the composition of a window.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "cope/cpu/compose.h"
#include "cope/cpu/rasterise.h"
#include "cope/cpu/residual.h"
#include "cope/h264/picture_parser.h"
#include "recorded.h"

namespace {

using cope::prim::PicturePrimitives;

constexpr std::size_t kNumPictures = 30;

/// The first pictures of a clip, parsed and derived, with times.
struct Parsed {
  std::vector<std::shared_ptr<PicturePrimitives>> pictures;
  std::vector<double> seconds;

  cope::cpu::PictureTimes times() const { return {seconds, 0}; }
};

const Parsed& parsed() {
  static const Parsed all = [] {
    Parsed result;
    auto coded = cope::bench::record_pictures(cope::bench::stream_path("bench/h264_1080_def.mp4"));
    cope::h264::PictureParser parser;
    cope::h264::PictureJob job;
    const auto find = [](void* context, std::int64_t index) -> const PicturePrimitives* {
      const auto& pictures = static_cast<Parsed*>(context)->pictures;
      return index >= 0 && index < static_cast<std::int64_t>(pictures.size())
                 ? pictures[static_cast<std::size_t>(index)].get()
                 : nullptr;
    };
    for (std::size_t i = 0; i < std::min(kNumPictures, coded.size()); ++i) {
      job.coded = std::move(coded[i]);
      job.picture = std::make_shared<PicturePrimitives>();
      parser.parse(job, {});
      cope::h264::derive_motion(job, find, &result);
      result.seconds.push_back(job.picture->info.poc / 50.0);
      result.pictures.push_back(std::move(job.picture));
    }
    return result;
  }();
  return all;
}

/// False, with the benchmark marked as skipped, where the clip is not there.
bool has_clip(benchmark::State& state) {
  if (!parsed().pictures.empty()) return true;
  state.SkipWithError("the clip is not there: set COPE_TEST_DATA");
  return false;
}

void BM_Memcpy(benchmark::State& state) {
  std::vector<std::int16_t> from(1920 * 1088 * 3 / 2, 1), to(from.size());
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size() * sizeof from[0]);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(from.size() * sizeof from[0]));
}
BENCHMARK(BM_Memcpy);

void BM_Residual(benchmark::State& state) {
  if (!has_clip(state)) return;
  std::vector<std::int16_t> values[3];
  cope::cpu::Plane<std::int16_t> planes[3];
  std::int64_t num_bytes = 0;
  for (int i = 0; i < 3; ++i) {
    const auto size = cope::cpu::plane_size(parsed().pictures[0]->info, i);
    values[i].resize(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height));
    planes[i] = {values[i].data(), size.width, size.width, size.height};
    num_bytes += static_cast<std::int64_t>(values[i].size() * sizeof values[i][0]);
  }
  std::size_t i = 0;
  for (auto _ : state) {
    cope::cpu::write_residual(*parsed().pictures[i++ % parsed().pictures.size()], planes);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * num_bytes);
}
BENCHMARK(BM_Residual);

void BM_QuarterResidual(benchmark::State& state) {
  if (!has_clip(state)) return;
  std::vector<float> values[3];
  cope::cpu::Plane<float> planes[3];
  cope::cpu::ResidualScale scales[3];
  std::int64_t num_bytes = 0;
  const cope::prim::PictureInfo& info = parsed().pictures[0]->info;
  for (int i = 0; i < 3; ++i) {
    scales[i] = cope::cpu::luma_grid_scale(info, i, 4);
    const auto size = cope::cpu::scaled_plane_size(info, i, scales[i]);
    values[i].resize(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height));
    planes[i] = {values[i].data(), size.width, size.width, size.height};
    num_bytes += static_cast<std::int64_t>(values[i].size() * sizeof values[i][0]);
  }
  std::size_t i = 0;
  for (auto _ : state) {
    cope::cpu::write_scaled_residual(*parsed().pictures[i++ % parsed().pictures.size()], scales,
                                     planes);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * num_bytes);
}
BENCHMARK(BM_QuarterResidual);

void BM_RasteriseMotion(benchmark::State& state) {
  if (!has_clip(state)) return;
  const auto grid = cope::cpu::make_cell_grid(parsed().pictures[0]->info, 16);
  std::vector<float> motion(2 * grid.size()), valid(grid.size());
  std::size_t i = 0;
  std::int64_t num_bytes = 0;
  for (auto _ : state) {
    const PicturePrimitives& picture = *parsed().pictures[i++ % parsed().pictures.size()];
    cope::cpu::rasterise_motion(picture, parsed().times(), grid, cope::cpu::BiPrediction::kAverage,
                                motion.data(), valid.data());
    benchmark::ClobberMemory();
    num_bytes += static_cast<std::int64_t>(picture.motion.mv.size() * sizeof picture.motion.mv[0]);
  }
  state.SetBytesProcessed(num_bytes);  // of vectors read
}
BENCHMARK(BM_RasteriseMotion);

/// For each picture, those up to it that a later one may refer to.
std::vector<std::vector<std::int64_t>> live_pictures() {
  const auto& pictures = parsed().pictures;
  std::vector<std::vector<std::int64_t>> live(pictures.size());
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    for (const auto& slice : pictures[i]->slice_refs) {
      for (int list = 0; list < 2; ++list) {
        for (std::int32_t k = 0; k < slice.num_ref[list]; ++k) {
          const std::int64_t reference = slice.ref[list][k].decode_index;
          for (std::size_t j = static_cast<std::size_t>(reference); j < i; ++j) {
            live[j].push_back(reference);
          }
        }
      }
    }
  }
  return live;
}

// Pictures are forgotten as by a reader.
void BM_ComposeWindow(benchmark::State& state) {
  if (!has_clip(state)) return;
  const auto live = live_pictures();
  cope::cpu::WindowComposer composer({.cell = 16, .residual_scale = 4});
  const std::int64_t start = parsed().pictures[0]->info.decode_index;
  for (auto _ : state) {
    composer.begin({&start, 1}, parsed().seconds[0]);
    for (std::size_t i = 1; i < parsed().pictures.size(); ++i) {
      composer.add(*parsed().pictures[i], parsed().times());
      composer.retain(live[i]);
    }
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(parsed().pictures.size() - 1));  // pictures
}
BENCHMARK(BM_ComposeWindow)->Unit(benchmark::kMillisecond);

}  // namespace
