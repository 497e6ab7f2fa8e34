#include "cope/bits/length_prefixed.h"

#include <cstddef>

namespace cope::bits {
namespace {

constexpr const char* kAvccClause = "ISO/IEC 14496-15 AVCDecoderConfigurationRecord";
constexpr const char* kHvccClause = "ISO/IEC 14496-15 HEVCDecoderConfigurationRecord";

/// Takes bytes off the front of a span.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> data) : data_(data) {}

  std::size_t left() const { return data_.size(); }

  /// Unsigned integer of `n` bytes, highest first; the caller has checked `left()`.
  std::size_t be(std::size_t n) {
    std::size_t value = 0;
    for (const std::uint8_t byte : data_.first(n)) value = value << 8 | byte;
    data_ = data_.subspan(n);
    return value;
  }

  std::span<const std::uint8_t> take(std::size_t n) {
    const auto taken = data_.first(n);
    data_ = data_.subspan(n);
    return taken;
  }

 private:
  std::span<const std::uint8_t> data_;
};

/// Reads `count` NAL units, each behind a length of `length_size` bytes.
Status take_nals(ByteReader& r, std::size_t count, std::size_t length_size, const char* clause,
                 std::vector<std::span<const std::uint8_t>>& nals) {
  for (; count > 0; --count) {
    if (r.left() < length_size) return Status::invalid("nalUnitLength", clause);
    const std::size_t size = r.be(length_size);
    if (r.left() < size) return Status::invalid("nalUnitLength", clause);
    if (size > 0) nals.push_back(r.take(size));
  }
  return {};
}

}  // namespace

Status parse_avcc(std::span<const std::uint8_t> record, DecoderConfiguration& config) {
  config.nal_length_size = 4;
  config.nals.clear();
  ByteReader r(record);
  if (r.left() < 6) return Status::invalid("avcC", kAvccClause);
  if (r.be(1) != 1) return Status::invalid("configurationVersion", kAvccClause);
  r.take(3);  // AVCProfileIndication, profile_compatibility, AVCLevelIndication
  config.nal_length_size = static_cast<unsigned>(r.be(1) & 3) + 1;
  const std::size_t numOfSequenceParameterSets = r.be(1) & 31;
  COPE_RETURN_IF_ERROR(take_nals(r, numOfSequenceParameterSets, 2, kAvccClause, config.nals));
  if (r.left() < 1) return Status::invalid("numOfPictureParameterSets", kAvccClause);
  return take_nals(r, r.be(1), 2, kAvccClause, config.nals);
}

Status parse_hvcc(std::span<const std::uint8_t> record, DecoderConfiguration& config) {
  config.nal_length_size = 4;
  config.nals.clear();
  ByteReader r(record);
  if (r.left() < 23) return Status::invalid("hvcC", kHvccClause);
  // Writers older than the published format put 0.
  if (r.be(1) > 1) return Status::invalid("configurationVersion", kHvccClause);
  r.take(20);  // profile, tier, level, ..., avgFrameRate
  config.nal_length_size = static_cast<unsigned>(r.be(1) & 3) + 1;
  for (std::size_t numOfArrays = r.be(1); numOfArrays > 0; --numOfArrays) {
    if (r.left() < 3) return Status::invalid("numNalus", kHvccClause);
    r.take(1);  // array_completeness, NAL_unit_type
    COPE_RETURN_IF_ERROR(take_nals(r, r.be(2), 2, kHvccClause, config.nals));
  }
  return {};
}

bool LengthPrefixedReader::next(std::span<const std::uint8_t>& nal) noexcept {
  while (!left_.empty()) {
    ByteReader r(left_);
    if (r.left() < nal_length_size_) break;
    const std::size_t size = r.be(nal_length_size_);
    if (r.left() < size) break;
    nal = r.take(size);
    left_ = left_.subspan(nal_length_size_ + size);
    if (size > 0) return true;
  }
  if (!left_.empty()) {
    status_ = Status::invalid("nalUnitLength", "ISO/IEC 14496-15 sample format");
    left_ = {};
  }
  return false;
}

Status split_length_prefixed(std::span<const std::uint8_t> sample, unsigned nal_length_size,
                             std::vector<std::span<const std::uint8_t>>& nals) {
  nals.clear();
  if (nal_length_size < 1 || nal_length_size > 4) {
    return {StatusCode::kInternal, "nal_length_size"};
  }
  LengthPrefixedReader reader(sample, nal_length_size);
  for (std::span<const std::uint8_t> nal; reader.next(nal);) nals.push_back(nal);
  return reader.status();
}

}  // namespace cope::bits
