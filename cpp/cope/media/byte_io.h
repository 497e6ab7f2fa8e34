#pragma once

// Internal to cope/media.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>

#include "cope/media/ffmpeg_ptr.h"
#include "cope/media/interrupt.h"
#include "cope/media/source.h"

namespace cope::media {

/// Lets libavformat read from a `ByteSource`.
///
/// No exception may pass through libav's C frames: one that the source throws is kept, every later
/// call fails at once, and the owner rethrows it when libav has returned.
class ByteIo {
 public:
  /// `interrupt` outlives this object. Null when memory is short.
  static std::unique_ptr<ByteIo> create(std::shared_ptr<ByteSource> source, Interrupt& interrupt);

  AVIOContext* context() const noexcept { return context_.get(); }

  /// Throws what the source threw, if anything.
  void rethrow_pending();

 private:
  ByteIo(std::shared_ptr<ByteSource> source, Interrupt& interrupt) noexcept;

  static int read(void* self, std::uint8_t* buffer, int size) noexcept;
  static std::int64_t seek(void* self, std::int64_t offset, int whence) noexcept;

  std::shared_ptr<ByteSource> source_;
  Interrupt* interrupt_;
  std::exception_ptr pending_;
  std::int64_t position_ = 0;
  IoContextPtr context_;
};

/// The other way round: reads from what libavformat reads from, which outlives it.
class IoReader final : public ByteSource {
 public:
  explicit IoReader(AVIOContext* context) : context_(context) {}

  std::size_t read(std::span<std::uint8_t> buffer) override;
  void seek(std::int64_t position) override;
  std::optional<std::int64_t> size() override;
  bool is_seekable() override;

 private:
  AVIOContext* context_;
};

}  // namespace cope::media
