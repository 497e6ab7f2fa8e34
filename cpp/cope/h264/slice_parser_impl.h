#pragma once

#include "cope/bits/bit_reader.h"
#include "cope/h264/cabac_reader.h"
#include "cope/h264/cavlc_reader.h"
#include "cope/h264/slice_data.h"
#include "cope/h264/slice_parser.h"

namespace cope::h264 {

/// The body of a `SliceParser`, for source files that differ in the instruction set they are
/// compiled for.
template <class Engine = entropy::CabacEngine>
COPE_HD SliceResult parse_slice(const SliceParams& params, const SliceInput& input,
                                const PictureArrays& arrays, OutputCursor& cursor) {
  if (input.entropy_coding_mode_flag) {
    CabacContexts contexts;
    contexts.init(params);
    BasicCabacReader<Engine> reader(contexts, input.slice.rbsp, input.slice.size,
                                    input.slice.bit_offset);
    return parse_slice_data(params, arrays, cursor, reader);
  }
  const auto reader_of = [](const SlicePayload& payload) {
    return bits::BitReader(payload.rbsp, payload.size, payload.bit_offset);
  };
  CavlcReader reader(reader_of(input.slice), reader_of(input.partition_b),
                     reader_of(input.partition_c), params.has_data_partitions);
  return parse_slice_data(params, arrays, cursor, reader);
}

}  // namespace cope::h264
