#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "cope/base/buffer.h"
#include "cope/base/limits.h"
#include "cope/base/status.h"
#include "cope/media/demuxer.h"
#include "cope/media/packet.h"

namespace cope::media {

struct ImageSize {
  std::int32_t height = 0;
  std::int32_t width = 0;
};

/// One picture as a model sees it.
struct Image {
  std::int32_t height = 0;
  std::int32_t width = 0;
  bool is_damaged = false;    ///< libavcodec concealed errors, or references were missing
  Buffer<std::uint8_t> data;  ///< RGB, [3][height][width], full range
};

struct KeyframeDecoderOptions {
  std::int32_t threads = 1;         ///< more help only with `packets` of many pictures
  std::optional<ImageSize> size{};  ///< resize to this, in display orientation; none: as coded
  Limits limits{};
};

/// Which pictures to leave out on the way to the target.
enum class SkipPictures : std::uint8_t { kNone, kNonReference };

/// Decodes single pictures to RGB with libavcodec. Not thread-safe; one codec context serves all
/// calls.
///
/// Images are cropped as the stream asks, turned and mirrored for display, and keep the sample grid
/// (sample aspect ratio is not applied; the fields of an interlaced frame stay woven).
///
/// Colour: matrix and range are those of the stream. An unspecified matrix is taken as BT.601
/// whatever the size and an unspecified range as limited, as libswscale, and so every reader built
/// on it, does. Scaling is bicubic, its kernel widened when shrinking; chroma is interpolated
/// (bicubic), arithmetic is exact, so images are the same on every CPU.
class KeyframeDecoder {
 public:
  /// kUnsupported when libavcodec has no decoder for the codec; kLimitExceeded for the asked size.
  static Result<KeyframeDecoder> open(const StreamInfo& info,
                                      const KeyframeDecoderOptions& options = {});
  ~KeyframeDecoder();
  KeyframeDecoder(KeyframeDecoder&&) noexcept;
  KeyframeDecoder& operator=(KeyframeDecoder&&) noexcept;

  /// Decodes the picture that starts in `packets[target]`.
  ///
  /// `packets` are in decoding order and start at a random access point: just the target when it is
  /// one. They may go on behind the target, which only the second field of its frame needs. Every
  /// parameter set in use must be in one of them or in their `extradata`. Timestamps play no part.
  ///
  /// kInvalidBitstream when no picture comes out, among others because it exceeds the limits;
  /// kUnsupported naming a sample format or colour space. `out` is then unspecified.
  Status decode(std::span<const PacketView> packets, std::size_t target, SkipPictures skip,
                Image& out);

 private:
  struct Impl;
  explicit KeyframeDecoder(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cope::media
