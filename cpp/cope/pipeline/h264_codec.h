#pragma once

#include <memory>

#include "cope/pipeline/codec.h"

namespace cope::pipeline {

/// H.264 for the pipeline: NAL units of either framing, `h264::HeaderDecoder`,
/// `h264::PictureParser`.
std::unique_ptr<Codec> make_h264_codec(const media::StreamInfo& info, const Limits& limits);

}  // namespace cope::pipeline
