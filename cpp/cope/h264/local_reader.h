#pragma once

#include <type_traits>

#include "cope/base/host_device.h"

namespace cope::h264 {

/// A reader in the locals of one function: a copy of the parser's that goes back when the function
/// ends, so that the state of the arithmetic decoder stays in registers from bin to bin. Everything
/// called on it must be inlined. Readers whose state is not worth it are used in place.
template <class Reader>
class LocalReader {
 public:
  COPE_HD COPE_FORCE_INLINE explicit LocalReader(Reader& home) noexcept
      : home_(home), reader_(home) {}
  COPE_HD COPE_FORCE_INLINE ~LocalReader() { put_back(); }
  LocalReader(const LocalReader&) = delete;
  LocalReader& operator=(const LocalReader&) = delete;

  COPE_HD COPE_FORCE_INLINE Reader* operator->() noexcept { return &reader_; }

  /// Around code that uses the parser's reader.
  COPE_HD COPE_FORCE_INLINE void put_back() noexcept {
    if constexpr (Reader::kIsCabac) home_.advance_to(reader_);
  }
  COPE_HD COPE_FORCE_INLINE void take_again() noexcept {
    if constexpr (Reader::kIsCabac) reader_ = home_;
  }

 private:
  Reader& home_;
  std::conditional_t<Reader::kIsCabac, Reader, Reader&> reader_;
};

}  // namespace cope::h264
