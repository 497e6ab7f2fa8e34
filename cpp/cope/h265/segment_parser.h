#pragma once

#include <cstddef>
#include <cstdint>

#include "cope/h265/slice_context.h"

namespace cope::h265 {

/// Where slice_segment_data() of one segment lies: a payload, emulation prevention removed, with at
/// least 8 readable bytes behind it.
struct SegmentInput {
  const std::uint8_t* rbsp = nullptr;
  std::size_t size = 0;        ///< bytes
  std::size_t bit_offset = 0;  ///< bits
};

/// Parses slice_segment_data() of one segment; `entropy` is scratch memory.
using SegmentParser = SegmentResult (*)(const SliceParams& params, const SegmentInput& input,
                                        const PictureArrays& arrays, OutputCursor& cursor,
                                        EntropyState& entropy);

/// The fastest one that this machine can run: the same source, compiled for several instruction
/// sets.
SegmentParser find_segment_parser() noexcept;

/// Compiled for x86-64-v3 (AVX2, BMI2), or null where the build has none.
SegmentParser segment_parser_x86_64_v3() noexcept;

}  // namespace cope::h265
