#include "cope/h264/ref_list.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

#include "cope/prim/picture_info.h"

namespace cope::h264 {
namespace {

/// An entry of a list: fields of one of the reference frames, or "no reference picture".
struct Entry {
  const ReferenceFrame* frame = nullptr;
  std::uint8_t fields = 0;
  bool is_long_term = false;
  bool is_in_doubt = false;  ///< another picture may have this index

  friend bool operator==(const Entry& a, const Entry& b) noexcept {
    return a.frame == b.frame && a.fields == b.fields && a.is_long_term == b.is_long_term;
  }
};

/// Every field of the frames there can be, and one entry more while a list is modified.
constexpr std::size_t kMaxEntries = 2 * ReferenceMarking::kMaxFrames + 1;
using EntryList = std::array<Entry, kMaxEntries>;

/// Frames in list order, such as refFrameList0ShortTerm.
struct FrameList {
  std::array<const ReferenceFrame*, ReferenceMarking::kMaxFrames> frames;
  std::size_t size = 0;

  template <class Less>
  void sort(Less less) noexcept {
    std::sort(frames.begin(), frames.begin() + size, less);
  }
};

/// The slice for which lists are made.
struct Context {
  const Sps& sps;
  const SliceHeader& header;
  std::int32_t PicOrderCnt;
  std::span<const ReferenceFrame> frames;
  std::uint8_t current_fields;
  std::optional<std::int32_t> unknown_before;

  /// Whether a frame takes part by its fields in `marked`: any will do for a field, a frame needs
  /// both.
  bool takes_part(std::uint8_t marked) const noexcept {
    return current_fields == kBothFields ? marked == kBothFields : marked != 0;
  }

  /// Whether one field of a frame never came, but for the first field of the current frame. Frames
  /// of one field may be coded so; far more often the other one was lost.
  bool is_half(const ReferenceFrame& frame) const noexcept {
    const bool is_own_first_field = current_fields != kBothFields &&
                                    frame.FrameNum == header.frame_num &&
                                    (frame.fields & current_fields) == 0;
    return frame.fields != kBothFields && !is_own_first_field;
  }

  /// Whether another frame than this one may stand at its place in a list.
  bool is_in_doubt(const ReferenceFrame& frame) const noexcept {
    return frame.is_lost || frame.is_doubtful || is_half(frame);
  }
};

// 8.2.4.2.1 and 8.2.4.2.2: descending PicNum of frames, FrameNumWrap of fields.
FrameList short_term_by_frame_num(const Context& c) noexcept {
  FrameList list;
  for (const ReferenceFrame& frame : c.frames) {
    if (frame.short_term != 0) list.frames[list.size++] = &frame;
  }
  list.sort([](const ReferenceFrame* a, const ReferenceFrame* b) {
    return a->FrameNumWrap > b->FrameNumWrap;
  });
  return list;
}

// 8.2.4.2.3 and 8.2.4.2.4. List 0: the past from the nearest, then the future; list 1 the other way
// round. A frame of the current POC exists for fields only, as their own first field, and is past.
FrameList short_term_by_pic_order_cnt(const Context& c, int X) noexcept {
  FrameList list;
  for (const ReferenceFrame& frame : c.frames) {
    const bool has_no_poc = frame.is_missing && c.sps.pic_order_cnt_type == 0;
    if (frame.short_term != 0 && !has_no_poc) list.frames[list.size++] = &frame;
  }
  list.sort([&c, X](const ReferenceFrame* a, const ReferenceFrame* b) {
    const std::int32_t poc_a = a->PicOrderCnt();
    const std::int32_t poc_b = b->PicOrderCnt();
    const bool a_is_past = poc_a <= c.PicOrderCnt;
    const bool b_is_past = poc_b <= c.PicOrderCnt;
    if (a_is_past != b_is_past) return a_is_past == (X == 0);
    return a_is_past ? poc_a > poc_b : poc_a < poc_b;
  });
  return list;
}

/// Ascending LongTermPicNum of frames, LongTermFrameIdx of fields.
FrameList long_term_frames(const Context& c) noexcept {
  FrameList list;
  for (const ReferenceFrame& frame : c.frames) {
    if (frame.long_term != 0) list.frames[list.size++] = &frame;
  }
  list.sort([](const ReferenceFrame* a, const ReferenceFrame* b) {
    return a->LongTermFrameIdx < b->LongTermFrameIdx;
  });
  return list;
}

/// Appends frames, or their fields in alternating parity (8.2.4.2.5), and returns the new size.
/// \param is_in_doubt  of the entries that follow; set where a frame in doubt comes
std::size_t append(const Context& c, const FrameList& list, bool is_long_term, EntryList& out,
                   std::size_t size, bool& is_in_doubt) noexcept {
  const auto marked = [is_long_term](const ReferenceFrame& frame) {
    return is_long_term ? frame.long_term : frame.short_term;
  };
  if (c.current_fields == kBothFields) {
    for (std::size_t i = 0; i < list.size; ++i) {
      const ReferenceFrame& frame = *list.frames[i];
      is_in_doubt = is_in_doubt || c.is_in_doubt(frame);
      if (c.takes_part(marked(frame))) {
        out[size++] = {&frame, kBothFields, is_long_term, is_in_doubt};
      }
    }
    return size;
  }
  std::uint8_t parity = c.current_fields;
  std::size_t next[3] = {};  // [parity]
  bool is_alternating = true;
  for (;;) {
    std::size_t& i = next[parity];
    for (; i < list.size; ++i) {
      const ReferenceFrame& frame = *list.frames[i];
      const bool is_marked = (marked(frame) & parity) != 0;
      is_in_doubt =
          is_in_doubt || frame.is_lost || frame.is_doubtful || (!is_marked && c.is_half(frame));
      if (is_marked) break;
    }
    // Unknown frames would come behind the known ones, with a field of this parity.
    is_in_doubt = is_in_doubt || (i == list.size && c.unknown_before);
    if (i < list.size) {
      out[size++] = {list.frames[i++], parity, is_long_term, is_in_doubt};
    } else if (is_alternating) {
      is_alternating = false;  // what the other parity has left follows in order
      parity = static_cast<std::uint8_t>(kBothFields - parity);
      continue;
    } else {
      return size;
    }
    if (is_alternating) parity = static_cast<std::uint8_t>(kBothFields - parity);
  }
}

/// Whether frames were lost, or lost their marking with one, of which nobody knows the place in an
/// order of counts.
bool has_unplaced_frame(const Context& c) noexcept {
  return std::any_of(c.frames.begin(), c.frames.end(), [](const ReferenceFrame& frame) {
    return (frame.is_lost || frame.is_doubtful) && frame.short_term != 0;
  });
}

/// Puts those entries in doubt that unknown pictures of the past may precede: they come where the
/// counts fall below `unknown_before`.
void doubt_behind_unknown(const Context& c, int X, EntryList& list, std::size_t size) noexcept {
  const bool is_anywhere = *c.unknown_before == std::numeric_limits<std::int32_t>::max();
  bool is_in_doubt = is_anywhere || (X == 0 && c.PicOrderCnt < *c.unknown_before);
  for (std::size_t i = 0; i < size; ++i) {
    const std::int32_t poc = list[i].frame->PicOrderCnt();
    const bool is_past = poc <= c.PicOrderCnt;
    // List 0 goes from the past to the future, list 1 the other way round.
    is_in_doubt = is_in_doubt || (is_past ? poc < *c.unknown_before : X == 0);
    list[i].is_in_doubt = list[i].is_in_doubt || is_in_doubt;
  }
}

/// Initialisation of both lists, 8.2.4.2.
void initialise(const Context& c, EntryList (&lists)[2]) noexcept {
  const int num_lists = c.header.is_b() ? 2 : 1;
  std::size_t size[2] = {};
  for (int X = 0; X < num_lists; ++X) {
    bool is_in_doubt = c.header.is_b() && has_unplaced_frame(c);
    const FrameList short_term =
        c.header.is_b() ? short_term_by_pic_order_cnt(c, X) : short_term_by_frame_num(c);
    size[X] = append(c, short_term, false, lists[X], 0, is_in_doubt);
    if (c.header.is_b() && c.unknown_before) doubt_behind_unknown(c, X, lists[X], size[X]);
    is_in_doubt = is_in_doubt || c.unknown_before.has_value();
    size[X] = append(c, long_term_frames(c), true, lists[X], size[X], is_in_doubt);
  }
  if (num_lists == 2 && lists[0] == lists[1]) {
    if (size[1] > 1) std::swap(lists[1][0], lists[1][1]);
    // With one picture more or less they would have been swapped, or not. Unknown pictures are
    // past: with them, lists that hold future ones alone would not be equal.
    const auto end = lists[1].begin() + size[1];
    const auto in_doubt = [](const Entry& entry) { return entry.is_in_doubt; };
    const bool is_past = size[1] > 0 && lists[1][0].frame->PicOrderCnt() <= c.PicOrderCnt;
    if ((c.unknown_before && (is_past || size[1] > 1)) ||
        std::any_of(lists[1].begin(), end, in_doubt)) {
      std::for_each(lists[1].begin(), end, [](Entry& entry) { entry.is_in_doubt = true; });
    }
  }
  for (int X = 0; X < num_lists; ++X) {
    for (std::size_t i = c.header.num_ref_idx_active[X]; i < size[X]; ++i) lists[X][i] = {};
  }
}

/// The reference picture that a PicNum (or LongTermPicNum) names, if it is there.
Entry find(const Context& c, std::int64_t number, bool is_long_term) noexcept {
  for (const ReferenceFrame& frame : c.frames) {
    const std::uint8_t marked = is_long_term ? frame.long_term : frame.short_term;
    for (std::uint8_t fields = kTopField; fields <= kBothFields; ++fields) {
      if ((fields == kBothFields) != (c.current_fields == kBothFields)) continue;
      if ((marked & fields) == fields &&
          number == (is_long_term ? LongTermPicNum(frame, fields, c.current_fields)
                                  : PicNum(frame, fields, c.current_fields))) {
        return {&frame, fields, is_long_term};
      }
    }
  }
  return {};
}

/// Puts `entry` at index `refIdxLX` and closes the gap where it was (8-37, 8-38). A picture that is
/// not there still takes its place, so that the entries behind it keep their indices.
void insert(const Entry& entry, std::size_t refIdxLX, std::size_t num_active,
            EntryList& list) noexcept {
  std::copy_backward(list.begin() + refIdxLX, list.begin() + num_active,
                     list.begin() + num_active + 1);
  list[refIdxLX] = entry;
  if (entry.frame != nullptr) {
    const auto end = list.begin() + num_active + 1;
    const auto again = std::find(list.begin() + refIdxLX + 1, end, entry);
    if (again != end) std::copy(again + 1, end, again);
  }
  list[num_active] = {};
}

/// Modification process, 8.2.4.3.
void modify(const Context& c, int X, EntryList& list) noexcept {
  const std::size_t num_active = c.header.num_ref_idx_active[X];
  const std::int32_t MaxPicNum = c.header.MaxPicNum;
  std::int32_t picNumLXPred = c.header.CurrPicNum;
  for (std::size_t refIdxLX = 0; refIdxLX < c.header.num_ref_pic_list_modifications[X];
       ++refIdxLX) {
    const RefPicListModification& m = c.header.ref_pic_list_modification[X][refIdxLX];
    Entry entry;
    if (m.modification_of_pic_nums_idc == 2) {
      entry = find(c, m.long_term_pic_num, true);
    } else {
      const std::int64_t difference = std::int64_t{m.abs_diff_pic_num_minus1} + 1;
      const std::int64_t picNumLXNoWrap =
          picNumLXPred + (m.modification_of_pic_nums_idc == 0 ? -difference : difference);
      picNumLXPred = static_cast<std::int32_t>((picNumLXNoWrap + MaxPicNum) % MaxPicNum);
      const std::int32_t picNumLX =
          picNumLXPred > c.header.CurrPicNum ? picNumLXPred - MaxPicNum : picNumLXPred;
      entry = find(c, picNumLX, false);
    }
    // A LongTermFrameIdx may have been given to another frame since, and across a loss it is not
    // certain how far apart two picture order counts are.
    entry.is_in_doubt = entry.frame != nullptr && entry.frame->is_doubtful &&
                        (entry.is_long_term || c.header.is_b());
    insert(entry, refIdxLX, num_active, list);
    if (entry.frame == nullptr) {
      // More was lost than anybody noticed: where this picture stood, others moved up.
      for (std::size_t i = refIdxLX; i < num_active; ++i) list[i].is_in_doubt = true;
    }
  }
}

prim::RefPicture to_ref_picture(const Entry& entry) noexcept {
  prim::RefPicture out;
  if (entry.frame == nullptr) {
    out.is_missing = true;
    return out;
  }
  const ReferenceFrame& frame = *entry.frame;
  out.is_long_term = entry.is_long_term;
  out.is_missing = frame.is_missing || entry.is_in_doubt;
  out.top_poc = frame.poc[0];
  out.bottom_poc = frame.poc[1];
  if (entry.fields == kBothFields) {
    out.structure = static_cast<std::uint8_t>(prim::PictureStructure::kFrame);
    out.poc = frame.PicOrderCnt();
    out.decode_index = std::min(frame.decode_index[0], frame.decode_index[1]);
    if (!frame.is_coded_frame()) {
      out.second_decode_index = std::max(frame.decode_index[0], frame.decode_index[1]);
    }
  } else {
    const std::size_t parity = entry.fields >> 1;
    out.structure = static_cast<std::uint8_t>(parity == 0 ? prim::PictureStructure::kTop
                                                          : prim::PictureStructure::kBottom);
    out.poc = frame.poc[parity];
    out.decode_index = frame.decode_index[parity];
    if (!frame.is_coded_frame()) out.second_decode_index = frame.decode_index[1 - parity];
  }
  return out;
}

}  // namespace

void build_ref_pic_lists(const Sps& sps, const SliceHeader& header, std::int32_t PicOrderCnt,
                         std::span<const ReferenceFrame> frames, prim::SliceRefs& out,
                         std::optional<std::int32_t> unknown_before) noexcept {
  const Context context{sps, header, PicOrderCnt, frames, fields_of(header), unknown_before};
  out.num_ref[0] = out.num_ref[1] = 0;
  if (header.is_intra()) return;
  EntryList lists[2];
  initialise(context, lists);
  for (int X = 0; X < (header.is_b() ? 2 : 1); ++X) {
    if (header.ref_pic_list_modification_flag[X]) modify(context, X, lists[X]);
    out.num_ref[X] = header.num_ref_idx_active[X];
    for (int i = 0; i < out.num_ref[X]; ++i) {
      out.ref[X][i] = to_ref_picture(lists[X][static_cast<std::size_t>(i)]);
    }
  }
}

}  // namespace cope::h264
