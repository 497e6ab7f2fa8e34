#pragma once

#include <cstdint>
#include <vector>

#include "../h264/bit_writer.h"
#include "cope/h265/nal_unit.h"

namespace cope::h265 {

using h264::BitWriter;  // both standards write bits alike
using h264::Rbsp;

using Nal = std::vector<std::uint8_t>;

/// A NAL unit of layer 0 with this payload, emulation prevention added.
inline Nal make_nal(const BitWriter& writer, unsigned nal_unit_type, unsigned TemporalId = 0,
                    unsigned nuh_layer_id = 0) {
  Nal nal = writer.nal(0, 0);
  nal[0] = static_cast<std::uint8_t>(nal_unit_type << 1 | nuh_layer_id >> 5);
  nal.insert(nal.begin() + 1,
             static_cast<std::uint8_t>((nuh_layer_id & 31) << 3 | (TemporalId + 1)));
  return nal;
}

}  // namespace cope::h265
