#pragma once

#include <cstdint>
#include <string>

#include "cope/base/status.h"

namespace cope::media {

/// FFmpeg's words for `Status::error_code`: "No such file or directory", "Invalid data found ...".
std::string error_text(std::int32_t error_code);

/// The errno inside an AVERROR, 0 when it is one of FFmpeg's own codes.
int error_errno(std::int32_t error_code) noexcept;

/// `code` with an AVERROR: kLimitExceeded for lack of memory, kCancelled for AVERROR_EXIT.
Status status_from_averror(StatusCode code, int averror, const char* element = nullptr) noexcept;

}  // namespace cope::media
