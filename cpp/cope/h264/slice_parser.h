#pragma once

#include <cstddef>
#include <cstdint>

#include "cope/h264/slice_context.h"

namespace cope::h264 {

/// A payload, emulation prevention removed, and where slice_data() starts in it. At least 8
/// readable bytes follow.
struct SlicePayload {
  const std::uint8_t* rbsp = nullptr;
  std::size_t size = 0;        ///< bytes, 0 when absent
  std::size_t bit_offset = 0;  ///< bits
};

/// What slice_data() of one slice is read from.
struct SliceInput {
  bool entropy_coding_mode_flag = false;
  SlicePayload slice;        ///< or data partition A
  SlicePayload partition_b;  ///< nal_unit_type 3 and 4
  SlicePayload partition_c;
};

/// Parses slice_data() of one slice.
using SliceParser = SliceResult (*)(const SliceParams& params, const SliceInput& input,
                                    const PictureArrays& arrays, OutputCursor& cursor);

/// The fastest one that this machine can run: the same source, compiled for several instruction
/// sets.
SliceParser find_slice_parser() noexcept;

/// Compiled for x86-64-v3 (AVX2, BMI2), or null where the build has none.
SliceParser slice_parser_x86_64_v3() noexcept;

}  // namespace cope::h264
