#include "live_bytes.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#include "cope/base/buffer.h"
#include "cope/base/pages.h"

namespace cope::pipeline {

std::atomic<std::int64_t> live_bytes{0};
std::atomic<std::int64_t> peak_bytes{0};

namespace {

void add_live(std::int64_t bytes) noexcept {
  const std::int64_t now = live_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  std::int64_t peak = peak_bytes.load(std::memory_order_relaxed);
  while (now > peak && !peak_bytes.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
}

}  // namespace
}  // namespace cope::pipeline

// Not inlined: gcc would take malloc and delete, or new and free, for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) {
    cope::pipeline::add_live(static_cast<std::int64_t>(malloc_usable_size(memory)));
    return memory;
  }
  throw std::bad_alloc();
}
// std::stable_sort takes its buffer this way.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  if (memory != nullptr) {
    cope::pipeline::add_live(-static_cast<std::int64_t>(malloc_usable_size(memory)));
  }
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}
// AddressSanitizer has arrays of its own unless these are replaced as well.
[[gnu::noinline]] void* operator new[](std::size_t size) { return operator new(size); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { operator delete(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept {
  operator delete(memory);
}

// Large buffers as well. Linked instead of base/pages.cpp.
namespace cope {
void* allocate_pages(std::size_t bytes, std::size_t& bytes_touched, bool) {
  bytes_touched = 0;
  return ::operator new(bytes);
}
void free_pages(void* pages, std::size_t, std::size_t) noexcept { ::operator delete(pages); }
void discard_pages(void*, std::size_t) noexcept {}
}  // namespace cope

namespace cope::pipeline {
namespace {

TEST(LiveBytes, Count) {
  const std::int64_t before = live_bytes;
  peak_bytes = before;
  {
    const auto values = std::make_unique<char[]>(100000);
    EXPECT_GE(live_bytes - before, 100000);
    EXPECT_LT(live_bytes - before, 110000);
  }
  EXPECT_EQ(live_bytes, before);
  EXPECT_GE(peak_bytes - before, 100000);
  {
    Buffer<char> large;
    large.resize_uninitialized(1 << 20);
    EXPECT_GE(live_bytes - before, 1 << 20);
  }
  EXPECT_EQ(live_bytes, before);
}

}  // namespace
}  // namespace cope::pipeline
