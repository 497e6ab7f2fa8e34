#include "cope/bits/nal_payload.h"

#include <algorithm>
#include <utility>

#include "cope/base/capacity.h"
#include "cope/bits/rbsp.h"

namespace cope::bits {
namespace {

constexpr std::size_t kRoomyRbsp = 1 << 20;  // bytes, see `roomy`

}  // namespace

void NalPayload::load(std::span<const std::uint8_t> bytes) {
  const std::size_t max_size = bytes.size() + kRbspPadding;
  reserve(rbsp_, max_size);
  if (rbsp_.size() < max_size) rbsp_.resize(max_size);
  size_ = unescape_rbsp(bytes, rbsp_.data());
  std::fill_n(rbsp_.begin() + static_cast<std::ptrdiff_t>(size_), kRbspPadding, std::uint8_t{0});
}

bool NalPayload::repeats(const std::vector<std::uint8_t>& picture,
                         const RbspSpan& span) const noexcept {
  const auto begin = picture.begin() + static_cast<std::ptrdiff_t>(span.offset);
  return std::equal(begin, begin + static_cast<std::ptrdiff_t>(std::min(span.size, size_)),
                    rbsp_.begin());
}

RbspSpan NalPayload::append_to(std::vector<std::uint8_t>& picture) {
  const std::size_t padded_size = size_ + kRbspPadding;
  const RbspSpan span{picture.size(), size_};
  if (span.offset == 0) {  // most pictures have one slice: no copy
    std::swap(picture, rbsp_);
    picture.resize(padded_size);
  } else {
    reserve(picture, span.offset + padded_size);
    picture.insert(picture.end(), rbsp_.begin(),
                   rbsp_.begin() + static_cast<std::ptrdiff_t>(padded_size));
  }
  return span;
}

void NalPayload::reserve(std::vector<std::uint8_t>& buffer, std::size_t size) {
  largest_ = std::max(largest_, size);
  if (buffer.capacity() < size) buffer.reserve(roomy(size, largest_, kRoomyRbsp));
}

}  // namespace cope::bits
