#pragma once

#include <cstddef>
#include <cstdint>

#include "cope/h265/slice_context.h"

namespace cope::h265 {

class Wavefront;

/// Where slice_segment_data() of one segment lies: a payload, emulation prevention removed, with at
/// least 8 readable bytes behind it.
struct SegmentInput {
  const std::uint8_t* rbsp = nullptr;
  std::size_t size = 0;        ///< bytes
  std::size_t bit_offset = 0;  ///< bits; of the substream, if only one is to be parsed
  // Of one substream among those that several threads parse.
  Wavefront* wavefront = nullptr;  ///< null: all of the segment is to be parsed
  std::size_t strand = 0;          ///< in the wavefront
  std::int32_t first_ctb = 0;      ///< CtbAddrInRs, inside the picture
};

/// Parses slice_segment_data() of one segment, or a substream; `entropy` is scratch memory.
using SegmentParser = SegmentResult (*)(const SliceParams& params, const SegmentInput& input,
                                        const PictureArrays& arrays, OutputCursor& cursor,
                                        EntropyState& entropy);

/// The fastest one that this machine can run: the same source, compiled for several instruction
/// sets.
SegmentParser find_segment_parser() noexcept;

/// Compiled for x86-64-v3 (AVX2, BMI2), or null where the build has none.
SegmentParser segment_parser_x86_64_v3() noexcept;

}  // namespace cope::h265
