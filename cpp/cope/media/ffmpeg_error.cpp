#include "cope/media/ffmpeg_error.h"

#include <array>
#include <cerrno>

#include "cope/media/ffmpeg_ptr.h"

namespace cope::media {

std::string error_text(std::int32_t error_code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(error_code, text.data(), text.size());
  return text.data();
}

int error_errno(std::int32_t error_code) noexcept {
  // FFmpeg's own codes are negated FourCCs (or -0x2bb2afa8 and near), far below any errno.
  constexpr std::int32_t kLargestErrno = 4095;
  return error_code < 0 && error_code >= -kLargestErrno ? AVUNERROR(error_code) : 0;
}

Status status_from_averror(StatusCode code, int averror, const char* element) noexcept {
  if (averror == AVERROR_EXIT) code = StatusCode::kCancelled;
  if (averror == AVERROR(ENOMEM)) {
    code = StatusCode::kLimitExceeded;
    if (element == nullptr) element = "memory";
  }
  Status status{code, element};
  status.error_code = averror;
  return status;
}

}  // namespace cope::media
