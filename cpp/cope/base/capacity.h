#pragma once

#include <algorithm>
#include <cstddef>

namespace cope {

/// Capacity of a buffer that must hold `size` where another had to hold `largest`: that much, as
/// long as it is small or not much more than asked for.
constexpr std::size_t roomy(std::size_t size, std::size_t largest, std::size_t small) noexcept {
  return std::max(size + size / 4, std::min(largest, std::max(4 * size, small)));
}

}  // namespace cope
