#include "cope/h264/header_decoder_impl.h"

#include <algorithm>

#include "cope/base/capacity.h"
#include "cope/h264/ref_list.h"

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

constexpr std::size_t kRoomySlices = 64;  ///< some 6 KB each

}  // namespace

Status HeaderDecoder::Impl::push_slice(const NalUnitHeader& nal_header, std::size_t nal_size,
                                       const NalSource& source) {
  bits::BitReader r = payload.reader();
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
  if (!payload.repeats(current.rbsp, span)) return false;
  if (payload.size() > span.size && has_room_for_payload()) {
    const std::int64_t grown = static_cast<std::int64_t>(payload.size() - span.size);
    span = payload.append_to(current.rbsp);
    slice.size_bytes += grown;
    current.info.size_bytes += grown;
  }
  return true;
}

/// Four of the largest NAL units hold any picture: 8192x4320 in 4:4:4 at 14 bits, uncompressed, is
/// 186 MB.
bool HeaderDecoder::Impl::has_room_for_payload() const noexcept {
  return static_cast<std::int64_t>(current.rbsp.size() + payload.size()) <=
         4 * limits.max_nal_bytes;
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
  slice.rbsp = payload.append_to(current.rbsp);
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
  bits::BitReader r = payload.reader();
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
    partition = payload.append_to(current.rbsp);
    (is_b ? slice.partition_b_bit_offset : slice.partition_c_bit_offset) = r.bit_pos();
    slice.size_bytes += static_cast<std::int64_t>(nal_size);
    current.info.size_bytes += static_cast<std::int64_t>(nal_size);
    return {};
  }
  return Status::invalid("slice_id", "H.264 7.4.2.9.2", static_cast<std::int64_t>(r.bit_pos()));
}

}  // namespace cope::h264
