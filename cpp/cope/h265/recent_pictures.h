#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace cope::h265 {

/// Picture order counts of the coded video sequence, in which no two pictures have the same one: of
/// the pictures that came last, and of those that are known to be lost.
class RecentPictures {
 public:
  void clear() noexcept { come_ = lost_ = {}; }

  void add(std::int32_t poc) noexcept { come_.add(poc); }
  bool contains(std::int32_t poc) const noexcept { return come_.contains(poc); }

  /// Takes a picture for lost. False when it was known already.
  bool add_lost(std::int32_t poc) noexcept {
    if (lost_.contains(poc)) return false;
    lost_.add(poc);
    return true;
  }

 private:
  class Ring {
   public:
    void add(std::int32_t poc) noexcept {
      pocs_[next_] = poc;
      next_ = (next_ + 1) % pocs_.size();
      count_ = std::min(count_ + 1, pocs_.size());
    }
    bool contains(std::int32_t poc) const noexcept {
      const auto end = pocs_.begin() + static_cast<std::ptrdiff_t>(count_);
      return std::find(pocs_.begin(), end, poc) != end;
    }

   private:
    std::array<std::int32_t, 32> pocs_{};
    std::size_t count_ = 0;
    std::size_t next_ = 0;
  };

  Ring come_;
  Ring lost_;
};

}  // namespace cope::h265
