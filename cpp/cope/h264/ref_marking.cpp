#include "cope/h264/ref_marking.h"

#include <algorithm>
#include <cstddef>

namespace cope::h264 {
namespace {

/// The field of a frame that a picture number of a field names: odd numbers have the parity of the
/// current field (8-28 to 8-31).
constexpr std::uint8_t fields_of_number(std::int32_t number, std::uint8_t current_fields) noexcept {
  if (current_fields == kBothFields) return kBothFields;
  return (number & 1) != 0 ? current_fields
                           : static_cast<std::uint8_t>(kBothFields - current_fields);
}

/// FrameNumWrap or LongTermFrameIdx of the frame that it names.
constexpr std::int32_t frame_of_number(std::int32_t number, std::uint8_t current_fields) noexcept {
  return current_fields == kBothFields ? number : number >> 1;
}

constexpr std::uint8_t without(std::uint8_t set, std::uint8_t fields) noexcept {
  return static_cast<std::uint8_t>(set & ~fields);
}

constexpr std::uint8_t with(std::uint8_t set, std::uint8_t fields) noexcept {
  return static_cast<std::uint8_t>(set | fields);
}

}  // namespace

void ReferenceMarking::update_frame_num_wrap(std::int32_t frame_num,
                                             std::int32_t MaxFrameNum) noexcept {
  for (int i = 0; i < num_frames_; ++i) {
    ReferenceFrame& frame = frames_[static_cast<std::size_t>(i)];
    frame.FrameNumWrap = frame.FrameNum > frame_num ? frame.FrameNum - MaxFrameNum : frame.FrameNum;
  }
}

void ReferenceMarking::infer_frame(const Sps& sps, std::int32_t frame_num,
                                   PicOrderCnt poc) noexcept {
  update_frame_num_wrap(frame_num, sps.MaxFrameNum());
  const bool is_lost = !sps.gaps_in_frame_num_value_allowed_flag;
  if (is_lost) {
    for (int i = 0; i < num_frames_; ++i) frames_[static_cast<std::size_t>(i)].is_doubtful = true;
    long_term_is_doubtful_ = true;
  }
  ReferenceFrame& frame = add_frame(frame_num);
  frame.is_lost = is_lost;
  frame.poc[0] = poc.top;
  frame.poc[1] = poc.bottom;
  frame.fields = frame.short_term = kBothFields;
  frame.is_missing = true;
  slide_window(sps, frame);
  remove_unused();
}

void ReferenceMarking::mark(const Sps& sps, const SliceHeader& header,
                            const Picture& picture) noexcept {
  const DecRefPicMarking& marking = header.dec_ref_pic_marking;
  const std::uint8_t fields = fields_of(header);
  if (picture.is_idr) clear();
  ReferenceFrame& current = current_frame(picture);
  current.FrameNum = marking.has_operation_5() ? 0 : header.frame_num;
  current.FrameNumWrap = current.FrameNum;
  current.fields = with(current.fields, fields);
  if ((fields & kTopField) != 0) {
    current.decode_index[0] = picture.decode_index;
    current.poc[0] = picture.poc.top;
  }
  if ((fields & kBottomField) != 0) {
    current.decode_index[1] = picture.decode_index;
    current.poc[1] = picture.poc.bottom;
  }

  if (picture.is_idr && marking.long_term_reference_flag) {
    current.LongTermFrameIdx = 0;
    current.long_term = with(current.long_term, fields);
  } else {
    for (int i = 0; i < marking.num_mmco; ++i) execute(marking.mmco[i], header, current);
    if ((current.long_term & fields) == 0) current.short_term = with(current.short_term, fields);
  }
  // Without commands this is the sliding window of 8.2.5.3: a second field adds no frame, so it
  // moves nothing. With commands it only catches streams that keep more than they declared.
  slide_window(sps, current);
  remove_unused();
  if (num_frames_ >= sps.max_num_ref_frames) unknown_before_.reset();
}

ReferenceFrame& ReferenceMarking::add_frame(std::int32_t frame_num) noexcept {
  ReferenceFrame& frame = frames_[static_cast<std::size_t>(num_frames_++)];
  frame = ReferenceFrame();
  frame.FrameNum = frame.FrameNumWrap = frame_num;
  return frame;
}

ReferenceFrame& ReferenceMarking::current_frame(const Picture& picture) noexcept {
  if (picture.first_field_decode_index >= 0) {
    for (int i = num_frames_ - 1; i >= 0; --i) {
      ReferenceFrame& frame = frames_[static_cast<std::size_t>(i)];
      if (frame.fields != kBothFields &&
          frame.decode_index[frame.fields >> 1] == picture.first_field_decode_index) {
        return frame;
      }
    }
  }
  return add_frame(0);
}

// The latest of several with one number, which only damaged streams have.
ReferenceFrame* ReferenceMarking::find_short_term(std::int32_t picNumX,
                                                  std::uint8_t current_fields) noexcept {
  const std::uint8_t fields = fields_of_number(picNumX, current_fields);
  for (int i = num_frames_ - 1; i >= 0; --i) {
    ReferenceFrame& frame = frames_[static_cast<std::size_t>(i)];
    if ((frame.short_term & fields) != 0 &&
        frame.FrameNumWrap == frame_of_number(picNumX, current_fields)) {
      return &frame;
    }
  }
  return nullptr;
}

ReferenceFrame* ReferenceMarking::find_long_term(std::int32_t long_term_pic_num,
                                                 std::uint8_t current_fields) noexcept {
  const std::uint8_t fields = fields_of_number(long_term_pic_num, current_fields);
  for (int i = num_frames_ - 1; i >= 0; --i) {
    ReferenceFrame& frame = frames_[static_cast<std::size_t>(i)];
    if ((frame.long_term & fields) != 0 &&
        frame.LongTermFrameIdx == frame_of_number(long_term_pic_num, current_fields)) {
      return &frame;
    }
  }
  return nullptr;
}

// A field keeps its index when its frame's other field gets the same one (8.2.5.4.3, 8.2.5.4.6).
void ReferenceMarking::free_long_term_frame_idx(std::uint32_t LongTermFrameIdx,
                                                const ReferenceFrame& except) noexcept {
  for (int i = 0; i < num_frames_; ++i) {
    ReferenceFrame& frame = frames_[static_cast<std::size_t>(i)];
    if (&frame != &except &&
        frame.LongTermFrameIdx == static_cast<std::int32_t>(LongTermFrameIdx)) {
      frame.long_term = 0;
    }
  }
}

// 8.2.5.4
void ReferenceMarking::execute(const MemoryManagementControl& mmco, const SliceHeader& header,
                               ReferenceFrame& current) noexcept {
  const std::uint8_t current_fields = fields_of(header);
  const std::int32_t picNumX = static_cast<std::int32_t>(
      header.CurrPicNum - (std::int64_t{mmco.difference_of_pic_nums_minus1} + 1));  // (8-39)
  switch (mmco.memory_management_control_operation) {
    case 1:
      if (ReferenceFrame* frame = find_short_term(picNumX, current_fields)) {
        frame->short_term = without(frame->short_term, fields_of_number(picNumX, current_fields));
      }
      break;
    case 2: {
      // LongTermPicNum is 0..31; anything larger names nothing.
      const auto number = static_cast<std::int32_t>(std::min(mmco.long_term_pic_num, 32u));
      if (ReferenceFrame* frame = find_long_term(number, current_fields)) {
        frame->long_term = without(frame->long_term, fields_of_number(number, current_fields));
      }
      break;
    }
    case 3:
      if (ReferenceFrame* frame = find_short_term(picNumX, current_fields)) {
        const auto fields = static_cast<std::uint8_t>(frame->short_term &
                                                      fields_of_number(picNumX, current_fields));
        free_long_term_frame_idx(mmco.long_term_frame_idx, *frame);
        frame->LongTermFrameIdx = static_cast<std::int32_t>(mmco.long_term_frame_idx);
        frame->short_term = without(frame->short_term, fields);
        frame->long_term = with(frame->long_term, fields);
        frame->is_doubtful = frame->is_doubtful || long_term_is_doubtful_;
      }
      break;
    case 4:
      for (int i = 0; i < num_frames_; ++i) {
        ReferenceFrame& frame = frames_[static_cast<std::size_t>(i)];
        if (frame.LongTermFrameIdx >=
            static_cast<std::int32_t>(mmco.max_long_term_frame_idx_plus1)) {
          frame.long_term = 0;
        }
      }
      if (mmco.max_long_term_frame_idx_plus1 == 0) long_term_is_doubtful_ = false;
      break;
    case 5:
      for (int i = 0; i < num_frames_; ++i) {
        frames_[static_cast<std::size_t>(i)].short_term = 0;
        frames_[static_cast<std::size_t>(i)].long_term = 0;
      }
      unknown_before_.reset();
      long_term_is_doubtful_ = false;
      break;
    case 6:
      free_long_term_frame_idx(mmco.long_term_frame_idx, current);
      current.LongTermFrameIdx = static_cast<std::int32_t>(mmco.long_term_frame_idx);
      current.short_term = without(current.short_term, current_fields);
      current.long_term = with(current.long_term, current_fields);
      current.is_doubtful = current.is_doubtful || long_term_is_doubtful_;
      break;
    default:
      break;
  }
}

void ReferenceMarking::slide_window(const Sps& sps, const ReferenceFrame& current) noexcept {
  const int max_others = std::max<int>(sps.max_num_ref_frames, 1) - 1;
  for (;;) {
    int num_others = 0;
    ReferenceFrame* oldest = nullptr;
    for (int i = 0; i < num_frames_; ++i) {
      ReferenceFrame& frame = frames_[static_cast<std::size_t>(i)];
      if (&frame == &current || !frame.is_reference()) continue;
      ++num_others;
      const bool is_short_term = frame.short_term != 0;
      // Long-term frames give way only where nothing else is left: no conforming stream gets there.
      if (oldest == nullptr || (is_short_term && oldest->short_term == 0) ||
          (is_short_term && frame.FrameNumWrap < oldest->FrameNumWrap)) {
        oldest = &frame;
      }
    }
    if (num_others <= max_others) return;
    oldest->short_term = oldest->long_term = 0;
  }
}

void ReferenceMarking::remove_unused() noexcept {
  const auto begin = frames_.begin();
  const auto end = std::remove_if(begin, begin + num_frames_, [](const ReferenceFrame& frame) {
    return !frame.is_reference();
  });
  num_frames_ = static_cast<int>(end - begin);
}

}  // namespace cope::h264
