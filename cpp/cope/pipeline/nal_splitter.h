#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cope/base/status.h"
#include "cope/bits/annex_b.h"
#include "cope/bits/length_prefixed.h"
#include "cope/media/packet.h"

namespace cope::pipeline {

/// Unsupported outranks invalid: it explains the rest.
inline void keep_first(Status& first, const Status& status) noexcept {
  if (first.ok() || (status.code == StatusCode::kUnsupported && first.code != status.code)) {
    if (!status.ok()) first = status;
  }
}

/// Cuts packets of H.264 and H.265 into NAL units, those of the codec configuration first.
class NalSplitter {
 public:
  using ParseConfiguration = Status (*)(std::span<const std::uint8_t>, bits::DecoderConfiguration&);

  /// \param parse_configuration  of the record that length-prefixed streams begin with
  NalSplitter(bool is_length_prefixed, ParseConfiguration parse_configuration)
      : is_length_prefixed_(is_length_prefixed), parse_configuration_(parse_configuration) {}

  bool is_length_prefixed() const noexcept { return is_length_prefixed_; }

  /// Calls `push_nal(nal)`, which returns a `Status`, for every NAL unit, and returns the first
  /// error after all of the packet was taken.
  template <class PushNal>
  Status split(const media::PacketView& packet, PushNal push_nal) {
    Status first;
    if (packet.extradata && packet.extradata != extradata_) {
      extradata_ = packet.extradata;
      keep_first(first, split_extradata());
      push_all(first, push_nal);
    }
    if (is_length_prefixed_) {
      keep_first(first, bits::split_length_prefixed(packet.data, nal_length_size_, nals_));
    } else {
      bits::split_annex_b(packet.data, nals_);
    }
    push_all(first, push_nal);
    return first;
  }

 private:
  Status split_extradata() {
    if (!is_length_prefixed_) {
      bits::split_annex_b(*extradata_, nals_);
      return {};
    }
    const Status status = parse_configuration_(*extradata_, configuration_);
    nal_length_size_ = configuration_.nal_length_size;
    std::swap(nals_, configuration_.nals);
    return status;
  }

  template <class PushNal>
  void push_all(Status& first, PushNal& push_nal) {
    for (const std::span<const std::uint8_t> nal : nals_) {
      if (is_length_prefixed_) {
        // No NAL unit contains a start code (H.264 7.4.1, H.265 7.4.2), but muxers exist that put
        // several with start codes between them behind one length.
        bits::split_annex_b(nal, inner_nals_);
        if (!inner_nals_.empty()) {
          const auto head = nal.first(static_cast<std::size_t>(inner_nals_[0].data() - nal.data()));
          keep_first(first, push_nal(head));
          for (const auto inner : inner_nals_) keep_first(first, push_nal(inner));
          continue;
        }
      }
      keep_first(first, push_nal(nal));
    }
  }

  bool is_length_prefixed_;
  ParseConfiguration parse_configuration_;
  unsigned nal_length_size_ = 4;
  std::shared_ptr<const media::Extradata> extradata_;
  bits::DecoderConfiguration configuration_;
  std::vector<std::span<const std::uint8_t>> nals_;
  std::vector<std::span<const std::uint8_t>> inner_nals_;
};

}  // namespace cope::pipeline
