#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cope/bits/nal_payload.h"
#include "cope/h265/nal_unit.h"
#include "cope/h265/pps.h"
#include "cope/h265/slice_header.h"
#include "cope/h265/sps.h"
#include "cope/prim/motion_field.h"
#include "cope/prim/picture_info.h"

namespace cope::h265 {

using bits::kRbspPadding;
using bits::RbspSpan;  ///< of CodedPicture::rbsp

/// One slice segment with all that its slice_segment_data() needs and no other NAL unit, but for
/// the contexts that a dependent one takes over from the segment before it.
struct CodedSegment {
  NalUnitHeader nal;
  SliceHeader header;  ///< of a dependent segment: with the values of its slice filled in
  std::shared_ptr<const Sps> sps;
  std::shared_ptr<const Pps> pps;
  std::int32_t slice_idx = 0;  ///< of its slice in the picture: independent segments before it
  std::int32_t SliceAddrRs = 0;
  RbspSpan rbsp;
  std::size_t data_bit_offset = 0;  ///< where slice_segment_data() starts in `rbsp`, bits
  std::int64_t nal_index = 0;       ///< NAL units before this one in the stream
  std::int64_t size_bytes = 0;      ///< NAL unit as stored
};

/// One coded picture of nuh_layer_id 0: headers decoded, slice data not yet looked at.
struct CodedPicture {
  prim::PictureInfo info;
  std::vector<CodedSegment> segments;       ///< first `info.num_slice_segments` are in use
  std::vector<prim::SliceRefs> slice_refs;  ///< [slice_idx]; final RefPicList0 and 1 (8.3.4)
  std::vector<std::uint8_t>
      rbsp;  ///< payloads of the segments, each followed by at least kRbspPadding zero bytes
  std::uint8_t vps_max_layers_minus1 = 0;  ///< of the last VPS before the picture
  std::vector<std::int64_t> live;  ///< decode_index of every picture that this or a later one may
                                   ///< reference, after the reference picture set (8.3.2)
};

}  // namespace cope::h265
