#include "cope/bits/rbsp.h"

#include <cstring>

namespace cope::bits {

std::size_t unescape_rbsp(std::span<const std::uint8_t> nal, std::uint8_t* out) noexcept {
  const std::uint8_t* const end = nal.data() + nal.size();
  const std::uint8_t* copied = nal.data();  // everything before is in `out`
  std::uint8_t* write = out;
  if (nal.size() > 2) {
    // Looks for the three, not for the zeros: one byte in 256 of coded data, and padding has none.
    const std::uint8_t* three = copied + 2;
    while (three < end && (three = static_cast<const std::uint8_t*>(std::memchr(
                               three, 3, static_cast<std::size_t>(end - three)))) != nullptr) {
      if (three[-1] == 0 && three[-2] == 0) {
        const auto size = static_cast<std::size_t>(three - copied);
        std::memcpy(write, copied, size);
        write += size;
        copied = three + 1;
      }
      ++three;
    }
  }
  const auto size = static_cast<std::size_t>(end - copied);
  if (size > 0) std::memcpy(write, copied, size);
  return static_cast<std::size_t>(write - out) + size;
}

}  // namespace cope::bits
