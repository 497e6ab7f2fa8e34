#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cope/h265/coded_picture.h"

namespace cope::h265 {

/// A part of a slice segment that can be parsed on its own: a tile or a row of one, as the entry
/// points have it (7.4.7.1).
struct Substream {
  std::size_t segment = 0;     ///< index into CodedPicture::segments
  std::size_t byte = 0;        ///< where it begins in the segment's RBSP
  std::size_t end_byte = 0;    ///< where the next one of the segment begins, or the RBSP ends
  std::int32_t first_ctb = 0;  ///< CtbAddrInRs
  std::int32_t num_ctbs = 0;   ///< up to the next one of the picture
  bool is_last = false;        ///< of its segment
};

/// Finds the substreams of a picture, in decoding order. They cover it if the headers tell the
/// truth, which parsing shows.
/// \returns false if they cannot: parameter sets change, addresses do not rise, or there are tiles
///          that have rows of their own
bool find_substreams(const CodedPicture& coded, std::vector<Substream>& out);

}  // namespace cope::h265
