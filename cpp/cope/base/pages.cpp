#include "cope/base/pages.h"

#include <sys/mman.h>

#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COPE_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define COPE_ADDRESS_SANITIZER
#endif

namespace cope {

#if defined(COPE_ADDRESS_SANITIZER)

void* allocate_pages(std::size_t bytes) { return ::operator new(bytes); }
void free_pages(void* pages, std::size_t) noexcept { ::operator delete(pages); }

#else

void* allocate_pages(std::size_t bytes) {
  void* const pages =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  return pages;
}

void free_pages(void* pages, std::size_t bytes) noexcept { munmap(pages, bytes); }

#endif

}  // namespace cope
