#include "cope/media/source.h"

#include <algorithm>
#include <utility>

namespace cope::media {
namespace {

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::size_t read(std::span<std::uint8_t> buffer) override {
    const std::size_t count = std::min(buffer.size(), bytes_.size() - position_);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(position_), count, buffer.begin());
    position_ += count;
    return count;
  }

  void seek(std::int64_t position) override {
    position_ = static_cast<std::size_t>(
        std::clamp<std::int64_t>(position, 0, static_cast<std::int64_t>(bytes_.size())));
  }

  std::optional<std::int64_t> size() override { return static_cast<std::int64_t>(bytes_.size()); }

  bool is_seekable() override { return true; }

  bool needs_own_thread() const noexcept override { return false; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t position_ = 0;
};

}  // namespace

Source Source::from_location(std::string path_or_url) {
  Source source;
  source.name_ = std::move(path_or_url);
  return source;
}

Source Source::from_bytes(std::span<const std::uint8_t> bytes) {
  return from_byte_source(std::make_shared<MemorySource>(bytes));
}

Source Source::from_byte_source(std::shared_ptr<ByteSource> byte_source, std::string name) {
  Source source;
  source.name_ = std::move(name);
  source.byte_source_ = std::move(byte_source);
  return source;
}

bool Source::is_url() const noexcept {
  return byte_source_ == nullptr && name_.find("://") != std::string::npos;
}

}  // namespace cope::media
