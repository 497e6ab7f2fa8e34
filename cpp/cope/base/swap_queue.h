#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace cope {

/// First in, first out, without giving up the buffers of elements that left.
template <class T>
class SwapQueue {
 public:
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  void clear() noexcept { size_ = 0; }

  /// Swaps `element` in; it comes back with the buffers of an older one.
  void push(T& element) {
    if (size_ == slots_.size()) {
      std::rotate(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(head_),
                  slots_.end());
      head_ = 0;
      slots_.emplace_back();
    }
    std::swap(slots_[(head_ + size_++) % slots_.size()], element);
  }

  void pop(T& element) {
    std::swap(slots_[head_], element);
    head_ = (head_ + 1) % slots_.size();
    --size_;
  }

 private:
  std::vector<T> slots_;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace cope
