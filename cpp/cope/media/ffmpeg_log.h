#pragma once

// Internal to cope/media.

namespace cope::media {

/// Keeps libav silent on stderr while one of them exists: what it reports reaches the caller as
/// Status.
///
/// The log level of libav belongs to the whole process, and the host may share the library with us.
/// So the level is only lowered while a call of ours runs, and put back by the last one (messages
/// of other threads are lost meanwhile). A level above the default, AV_LOG_INFO, or one that the
/// host sets in between, is left alone: somebody wants to see.
class QuietScope {
 public:
  QuietScope() noexcept;
  ~QuietScope();
  QuietScope(const QuietScope&) = delete;
  QuietScope& operator=(const QuietScope&) = delete;
};

}  // namespace cope::media
