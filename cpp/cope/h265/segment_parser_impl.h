#pragma once

#include "cope/h265/cabac_reader.h"
#include "cope/h265/segment_parser.h"
#include "cope/h265/slice_data.h"

namespace cope::h265 {

/// The body of a `SegmentParser`, for source files that differ in the instruction set they are
/// compiled for.
COPE_HD inline SegmentResult parse_segment(const SliceParams& params, const SegmentInput& input,
                                           const PictureArrays& arrays, OutputCursor& cursor,
                                           EntropyState& entropy) {
  CabacReader reader(entropy, input.rbsp, input.size, input.bit_offset);
  return SliceSegmentParser(params, arrays, cursor, reader).parse();
}

}  // namespace cope::h265
