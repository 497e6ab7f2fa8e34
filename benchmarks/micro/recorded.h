#pragma once

#include <string>
#include <vector>

#include "cope/h264/coded_picture.h"

namespace cope::bench {

/// The coded pictures of an H.264 file in decoding order, headers decoded, slice data untouched.
/// Empty where the file cannot be read.
std::vector<h264::CodedPicture> record_pictures(const std::string& path);

/// Path of a clip of `streams/bench` under COPE_TEST_DATA, or beside the repository.
std::string bench_clip(const std::string& name);

}  // namespace cope::bench
