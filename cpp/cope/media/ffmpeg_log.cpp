#include "cope/media/ffmpeg_log.h"

#include <mutex>

#include "cope/media/ffmpeg_ptr.h"

namespace cope::media {
namespace {

std::mutex mutex;
int num_scopes = 0;
int host_level = AV_LOG_INFO;

}  // namespace

QuietScope::QuietScope() noexcept {
  const std::lock_guard lock(mutex);
  if (num_scopes++ != 0) return;
  host_level = av_log_get_level();
  if (host_level <= AV_LOG_INFO) av_log_set_level(AV_LOG_QUIET);
}

QuietScope::~QuietScope() {
  const std::lock_guard lock(mutex);
  if (--num_scopes != 0) return;
  if (av_log_get_level() == AV_LOG_QUIET) av_log_set_level(host_level);
}

}  // namespace cope::media
