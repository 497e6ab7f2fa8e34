#include "cope/h264/header_decoder_impl.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "cope/h264/slice_groups.h"

namespace cope::h264 {
namespace {

/// Adds a coded picture to a list that holds each once.
void add_once(std::vector<std::int64_t>& list, std::int64_t decode_index) {
  if (decode_index >= 0 && std::find(list.begin(), list.end(), decode_index) == list.end()) {
    list.push_back(decode_index);
  }
}

void add_reference_pictures(std::span<const ReferenceFrame> frames,
                            std::vector<std::int64_t>& list) {
  for (const ReferenceFrame& frame : frames) {
    const unsigned marked = frame.short_term | frame.long_term;
    if ((marked & kTopField) != 0) add_once(list, frame.decode_index[0]);
    if ((marked & kBottomField) != 0) add_once(list, frame.decode_index[1]);
  }
}

}  // namespace

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

void HeaderDecoder::Impl::note_missing_references(const prim::SliceRefs& refs,
                                                  prim::PictureInfo& info) noexcept {
  for (int list = 0; list < 2; ++list) {
    const prim::RefPicture* const begin = refs.ref[list];
    info.has_missing_references =
        info.has_missing_references ||
        std::any_of(begin, begin + refs.num_ref[list],
                    [](const prim::RefPicture& ref) { return ref.is_missing; });
  }
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

}  // namespace cope::h264
