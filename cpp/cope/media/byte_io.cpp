#include "cope/media/byte_io.h"

#include <cstdio>
#include <utility>

namespace cope::media {
namespace {

// Large enough that a Python file object is not called for every few samples, small enough that
// skipping other streams' data in an interleaved file reads little in vain.
constexpr int kBufferSize = 64 << 10;

}  // namespace

ByteIo::ByteIo(std::shared_ptr<ByteSource> source, Interrupt& interrupt) noexcept
    : source_(std::move(source)), interrupt_(&interrupt) {}

std::unique_ptr<ByteIo> ByteIo::create(std::shared_ptr<ByteSource> source, Interrupt& interrupt) {
  std::unique_ptr<ByteIo> io(new ByteIo(std::move(source), interrupt));
  const bool is_seekable = io->source_->is_seekable();
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferSize));
  if (buffer == nullptr) return nullptr;
  io->context_.reset(avio_alloc_context(buffer, kBufferSize, 0, io.get(), &ByteIo::read, nullptr,
                                        is_seekable ? &ByteIo::seek : nullptr));
  if (io->context_ == nullptr) {
    av_free(buffer);
    return nullptr;
  }
  return io;
}

void ByteIo::rethrow_pending() {
  if (pending_ != nullptr) std::rethrow_exception(std::exchange(pending_, nullptr));
}

int ByteIo::read(void* self, std::uint8_t* buffer, int size) noexcept {
  auto& io = *static_cast<ByteIo*>(self);
  if (io.pending_ != nullptr) return AVERROR_EXTERNAL;
  if (io.interrupt_->requested()) return AVERROR_EXIT;
  try {
    const std::size_t capacity = static_cast<std::size_t>(size);
    const std::size_t count = io.source_->read({buffer, capacity});
    if (count == 0) return AVERROR_EOF;
    if (count > capacity) return AVERROR(EIO);
    io.position_ += static_cast<std::int64_t>(count);
    return static_cast<int>(count);
  } catch (...) {
    io.pending_ = std::current_exception();
    return AVERROR_EXTERNAL;
  }
}

std::int64_t ByteIo::seek(void* self, std::int64_t offset, int whence) noexcept {
  auto& io = *static_cast<ByteIo*>(self);
  if (io.pending_ != nullptr) return AVERROR_EXTERNAL;
  try {
    if (whence == AVSEEK_SIZE) return io.source_->size().value_or(AVERROR(ENOSYS));
    std::int64_t base = 0;
    switch (whence & ~AVSEEK_FORCE) {
      case SEEK_SET:
        break;
      case SEEK_CUR:
        base = io.position_;
        break;
      case SEEK_END: {
        const std::optional<std::int64_t> size = io.source_->size();
        if (!size) return AVERROR(ENOSYS);
        base = *size;
        break;
      }
      default:
        return AVERROR(EINVAL);
    }
    std::int64_t position = 0;
    if (__builtin_add_overflow(base, offset, &position) || position < 0) return AVERROR(EINVAL);
    io.source_->seek(position);
    io.position_ = position;
    return position;
  } catch (...) {
    io.pending_ = std::current_exception();
    return AVERROR_EXTERNAL;
  }
}

std::size_t IoReader::read(std::span<std::uint8_t> buffer) {
  const int count = avio_read(context_, buffer.data(), static_cast<int>(buffer.size()));
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

void IoReader::seek(std::int64_t position) { avio_seek(context_, position, SEEK_SET); }

std::optional<std::int64_t> IoReader::size() {
  const std::int64_t size = avio_size(context_);
  return size < 0 ? std::nullopt : std::optional(size);
}

bool IoReader::is_seekable() { return (context_->seekable & AVIO_SEEKABLE_NORMAL) != 0; }

}  // namespace cope::media
