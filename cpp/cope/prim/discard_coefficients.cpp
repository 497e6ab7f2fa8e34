#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

#include "cope/prim/picture_primitives.h"

namespace cope::prim {
namespace {

template <class T>
void discard(Buffer<T>& buffer) noexcept {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(buffer.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(buffer.data() + buffer.size()) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace

void PicturePrimitives::discard_coefficients() noexcept {
  discard(coeffs.records);
  discard(coeffs.positions);
  discard(coeffs.levels);
}

}  // namespace cope::prim
