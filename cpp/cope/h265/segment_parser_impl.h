#pragma once

#include "cope/h265/cabac_reader.h"
#include "cope/h265/segment_parser.h"
#include "cope/h265/slice_data.h"
#include "cope/h265/wavefront.h"

namespace cope::h265 {

/// The pace of a thread that parses one strand of a wavefront.
struct WavefrontPace {
  Wavefront& wavefront;
  std::size_t strand;

  COPE_FORCE_INLINE bool wait(std::int32_t x) const noexcept {
    return wavefront.wait_for_above(strand, x);
  }
  COPE_FORCE_INLINE void publish(std::int32_t x) const noexcept { wavefront.publish(strand, x); }
};

/// The body of a `SegmentParser`, for source files that differ in the instruction set they are
/// compiled for.
COPE_HD inline SegmentResult parse_segment(const SliceParams& params, const SegmentInput& input,
                                           const PictureArrays& arrays, OutputCursor& cursor,
                                           EntropyState& entropy) {
  CabacReader reader(entropy, input.rbsp, input.size, input.bit_offset);
  SliceSegmentParser parser(params, arrays, cursor, reader);
  if (input.wavefront == nullptr) return parser.parse();
  return parser.parse_substream(input.first_ctb, WavefrontPace{*input.wavefront, input.strand});
}

}  // namespace cope::h265
