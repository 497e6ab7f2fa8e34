#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace cope::h265 {

/// How far each strand of a picture is that several threads parse at the same time. In a wavefront
/// a strand is a row of coding tree units, and one row needs the row above two units ahead: the
/// contexts that it starts with, and the neighbours of each unit (9.3.1).
///
/// Strands are claimed in order. So whoever waits, waits for one that a thread is at.
class Wavefront {
 public:
  /// \param num_ctus  of each strand that others wait for; 0: nobody waits
  void begin(std::size_t num_strands, std::int32_t num_ctus);

  std::size_t num_strands() const noexcept { return num_strands_; }
  /// The next strand to parse; `num_strands()` when none is left, or `give_up` was called.
  std::size_t claim() noexcept;
  /// Waits until the strand before this one is two units ahead of the unit at `x`. False when that
  /// will not be.
  bool wait_for_above(std::size_t strand, std::int32_t x) noexcept;
  /// Says that the units of a strand up to `x` are parsed.
  void publish(std::size_t strand, std::int32_t x) noexcept;
  /// Stops all: the picture is not what was expected.
  void give_up() noexcept;
  bool was_given_up() const noexcept { return is_given_up_.load(std::memory_order_acquire); }

 private:
  std::unique_ptr<std::atomic<std::int32_t>[]> num_parsed_;  // [strand], coding tree units
  std::size_t capacity_ = 0;
  std::size_t num_strands_ = 0;
  std::int32_t num_ctus_ = 0;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> is_given_up_ = false;
};

}  // namespace cope::h265
