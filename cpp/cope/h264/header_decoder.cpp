#include "cope/h264/header_decoder.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "cope/base/capacity.h"
#include "cope/base/swap_queue.h"
#include "cope/bits/rbsp.h"
#include "cope/h264/access_unit.h"
#include "cope/h264/parameter_sets.h"
#include "cope/h264/poc.h"
#include "cope/h264/ref_list.h"
#include "cope/h264/ref_marking.h"
#include "cope/h264/sei.h"
#include "cope/h264/slice_groups.h"
#include "cope/prim/block_map.h"

namespace cope::h264 {
namespace {

/// SliceTypeBit of a slice type.
std::uint8_t slice_type_bit(SliceType slice_type) noexcept {
  switch (slice_type) {
    case SliceType::P:
      return prim::kHasP;
    case SliceType::B:
      return prim::kHasB;
    case SliceType::I:
      return prim::kHasI;
    case SliceType::SP:
      return prim::kHasSP;
    case SliceType::SI:
      return prim::kHasSI;
  }
  return 0;
}

/// The picture before the current one in decoding order, as far as it may be a first field.
struct PreviousPicture {
  bool is_lone_field = false;  ///< a field that no other field completes yet
  std::uint8_t fields = 0;
  std::int32_t frame_num = 0;  ///< 0 after a memory_management_control_operation 5 (7.4.3)
  bool is_reference = false;
  bool is_leading = false;
  std::int64_t decode_index = -1;
};

void note_missing_references(const prim::SliceRefs& refs, prim::PictureInfo& info) noexcept {
  for (int list = 0; list < 2; ++list) {
    const prim::RefPicture* const begin = refs.ref[list];
    info.has_missing_references =
        info.has_missing_references ||
        std::any_of(begin, begin + refs.num_ref[list],
                    [](const prim::RefPicture& ref) { return ref.is_missing; });
  }
}

/// Adds a coded picture to a list that holds each once.
void add_once(std::vector<std::int64_t>& list, std::int64_t decode_index) {
  if (decode_index >= 0 && std::find(list.begin(), list.end(), decode_index) == list.end()) {
    list.push_back(decode_index);
  }
}

/// Whether references and picture order count can go on under another SPS.
bool is_same_sequence(const Sps& a, const Sps& b) noexcept {
  return a.chroma_format_idc == b.chroma_format_idc &&
         a.separate_colour_plane_flag == b.separate_colour_plane_flag &&
         a.log2_max_frame_num_minus4 == b.log2_max_frame_num_minus4 &&
         a.pic_order_cnt_type == b.pic_order_cnt_type &&
         a.log2_max_pic_order_cnt_lsb_minus4 == b.log2_max_pic_order_cnt_lsb_minus4 &&
         a.max_num_ref_frames == b.max_num_ref_frames &&
         a.pic_width_in_mbs_minus1 == b.pic_width_in_mbs_minus1 &&
         a.pic_height_in_map_units_minus1 == b.pic_height_in_map_units_minus1 &&
         a.frame_mbs_only_flag == b.frame_mbs_only_flag;
}

constexpr std::size_t kRoomyRbsp = 1 << 20;  ///< bytes
constexpr std::size_t kRoomySlices = 64;     ///< some 6 KB each

void add_reference_pictures(std::span<const ReferenceFrame> frames,
                            std::vector<std::int64_t>& list) {
  for (const ReferenceFrame& frame : frames) {
    const unsigned marked = frame.short_term | frame.long_term;
    if ((marked & kTopField) != 0) add_once(list, frame.decode_index[0]);
    if ((marked & kBottomField) != 0) add_once(list, frame.decode_index[1]);
  }
}

}  // namespace

struct HeaderDecoder::Impl {
  explicit Impl(const Limits& limits_in)
      : limits(limits_in),
        max_slices(std::min<std::int32_t>(limits.max_slices_per_picture, prim::kNoSlice)) {}

  const Limits limits;
  const std::int32_t max_slices;  ///< of a picture; an index must fit `BlockMap::slice_idx`
  StreamCounts counts;
  ParameterSets parameter_sets;
  SwapQueue<CodedPicture> ready;

  // The NAL unit at hand: its payload, zero padded, and its slice header.
  std::vector<std::uint8_t> rbsp;
  std::size_t rbsp_size = 0;
  std::size_t largest_rbsp = 0;  ///< bytes that any buffer of payloads had to hold
  SliceHeader header;

  // The picture at hand.
  CodedPicture current;
  std::size_t largest_num_slices = 0;  ///< of any picture so far
  bool has_current = false;
  bool current_has_recovery_point = false;
  bool partition_a_is_there = false;  ///< the last data partition A was good
  bool delimiter_is_there = false;    ///< a NAL unit that starts an access unit followed its slices
  PictureIdentity current_identity;
  RecentPictures recent;

  // A first field, until it is known whether the second one comes.
  CodedPicture held;
  bool has_held = false;
  std::uint8_t first_parity = 0;  ///< of the last reference field pair, 0 before the first one

  // The sequence so far.
  std::shared_ptr<const Sps> active_sps;
  PicOrderCntDecoder poc_decoder;
  ReferenceMarking marking;
  PreviousPicture previous;
  std::int32_t PrevRefFrameNum = -1;  ///< -1: no reference picture yet
  std::int64_t next_decode_index = 0;
  bool has_recovery_point = false;  ///< announced for the next picture, as what follows
  std::int32_t recovery_frame_cnt = -1;
  Sei timing;  ///< picture timing alone
  std::uint8_t next_skipped = 0;
  std::int8_t frame_packing = -1;  ///< in force
  bool frame_packing_persists = false;
  std::int32_t x264_build = -1;  ///< of the stream's encoder, as far as an SEI told
  bool sequence_ended = true;    ///< another SPS may take over
  std::optional<std::int32_t>
      open_random_access_poc;  ///< of the last random access point, if not IDR

  Status push_nal(std::span<const std::uint8_t> nal, const NalSource& source);
  Status push_slice(const NalUnitHeader& nal_header, std::size_t nal_size, const NalSource& source);
  Status push_partition(const NalUnitHeader& nal_header, std::size_t nal_size);
  void take_sei(const Sei& sei) noexcept;
  void skip(SkippedBit kind) noexcept;
  void load_rbsp(std::span<const std::uint8_t> nal);
  void reserve_rbsp(std::vector<std::uint8_t>& buffer, std::size_t size);
  bool has_room_for_payload() const noexcept;
  RbspSpan append_rbsp();
  Status join_picture(const PictureIdentity& identity, bool& is_done);
  bool is_repetition(CodedSlice& slice, RbspSpan& span);
  void start_picture(const NalUnitHeader& nal_header, const ActiveParameterSets& sets,
                     const NalSource& source);
  std::int32_t infer_missing_frames(const Sps& sps);
  void add_slice(const NalUnitHeader& nal_header, std::size_t nal_size,
                 const ActiveParameterSets& sets, std::size_t data_bit_offset);
  bool is_second_field(const NalUnitHeader& nal_header) const noexcept;
  void release_held(bool is_alone);
  void finish_picture();
  void mark_references(PicOrderCnt poc_after_marking);
  void forget_sequence() noexcept;
};

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
      load_rbsp(nal);
      const Status status = push_slice(nal_header, nal.size(), source);
      if (nal_header.nal_unit_type == NalUnitType::kSliceDataPartitionA) {
        partition_a_is_there = status.ok() && header.redundant_pic_cnt == 0;
      }
      return status;
    }
    case NalUnitType::kSliceDataPartitionB:
    case NalUnitType::kSliceDataPartitionC:
      load_rbsp(nal);
      return push_partition(nal_header, nal.size());
    case NalUnitType::kSei: {
      delimiter_is_there = true;
      load_rbsp(nal);
      bits::BitReader r(rbsp.data(), rbsp_size);
      take_sei(parse_sei(r));
      return {};
    }
    case NalUnitType::kAccessUnitDelimiter:
      delimiter_is_there = true;
      return {};
    case NalUnitType::kSps:
      delimiter_is_there = true;
      load_rbsp(nal);
      return parameter_sets.put_sps(rbsp.data(), rbsp_size, limits);
    case NalUnitType::kPps:
      delimiter_is_there = true;
      load_rbsp(nal);
      return parameter_sets.put_pps(rbsp.data(), rbsp_size);
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

void HeaderDecoder::Impl::load_rbsp(std::span<const std::uint8_t> nal) {
  const std::span<const std::uint8_t> payload = nal.subspan(1);
  const std::size_t max_size = payload.size() + kRbspPadding;
  reserve_rbsp(rbsp, max_size);
  if (rbsp.size() < max_size) rbsp.resize(max_size);
  rbsp_size = bits::unescape_rbsp(payload, rbsp.data());
  std::fill_n(rbsp.begin() + static_cast<std::ptrdiff_t>(rbsp_size), kRbspPadding, std::uint8_t{0});
}

/// Four of the largest NAL units hold any picture: 8192x4320 in 4:4:4 at 14 bits, uncompressed, is
/// 186 MB.
bool HeaderDecoder::Impl::has_room_for_payload() const noexcept {
  return static_cast<std::int64_t>(current.rbsp.size() + rbsp_size) <= 4 * limits.max_nal_bytes;
}

/// Makes room. Buffers wander between this decoder and its caller: each is made as large as any had
/// to be so far, so that they stop growing once the largest picture has passed; but one huge
/// picture must not make all others huge.
void HeaderDecoder::Impl::reserve_rbsp(std::vector<std::uint8_t>& buffer, std::size_t size) {
  largest_rbsp = std::max(largest_rbsp, size);
  if (buffer.capacity() < size) buffer.reserve(roomy(size, largest_rbsp, kRoomyRbsp));
}

/// Moves the payload at hand behind those of the current picture.
RbspSpan HeaderDecoder::Impl::append_rbsp() {
  const std::size_t padded_size = rbsp_size + kRbspPadding;
  const RbspSpan span{current.rbsp.size(), rbsp_size};
  if (span.offset == 0) {  // most pictures have one slice: no copy
    std::swap(current.rbsp, rbsp);
    current.rbsp.resize(padded_size);
  } else {
    reserve_rbsp(current.rbsp, span.offset + padded_size);
    current.rbsp.insert(current.rbsp.end(), rbsp.begin(),
                        rbsp.begin() + static_cast<std::ptrdiff_t>(padded_size));
  }
  return span;
}

Status HeaderDecoder::Impl::push_slice(const NalUnitHeader& nal_header, std::size_t nal_size,
                                       const NalSource& source) {
  bits::BitReader r(rbsp.data(), rbsp_size);
  ActiveParameterSets sets;
  const bool may_change_sps = nal_header.IdrPicFlag() || has_recovery_point || sequence_ended;
  COPE_RETURN_IF_ERROR(
      parameter_sets.find(peek_pic_parameter_set_id(r), active_sps, may_change_sps, sets));
  // A new sequence was announced and its IDR picture is lost, or this slice comes from before: by
  // which SPS it was coded is not known.
  const Sps& newest = *parameter_sets.newest_sps(sets.sps->seq_parameter_set_id);
  if (sets.sps.get() != &newest && !is_same_sequence(*sets.sps, newest)) {
    return Status::invalid("seq_parameter_set_id", "H.264 7.4.1.2.1");
  }
  COPE_RETURN_IF_ERROR(parse_slice_header(r, nal_header, *sets.sps, *sets.pps, header));
  if (header.redundant_pic_cnt > 0) {
    skip(kSkippedRedundant);
    return {};
  }
  const PictureIdentity identity = identity_of(nal_header, header, sets.sps.get());
  if (has_current) {
    bool is_done = false;
    COPE_RETURN_IF_ERROR(join_picture(identity, is_done));
    if (is_done) return {};
  }
  if (!has_current) {
    if (ready.size() >= static_cast<std::size_t>(limits.max_pictures_in_flight)) {
      return Status::limit("max_pictures_in_flight");
    }
    current_identity = identity;
    start_picture(nal_header, sets, source);
  }
  add_slice(nal_header, nal_size, sets, r.bit_pos());
  return {};
}

/// Decides where the slice at hand belongs: to the current picture, which it may repeat in part, to
/// the next one, which ends the current one, or to one that has gone.
/// \param is_done  nothing is left to be done with the slice
Status HeaderDecoder::Impl::join_picture(const PictureIdentity& identity, bool& is_done) {
  if (identity != current_identity) {
    if (recent.is_late(identity, header) || recent.is_late_frame(identity)) {
      return Status::invalid("late_slice", "H.264 7.4.1.2.4");
    }
    finish_picture();
    return {};
  }
  if (const std::ptrdiff_t index = recent.find_slice(header); index >= 0) {
    CodedSlice& again = current.slices[static_cast<std::size_t>(index)];
    // Some encoders give every IDR picture the same idr_pic_id; with nothing in between, equal
    // bytes are one NAL unit that was delivered twice.
    if (!delimiter_is_there && is_repetition(again, again.rbsp)) {
      is_done = true;
      ++counts.num_nal_units_repeated;
      return {};
    }
    if (index == 0) {  // the whole picture again
      finish_picture();
      return {};
    }
  }
  const std::int32_t num_planes = current.slices[0].sps->separate_colour_plane_flag ? 3 : 1;
  if (current.info.num_slices >= header.PicSizeInMbs * num_planes) {
    return Status::invalid("first_mb_in_slice", "H.264 7.4.3");  // each has a macroblock of its own
  }
  if (current.info.num_slices >= max_slices) return Status::limit("max_slices_per_picture");
  if (!has_room_for_payload()) return Status::limit("max_nal_bytes");
  return {};
}

/// Whether the payload at hand is that of `span`, or one of them is the other cut short; the longer
/// one stays.
bool HeaderDecoder::Impl::is_repetition(CodedSlice& slice, RbspSpan& span) {
  const auto begin = current.rbsp.begin() + static_cast<std::ptrdiff_t>(span.offset);
  const auto size = static_cast<std::ptrdiff_t>(std::min(span.size, rbsp_size));
  if (!std::equal(begin, begin + size, rbsp.begin())) return false;
  if (rbsp_size > span.size && has_room_for_payload()) {
    const std::int64_t grown = static_cast<std::int64_t>(rbsp_size - span.size);
    span = append_rbsp();
    slice.size_bytes += grown;
    current.info.size_bytes += grown;
  }
  return true;
}

void HeaderDecoder::Impl::add_slice(const NalUnitHeader& nal_header, std::size_t nal_size,
                                    const ActiveParameterSets& sets, std::size_t data_bit_offset) {
  const auto slice_idx = static_cast<std::size_t>(current.info.num_slices++);
  if (slice_idx == current.slices.size()) {
    largest_num_slices = std::max(largest_num_slices, slice_idx + 1);
    if (slice_idx == current.slices.capacity()) {
      current.slices.reserve(roomy(slice_idx + 1, largest_num_slices, kRoomySlices));
    }
    current.slices.emplace_back();
  }
  CodedSlice& slice = current.slices[slice_idx];
  slice.nal = nal_header;
  slice.header = header;
  slice.sps = sets.sps;
  slice.pps = sets.pps;
  build_ref_pic_lists(*sets.sps, header, current.info.poc, marking.frames(), slice.refs,
                      marking.unknown_before());
  note_missing_references(slice.refs, current.info);
  recent.add_slice(header);
  delimiter_is_there = false;
  slice.rbsp = append_rbsp();
  slice.data_bit_offset = data_bit_offset;
  slice.partition_b = slice.partition_c = {};
  slice.partition_b_bit_offset = slice.partition_c_bit_offset = 0;
  slice.nal_index = counts.num_nal_units - 1;
  slice.size_bytes = static_cast<std::int64_t>(nal_size);
  current.info.size_bytes += slice.size_bytes;
  current.info.slice_types =
      static_cast<std::uint8_t>(current.info.slice_types | slice_type_bit(header.slice_type));
}

/// slice_data_partition_b_layer_rbsp() and ..._c_..., 7.3.2.9.2 and 7.3.2.9.3, up to slice_data().
Status HeaderDecoder::Impl::push_partition(const NalUnitHeader& nal_header, std::size_t nal_size) {
  bits::BitReader r(rbsp.data(), rbsp_size);
  const std::uint32_t slice_id = r.ue();
  COPE_REQUIRE(has_current && partition_a_is_there, "slice_id", "H.264 7.4.2.9.2");
  const bool is_b = nal_header.nal_unit_type == NalUnitType::kSliceDataPartitionB;
  const CodedSlice& first = current.slices[0];
  const std::uint32_t colour_plane_id = first.sps->separate_colour_plane_flag ? r.u(2) : 0;
  if (first.pps->redundant_pic_cnt_present_flag && r.ue() > 0) {  // redundant_pic_cnt
    skip(kSkippedRedundant);
    return {};
  }
  COPE_REQUIRE(!r.overrun(), "rbsp_overrun", "H.264 7.3.2.9.2");
  for (std::int32_t i = current.info.num_slices - 1; i >= 0; --i) {
    CodedSlice& slice = current.slices[static_cast<std::size_t>(i)];
    if (slice.nal.nal_unit_type != NalUnitType::kSliceDataPartitionA ||
        slice.header.slice_id != slice_id || slice.header.colour_plane_id != colour_plane_id) {
      continue;
    }
    RbspSpan& partition = is_b ? slice.partition_b : slice.partition_c;
    if (partition.size != 0 && is_repetition(slice, partition)) {
      ++counts.num_nal_units_repeated;
      return {};
    }
    // Partition B comes before C: else it is that of a later slice of which A was lost.
    COPE_REQUIRE(partition.size == 0 && slice.partition_c.size == 0, "slice_id", "H.264 7.4.2.9.2");
    if (!has_room_for_payload()) return Status::limit("max_nal_bytes");
    partition = append_rbsp();
    (is_b ? slice.partition_b_bit_offset : slice.partition_c_bit_offset) = r.bit_pos();
    slice.size_bytes += static_cast<std::int64_t>(nal_size);
    current.info.size_bytes += static_cast<std::int64_t>(nal_size);
    return {};
  }
  return Status::invalid("slice_id", "H.264 7.4.2.9.2", static_cast<std::int64_t>(r.bit_pos()));
}

void HeaderDecoder::Impl::start_picture(const NalUnitHeader& nal_header,
                                        const ActiveParameterSets& sets, const NalSource& source) {
  const Sps& sps = *sets.sps;
  if (sets.sps != active_sps) {
    if (active_sps != nullptr && !is_same_sequence(*active_sps, sps)) forget_sequence();
    active_sps = sets.sps;
  }
  sequence_ended = false;
  const bool is_idr = nal_header.IdrPicFlag();
  const bool starts_in_the_middle = !is_idr && PrevRefFrameNum < 0;
  std::int32_t num_frames_lost = 0;
  const std::int64_t num_gaps = counts.num_frame_num_gaps;
  if (is_idr) {
    marking.clear();
    PrevRefFrameNum = 0;
    recent.end_sequence();
  } else if (starts_in_the_middle) {
    PrevRefFrameNum = (header.frame_num - 1) & (sps.MaxFrameNum() - 1);
  } else {
    num_frames_lost = infer_missing_frames(sps);
  }
  const bool has_allowed_gap = counts.num_frame_num_gaps > num_gaps && num_frames_lost == 0;
  recent.start(current_identity);
  marking.update_frame_num_wrap(header.frame_num, sps.MaxFrameNum());

  const PicOrderCnt poc = poc_decoder.derive(sps, nal_header, header);
  current.info = {};
  prim::PictureInfo& info = current.info;
  info.decode_index = next_decode_index++;
  info.pts = source.pts;
  info.dts = source.dts;
  info.packet_index = source.packet_index;
  info.poc = pic_order_cnt(poc, header.field_pic_flag, header.bottom_field_flag);
  info.top_poc = poc.top;
  info.bottom_poc = poc.bottom;
  info.structure = !header.field_pic_flag     ? prim::PictureStructure::kFrame
                   : header.bottom_field_flag ? prim::PictureStructure::kBottom
                                              : prim::PictureStructure::kTop;
  info.is_second_field = is_second_field(nal_header);
  info.num_frames_lost = num_frames_lost;
  if (info.is_second_field && info.is_reference) first_parity = previous.fields;
  release_held(!info.is_second_field);
  if (starts_in_the_middle) {
    marking.start_in_the_middle(has_recovery_point ? info.poc
                                                   : std::numeric_limits<std::int32_t>::max());
  }
  info.recovery_frame_cnt = std::exchange(recovery_frame_cnt, -1);
  info.pic_struct = static_cast<std::int8_t>(read_pic_struct(timing, sps));
  timing.pic_timing_size = 0;
  info.frame_packing = frame_packing;
  if (!frame_packing_persists) frame_packing = -1;
  info.mbaff = header.MbaffFrameFlag;
  info.is_idr = is_idr;
  info.starts_sequence = is_idr;
  info.is_reference = nal_header.nal_ref_idc != 0;
  info.has_memory_management_5 = header.dec_ref_pic_marking.has_operation_5();
  info.nal_ref_idc = nal_header.nal_ref_idc;
  info.width = 16 * sps.PicWidthInMbs();
  info.height = 16 * header.PicHeightInMbs;
  info.crop_left = sps.crop_left();
  info.crop_right = sps.crop_right();
  info.crop_top = sps.crop_top();
  info.crop_bottom = sps.crop_bottom();
  info.chroma_format_idc = sps.chroma_format_idc;
  info.separate_colour_planes = sps.separate_colour_plane_flag;
  info.bit_depth_luma = static_cast<std::uint8_t>(sps.BitDepthY());
  info.bit_depth_chroma = static_cast<std::uint8_t>(sps.BitDepthC());

  current.rbsp.clear();
  current.live.clear();
  current.live.reserve(4 * ReferenceMarking::kMaxFrames);  // fields, before and after marking
  current.x264_build = x264_build;
  current.skipped = std::exchange(next_skipped, std::uint8_t{0});
  current.has_allowed_gap = has_allowed_gap;
  derive_mb_to_slice_group_map(sps, *sets.pps, header, current.slice_group_map);
  has_current = true;
  current_has_recovery_point = std::exchange(has_recovery_point, false);
}

/// Decoding process for gaps in frame_num, 8.2.5.2; where the SPS allows none, frames were lost and
/// the same frames take their places in the lists. Of a long gap only the last frames can remain in
/// the window, so only they are made.
/// \return number of frames that were lost
std::int32_t HeaderDecoder::Impl::infer_missing_frames(const Sps& sps) {
  if (header.frame_num == PrevRefFrameNum) return 0;
  const std::int32_t mask = sps.MaxFrameNum() - 1;
  const std::int32_t num_missing = (header.frame_num - PrevRefFrameNum - 1) & mask;
  for (std::int32_t i =
           std::min<std::int32_t>(num_missing, std::max<int>(sps.max_num_ref_frames, 1));
       i > 0; --i) {
    const std::int32_t UnusedShortTermFrameNum = (header.frame_num - i) & mask;
    marking.infer_frame(sps, UnusedShortTermFrameNum,
                        poc_decoder.infer_frame(sps, UnusedShortTermFrameNum));
    if (!sps.gaps_in_frame_num_value_allowed_flag) {
      recent.add_lost(static_cast<std::uint16_t>(UnusedShortTermFrameNum));
    }
  }
  if (num_missing > 0) {
    PrevRefFrameNum = (header.frame_num - 1) & mask;
    previous.is_lone_field = false;
  }
  // So long a gap may be a lost IDR picture: numbers begin again.
  if (num_missing >= RecentPictures::kNumPictures) recent.end_sequence();
  counts.num_frame_num_gaps += num_missing;
  if (sps.gaps_in_frame_num_value_allowed_flag) return 0;
  counts.num_frames_lost += num_missing;
  return num_missing;
}

/// Whether the slice at hand belongs to the second field of a complementary field pair of which the
/// previous picture is the first (3.30, 3.31).
bool HeaderDecoder::Impl::is_second_field(const NalUnitHeader& nal_header) const noexcept {
  return previous.is_lone_field && header.field_pic_flag &&
         fields_of(header) == kBothFields - previous.fields &&
         header.frame_num == previous.frame_num &&
         (nal_header.nal_ref_idc != 0) == previous.is_reference && !nal_header.IdrPicFlag() &&
         !header.dec_ref_pic_marking.has_operation_5();
}

void HeaderDecoder::Impl::finish_picture() {
  if (!has_current) return;
  has_current = false;
  prim::PictureInfo& info = current.info;
  const CodedSlice& first = current.slices[0];
  const bool has_operation_5 = info.has_memory_management_5;

  info.is_random_access =
      info.is_idr || (current_has_recovery_point && info.slice_types == prim::kHasI);
  if (info.is_second_field) {
    info.is_leading = previous.is_leading;
  } else {
    if (info.is_random_access) {
      open_random_access_poc.reset();
      if (!info.is_idr) open_random_access_poc = info.poc;
    }
    info.is_leading = open_random_access_poc.has_value() && info.poc < *open_random_access_poc;
  }
  if (has_operation_5) {
    open_random_access_poc.reset();
    recent.end_sequence();
  }

  // 8.2.1: tempPicOrderCnt is subtracted, so that the picture counts from 0.
  PicOrderCnt poc{info.top_poc, info.bottom_poc};
  if (has_operation_5) {
    const auto rebase = [&info](std::int32_t value) {
      return static_cast<std::int32_t>(std::int64_t{value} - info.poc);
    };
    poc = {rebase(poc.top), rebase(poc.bottom)};
  }
  add_reference_pictures(marking.frames(), current.live);
  if (info.is_reference) mark_references(poc);
  add_reference_pictures(marking.frames(), current.live);
  poc_decoder.finish_picture(first.nal, first.header, has_operation_5, poc);
  const std::int32_t frame_num = has_operation_5 ? 0 : first.header.frame_num;
  if (info.is_reference) PrevRefFrameNum = frame_num;

  previous.is_lone_field = first.header.field_pic_flag && !info.is_second_field;
  previous.fields = fields_of(first.header);
  previous.frame_num = frame_num;
  previous.is_reference = info.is_reference;
  previous.is_leading = info.is_leading;
  previous.decode_index = info.decode_index;
  if (previous.is_lone_field) {
    std::swap(held, current);
    has_held = true;
  } else {
    ready.push(current);
  }
}

/// Hands the held first field out. One that stays alone and has not the parity that first fields
/// had before is more likely a second one of which the first, its nearest reference, was lost.
void HeaderDecoder::Impl::release_held(bool is_alone) {
  if (!has_held) return;
  has_held = false;
  if (is_alone && held.info.is_reference && fields_of(held.slices[0].header) != first_parity) {
    for (std::int32_t i = 0; i < held.info.num_slices; ++i) {
      prim::SliceRefs& refs = held.slices[static_cast<std::size_t>(i)].refs;
      for (auto& list : refs.ref) {
        for (prim::RefPicture& ref : list) ref.is_missing = true;
      }
      note_missing_references(refs, held.info);
    }
  }
  ready.push(held);
}

void HeaderDecoder::Impl::mark_references(PicOrderCnt poc_after_marking) {
  const CodedSlice& first = current.slices[0];
  ReferenceMarking::Picture picture;
  picture.decode_index = current.info.decode_index;
  picture.poc = poc_after_marking;
  picture.is_idr = current.info.is_idr;
  if (current.info.is_second_field) picture.first_field_decode_index = previous.decode_index;
  marking.mark(*first.sps, first.header, picture);
}

void HeaderDecoder::Impl::forget_sequence() noexcept {
  marking.clear();
  poc_decoder.reset();
  previous = {};
  PrevRefFrameNum = -1;
  open_random_access_poc.reset();
  recent.clear();
  frame_packing = -1;  // holds to the end of the coded video sequence at most (D.2.26)
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
