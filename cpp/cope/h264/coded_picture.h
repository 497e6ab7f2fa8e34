#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cope/bits/nal_payload.h"
#include "cope/h264/nal_unit.h"
#include "cope/h264/pps.h"
#include "cope/h264/slice_header.h"
#include "cope/h264/sps.h"
#include "cope/prim/motion_field.h"
#include "cope/prim/picture_info.h"

namespace cope::h264 {

using bits::kRbspPadding;
using bits::RbspSpan;  ///< of CodedPicture::rbsp

/// One slice with all that its slice_data() needs and no other NAL unit.
struct CodedSlice {
  NalUnitHeader nal;
  SliceHeader header;
  std::shared_ptr<const Sps> sps;
  std::shared_ptr<const Pps> pps;
  prim::SliceRefs
      refs;  ///< final RefPicList0 and 1 (8.2.4), of frames or fields as the slice's structure asks
  RbspSpan rbsp;  ///< the slice NAL unit (nal_unit_type 1, 5) or data partition A (2)
  std::size_t data_bit_offset = 0;  ///< where slice_data() starts in `rbsp`, bits
  RbspSpan partition_b;             ///< slice_data_partition_b_layer_rbsp(), size 0 when absent
  RbspSpan partition_c;
  std::size_t partition_b_bit_offset = 0;  ///< where slice_data() starts in `partition_b`, bits
  std::size_t partition_c_bit_offset = 0;
  std::int64_t nal_index = 0;   ///< NAL units before this one in the stream
  std::int64_t size_bytes = 0;  ///< NAL unit as stored
};

/// Bits of `CodedPicture::skipped`.
enum SkippedBit : std::uint8_t {
  kSkippedLayers = 1 << 0,     ///< NAL units of other layers or views
  kSkippedAuxiliary = 1 << 1,  ///< slices of an auxiliary coded picture
  kSkippedRedundant = 1 << 2,  ///< slices of a redundant coded picture
};

/// One primary coded picture: headers decoded, slice data not yet looked at.
///
/// Everything here comes from headers alone (parameter sets, slice headers, picture order count,
/// reference lists and marking), so that pictures can be told apart, planned for, and parsed in any
/// order.
struct CodedPicture {
  prim::PictureInfo info;
  std::vector<CodedSlice> slices;  ///< first `info.num_slices` are in use; arrival order
  std::vector<std::uint8_t>
      rbsp;  ///< payloads of the slices, each followed by at least kRbspPadding zero bytes
  std::vector<std::uint8_t> slice_group_map;  ///< mbToSliceGroupMap (8.2.2), empty without FMO
  std::uint8_t skipped = 0;                   ///< SkippedBit: what came with it and was passed over
  bool has_allowed_gap = false;  ///< frames before it were inferred as the SPS allows (8.2.5.2)
  std::int32_t x264_build =
      -1;  ///< encoder build that an SEI names ("x264 - core N"), -1 if none did
  std::vector<std::int64_t> live;  ///< decode_index of every picture that this or a later one may
                                   ///< reference, after marking
};

}  // namespace cope::h264
