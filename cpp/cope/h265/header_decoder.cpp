#include "cope/h265/header_decoder.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "cope/base/capacity.h"
#include "cope/base/swap_queue.h"
#include "cope/bits/nal_payload.h"
#include "cope/h265/parameter_sets.h"
#include "cope/h265/poc.h"
#include "cope/h265/recent_pictures.h"
#include "cope/h265/reference_pictures.h"
#include "cope/h265/sei.h"
#include "cope/h265/vps.h"
#include "cope/prim/block_map.h"

namespace cope::h265 {
namespace {

/// SliceTypeBit of a slice type.
std::uint8_t slice_type_bit(SliceType slice_type) noexcept {
  switch (slice_type) {
    case SliceType::B:
      return prim::kHasB;
    case SliceType::P:
      return prim::kHasP;
    case SliceType::I:
      return prim::kHasI;
  }
  return 0;
}

constexpr std::size_t kRoomySegments = 64;  ///< some 1 KB each

void append_decode_indices(std::span<const ReferencePicture> pictures,
                           std::vector<std::int64_t>& list) {
  for (const ReferencePicture& picture : pictures) list.push_back(picture.decode_index);
}

}  // namespace

struct HeaderDecoder::Impl {
  explicit Impl(const Limits& limits_in)
      : limits(limits_in),
        max_segments(std::min<std::int32_t>(limits.max_slices_per_picture, prim::kNoSlice)) {}

  const Limits limits;
  const std::int32_t max_segments;  ///< of a picture; an index must fit `BlockMap::slice_idx`
  StreamCounts counts;
  ParameterSets parameter_sets;
  SwapQueue<CodedPicture> ready;

  // The NAL unit at hand.
  bits::NalPayload payload;
  SliceHeader header;

  // The picture at hand.
  CodedPicture current;
  ActiveParameterSets sets;
  NalUnitHeader current_nal;
  std::uint16_t current_lsb = 0;         ///< slice_pic_order_cnt_lsb
  std::size_t largest_num_segments = 0;  ///< of any picture so far
  std::size_t largest_num_slices = 0;
  bool has_current = false;
  bool current_has_recovery_point = false;

  // The sequence so far.
  std::shared_ptr<const Sps> active_sps;
  PicOrderCntDecoder poc_decoder;
  ReferencePictures references;
  RecentPictures recent;
  std::uint8_t vps_max_layers_minus1 = 0;
  std::int64_t next_decode_index = 0;
  bool has_recovery_point = false;  ///< announced for the next picture
  bool sequence_ended = true;       ///< the next picture starts a coded video sequence
  bool skips_rasl = true;           ///< the last IRAP picture has NoRaslOutputFlag 1
  std::optional<std::int32_t>
      open_random_access_poc;  ///< of the last random access point, if not IDR

  Status push_nal(std::span<const std::uint8_t> nal, const NalSource& source);
  Status push_non_vcl(const NalUnitHeader& nal_header, std::span<const std::uint8_t> nal);
  Status push_slice_segment(const NalUnitHeader& nal_header, std::size_t nal_size,
                            const NalSource& source);
  bool has_current_of(const NalUnitHeader& nal_header, std::uint32_t pps_id) const noexcept;
  Status continue_picture(bool is_further, bool& is_repeated);
  bool is_repetition() const noexcept;
  void count_lost_references();
  bool has_room_for_payload() const noexcept;
  void start_picture(const NalUnitHeader& nal_header, const ActiveParameterSets& new_sets,
                     const NalSource& source);
  void activate_sps(const NalUnitHeader& nal_header, const std::shared_ptr<const Sps>& sps);
  void fill_format(const Sps& sps);
  void add_segment(const NalUnitHeader& nal_header, std::size_t nal_size,
                   std::size_t data_bit_offset);
  void finish_picture();
  void forget_sequence() noexcept;
};

Status HeaderDecoder::Impl::push_nal(std::span<const std::uint8_t> nal, const NalSource& source) {
  if (nal.size() < kNalUnitHeaderBytes) {
    return Status::invalid("nal_unit_header", "H.265 7.3.1.2", 0);
  }
  if (static_cast<std::int64_t>(nal.size()) > limits.max_nal_bytes) {
    return Status::limit("max_nal_bytes");
  }
  const NalUnitHeader nal_header = parse_nal_unit_header(nal[0], nal[1]);
  if (nal_header.forbidden_zero_bit) {
    return Status::invalid("forbidden_zero_bit", "H.265 7.4.2.2", 0);
  }
  if (nal_header.nuh_temporal_id_plus1 == 0) {
    return Status::invalid("nuh_temporal_id_plus1", "H.265 7.4.2.2", 13);
  }
  if (nal_header.nuh_layer_id > 0) {
    ++counts.num_nal_units_skipped;
    return {};
  }
  if (!nal_header.is_slice_segment()) return push_non_vcl(nal_header, nal);
  payload.load(nal.subspan(kNalUnitHeaderBytes));
  return push_slice_segment(nal_header, nal.size(), source);
}

Status HeaderDecoder::Impl::push_non_vcl(const NalUnitHeader& nal_header,
                                         std::span<const std::uint8_t> nal) {
  switch (nal_header.nal_unit_type) {
    case NalUnitType::kVps: {
      payload.load(nal.subspan(kNalUnitHeaderBytes));
      bits::BitReader r = payload.reader();
      Vps vps;
      COPE_RETURN_IF_ERROR(parse_vps(r, vps));
      vps_max_layers_minus1 = vps.vps_max_layers_minus1;
      return {};
    }
    case NalUnitType::kSps:
      payload.load(nal.subspan(kNalUnitHeaderBytes));
      return parameter_sets.put_sps(payload.data(), payload.size(), limits);
    case NalUnitType::kPps:
      payload.load(nal.subspan(kNalUnitHeaderBytes));
      return parameter_sets.put_pps(payload.data(), payload.size());
    case NalUnitType::kPrefixSei: {
      payload.load(nal.subspan(kNalUnitHeaderBytes));
      bits::BitReader r = payload.reader();
      has_recovery_point = parse_sei(r).has_recovery_point || has_recovery_point;
      return {};
    }
    case NalUnitType::kAccessUnitDelimiter:
      finish_picture();
      return {};
    case NalUnitType::kEndOfSequence:
    case NalUnitType::kEndOfBitstream:
      finish_picture();
      sequence_ended = true;
      return {};
    default:  // filler data, suffix SEI, reserved and unspecified types
      return {};
  }
}

/// Four of the largest NAL units hold any picture, as in H.264.
bool HeaderDecoder::Impl::has_room_for_payload() const noexcept {
  return static_cast<std::int64_t>(current.rbsp.size() + payload.size()) <=
         4 * limits.max_nal_bytes;
}

Status HeaderDecoder::Impl::push_slice_segment(const NalUnitHeader& nal_header,
                                               std::size_t nal_size, const NalSource& source) {
  bits::BitReader r = payload.reader();
  const bool first_slice_segment_in_pic_flag = (r.peek32() >> 31) != 0;
  if (nal_header.is_rasl() && skips_rasl) {
    finish_picture();
    counts.num_pictures_skipped += first_slice_segment_in_pic_flag;
    return {};
  }
  const std::uint32_t pps_id = peek_pic_parameter_set_id(r, nal_header);
  const bool is_of_current = has_current_of(nal_header, pps_id);
  ActiveParameterSets new_sets;
  const SliceHeader* previous = nullptr;
  if (is_of_current && !first_slice_segment_in_pic_flag) {
    new_sets = sets;
    previous =
        &current.segments[static_cast<std::size_t>(current.info.num_slice_segments - 1)].header;
  } else {
    const bool may_change_sps = nal_header.is_irap() || sequence_ended;
    COPE_RETURN_IF_ERROR(parameter_sets.find(pps_id, active_sps, may_change_sps, new_sets));
  }
  COPE_RETURN_IF_ERROR(
      parse_slice_header(r, nal_header, *new_sets.sps, *new_sets.pps, previous, header));

  // Pictures of a sequence differ in picture order count, but one IDR picture may follow another.
  const auto address_ts = [this](const SliceHeader& h) {
    return sets.pps->CtbAddrRsToTs[h.slice_segment_address];
  };
  const bool is_further = previous != nullptr && address_ts(header) > address_ts(*previous);
  if (is_of_current && header.slice_pic_order_cnt_lsb == current_lsb &&
      (is_further || !nal_header.is_idr())) {
    bool is_repeated = false;
    COPE_RETURN_IF_ERROR(continue_picture(is_further, is_repeated));
    if (is_repeated) return {};
  } else {
    COPE_REQUIRE(!header.dependent_slice_segment_flag, "slice_segment_address", "H.265 7.4.7.1");
    const bool is_late = !nal_header.is_irap() && recent.contains(poc_decoder.derive(
                                                      *new_sets.sps, nal_header, header, false));
    COPE_REQUIRE(!is_late, "late_slice", "H.265 7.4.2.4.5");
    finish_picture();
    if (ready.size() >= static_cast<std::size_t>(limits.max_pictures_in_flight)) {
      return Status::limit("max_pictures_in_flight");
    }
    start_picture(nal_header, new_sets, source);
  }
  add_segment(nal_header, nal_size, r.bit_pos());
  return {};
}

/// Whether the slice segment at hand may belong to the current picture, if all that does not depend
/// on its header says so. Where its header says no, the first segment of its picture was lost.
bool HeaderDecoder::Impl::has_current_of(const NalUnitHeader& nal_header,
                                         std::uint32_t pps_id) const noexcept {
  return has_current && nal_header.nal_unit_type == current_nal.nal_unit_type &&
         nal_header.TemporalId() == current_nal.TemporalId() &&
         pps_id == sets.pps->pps_pic_parameter_set_id;
}

/// Looks at a slice segment of the current picture before it is added.
/// \param is_further   it begins behind the last one
/// \param is_repeated  set when nothing is left to be done with it
Status HeaderDecoder::Impl::continue_picture(bool is_further, bool& is_repeated) {
  if (!is_further) {
    is_repeated = is_repetition();
    if (!is_repeated) return Status::invalid("late_slice", "H.265 7.4.2.4.5");
    ++counts.num_nal_units_repeated;
    return {};
  }
  if (header.NumPicTotalCurr != references.NumPicTotalCurr()) {
    return Status::invalid("NumPicTotalCurr", "H.265 7.4.7.1");
  }
  if (current.info.num_slice_segments >= max_segments) {
    return Status::limit("max_slices_per_picture");
  }
  if (!has_room_for_payload()) return Status::limit("max_nal_bytes");
  return {};
}

/// Whether the payload at hand is that of a slice segment of the current picture.
bool HeaderDecoder::Impl::is_repetition() const noexcept {
  const auto end = current.segments.begin() + current.info.num_slice_segments;
  return std::any_of(current.segments.begin(), end, [this](const CodedSegment& segment) {
    return segment.header.slice_segment_address == header.slice_segment_address &&
           segment.rbsp.size == payload.size() && payload.repeats(current.rbsp, segment.rbsp);
  });
}

void HeaderDecoder::Impl::add_segment(const NalUnitHeader& nal_header, std::size_t nal_size,
                                      std::size_t data_bit_offset) {
  prim::PictureInfo& info = current.info;
  const auto index = static_cast<std::size_t>(info.num_slice_segments++);
  if (index == current.segments.size()) {
    largest_num_segments = std::max(largest_num_segments, index + 1);
    if (index == current.segments.capacity()) {
      current.segments.reserve(roomy(index + 1, largest_num_segments, kRoomySegments));
    }
    current.segments.emplace_back();
  }
  CodedSegment& segment = current.segments[index];
  if (!header.dependent_slice_segment_flag) {
    const auto slice_idx = static_cast<std::size_t>(info.num_slices++);
    if (slice_idx == current.slice_refs.size()) {
      largest_num_slices = std::max(largest_num_slices, slice_idx + 1);
      if (slice_idx == current.slice_refs.capacity()) {
        current.slice_refs.reserve(roomy(slice_idx + 1, largest_num_slices, kRoomySegments));
      }
      current.slice_refs.emplace_back();
    }
    references.build_lists(header, current.slice_refs[slice_idx]);
    segment.SliceAddrRs = static_cast<std::int32_t>(header.slice_segment_address);
  } else {
    segment.SliceAddrRs = current.segments[index - 1].SliceAddrRs;
  }
  segment.nal = nal_header;
  segment.header = header;
  segment.sps = sets.sps;
  segment.pps = sets.pps;
  segment.slice_idx = info.num_slices - 1;
  segment.rbsp = payload.append_to(current.rbsp);
  segment.data_bit_offset = data_bit_offset;
  segment.nal_index = counts.num_nal_units - 1;
  segment.size_bytes = static_cast<std::int64_t>(nal_size);
  info.size_bytes += segment.size_bytes;
  info.slice_types =
      static_cast<std::uint8_t>(info.slice_types | slice_type_bit(header.slice_type));
}

/// What an IRAP picture, or another SPS, ends (8.1.3).
void HeaderDecoder::Impl::activate_sps(const NalUnitHeader& nal_header,
                                       const std::shared_ptr<const Sps>& sps) {
  const bool has_other_sps = active_sps != nullptr && sps != active_sps;
  active_sps = sps;
  if (nal_header.is_irap()) {
    // Another SPS than the last one's starts a sequence even where it says it does not.
    skips_rasl = nal_header.is_idr() || nal_header.is_bla() || sequence_ended || has_other_sps;
    sequence_ended = false;
    current.info.starts_sequence = skips_rasl;
  }
  if (current.info.starts_sequence || has_other_sps) {
    references.clear();
    recent.clear();
  }
}

/// Counts the references that never came. What precedes the first IRAP picture refers to pictures
/// from before the stream.
void HeaderDecoder::Impl::count_lost_references() {
  if (sequence_ended) return;
  for (const std::int32_t poc : references.missing_pocs()) {
    if (recent.add_lost(poc)) ++current.info.num_frames_lost;
  }
  counts.num_frames_lost += current.info.num_frames_lost;
}

void HeaderDecoder::Impl::start_picture(const NalUnitHeader& nal_header,
                                        const ActiveParameterSets& new_sets,
                                        const NalSource& source) {
  current.info = {};
  activate_sps(nal_header, new_sets.sps);
  sets = new_sets;
  current_nal = nal_header;
  const Sps& sps = *sets.sps;
  prim::PictureInfo& info = current.info;
  info.poc = poc_decoder.derive(sps, nal_header, header, info.starts_sequence);
  poc_decoder.start_picture(nal_header, info.poc);
  references.apply_set(header, info.poc, sps.MaxPicOrderCntLsb());
  count_lost_references();
  recent.add(info.poc);
  current_lsb = header.slice_pic_order_cnt_lsb;

  info.decode_index = next_decode_index++;
  info.pts = source.pts;
  info.dts = source.dts;
  info.packet_index = source.packet_index;
  info.top_poc = info.bottom_poc = info.poc;
  info.codec = prim::Codec::kH265;
  info.is_idr = nal_header.is_idr();
  info.is_output = header.pic_output_flag;
  info.is_reference = !nal_header.is_sub_layer_non_reference() ||
                      nal_header.TemporalId() < sps.sps_max_sub_layers_minus1;
  info.nal_unit_type = nal_header.type();
  info.temporal_id = nal_header.TemporalId();
  fill_format(sps);

  current.rbsp.clear();
  current.vps_max_layers_minus1 = vps_max_layers_minus1;
  current.live.clear();
  append_decode_indices(references.pictures(), current.live);
  if (info.is_reference) current.live.push_back(info.decode_index);
  has_current = true;
  current_has_recovery_point = std::exchange(has_recovery_point, false);
}

void HeaderDecoder::Impl::fill_format(const Sps& sps) {
  prim::PictureInfo& info = current.info;
  info.width = sps.pic_width_in_luma_samples;
  info.height = sps.pic_height_in_luma_samples;
  info.crop_left = sps.crop_left();
  info.crop_right = sps.crop_right();
  info.crop_top = sps.crop_top();
  info.crop_bottom = sps.crop_bottom();
  info.chroma_format_idc = sps.chroma_format_idc;
  info.bit_depth_luma = static_cast<std::uint8_t>(sps.BitDepthY());
  info.bit_depth_chroma = static_cast<std::uint8_t>(sps.BitDepthC());
  info.extended_precision = sps.range.extended_precision_processing_flag;
}

void HeaderDecoder::Impl::finish_picture() {
  if (!has_current) return;
  has_current = false;
  prim::PictureInfo& info = current.info;
  const bool is_irap = current_nal.is_irap();
  info.is_random_access =
      is_irap || (current_has_recovery_point && info.slice_types == prim::kHasI);
  if (info.is_random_access) {
    open_random_access_poc.reset();
    if (!info.is_idr) open_random_access_poc = info.poc;
  }
  info.is_leading = current_nal.is_rasl() || current_nal.is_radl() ||
                    (open_random_access_poc.has_value() && info.poc < *open_random_access_poc);
  references.add(info.decode_index, info.poc);
  ready.push(current);
}

void HeaderDecoder::Impl::forget_sequence() noexcept {
  references.clear();
  recent.clear();
  poc_decoder.reset();
  open_random_access_poc.reset();
  sequence_ended = true;
  skips_rasl = true;
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

void HeaderDecoder::end_access_unit() { impl_->finish_picture(); }

bool HeaderDecoder::pop_picture(CodedPicture& out) {
  if (impl_->ready.empty()) return false;
  impl_->ready.pop(out);
  return true;
}

void HeaderDecoder::reset() {
  impl_->has_current = false;
  impl_->ready.clear();
  impl_->has_recovery_point = false;
  impl_->forget_sequence();
}

std::int64_t HeaderDecoder::open_packet_index() const noexcept {
  return impl_->has_current ? impl_->current.info.packet_index : -1;
}

const StreamCounts& HeaderDecoder::counts() const noexcept { return impl_->counts; }

}  // namespace cope::h265
