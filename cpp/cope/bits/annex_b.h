#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cope::bits {

/// Finds the NAL units of a byte stream, H.264 and H.265 Annex B.
///
/// \param stream  whole NAL units; bytes before the first start code are ignored
/// \param nals    replaced by one view into `stream` per NAL unit: header first, without start code
///                and trailing zeros. Empty units are left out.
void split_annex_b(std::span<const std::uint8_t> stream,
                   std::vector<std::span<const std::uint8_t>>& nals);

}  // namespace cope::bits
