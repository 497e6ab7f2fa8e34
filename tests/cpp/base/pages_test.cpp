#include "cope/base/pages.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <limits>
#include <new>
#include <thread>
#include <vector>

#include "cope/base/cpu_count.h"

namespace cope {
namespace {

void* allocate(std::size_t bytes) {
  std::size_t bytes_touched = 0;
  return allocate_pages(bytes, bytes_touched);
}

TEST(Pages, AreReadAndWritten) {
  constexpr std::size_t kBytes = 3 << 20;
  auto* const bytes = static_cast<unsigned char*>(allocate(kBytes));
  std::fill_n(bytes, kBytes, static_cast<unsigned char>(7));
  EXPECT_EQ(std::count(bytes, bytes + kBytes, 7), static_cast<std::ptrdiff_t>(kBytes));
  free_pages(bytes, kBytes, kBytes);
}

// At the size of a huge page, a bit below and above it.
TEST(Pages, DenseOnesAreReadAndWritten) {
  constexpr std::size_t kHugePage = 2 << 20;
  for (const std::size_t bytes : {kHugePage - 1, kHugePage, 3 * kHugePage - 5000}) {
    std::size_t bytes_touched = 0;
    auto* const pages = static_cast<unsigned char*>(allocate_pages(bytes, bytes_touched, true));
    std::fill_n(pages, bytes, static_cast<unsigned char>(7));
    EXPECT_EQ(std::count(pages, pages + bytes, 7), static_cast<std::ptrdiff_t>(bytes));
    free_pages(pages, bytes, bytes);
  }
}

#if !defined(__SANITIZE_ADDRESS__)  // under which they are of the heap
// The system gives a fresh page as zeros, so what was written says whether it was asked.
TEST(Pages, FreedOnesAreUsedAgain) {
  constexpr std::size_t kBytes = 1 << 20;
  auto* const first = static_cast<unsigned char*>(allocate(kBytes));
  std::fill_n(first, kBytes, static_cast<unsigned char>(7));
  free_pages(first, kBytes, kBytes);
  auto* const second = static_cast<unsigned char*>(allocate(kBytes - 100));
  EXPECT_EQ(std::count(second, second + kBytes - 100, 7),
            static_cast<std::ptrdiff_t>(kBytes - 100));
  free_pages(second, kBytes - 100, kBytes - 100);
}

TEST(Pages, SoMuchIsKeptAndNoMore) {
  constexpr std::size_t kBytes = 1 << 20;
  const std::size_t limit = static_cast<std::size_t>(available_cpus()) * 24;
  std::vector<void*> blocks(limit + 5);
  for (void*& block : blocks) {
    block = allocate(kBytes);
    std::memset(block, 7, kBytes);
  }
  for (void* const block : blocks) free_pages(block, kBytes, kBytes);
  std::size_t num_kept = 0;
  for (void*& block : blocks) {
    block = allocate(kBytes);
    num_kept += *static_cast<unsigned char*>(block) == 7 ? 1 : 0;
  }
  EXPECT_EQ(num_kept, limit);
  for (void* const block : blocks) free_pages(block, kBytes, kBytes);
}

TEST(Pages, OnlyThoseTouchedCount) {
  constexpr std::size_t kBytes = 64 << 20;
  std::vector<void*> blocks(20);
  std::size_t bytes_touched = 1;
  for (void*& block : blocks) {
    block = allocate_pages(kBytes, bytes_touched);
    EXPECT_EQ(bytes_touched, 0u);
    std::memset(block, 7, 4096);
  }
  for (void* const block : blocks) free_pages(block, kBytes, 4096);
  for (void*& block : blocks) {
    block = allocate_pages(kBytes, bytes_touched);
    EXPECT_EQ(bytes_touched, 4096u);
    EXPECT_EQ(*static_cast<unsigned char*>(block), 7);
  }
  for (void* const block : blocks) free_pages(block, kBytes, 4096);
}

TEST(Pages, ThoseKeptMakeRoom) {
  const pid_t child = fork();  // the limit is for good
  if (child == 0) {
    constexpr std::size_t kBytes = 64 << 20;
    free_pages(allocate(kBytes), kBytes, 4096);
    std::ifstream statm("/proc/self/statm");
    rlim_t num_pages = 0;
    statm >> num_pages;
    const rlim_t bytes = num_pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + (1 << 20);
    const rlimit limit{bytes, bytes};
    bool is_there = setrlimit(RLIMIT_AS, &limit) == 0;
    is_there = is_there && allocate(kBytes / 2) != nullptr;
    _exit(is_there ? 0 : 1);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Pages, AForkedChildHasThem) {
  std::atomic<bool> stop = false;
  std::thread other([&stop] {
    while (!stop) free_pages(allocate(1 << 20), 1 << 20, 1 << 20);
  });
  for (int i = 0; i < 50; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(10);  // it hangs if the other thread held the lock
      for (int k = 0; k < 10; ++k) free_pages(allocate(1 << 20), 1 << 20, 1 << 20);
      _exit(0);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  stop = true;
  other.join();
}

// AddressSanitizer stops the program at such a size. stops the program at such a size
TEST(Pages, ThrowsWhereThereAreNotSoMany) {
  EXPECT_THROW(allocate(std::numeric_limits<std::size_t>::max() / 4), std::bad_alloc);
}
#endif

}  // namespace
}  // namespace cope
