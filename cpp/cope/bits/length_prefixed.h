#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cope/base/status.h"

namespace cope::bits {

/// What a decoder configuration record ("avcC", "hvcC") says about the samples of its track.
struct DecoderConfiguration {
  unsigned nal_length_size = 4;  ///< bytes of the length before each NAL unit, 1..4
  std::vector<std::span<const std::uint8_t>>
      nals;  ///< parameter sets and SEI, views into the record
};

/// Reads AVCDecoderConfigurationRecord, ISO/IEC 14496-15, up to the picture parameter sets.
///
/// \param record  extradata of the stream, `configurationVersion` first
/// \param config  replaced. After an error it holds what precedes the damage, except that an error
///                in the fixed part leaves no NAL units and a length of 4 bytes.
Status parse_avcc(std::span<const std::uint8_t> record, DecoderConfiguration& config);

/// Reads HEVCDecoderConfigurationRecord, ISO/IEC 14496-15. Otherwise as `parse_avcc`.
Status parse_hvcc(std::span<const std::uint8_t> record, DecoderConfiguration& config);

/// Walks over the NAL units of one sample without a list of them.
class LengthPrefixedReader {
 public:
  /// \param nal_length_size  bytes of the length, 1..4
  LengthPrefixedReader(std::span<const std::uint8_t> sample, unsigned nal_length_size) noexcept
      : left_(sample), nal_length_size_(nal_length_size) {}

  /// The next unit that is not empty. False at the end or at damage, which `status` tells apart.
  bool next(std::span<const std::uint8_t>& nal) noexcept;

  /// kInvalidBitstream when a length, or what it announces, leaves the sample.
  Status status() const noexcept { return status_; }

 private:
  std::span<const std::uint8_t> left_;
  std::size_t nal_length_size_;
  Status status_;
};

/// Finds the NAL units of one sample.
///
/// \param sample           NAL units, each behind its length, highest byte first
/// \param nal_length_size  bytes of the length, 1..4
/// \param nals             replaced by one view into `sample` per NAL unit. Empty units are left
/// out.
/// \return kInvalidBitstream when a length, or what it announces, leaves the sample: `nals` then
///         holds the units before it.
Status split_length_prefixed(std::span<const std::uint8_t> sample, unsigned nal_length_size,
                             std::vector<std::span<const std::uint8_t>>& nals);

}  // namespace cope::bits
