#include "py_byte_source.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace nb = nanobind;

namespace cope::native {

PyByteSource::PyByteSource(nb::object file)
    : file_(std::move(file)), has_readinto_(nb::hasattr(file_, "readinto")) {
  is_seekable_ = nb::hasattr(file_, "seek") &&
                 (!nb::hasattr(file_, "seekable") || nb::cast<bool>(file_.attr("seekable")()));
  if (is_seekable_) {
    constexpr int kSeekEnd = 2;
    file_.attr("seek")(0, kSeekEnd);
    size_ = nb::cast<std::int64_t>(file_.attr("tell")());
    file_.attr("seek")(0);
  }
}

PyByteSource::~PyByteSource() {
  const nb::gil_scoped_acquire acquire;
  file_.reset();
}

std::size_t PyByteSource::read(std::span<std::uint8_t> buffer) {
  const nb::gil_scoped_acquire acquire;
  if (has_readinto_) {
    const nb::object memory =
        nb::steal(PyMemoryView_FromMemory(reinterpret_cast<char*>(buffer.data()),
                                          static_cast<Py_ssize_t>(buffer.size()), PyBUF_WRITE));
    if (!memory.is_valid()) throw nb::python_error();
    const nb::object count = file_.attr("readinto")(memory);
    memory.attr("release")();  // the buffer is libavformat's: nobody may write there later
    if (count.is_none()) throw nb::value_error("a file that would block cannot be read");
    return std::min(nb::cast<std::size_t>(count), buffer.size());
  }
  const nb::object data = file_.attr("read")(buffer.size());
  const nb::bytes bytes = nb::bytes(data);
  if (bytes.size() > buffer.size())
    throw nb::value_error("read() returned more than was asked for");
  std::memcpy(buffer.data(), bytes.c_str(), bytes.size());
  return bytes.size();
}

void PyByteSource::seek(std::int64_t position) {
  const nb::gil_scoped_acquire acquire;
  file_.attr("seek")(position);
}

}  // namespace cope::native
