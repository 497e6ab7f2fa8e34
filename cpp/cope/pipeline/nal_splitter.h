#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "cope/base/status.h"
#include "cope/bits/annex_b.h"
#include "cope/bits/length_prefixed.h"
#include "cope/media/packet.h"

namespace cope::pipeline {

/// Keeps the error that explains most: unsupported, or more than the limits admit, outranks
/// invalid; else the first one counts.
inline void keep_first(Status& first, const Status& status) noexcept {
  if (status.ok()) return;
  if (first.ok() || (first.code == StatusCode::kInvalidBitstream && first.code != status.code)) {
    first = status;
  }
}

/// Cuts packets of H.264 and H.265 into NAL units, those of the codec configuration first.
class NalSplitter {
 public:
  using Nal = std::span<const std::uint8_t>;
  using ParseConfiguration = Status (*)(Nal, bits::DecoderConfiguration&);

  /// \param parse_configuration  of the record that length-prefixed streams begin with
  NalSplitter(bool is_length_prefixed, ParseConfiguration parse_configuration)
      : is_length_prefixed_(is_length_prefixed), parse_configuration_(parse_configuration) {}

  bool is_length_prefixed() const noexcept { return is_length_prefixed_; }

  /// Calls `push_nal(nal)`, which returns a `Status`, for every NAL unit, and returns the error that
  /// explains most after all of the packet was taken.
  template <class PushNal>
  Status split(const media::PacketView& packet, PushNal push_nal) {
    Status first;
    if (packet.extradata && packet.extradata != extradata_) {
      extradata_ = packet.extradata;
      push_extradata(first, push_nal);
    }
    if (is_length_prefixed_) {
      bits::LengthPrefixedReader reader(packet.data, nal_length_size_);
      for (Nal nal; reader.next(nal);) push_unit(nal, first, push_nal);
      keep_first(first, reader.status());
    } else {
      push_byte_stream(packet.data, first, push_nal);
    }
    return first;
  }

 private:
  template <class PushNal>
  void push_extradata(Status& first, PushNal& push_nal) {
    if (!is_length_prefixed_) return push_byte_stream(*extradata_, first, push_nal);
    keep_first(first, parse_configuration_(*extradata_, configuration_));
    nal_length_size_ = configuration_.nal_length_size;
    for (const Nal nal : configuration_.nals) push_unit(nal, first, push_nal);
  }

  template <class PushNal>
  static void push_byte_stream(Nal stream, Status& first, PushNal& push_nal) {
    bits::AnnexBReader reader(stream);
    for (Nal nal; reader.next(nal);) keep_first(first, push_nal(nal));
  }

  /// What stands behind one length. No NAL unit contains a start code (H.264 7.4.1, H.265 7.4.2),
  /// but muxers exist that put several with start codes between them behind one length.
  template <class PushNal>
  static void push_unit(Nal unit, Status& first, PushNal& push_nal) {
    bits::AnnexBReader inner(unit);
    Nal nal;
    if (!inner.next(nal)) {
      keep_first(first, push_nal(unit));
      return;
    }
    Nal head = unit.first(static_cast<std::size_t>(nal.data() - unit.data()) - 3);
    while (!head.empty() && head.back() == 0) head = head.first(head.size() - 1);
    if (!head.empty()) keep_first(first, push_nal(head));
    do {
      keep_first(first, push_nal(nal));
    } while (inner.next(nal));
  }

  bool is_length_prefixed_;
  ParseConfiguration parse_configuration_;
  unsigned nal_length_size_ = 4;
  std::shared_ptr<const media::Extradata> extradata_;
  bits::DecoderConfiguration configuration_;
};

}  // namespace cope::pipeline
