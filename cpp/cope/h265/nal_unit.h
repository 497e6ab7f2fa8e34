#pragma once

#include <cstdint>

namespace cope::h265 {

/// nal_unit_type, Table 7-1. Values between the named ones are reserved or unspecified.
enum class NalUnitType : std::uint8_t {
  kTrailN = 0,
  kTrailR = 1,
  kTsaN = 2,
  kTsaR = 3,
  kStsaN = 4,
  kStsaR = 5,
  kRadlN = 6,
  kRadlR = 7,
  kRaslN = 8,
  kRaslR = 9,
  kBlaWLp = 16,
  kBlaWRadl = 17,
  kBlaNLp = 18,
  kIdrWRadl = 19,
  kIdrNLp = 20,
  kCra = 21,
  kVps = 32,
  kSps = 33,
  kPps = 34,
  kAccessUnitDelimiter = 35,
  kEndOfSequence = 36,
  kEndOfBitstream = 37,
  kFillerData = 38,
  kPrefixSei = 39,
  kSuffixSei = 40,
};

/// nal_unit_header(), 7.3.1.2.
struct NalUnitHeader {
  bool forbidden_zero_bit = false;
  NalUnitType nal_unit_type = NalUnitType::kTrailN;  // 0..63
  std::uint8_t nuh_layer_id = 0;                     // 0..63
  std::uint8_t nuh_temporal_id_plus1 = 1;            // 1..7

  constexpr std::uint8_t type() const noexcept { return static_cast<std::uint8_t>(nal_unit_type); }
  constexpr std::uint8_t TemporalId() const noexcept {
    return static_cast<std::uint8_t>(nuh_temporal_id_plus1 - 1);
  }
  /// Whether the unit holds a slice segment of a type that is in use.
  constexpr bool is_slice_segment() const noexcept {
    return type() <= 9 || (type() >= 16 && type() <= 21);
  }
  /// Intra random access point picture; the reserved types 22 and 23 count.
  constexpr bool is_irap() const noexcept { return type() >= 16 && type() <= 23; }
  constexpr bool is_idr() const noexcept {
    return nal_unit_type == NalUnitType::kIdrWRadl || nal_unit_type == NalUnitType::kIdrNLp;
  }
  constexpr bool is_bla() const noexcept { return type() >= 16 && type() <= 18; }
  constexpr bool is_cra() const noexcept { return nal_unit_type == NalUnitType::kCra; }
  constexpr bool is_rasl() const noexcept { return type() == 8 || type() == 9; }
  constexpr bool is_radl() const noexcept { return type() == 6 || type() == 7; }
  /// Sub-layer non-reference picture: no picture of the same TemporalId refers to it.
  constexpr bool is_sub_layer_non_reference() const noexcept {
    return type() <= 14 && (type() & 1) == 0;
  }
};

/// Bytes of nal_unit_header().
inline constexpr int kNalUnitHeaderBytes = 2;

constexpr NalUnitHeader parse_nal_unit_header(std::uint8_t first_byte,
                                              std::uint8_t second_byte) noexcept {
  return {(first_byte & 0x80) != 0, static_cast<NalUnitType>((first_byte >> 1) & 63),
          static_cast<std::uint8_t>((first_byte & 1) << 5 | second_byte >> 3),
          static_cast<std::uint8_t>(second_byte & 7)};
}

}  // namespace cope::h265
