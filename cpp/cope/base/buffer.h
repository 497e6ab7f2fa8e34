#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>

#include "cope/base/pages.h"

namespace cope {

/// A growing array of plain data that is reused from picture to picture.
///
/// Growth neither keeps nor clears the old content, and shrinking keeps the memory: in the steady
/// state of a video nothing is allocated. Owners that need zeros ask for them.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  using value_type = T;

  /// Makes room for `size` elements of unspecified value.
  /// \param is_dense  all of them will be written
  void resize_uninitialized(std::size_t size, bool is_dense = false) {
    if (size > capacity_) {
      data_.reset();  // before the new block, so that both never exist together
      capacity_ = 0;
      const std::size_t roomy =
          size + size / 4;  // pictures differ in size: not a new block for each record
      const std::size_t bytes = roomy * sizeof(T);
      if (bytes < kLargeBytes) {
        data_ = {new T[roomy], Release{}};
      } else {
        std::size_t num_touched = 0;
        auto* const pages = static_cast<T*>(allocate_pages(bytes, num_touched, is_dense));
        data_ = {pages, Release{bytes, bytes}};
        most_used_ = num_touched / sizeof(T);
      }
      capacity_ = roomy;
    }
    size_ = size;
  }

  /// Makes `size` elements, every byte of them zero.
  void assign_zero(std::size_t size) {
    resize_uninitialized(size);
    if (size != 0) std::memset(static_cast<void*>(data_.get()), 0, size * sizeof(T));
  }

  /// Says how many of the elements are in use, at most the capacity; those behind were not written.
  void set_size(std::size_t size) noexcept {
    size_ = size;
    most_used_ = std::max(most_used_, size);
    Release& release = data_.get_deleter();
    if (release.num_bytes != 0) release.num_touched = most_used_ * sizeof(T);
  }

  /// Bytes of memory that elements behind those in use once took, by the account of `set_size`.
  std::size_t idle_bytes() const noexcept {
    return (std::max(most_used_, size_) - size_) * sizeof(T);
  }

  /// Gives those back. Pre: `size()` is from `set_size`.
  void discard_idle() noexcept {
    if (data_.get_deleter().num_bytes == 0) return;
    discard_pages(data_.get() + size_, idle_bytes());
    most_used_ = size_;
    data_.get_deleter().num_touched = most_used_ * sizeof(T);
  }

  T* data() noexcept { return data_.get(); }
  const T* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  T& operator[](std::size_t i) noexcept { return data_[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_[i]; }
  std::span<T> span() noexcept { return {data_.get(), size_}; }
  std::span<const T> span() const noexcept { return {data_.get(), size_}; }

 private:
  static constexpr std::size_t kLargeBytes = 128 << 10;

  struct Release {
    std::size_t num_bytes = 0;    ///< in pages; 0: of the heap
    std::size_t num_touched = 0;  ///< of those
    void operator()(T* data) const noexcept {
      if (num_bytes != 0) {
        free_pages(data, num_bytes, num_touched);
      } else {
        delete[] data;
      }
    }
  };

  std::unique_ptr<T[], Release> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::size_t most_used_ = 0;  // as told by `set_size`, of large ones
};

}  // namespace cope
