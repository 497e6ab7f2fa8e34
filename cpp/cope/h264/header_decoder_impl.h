#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "cope/base/swap_queue.h"
#include "cope/bits/nal_payload.h"
#include "cope/h264/access_unit.h"
#include "cope/h264/header_decoder.h"
#include "cope/h264/parameter_sets.h"
#include "cope/h264/poc.h"
#include "cope/h264/ref_marking.h"
#include "cope/h264/sei.h"
#include "cope/prim/block_map.h"

namespace cope::h264 {

/// The picture before the current one in decoding order, as far as it may be a first field.
struct PreviousPicture {
  bool is_lone_field = false;  ///< a field that no other field completes yet
  std::uint8_t fields = 0;
  std::int32_t frame_num = 0;  ///< 0 after a memory_management_control_operation 5 (7.4.3)
  bool is_reference = false;
  bool is_leading = false;
  std::int64_t decode_index = -1;
};

/// The state of a HeaderDecoder. Its functions are in three files: header_decoder.cpp takes NAL
/// units apart, header_decoder_slices.cpp puts slices together to pictures, and
/// header_decoder_pictures.cpp derives what a picture is.
struct HeaderDecoder::Impl {
  explicit Impl(const Limits& limits_in)
      : limits(limits_in),
        max_slices(std::min<std::int32_t>(limits.max_slices_per_picture, prim::kNoSlice)) {}

  const Limits limits;
  const std::int32_t max_slices;  ///< of a picture; an index must fit `BlockMap::slice_idx`
  StreamCounts counts;
  ParameterSets parameter_sets;
  SwapQueue<CodedPicture> ready;

  // The NAL unit at hand.
  bits::NalPayload payload;
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

  // header_decoder.cpp
  Status push_nal(std::span<const std::uint8_t> nal, const NalSource& source);
  void take_sei(const Sei& sei) noexcept;
  void skip(SkippedBit kind) noexcept;

  // header_decoder_slices.cpp
  Status push_slice(const NalUnitHeader& nal_header, std::size_t nal_size, const NalSource& source);
  Status join_picture(const PictureIdentity& identity, bool& is_done);
  bool is_repetition(CodedSlice& slice, RbspSpan& span);
  bool has_room_for_payload() const noexcept;
  void add_slice(const NalUnitHeader& nal_header, std::size_t nal_size,
                 const ActiveParameterSets& sets, std::size_t data_bit_offset);
  Status push_partition(const NalUnitHeader& nal_header, std::size_t nal_size);

  // header_decoder_pictures.cpp
  void start_picture(const NalUnitHeader& nal_header, const ActiveParameterSets& sets,
                     const NalSource& source);
  std::int32_t infer_missing_frames(const Sps& sps);
  bool is_second_field(const NalUnitHeader& nal_header) const noexcept;
  void finish_picture();
  void release_held(bool is_alone);
  static void note_missing_references(const prim::SliceRefs& refs,
                                      prim::PictureInfo& info) noexcept;
  void mark_references(PicOrderCnt poc_after_marking);
  void forget_sequence() noexcept;
};

}  // namespace cope::h264
