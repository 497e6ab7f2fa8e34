#pragma once

// Internal to cope/media.

#include <cerrno>
#include <chrono>
#include <stop_token>
#include <utility>

#include "cope/media/ffmpeg_ptr.h"

namespace cope::media {

/// Says when a blocked operation must give up: asked to stop, or out of time.
class Interrupt {
 public:
  Interrupt(std::stop_token cancel, std::chrono::milliseconds timeout) noexcept
      : cancel_(std::move(cancel)), timeout_(timeout) {}

  /// Starts the clock of one operation.
  void arm() noexcept {
    timed_out_ = false;
    if (timeout_.count() > 0) deadline_ = std::chrono::steady_clock::now() + timeout_;
  }

  bool requested() noexcept {
    if (cancel_.stop_requested()) return true;
    if (timeout_.count() > 0 && std::chrono::steady_clock::now() >= deadline_) timed_out_ = true;
    return timed_out_;
  }

  /// The AVERROR of an operation that failed with `error`: a demuxer that is interrupted may call
  /// it the end of the file or damage.
  int explain(int error) noexcept {
    if (error >= 0 || !requested()) return error;
    return timed_out_ ? AVERROR(ETIMEDOUT) : AVERROR_EXIT;
  }

  /// AVIOInterruptCB::callback.
  static int callback(void* self) noexcept {
    return static_cast<Interrupt*>(self)->requested() ? 1 : 0;
  }

 private:
  std::stop_token cancel_;
  std::chrono::milliseconds timeout_;
  std::chrono::steady_clock::time_point deadline_;
  bool timed_out_ = false;
};

}  // namespace cope::media
