#pragma once

#include <memory>

#include "cope/pipeline/codec.h"

namespace cope::pipeline {

/// H.265 for the pipeline: NAL units of either framing, `h265::HeaderDecoder`,
/// `h265::PictureParser`.
std::unique_ptr<Codec> make_h265_codec(const media::StreamInfo& info, const Limits& limits);

}  // namespace cope::pipeline
