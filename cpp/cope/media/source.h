#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace cope::media {

/// Bytes that come from outside libavformat, such as a Python file object.
///
/// Called from the thread that calls the `Demuxer`, never from two at once. Any method may throw:
/// the exception stops the operation and leaves through the `Demuxer` method that was reading, once
/// libav has unwound.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// Fills the front of `buffer` and returns how many bytes were written; 0 only at the end.
  virtual std::size_t read(std::span<std::uint8_t> buffer) = 0;

  /// Moves to `position` bytes from the start. Only called when `is_seekable()`.
  virtual void seek(std::int64_t position) = 0;

  /// Total bytes, none when unknown.
  virtual std::optional<std::int64_t> size() = 0;

  virtual bool is_seekable() = 0;

  /// Whether it is to be read in the thread that opened it, and may throw.
  virtual bool needs_own_thread() const noexcept { return true; }
};

/// What to open.
class Source {
 public:
  /// A URL for libavformat when it contains "://", else the path of a file. A path is never taken
  /// for a protocol of libavformat ("concat:", "subfile,,"), whatever its name looks like.
  static Source from_location(std::string path_or_url);

  /// A whole file in memory, which the caller keeps alive as long as the `Demuxer`.
  static Source from_bytes(std::span<const std::uint8_t> bytes);

  /// `name` helps to tell formats apart by its extension, may be empty.
  static Source from_byte_source(std::shared_ptr<ByteSource> byte_source, std::string name = {});

  /// Whether libavformat itself opens the location, over the network for instance.
  bool is_url() const noexcept;

  const std::string& name() const noexcept { return name_; }
  const std::shared_ptr<ByteSource>& byte_source() const noexcept { return byte_source_; }

 private:
  std::string name_;
  std::shared_ptr<ByteSource> byte_source_;  // null: `name_` is a location
};

}  // namespace cope::media
