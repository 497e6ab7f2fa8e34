#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cope/base/buffer.h"
#include "cope/h265/picture_parser.h"
#include "cope/h265/slice_context.h"

namespace cope::h265 {

/// Room for what grows with the coded levels.
struct CoefficientRoom {
  std::uint32_t levels = 0;
  std::uint32_t records = 0;
};

/// What so many bytes of slice data can hold for so many coding tree units, and one unit more: in
/// it a picture passes `max_levels`.
CoefficientRoom coefficient_room(std::int64_t num_bytes, std::int64_t num_ctbs,
                                 std::int64_t max_levels, const Sps& sps);

/// Which slice each coding tree unit was parsed with, kept from picture to picture: slices have
/// numbers of their own in the life of a parser.
class CtbSliceIds {
 public:
  /// Makes room for a picture. \returns the first of `num_slices` numbers that no unit has
  std::uint32_t begin_picture(const Sps& sps, std::size_t num_slices);
  std::uint32_t* data() noexcept { return ids_.data(); }

 private:
  std::vector<std::uint32_t> ids_;  // [CtbAddrInRs]
  std::uint32_t next_ = 1;
};

/// Coding units above and on the left. Kept from picture to picture.
struct NeighbourState {
  Buffer<std::uint8_t> above;
  Buffer<std::uint8_t> left;

  void begin_picture(const Sps& sps, PictureArrays& arrays);
};

/// Gets `job.picture` and `job.report` ready for the picture `job.coded`.
/// \returns arrays that point at its blocks
PictureArrays begin_picture(PictureJob& job);

/// Sums up the picture once all is parsed that is to be: sizes, QP statistics, blocks lost.
void finish_picture(PictureJob& job, const OutputCursor& cursor, const std::uint32_t* ctb_slice_id,
                    std::uint32_t first_slice_id);

}  // namespace cope::h265
