#include "cope/base/pages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <new>

namespace cope {
namespace {

TEST(Pages, AreReadAndWritten) {
  constexpr std::size_t kBytes = 3 << 20;
  auto* const bytes = static_cast<unsigned char*>(allocate_pages(kBytes));
  std::fill_n(bytes, kBytes, static_cast<unsigned char>(7));
  EXPECT_EQ(std::count(bytes, bytes + kBytes, 7), static_cast<std::ptrdiff_t>(kBytes));
  free_pages(bytes, kBytes);
}

#if !defined(__SANITIZE_ADDRESS__)  // which stops the program at such a size
TEST(Pages, ThrowsWhereThereAreNotSoMany) {
  EXPECT_THROW(allocate_pages(std::numeric_limits<std::size_t>::max() / 4), std::bad_alloc);
}
#endif

}  // namespace
}  // namespace cope
