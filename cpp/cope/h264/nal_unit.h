#pragma once

#include <cstdint>

namespace cope::h264 {

/// nal_unit_type, Table 7-1.
enum class NalUnitType : std::uint8_t {
  kUnspecified = 0,
  kSlice = 1,  ///< slice_layer_without_partitioning_rbsp() of a non-IDR picture
  kSliceDataPartitionA = 2,
  kSliceDataPartitionB = 3,
  kSliceDataPartitionC = 4,
  kSliceIdr = 5,  ///< slice_layer_without_partitioning_rbsp() of an IDR picture
  kSei = 6,
  kSps = 7,
  kPps = 8,
  kAccessUnitDelimiter = 9,
  kEndOfSequence = 10,
  kEndOfStream = 11,
  kFillerData = 12,
  kSpsExtension = 13,
  kPrefix = 14,     ///< Annex F and G: describes a base layer slice for layered decoders
  kSubsetSps = 15,  ///< parameter sets of other layers and views
  kDepthParameterSet = 16,
  kAuxiliarySlice = 19,    ///< slice of an auxiliary picture (alpha)
  kSliceExtension = 20,    ///< slice of another layer or view
  kSliceExtension3d = 21,  ///< slice of a depth or texture view
};

/// First byte of nal_unit(), 7.3.1.
struct NalUnitHeader {
  bool forbidden_zero_bit = false;
  std::uint8_t nal_ref_idc = 0;                           // 0..3
  NalUnitType nal_unit_type = NalUnitType::kUnspecified;  // 0..31

  /// IdrPicFlag (7-1).
  constexpr bool IdrPicFlag() const noexcept { return nal_unit_type == NalUnitType::kSliceIdr; }
};

constexpr NalUnitHeader parse_nal_unit_header(std::uint8_t first_byte) noexcept {
  return {(first_byte & 0x80) != 0, static_cast<std::uint8_t>((first_byte >> 5) & 3),
          static_cast<NalUnitType>(first_byte & 31)};
}

}  // namespace cope::h264
