#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <optional>
#include <span>

#include "cope/media/source.h"

namespace cope::native {

/// A Python binary file object. Takes the GIL for each call; what Python raises passes through.
class PyByteSource final : public media::ByteSource {
 public:
  /// The GIL is held.
  explicit PyByteSource(nanobind::object file);
  ~PyByteSource() override;

  std::size_t read(std::span<std::uint8_t> buffer) override;
  void seek(std::int64_t position) override;
  std::optional<std::int64_t> size() override { return size_; }
  bool is_seekable() override { return is_seekable_; }

 private:
  nanobind::object file_;
  bool has_readinto_ = false;
  bool is_seekable_ = false;
  std::optional<std::int64_t> size_;
};

}  // namespace cope::native
