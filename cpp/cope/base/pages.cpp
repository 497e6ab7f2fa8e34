#include "cope/base/pages.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <new>

#include "cope/base/cpu_count.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COPE_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define COPE_ADDRESS_SANITIZER
#endif

namespace cope {
#if defined(COPE_ADDRESS_SANITIZER)

void* allocate_pages(std::size_t bytes, std::size_t& bytes_touched, bool) {
  bytes_touched = 0;
  return ::operator new(bytes);
}
void free_pages(void* pages, std::size_t, std::size_t) noexcept { ::operator delete(pages); }
void discard_pages(void*, std::size_t) noexcept {}

#else

namespace {

struct Block {
  void* pages = nullptr;
  std::size_t bytes = 0;
  std::size_t bytes_touched = 0;
};

/// Freed blocks, oldest first.
class PageCache {
 public:
  void lock() noexcept { mutex_.lock(); }
  void unlock() noexcept { mutex_.unlock(); }

  /// A block of that size, the one freed last; none when there is none.
  Block take(std::size_t bytes) {
    const std::scoped_lock lock(mutex_);
    if (max_bytes_ == 0) max_bytes_ = kBytesPerCpu * static_cast<std::size_t>(available_cpus());
    for (std::size_t i = size_; i-- > 0;) {
      if (blocks_[i].bytes != bytes) continue;
      const Block block = blocks_[i];
      remove(i);
      return block;
    }
    return {};
  }

  /// The block freed first; none when there is none.
  Block take_oldest() noexcept {
    const std::scoped_lock lock(mutex_);
    if (size_ == 0) return {};
    const Block block = blocks_[0];
    remove(0);
    return block;
  }

  /// Keeps a block, or says which older one must go before there is room for it, if any would help.
  bool give(Block block, Block& evicted) noexcept {
    const std::scoped_lock lock(mutex_);
    if (size_ < kMaxBlocks && bytes_ + block.bytes_touched <= max_bytes_) {
      blocks_[size_++] = block;
      bytes_ += block.bytes_touched;
      return true;
    }
    if (size_ != 0 && block.bytes_touched <= max_bytes_) {
      evicted = blocks_[0];
      remove(0);
    }
    return false;
  }

 private:
  static constexpr std::size_t kMaxBlocks = 1024;
  static constexpr std::size_t kBytesPerCpu = std::size_t{24} << 20;

  void remove(std::size_t i) noexcept {
    bytes_ -= blocks_[i].bytes_touched;
    std::copy(blocks_.begin() + i + 1, blocks_.begin() + size_, blocks_.begin() + i);
    --size_;
  }

  std::mutex mutex_;
  std::array<Block, kMaxBlocks> blocks_;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;      // touched
  std::size_t max_bytes_ = 0;  // known when there is something to free
};

// Neither made nor destroyed at run time: threads may free until the very end, and a fork may come
// at the first use.
constinit PageCache cache;

// At the moment of a fork the mutex may be another thread's.
[[maybe_unused]] const int at_fork =
    pthread_atfork([] { cache.lock(); }, [] { cache.unlock(); }, [] { cache.unlock(); });

// Of eight sizes between powers of two, so that blocks of about the same size serve each other.
std::size_t round_up(std::size_t bytes) {
  constexpr std::size_t kPage = 4096;
  if (bytes > std::numeric_limits<std::size_t>::max() / 2) throw std::bad_alloc();
  const std::size_t step = std::max(kPage, std::bit_floor(bytes) / 8);
  return (bytes + step - 1) / step * step;
}

void* map(std::size_t bytes) {
  return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

// Where a huge page can begin, so that as many as fit in are fetched at once.
void* map_huge(std::size_t bytes) {
#if defined(MADV_HUGEPAGE)
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  if (bytes >= kHugePage) {
    void* const mapped = map(bytes + kHugePage);
    if (mapped != MAP_FAILED) {
      const std::size_t address = std::bit_cast<std::size_t>(mapped);
      const std::size_t before = (kHugePage - address % kHugePage) % kHugePage;
      char* const pages = static_cast<char*>(mapped) + before;
      if (before != 0) munmap(mapped, before);
      munmap(pages + bytes, kHugePage - before);
      madvise(pages, bytes, MADV_HUGEPAGE);
      return pages;
    }
  }
#endif
  return map(bytes);
}

}  // namespace

void* allocate_pages(std::size_t bytes, std::size_t& bytes_touched, bool is_dense) {
  bytes = round_up(bytes);
  const Block block = cache.take(bytes);
  bytes_touched = block.bytes_touched;
  if (block.pages != nullptr) return block.pages;
  for (;;) {
    void* const pages = is_dense ? map_huge(bytes) : map(bytes);
    if (pages != MAP_FAILED) return pages;
    // Where the system has no more, what is kept for later makes room.
    const Block oldest = cache.take_oldest();
    if (oldest.pages == nullptr) throw std::bad_alloc();
    munmap(oldest.pages, oldest.bytes);
  }
}

void free_pages(void* pages, std::size_t bytes, std::size_t bytes_touched) noexcept {
  const Block block{pages, round_up(bytes), bytes_touched};
  for (;;) {
    Block evicted;
    if (cache.give(block, evicted)) return;
    if (evicted.pages == nullptr) break;
    munmap(evicted.pages, evicted.bytes);
  }
  munmap(block.pages, block.bytes);
}

void discard_pages(void* begin, std::size_t bytes) noexcept {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const std::uintptr_t address = std::bit_cast<std::uintptr_t>(begin);
  const std::uintptr_t first = (address + page - 1) / page * page;
  const std::uintptr_t end = (address + bytes) / page * page;
  if (first < end) madvise(std::bit_cast<void*>(first), end - first, MADV_DONTNEED);
}

#endif

}  // namespace cope
