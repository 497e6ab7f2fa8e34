#pragma once

#include <cstddef>

namespace cope {

/// Memory in whole pages, each of which costs nothing until it is touched; contents unspecified.
///
/// For large buffers that one thread allocates and another frees: a heap keeps many of those, in a
/// part of its own for every thread. What is freed is kept for the next that asks, 24 MiB for every
/// CPU of the process, so that a program that reads one file after the other does not give its
/// memory back and fetch it again with each; what is more goes back to the system at once.
/// Thread-safe, across a fork as well. Under AddressSanitizer it is of the heap, for its checks.
///
/// \param bytes_touched  receives how many were written to before, from the front
/// \param is_dense  all of it will be written: huge pages may serve it
/// \throws std::bad_alloc
void* allocate_pages(std::size_t bytes, std::size_t& bytes_touched, bool is_dense = false);
/// \param bytes  as for `allocate_pages`
/// \param bytes_touched  how many have been written to by now: only those take memory
void free_pages(void* pages, std::size_t bytes, std::size_t bytes_touched) noexcept;

/// Gives the memory under the whole pages of [begin, begin + bytes), a part of such a block, back
/// to the system. The block stays, with unspecified content there.
void discard_pages(void* begin, std::size_t bytes) noexcept;

}  // namespace cope
