#include "cope/h265/wavefront.h"

#include <algorithm>
#include <limits>

namespace cope::h265 {
namespace {

constexpr std::int32_t kGivenUp = std::numeric_limits<std::int32_t>::max();

}  // namespace

void Wavefront::begin(std::size_t num_strands, std::int32_t num_ctus) {
  if (capacity_ < num_strands) {
    num_parsed_ = std::make_unique<std::atomic<std::int32_t>[]>(num_strands);
    capacity_ = num_strands;
  }
  for (std::size_t i = 0; i < num_strands; ++i) num_parsed_[i] = 0;
  num_strands_ = num_strands;
  num_ctus_ = num_ctus;
  next_ = 0;
  is_given_up_ = false;
}

std::size_t Wavefront::claim() noexcept {
  if (was_given_up()) return num_strands_;
  return std::min(next_.fetch_add(1, std::memory_order_relaxed), num_strands_);
}

bool Wavefront::wait_for_above(std::size_t strand, std::int32_t x) noexcept {
  if (num_ctus_ == 0 || strand == 0) return !was_given_up();
  const std::int32_t needed = std::min(x + 2, num_ctus_);
  const std::atomic<std::int32_t>& above = num_parsed_[strand - 1];
  std::int32_t parsed = above.load(std::memory_order_acquire);
  while (parsed < needed) {
    above.wait(parsed, std::memory_order_acquire);
    parsed = above.load(std::memory_order_acquire);
  }
  return parsed != kGivenUp;
}

void Wavefront::publish(std::size_t strand, std::int32_t x) noexcept {
  if (num_ctus_ == 0) return;
  std::int32_t before = x;  // stays as it is once given up
  num_parsed_[strand].compare_exchange_strong(before, x + 1, std::memory_order_release,
                                              std::memory_order_relaxed);
  num_parsed_[strand].notify_all();
}

void Wavefront::give_up() noexcept {
  is_given_up_.store(true, std::memory_order_release);
  for (std::size_t i = 0; i < num_strands_; ++i) {
    num_parsed_[i].store(kGivenUp, std::memory_order_release);
    num_parsed_[i].notify_all();
  }
}

}  // namespace cope::h265
