#pragma once

// Internal to cope/media.

#include <cstdint>
#include <optional>

#include "cope/base/status.h"
#include "cope/media/ffmpeg_ptr.h"
#include "cope/media/keyframe_decoder.h"

namespace cope::media {

/// Turns decoded frames into RGB images; see `KeyframeDecoder` for colour, scaling and orientation.
/// Keeps its scaler and its buffer from frame to frame.
class ImageConverter {
 public:
  ImageConverter(const StreamInfo& info, std::optional<ImageSize> size)
      : is_mirrored_(info.is_mirrored), rotation_(info.rotation), size_(size) {}

  /// Fills `out` but for `is_damaged`. kUnsupported naming the colour space or sample format.
  Status convert(const AVFrame& frame, Image& out);

 private:
  struct ScalerKey {
    int width = 0, height = 0, format = 0, colorspace = 0, is_full_range = 0;
    bool operator==(const ScalerKey&) const = default;
  };

  Status prepare(const ScalerKey& key, int width, int height);

  bool is_mirrored_;
  std::int32_t rotation_;  // clockwise degrees
  std::optional<ImageSize> size_;
  ScalerKey key_;
  SwsContextPtr scaler_;
  FramePtr rgb_;  // planar, not yet turned
};

}  // namespace cope::media
