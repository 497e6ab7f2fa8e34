#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cope::bits {

/// Walks over the NAL units of a byte stream without a list of them: a hostile stream has one in
/// every four bytes.
class AnnexBReader {
 public:
  /// \param stream  whole NAL units; bytes before the first start code are ignored
  explicit AnnexBReader(std::span<const std::uint8_t> stream) noexcept;

  /// The next unit, as of `split_annex_b`. False when none is left.
  bool next(std::span<const std::uint8_t>& nal) noexcept;

 private:
  const std::uint8_t* next_;  // behind its start code, null at the end
  const std::uint8_t* end_;
};

/// Finds the NAL units of a byte stream, H.264 and H.265 Annex B.
///
/// \param stream  whole NAL units; bytes before the first start code are ignored
/// \param nals    replaced by one view into `stream` per NAL unit: header first, without start code
///                and trailing zeros. Empty units are left out.
void split_annex_b(std::span<const std::uint8_t> stream,
                   std::vector<std::span<const std::uint8_t>>& nals);

}  // namespace cope::bits
