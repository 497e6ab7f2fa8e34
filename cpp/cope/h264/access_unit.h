#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cope/h264/nal_unit.h"
#include "cope/h264/slice_header.h"
#include "cope/h264/sps.h"

namespace cope::h264 {

/// What all slices of a primary coded picture have in common and those of its neighbours in
/// decoding order have not (7.4.1.2.4).
///
/// Differs from the standard's list in one point: pic_parameter_set_id alone does not make a
/// picture, for nothing else being different, both would have the same picture order count.
struct PictureIdentity {
  const Sps* sps = nullptr;  ///< compared by address: another SPS is another sequence
  std::int32_t delta_pic_order_cnt_bottom = 0;
  std::int32_t delta_pic_order_cnt[2] = {0, 0};
  std::uint16_t frame_num = 0;
  std::uint16_t idr_pic_id = 0;
  std::uint16_t pic_order_cnt_lsb = 0;
  bool field_pic_flag = false;
  bool bottom_field_flag = false;
  bool is_reference = false;  ///< nal_ref_idc != 0
  bool IdrPicFlag = false;

  friend bool operator==(const PictureIdentity&, const PictureIdentity&) = default;
};

PictureIdentity identity_of(const NalUnitHeader& nal, const SliceHeader& header,
                            const Sps* sps) noexcept;

/// The last pictures of a sequence, to know slices that a network delivered behind those of a later
/// picture: pictures leave in decoding order, so that such a slice comes too late.
class RecentPictures {
 public:
  /// Few: the longer the memory, the more often a lost IDR picture makes a new picture look like an
  /// old one. In a sequence, identities repeat after eight pictures at the earliest, when
  /// pic_order_cnt_lsb has four bits.
  static constexpr std::int32_t kNumPictures = 5;

  /// Begins the record of a picture.
  void start(const PictureIdentity& identity) noexcept;
  /// Adds a slice to the picture started last.
  void add_slice(const SliceHeader& header);
  /// Index of the slice of the picture started last that begins with the same macroblock, -1 when
  /// there is none.
  std::ptrdiff_t find_slice(const SliceHeader& header) const noexcept;
  /// Says that the picture started last, an IDR picture or one with a
  /// memory_management_control_operation 5, gives the identities before it free for new pictures.
  void end_sequence() noexcept;
  void clear() noexcept;

  /// Whether a slice belongs to a recorded picture before the one started last.
  ///
  /// No picture of a conforming stream is taken for an earlier one: within a sequence, identities
  /// do not come again so soon. Beyond its start they may, so there, and for IDR pictures, a slice
  /// is late only if it was missing, of the last picture before.
  bool is_late(const PictureIdentity& identity, const SliceHeader& header) const noexcept;

  /// Records the frame_num of a frame that was taken for lost before the picture to be started
  /// next.
  void add_lost(std::uint16_t frame_num) noexcept;
  /// Whether a slice belongs to a picture that the picture started last, or the one before it, took
  /// for lost. Only where frame_num has so many values that it cannot be one after the loss of
  /// nearly all of them.
  bool is_late_frame(const PictureIdentity& identity) const noexcept;

 private:
  struct Entry {
    PictureIdentity identity;
    std::vector<std::uint32_t> slices;  ///< first_mb_in_slice * 4 + colour_plane_id
    bool may_come_again = false;
  };
  static std::uint32_t key_of(const SliceHeader& header) noexcept {
    return header.first_mb_in_slice * 4 + header.colour_plane_id;
  }

  std::array<Entry, kNumPictures> entries_;  ///< ring; the last one is the current picture
  std::size_t size_ = 0;
  std::size_t last_ = 0;
  struct LostFrame {
    std::int32_t frame_num = -1;  ///< -1: none
    std::uint32_t num_started = 0;
  };
  std::array<LostFrame, 16> lost_frames_;  ///< ring
  std::size_t next_lost_ = 0;
  std::uint32_t num_started_ = 0;  ///< pictures so far
};

}  // namespace cope::h264
