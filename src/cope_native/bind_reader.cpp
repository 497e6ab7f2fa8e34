#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <cmath>
#include <optional>
#include <string>

#include "bindings.h"
#include "reader.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace cope::native {
namespace {

pipeline::OnError on_error_of(const std::string& name) {
  if (name == "raise") return pipeline::OnError::kRaise;
  if (name == "skip") return pipeline::OnError::kSkip;
  if (name == "conceal") return pipeline::OnError::kConceal;
  throw nb::value_error("on_error must be 'raise', 'skip' or 'conceal'");
}

}  // namespace

void bind_reader(nb::module_& m) {
  nb::class_<Limits>(m, "Limits", "What a stream may ask for.")
      .def(nb::init<>())
      .def_rw("max_luma_samples", &Limits::max_luma_samples)
      .def_rw("max_dimension", &Limits::max_dimension)
      .def_rw("max_nal_bytes", &Limits::max_nal_bytes)
      .def_rw("max_slices_per_picture", &Limits::max_slices_per_picture)
      .def_rw("max_references", &Limits::max_references)
      .def_rw("max_coefficients_per_picture", &Limits::max_coefficients_per_picture)
      .def_rw("max_pictures_in_flight", &Limits::max_pictures_in_flight)
      .def_rw("max_seconds_per_picture", &Limits::max_seconds_per_picture);

  nb::class_<Reader>(m, "Reader", "One open video and the pass over it that is under way.")
      .def(
          "__init__",
          [](Reader* self, nb::object source, std::optional<std::int32_t> stream_index, int threads,
             const std::string& on_error, const Limits& limits) {
            new (self)
                Reader(std::move(source), stream_index, {threads, on_error_of(on_error)}, limits);
          },
          "source"_a, "stream_index"_a.none(), "threads"_a, "on_error"_a, "limits"_a)
      .def_prop_ro("info", &Reader::info)
      .def_prop_ro("stats", &Reader::stats)
      .def("start_headers", &Reader::start_headers)
      .def("start_pictures", &Reader::start_pictures, "coefficients"_a)
      .def(
          "start_windows",
          [](Reader& self, double keyframes_per_second, double deltas_per_second, double window,
             std::int32_t cell, std::int32_t residual_scale, bool keyframes) {
            pipeline::WindowOptions options;
            options.density = {keyframes_per_second, deltas_per_second, window};
            options.cell = cell;
            options.residual_scale = residual_scale;
            options.decode_keyframes = keyframes;
            self.start_windows(options);
          },
          "keyframes_per_second"_a, "deltas_per_second"_a, "window"_a, "cell"_a, "residual_scale"_a,
          "keyframes"_a)
      .def("next_header", &Reader::next_header)
      .def("next_picture", &Reader::next_picture)
      .def("next_window", &Reader::next_window)
      .def("close", &Reader::close);
}

}  // namespace cope::native
