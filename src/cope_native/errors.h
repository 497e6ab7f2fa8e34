#pragma once

#include <exception>
#include <string>
#include <utility>

#include "cope/base/status.h"

namespace cope::native {

/// Carries a `Status` to Python, where it becomes a class of `cope.errors`.
class StatusError : public std::exception {
 public:
  /// \param filename  of what was being opened, empty when unknown
  explicit StatusError(const Status& status, std::string filename = {})
      : status_(status), filename_(std::move(filename)) {}

  const char* what() const noexcept override { return "cope::native::StatusError"; }
  const Status& status() const noexcept { return status_; }
  const std::string& filename() const noexcept { return filename_; }

 private:
  Status status_;
  std::string filename_;
};

inline void throw_if_error(const Status& status) {
  if (!status.ok()) throw StatusError(status);
}

/// A sentence that says what is wrong and where.
std::string message(const Status& status);

}  // namespace cope::native
