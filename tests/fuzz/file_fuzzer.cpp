// The bytes of a whole file of any format, on the path of `cope.VideoReader(bytes)`: demuxed, its
// pictures parsed under one damage policy, then its keyframes and windows read in a second pass.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "cope/media/source.h"
#include "cope/pipeline/header_source.h"
#include "cope/pipeline/picture_source.h"
#include "cope/pipeline/window_source.h"
#include "fuzz/check_picture.h"
#include "fuzz/limits.h"

namespace {

using cope::pipeline::HeaderSource;
using cope::pipeline::OnError;

// What a caller chooses, from a byte of the input.
struct Choice {
  explicit Choice(std::uint8_t byte)
      : options{1 + (byte & 1), std::array{OnError::kConceal, OnError::kConceal, OnError::kSkip,
                                           OnError::kRaise}[byte >> 1 & 3]},
        keep_coefficients((byte & 8) == 0) {
    windows.density.keyframes_per_second = 1.0;
    windows.density.deltas_per_second = (byte & 16) != 0 ? 1.0 : 8.0;
    windows.cell = (byte & 32) != 0 ? 8 : 16;
    windows.residual_scale = (byte & 64) != 0 ? 8 : 4;
    windows.decode_keyframes = (byte & 128) == 0;
  }

  cope::pipeline::ReadOptions options;
  cope::pipeline::WindowOptions windows;
  bool keep_coefficients;
};

std::unique_ptr<HeaderSource> read_pictures(std::unique_ptr<HeaderSource> headers,
                                            const Choice& choice) {
  cope::pipeline::PictureSource pictures(std::move(headers), choice.options,
                                         choice.keep_coefficients);
  std::int64_t num_lost = 0;
  for (auto item = pictures.next({}); item.ok(); item = pictures.next({})) {
    cope::fuzz::check_picture(*item->picture);
    num_lost += item->picture->info.num_blocks_lost;
  }
  cope::fuzz::require(num_lost == pictures.stats().num_blocks_lost);
  return pictures.release();
}

void read_windows(std::unique_ptr<HeaderSource> headers, const Choice& choice) {
  cope::pipeline::WindowSource windows(std::move(headers), choice.options, choice.windows);
  while (windows.next({}).ok()) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Choice choice(size == 0 ? 0 : data[size - 1]);
  cope::media::DemuxerOptions demuxer_options;
  demuxer_options.limits = cope::fuzz::kLimits;
  auto headers = HeaderSource::open(cope::media::Source::from_bytes({data, size}), demuxer_options);
  if (!headers.ok()) return 0;
  auto again = read_pictures(std::move(headers).value(), choice);
  if (again->restart().ok()) read_windows(std::move(again), choice);
  return 0;
}
