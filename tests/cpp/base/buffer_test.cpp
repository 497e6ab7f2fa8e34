#include "cope/base/buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>

namespace cope {
namespace {

TEST(Buffer, KeepsItsMemoryWhenItShrinks) {
  Buffer<int> buffer;
  buffer.assign_zero(100);
  int* const data = buffer.data();
  buffer.resize_uninitialized(10);
  EXPECT_EQ(buffer.size(), 10u);
  buffer.resize_uninitialized(100);
  EXPECT_EQ(buffer.data(), data);
}

/// A buffer of which `used` elements are in use after all were written.
Buffer<int> written(std::size_t size, std::size_t used) {
  Buffer<int> buffer;
  buffer.resize_uninitialized(size);
  std::fill_n(buffer.data(), size, 7);
  buffer.set_size(size);
  buffer.set_size(used);
  return buffer;
}

TEST(Buffer, KnowsWhatWasWrittenBehindThoseInUse) {
  const Buffer<int> buffer = written(100000, 30000);
  EXPECT_EQ(buffer.idle_bytes(), 70000 * sizeof(int));
  EXPECT_EQ(Buffer<int>().idle_bytes(), 0u);
}

TEST(Buffer, DiscardsWhatIsIdleAndNothingElse) {
  constexpr std::size_t kSize = 1 << 20, kUsed = 300001;
  Buffer<int> buffer = written(kSize, kUsed);
  int* const data = buffer.data();
  buffer.discard_idle();
  EXPECT_EQ(buffer.idle_bytes(), 0u);
  EXPECT_EQ(buffer.data(), data);
  EXPECT_EQ(std::count(data, data + kUsed, 7), static_cast<std::ptrdiff_t>(kUsed));
#if !defined(__SANITIZE_ADDRESS__)  // under which they are of the heap
  // The system gives a fresh page as zeros: all but the rest of one page.
  constexpr std::size_t kPage = 65536 / sizeof(int);
  EXPECT_EQ(std::count(data + kUsed + kPage, data + kSize, 0),
            static_cast<std::ptrdiff_t>(kSize - kUsed - kPage));
#endif
  std::fill_n(data, kSize, 9);
  buffer.set_size(kSize);
  EXPECT_EQ(std::count(data, data + kSize, 9), static_cast<std::ptrdiff_t>(kSize));
}

TEST(Buffer, OfTheHeapHasNothingToDiscard) {
  Buffer<int> buffer = written(1000, 10);
  buffer.discard_idle();
  EXPECT_EQ(std::count(buffer.data(), buffer.data() + 1000, 7), 1000);
}

}  // namespace
}  // namespace cope
