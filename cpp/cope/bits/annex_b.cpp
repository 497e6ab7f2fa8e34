#include "cope/bits/annex_b.h"

#include <cstddef>
#include <cstring>

namespace cope::bits {
namespace {

/// First byte behind the next start_code_prefix_one_3bytes in [p, end), or null when there is none.
///
/// Looks for the one, not for the zeros: coded data holds few of either, but padding is all zeros.
const std::uint8_t* find_start_code_end(const std::uint8_t* p, const std::uint8_t* end) noexcept {
  if (end - p < 3) return nullptr;
  const std::uint8_t* one = p + 2;
  while ((one = static_cast<const std::uint8_t*>(
              std::memchr(one, 1, static_cast<std::size_t>(end - one)))) != nullptr) {
    if (one[-1] == 0 && one[-2] == 0) return one + 1;
    ++one;
  }
  return nullptr;
}

}  // namespace

AnnexBReader::AnnexBReader(std::span<const std::uint8_t> stream) noexcept
    : next_(find_start_code_end(stream.data(), stream.data() + stream.size())),
      end_(stream.data() + stream.size()) {}

bool AnnexBReader::next(std::span<const std::uint8_t>& nal) noexcept {
  while (next_ != nullptr) {
    const std::uint8_t* const begin = next_;
    next_ = find_start_code_end(begin, end_);
    const std::uint8_t* nal_end = next_ == nullptr ? end_ : next_ - 3;
    // zero_byte of the next start code and trailing_zero_8bits: a NAL unit does not end in zero
    // (7.4.1).
    while (nal_end > begin && nal_end[-1] == 0) --nal_end;
    if (nal_end == begin) continue;
    nal = {begin, nal_end};
    return true;
  }
  return false;
}

void split_annex_b(std::span<const std::uint8_t> stream,
                   std::vector<std::span<const std::uint8_t>>& nals) {
  nals.clear();
  AnnexBReader reader(stream);
  for (std::span<const std::uint8_t> nal; reader.next(nal);) nals.push_back(nal);
}

}  // namespace cope::bits
