#include "cope/pipeline/codec.h"
#include "cope/pipeline/h264_codec.h"

namespace cope::pipeline {

Result<std::unique_ptr<Codec>> make_codec(const media::StreamInfo& info, const Limits& limits) {
  switch (info.codec_id) {
    case media::CodecId::kH264:
      return make_h264_codec(info, limits);
    case media::CodecId::kH265:
      return Status::unsupported("codec hevc");
    case media::CodecId::kOther:
      break;
  }
  return Status::unsupported("codec");
}

}  // namespace cope::pipeline
