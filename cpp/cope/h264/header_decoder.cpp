#include "cope/h264/header_decoder.h"

#include <algorithm>
#include <utility>

#include "cope/h264/header_decoder_impl.h"

namespace cope::h264 {

Status HeaderDecoder::Impl::push_nal(std::span<const std::uint8_t> nal, const NalSource& source) {
  if (nal.empty()) return Status::invalid("nal_unit_header", "H.264 7.3.1", 0);
  if (static_cast<std::int64_t>(nal.size()) > limits.max_nal_bytes)
    return Status::limit("max_nal_bytes");
  const NalUnitHeader nal_header = parse_nal_unit_header(nal[0]);
  if (nal_header.forbidden_zero_bit) return Status::invalid("forbidden_zero_bit", "H.264 7.4.1", 0);
  switch (nal_header.nal_unit_type) {
    case NalUnitType::kSlice:
    case NalUnitType::kSliceDataPartitionA:
    case NalUnitType::kSliceIdr: {
      payload.load(nal.subspan(1));
      const Status status = push_slice(nal_header, nal.size(), source);
      if (nal_header.nal_unit_type == NalUnitType::kSliceDataPartitionA) {
        partition_a_is_there = status.ok() && header.redundant_pic_cnt == 0;
      }
      return status;
    }
    case NalUnitType::kSliceDataPartitionB:
    case NalUnitType::kSliceDataPartitionC:
      payload.load(nal.subspan(1));
      return push_partition(nal_header, nal.size());
    case NalUnitType::kSei: {
      delimiter_is_there = true;
      payload.load(nal.subspan(1));
      bits::BitReader r = payload.reader();
      take_sei(parse_sei(r));
      return {};
    }
    case NalUnitType::kAccessUnitDelimiter:
      delimiter_is_there = true;
      return {};
    case NalUnitType::kSps:
      delimiter_is_there = true;
      payload.load(nal.subspan(1));
      return parameter_sets.put_sps(payload.data(), payload.size(), limits);
    case NalUnitType::kPps:
      delimiter_is_there = true;
      payload.load(nal.subspan(1));
      return parameter_sets.put_pps(payload.data(), payload.size());
    case NalUnitType::kEndOfSequence:
    case NalUnitType::kEndOfStream:
      finish_picture();
      release_held(true);
      sequence_ended = true;
      return {};
    case NalUnitType::kPrefix:
    case NalUnitType::kSubsetSps:
    case NalUnitType::kSliceExtension:
    case NalUnitType::kSliceExtension3d:
      skip(kSkippedLayers);
      return {};
    case NalUnitType::kAuxiliarySlice:
      skip(kSkippedAuxiliary);
      return {};
    default:  // filler data, SPS extension (alpha), reserved and unspecified types
      return {};
  }
}

void HeaderDecoder::Impl::take_sei(const Sei& sei) noexcept {
  if (sei.has_recovery_point) {
    has_recovery_point = true;
    recovery_frame_cnt = static_cast<std::int32_t>(std::min(sei.recovery_frame_cnt, 1u << 16));
  }
  if (sei.x264_build >= 0) x264_build = sei.x264_build;
  if (sei.pic_timing_size > 0) timing = sei;
  if (sei.has_frame_packing) {
    frame_packing = sei.frame_packing_arrangement_cancel_flag
                        ? std::int8_t{-1}
                        : static_cast<std::int8_t>(sei.frame_packing_arrangement_type);
    frame_packing_persists = sei.frame_packing_arrangement_repetition_period > 0;
  }
}

/// Counts a NAL unit that is passed over. Those before the slices belong to the next picture.
void HeaderDecoder::Impl::skip(SkippedBit kind) noexcept {
  ++counts.num_nal_units_skipped;
  std::uint8_t& skipped = has_current && !delimiter_is_there ? current.skipped : next_skipped;
  skipped = static_cast<std::uint8_t>(skipped | kind);
}

HeaderDecoder::HeaderDecoder(const Limits& limits) : impl_(std::make_unique<Impl>(limits)) {}
HeaderDecoder::~HeaderDecoder() = default;

Status HeaderDecoder::push_nal(std::span<const std::uint8_t> nal, const NalSource& source) {
  const std::int64_t nal_index = impl_->counts.num_nal_units++;
  Status status = impl_->push_nal(nal, source);
  if (!status.ok()) {
    status.nal_index = nal_index;
    ++impl_->counts.num_nal_units_damaged;
    if (impl_->counts.first_error.ok()) impl_->counts.first_error = status;
  }
  return status;
}

void HeaderDecoder::end_access_unit() {
  impl_->finish_picture();
  impl_->release_held(false);
}

bool HeaderDecoder::pop_picture(CodedPicture& out) {
  if (impl_->ready.empty()) return false;
  impl_->ready.pop(out);
  return true;
}

void HeaderDecoder::reset() {
  impl_->has_current = impl_->has_held = false;
  impl_->ready.clear();
  impl_->has_recovery_point = false;
  impl_->recovery_frame_cnt = -1;
  impl_->timing.pic_timing_size = 0;
  impl_->partition_a_is_there = false;
  impl_->sequence_ended = true;
  impl_->forget_sequence();
}

std::int64_t HeaderDecoder::open_packet_index() const noexcept {
  return impl_->has_current ? impl_->current.info.packet_index : -1;
}

const StreamCounts& HeaderDecoder::counts() const noexcept { return impl_->counts; }

}  // namespace cope::h264
