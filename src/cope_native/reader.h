#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "cope/base/limits.h"
#include "cope/pipeline/header_source.h"
#include "cope/pipeline/picture_source.h"
#include "cope/pipeline/window_source.h"
#include "ndarray.h"
#include "picture.h"

namespace cope::native {

using ByteArray = nanobind::ndarray<const std::uint8_t, nanobind::ndim<1>, nanobind::c_contig,
                                    nanobind::device::cpu>;

/// One open video and the pass over it that is under way. Every method that reads releases the GIL.
class Reader {
 public:
  /// \param source  str: path or URL; an object with the buffer protocol: the file's bytes; else a
  /// binary file object
  Reader(nanobind::object source, std::optional<std::int32_t> stream_index,
         const pipeline::ReadOptions& options, const Limits& limits);
  ~Reader();

  NamedValues info();
  NamedValues stats();

  void start_headers();
  void start_pictures(bool coefficients);
  void start_windows(const pipeline::WindowOptions& options);

  // The next item of the pass under way, None at its end.
  std::optional<NamedValues> next_header();
  std::optional<NativePicture> next_picture();
  std::optional<NamedValues> next_window();

  void close();

 private:
  class Use;
  void rewind();
  void abandon_in_child() noexcept;

  nanobind::object source_;  // keeps bytes alive
  std::optional<ByteArray> bytes_;
  std::string filename_;
  pipeline::ReadOptions options_;
  pid_t pid_;
  std::atomic_flag in_use_;
  std::stop_source closing_;                         // ends what is being read ahead
  bool is_fresh_ = true;                             // nothing was read yet
  std::unique_ptr<pipeline::HeaderSource> headers_;  // while no pass has it
  std::unique_ptr<pipeline::PictureSource> pictures_;
  std::unique_ptr<pipeline::WindowSource> windows_;
  pipeline::HeaderPicture header_;
};

}  // namespace cope::native
