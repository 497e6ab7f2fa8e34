#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cope/h264/coded_picture.h"

namespace cope::bench {

/// The coded pictures of an H.264 file in decoding order, headers decoded, slice data untouched.
/// Empty where the file cannot be read.
std::vector<h264::CodedPicture> record_pictures(const std::string& path);

/// Bins of CABAC in their slice data, terminating ones included.
std::int64_t count_bins(std::vector<h264::CodedPicture>& pictures);

/// Path of a file under `streams` of COPE_TEST_DATA, or of the folder beside the repository.
std::string stream_path(const std::string& name);

}  // namespace cope::bench
