// A whole file of any format: demuxed, parsed, and turned into every field that a model reads.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "cope/cpu/residual.h"
#include "cope/media/source.h"
#include "cope/pipeline/header_source.h"
#include "cope/pipeline/picture_source.h"
#include "cope/pipeline/window_source.h"
#include "fuzz/limits.h"

namespace {

using cope::pipeline::HeaderSource;

void write_residual(const cope::prim::PicturePrimitives& picture) {
  std::vector<std::int16_t> samples[3];
  cope::cpu::Plane<std::int16_t> planes[3];
  for (int i = 0; i < 3; ++i) {
    const cope::cpu::PlaneSize size = cope::cpu::plane_size(picture.info, i);
    samples[i].resize(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height));
    planes[i] = {samples[i].data(), size.width, size.width, size.height};
  }
  cope::cpu::write_residual(picture, planes);
}

std::unique_ptr<HeaderSource> read_pictures(std::unique_ptr<HeaderSource> headers,
                                            const cope::pipeline::ReadOptions& options) {
  cope::pipeline::PictureSource pictures(std::move(headers), options, true);
  for (auto item = pictures.next({}); item.ok(); item = pictures.next({})) {
    write_residual(*item->picture);
  }
  return pictures.release();
}

void read_windows(std::unique_ptr<HeaderSource> headers,
                  const cope::pipeline::ReadOptions& options) {
  cope::pipeline::WindowOptions window_options;
  window_options.density.keyframes_per_second = 1.0;
  window_options.density.deltas_per_second = 8.0;
  cope::pipeline::WindowSource windows(std::move(headers), options, window_options);
  while (windows.next({}).ok()) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cope::media::DemuxerOptions demuxer_options;
  demuxer_options.limits = cope::fuzz::kLimits;
  cope::pipeline::ReadOptions options;
  options.threads = 1;
  auto headers = HeaderSource::open(cope::media::Source::from_bytes({data, size}), demuxer_options);
  if (!headers.ok()) return 0;
  auto again = read_pictures(std::move(headers).value(), options);
  if (again->restart().ok()) read_windows(std::move(again), options);
  return 0;
}
