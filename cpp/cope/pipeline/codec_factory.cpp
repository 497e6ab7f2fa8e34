#include <mutex>
#include <set>
#include <string>

#include "cope/pipeline/codec.h"
#include "cope/pipeline/h264_codec.h"
#include "cope/pipeline/h265_codec.h"

namespace cope::pipeline {
namespace {

// A Status holds static strings; there are no more of these than libavcodec knows codecs.
const char* static_name(const std::string& codec_name) {
  static std::mutex mutex;
  static std::set<std::string> names;
  const std::scoped_lock lock(mutex);
  return names.insert("codec " + codec_name).first->c_str();
}

}  // namespace

Result<std::unique_ptr<Codec>> make_codec(const media::StreamInfo& info, const Limits& limits) {
  switch (info.codec_id) {
    case media::CodecId::kH264:
      return make_h264_codec(info, limits);
    case media::CodecId::kH265:
      return make_h265_codec(info, limits);
    case media::CodecId::kOther:
      break;
  }
  // libavcodec's name of none: an index that ends before it says, or an unknown code.
  if (info.codec_name == "none") {
    return Status{StatusCode::kMediaOpen, "codec of the video stream unknown"};
  }
  return Status::unsupported(static_name(info.codec_name));
}

}  // namespace cope::pipeline
