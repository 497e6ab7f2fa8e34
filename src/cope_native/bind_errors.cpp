#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "bindings.h"
#include "cope/media/ffmpeg_error.h"
#include "errors.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace cope::native {
namespace {

const char* class_name(StatusCode code) {
  switch (code) {
    case StatusCode::kInvalidBitstream:
      return "InvalidBitstreamError";
    case StatusCode::kUnsupported:
      return "UnsupportedStreamError";
    case StatusCode::kLimitExceeded:
      return "LimitExceededError";
    case StatusCode::kMediaOpen:
    case StatusCode::kMediaRead:
      return "MediaOpenError";
    default:
      return "CopeError";
  }
}

const char* subject(StatusCode code) {
  switch (code) {
    case StatusCode::kInvalidBitstream:
      return "invalid bitstream";
    case StatusCode::kUnsupported:
      return "not supported";
    case StatusCode::kLimitExceeded:
      return "limit exceeded";
    case StatusCode::kMediaOpen:
      return "cannot open";
    case StatusCode::kMediaRead:
      return "cannot read";
    case StatusCode::kCancelled:
      return "cancelled";
    default:
      return "internal error";
  }
}

void translate(const std::exception_ptr& thrown, void*) {
  try {
    std::rethrow_exception(thrown);
  } catch (const StatusError& error) {
    const Status& status = error.status();
    const auto text = [](const char* s) {
      return s == nullptr ? nb::none() : nb::object(nb::str(s));
    };
    const auto number = [](std::int64_t n) { return n < 0 ? nb::none() : nb::object(nb::int_(n)); };
    const nb::object type = nb::module_::import_("cope.errors").attr(class_name(status.code));
    const int code = status.error_code == 0 ? 0 : media::error_errno(status.error_code);
    nb::dict details;
    details["element"] = text(status.element);
    details["clause"] = text(status.clause);
    details["bit_pos"] = number(status.bit_pos);
    details["nal_index"] = number(status.nal_index);
    if (status.code == StatusCode::kMediaOpen || status.code == StatusCode::kMediaRead) {
      details["errno"] = code == 0 ? nb::none() : nb::object(nb::int_(code));
      details["filename"] = error.filename().empty()
                                ? nb::none()
                                : nb::steal(PyUnicode_DecodeFSDefault(error.filename().c_str()));
    }
    const nb::object exception = type(nb::str(message(status).c_str()), **details);
    PyErr_SetObject(type.ptr(), exception.ptr());
  }
}

}  // namespace

std::string message(const Status& status) {
  std::string text = subject(status.code);
  if (status.element != nullptr) text.append(": ").append(status.element);
  if (status.error_code != 0) {
    text.append(": ").append(media::error_text(status.error_code));
  }
  if (status.clause != nullptr) text.append(" (").append(status.clause).append(")");
  if (status.nal_index >= 0) text.append(", NAL unit ").append(std::to_string(status.nal_index));
  if (status.bit_pos >= 0) text.append(", bit ").append(std::to_string(status.bit_pos));
  return text;
}

void bind_errors(nb::module_&) { nb::register_exception_translator(translate, nullptr); }

}  // namespace cope::native
