#pragma once

#include <cstddef>

namespace cope {

/// Memory in whole pages straight from the system, which gets it back at once and to which a page
/// costs nothing until it is touched.
///
/// For large buffers that one thread allocates and another frees: a heap keeps many of those, in a
/// part of its own for every thread. Under AddressSanitizer it is of the heap, for its checks.
///
/// \throws std::bad_alloc
void* allocate_pages(std::size_t bytes);
void free_pages(void* pages, std::size_t bytes) noexcept;

}  // namespace cope
