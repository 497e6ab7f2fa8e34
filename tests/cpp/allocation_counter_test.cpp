#include "allocation_counter.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace cope {
std::atomic<std::int64_t> num_allocations{0};
}

// Not inlined: gcc would take malloc and delete, or new and free, for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++cope::num_allocations;
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace cope {
namespace {

TEST(AllocationCounter, Counts) {
  const std::int64_t before = num_allocations;
  const auto value = std::make_unique<int>(1);
  EXPECT_EQ(num_allocations, before + 1);
}

}  // namespace
}  // namespace cope
