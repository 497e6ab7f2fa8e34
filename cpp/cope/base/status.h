#pragma once

#include <cstdint>
#include <optional>
#include <utility>

namespace cope {

/// What went wrong. "Invalid" and "unsupported" are different answers: the first says that the
/// stream breaks its standard, the second that the stream may be fine but cope does not read it.
enum class StatusCode : std::uint8_t {
  kOk,
  kInvalidBitstream,  ///< a syntax element is out of range, or the data ends early
  kUnsupported,       ///< a coding tool, profile or codec that is not implemented
  kLimitExceeded,     ///< the stream asks for more than `Limits` admits
  kMediaOpen,         ///< the source cannot be opened or holds no video
  kMediaRead,         ///< reading failed after the source was opened
  kNeedMoreData,      ///< not an error: feed more input
  kEndOfStream,       ///< not an error: nothing is left
  kCancelled,         ///< the caller asked to stop
  kInternal,          ///< a defect in cope
};

/// Outcome of a parse step: plain data, no heap. Texts are made where it leaves the library.
struct [[nodiscard]] Status {
  StatusCode code = StatusCode::kOk;
  const char* element = nullptr;  ///< static string: syntax element, feature or limit concerned
  const char* clause = nullptr;   ///< static string: clause of the standard, e.g. "H.264 7.4.2.1.1"
  std::int64_t bit_pos = -1;      ///< position in the RBSP of the NAL unit, -1 when not applicable
  std::int64_t nal_index = -1;    ///< NAL units before this one in the stream, -1 when unknown
  std::int32_t error_code = 0;    ///< AVERROR of the media layer, 0 elsewhere

  constexpr bool ok() const noexcept { return code == StatusCode::kOk; }

  static constexpr Status invalid(const char* element, const char* clause,
                                  std::int64_t bit_pos = -1) noexcept {
    return {StatusCode::kInvalidBitstream, element, clause, bit_pos};
  }
  static constexpr Status unsupported(const char* feature, const char* clause = nullptr) noexcept {
    return {StatusCode::kUnsupported, feature, clause};
  }
  static constexpr Status limit(const char* limit_name) noexcept {
    return {StatusCode::kLimitExceeded, limit_name};
  }
};

/// A value or the reason why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}        // NOLINT(google-explicit-constructor)
  Result(Status status) noexcept : status_(status) {}  // NOLINT(google-explicit-constructor)

  bool ok() const noexcept { return status_.ok(); }
  const Status& status() const noexcept { return status_; }
  T& value() & noexcept { return *value_; }
  const T& value() const& noexcept { return *value_; }
  T&& value() && noexcept { return std::move(*value_); }
  T* operator->() noexcept { return &*value_; }
  const T* operator->() const noexcept { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace cope

/// Leaves the enclosing parser with kInvalidBitstream when a coded value breaks its range.
/// Only for .cpp files in which a `BitReader` named `r` is in scope.
#define COPE_REQUIRE(condition, element, clause)                                               \
  do {                                                                                         \
    if (!(condition)) {                                                                        \
      return ::cope::Status::invalid(element, clause, static_cast<std::int64_t>(r.bit_pos())); \
    }                                                                                          \
  } while (false)

/// Leaves the enclosing function with the status of `expression` unless it is ok.
#define COPE_RETURN_IF_ERROR(expression)                                      \
  do {                                                                        \
    if (const ::cope::Status cope_status = (expression); !cope_status.ok()) { \
      return cope_status;                                                     \
    }                                                                         \
  } while (false)
