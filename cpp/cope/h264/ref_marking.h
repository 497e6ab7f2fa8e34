#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "cope/h264/poc.h"
#include "cope/h264/slice_header.h"
#include "cope/h264/sps.h"

namespace cope::h264 {

/// Sets of fields of a frame.
inline constexpr std::uint8_t kTopField = 1;
inline constexpr std::uint8_t kBottomField = 2;
inline constexpr std::uint8_t kBothFields = 3;

/// Parity of the fields that a slice's picture consists of.
constexpr std::uint8_t fields_of(const SliceHeader& header) noexcept {
  return !header.field_pic_flag ? kBothFields : header.bottom_field_flag ? kBottomField : kTopField;
}

/// A frame, complementary reference field pair or lone field that is used for reference: metadata
/// only. `decode_index` and `poc` are [top, bottom].
struct ReferenceFrame {
  std::int64_t decode_index[2] = {
      -1, -1};                   ///< coded picture that holds the field; equal in a coded frame
  std::int32_t poc[2] = {0, 0};  ///< TopFieldOrderCnt, BottomFieldOrderCnt
  std::int32_t FrameNum = 0;
  std::int32_t FrameNumWrap = 0;      ///< relative to the current picture, where short-term (8-27)
  std::int32_t LongTermFrameIdx = 0;  ///< 0..15, where long-term
  std::uint8_t fields = 0;            ///< decoded fields
  std::uint8_t short_term = 0;        ///< fields marked "used for short-term reference"
  std::uint8_t long_term = 0;         ///< fields marked "used for long-term reference"
  bool is_missing = false;            ///< inferred: "non-existing" or lost (8.2.5.2)
  bool is_lost = false;               ///< inferred where the SPS allows no gap; `is_missing` too
  /// Older than a lost frame, which may have marked it: whether it is still a reference, and which
  /// place it has in a list, cannot be known.
  bool is_doubtful = false;

  bool is_reference() const noexcept { return (short_term | long_term) != 0; }
  bool is_coded_frame() const noexcept { return decode_index[0] == decode_index[1]; }
  /// PicOrderCnt() of what was decoded of it.
  std::int32_t PicOrderCnt() const noexcept {
    if (fields != kBothFields) return poc[fields >> 1];
    return poc[0] < poc[1] ? poc[0] : poc[1];
  }
};

/// PicNum of short-term fields (or frames) relative to the current picture (8.2.4.1). `fields` is
/// the field or both; `current_fields` those of the current picture.
constexpr std::int32_t PicNum(const ReferenceFrame& frame, std::uint8_t fields,
                              std::uint8_t current_fields) noexcept {
  if (current_fields == kBothFields) return frame.FrameNumWrap;
  return 2 * frame.FrameNumWrap + (fields == current_fields ? 1 : 0);
}

/// LongTermPicNum likewise.
constexpr std::int32_t LongTermPicNum(const ReferenceFrame& frame, std::uint8_t fields,
                                      std::uint8_t current_fields) noexcept {
  if (current_fields == kBothFields) return frame.LongTermFrameIdx;
  return 2 * frame.LongTermFrameIdx + (fields == current_fields ? 1 : 0);
}

/// The reference pictures: decoded reference picture marking, 8.2.5.
///
/// Commands that name a picture which is not there are passed over, and never more than
/// Max(max_num_ref_frames, 1) frames stay, so a damaged stream cannot fill it.
class ReferenceMarking {
 public:
  /// max_num_ref_frames at most, and the current picture before one gives way.
  static constexpr int kMaxFrames = 17;

  std::span<const ReferenceFrame> frames() const noexcept {
    return {frames_.data(), static_cast<std::size_t>(num_frames_)};
  }

  /// Marks everything "unused for reference".
  void clear() noexcept {
    num_frames_ = 0;
    unknown_before_.reset();
    long_term_is_doubtful_ = false;
  }

  /// Says that decoding starts with a picture that is no IDR picture: references from before may be
  /// in the lists until as many are known as there can be.
  void start_in_the_middle(std::int32_t PicOrderCnt) noexcept { unknown_before_ = PicOrderCnt; }
  /// References may exist of which nothing is known but that they precede this count in output
  /// order, as all do that are decoded before a random access point; elsewhere it is the largest
  /// number.
  std::optional<std::int32_t> unknown_before() const noexcept { return unknown_before_; }

  /// Numbers the short-term frames for a picture of the given frame_num (8.2.4.1).
  void update_frame_num_wrap(std::int32_t frame_num, std::int32_t MaxFrameNum) noexcept;

  /// Adds a frame inferred by 8.2.5.2, after sliding the window for it. Where the SPS allows no gap
  /// it was lost, and with it what it may have had to say about others (8.2.5.4).
  void infer_frame(const Sps& sps, std::int32_t frame_num, PicOrderCnt poc) noexcept;

  /// A decoded reference picture to be marked.
  struct Picture {
    std::int64_t decode_index = 0;
    PicOrderCnt poc;  ///< after the effect of operation 5 (8.2.1)
    bool is_idr = false;
    /// decode_index of the first field when this is the second one of a complementary reference
    /// field pair, else -1.
    std::int64_t first_field_decode_index = -1;
  };

  /// Marks pictures and adds the current one, a reference picture (8.2.5.1). Numbers are those of
  /// the last update_frame_num_wrap().
  void mark(const Sps& sps, const SliceHeader& header, const Picture& picture) noexcept;

 private:
  ReferenceFrame& add_frame(std::int32_t frame_num) noexcept;
  ReferenceFrame& current_frame(const Picture& picture) noexcept;
  ReferenceFrame* find_short_term(std::int32_t picNumX, std::uint8_t current_fields) noexcept;
  ReferenceFrame* find_long_term(std::int32_t long_term_pic_num,
                                 std::uint8_t current_fields) noexcept;
  void free_long_term_frame_idx(std::uint32_t LongTermFrameIdx,
                                const ReferenceFrame& except) noexcept;
  void execute(const MemoryManagementControl& mmco, const SliceHeader& header,
               ReferenceFrame& current) noexcept;
  void slide_window(const Sps& sps, const ReferenceFrame& current) noexcept;
  void remove_unused() noexcept;

  std::array<ReferenceFrame, kMaxFrames> frames_;  ///< in the order in which they came
  int num_frames_ = 0;
  std::optional<std::int32_t> unknown_before_;
  bool long_term_is_doubtful_ = false;  ///< a lost frame may have assigned LongTermFrameIdx
};

}  // namespace cope::h264
