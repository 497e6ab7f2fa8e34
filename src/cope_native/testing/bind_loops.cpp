#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bind.h"
#include "cope/media/source.h"
#include "cope/pipeline/header_source.h"
#include "cope/pipeline/picture_source.h"
#include "cope/pipeline/window_source.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace cope::testing {
namespace {

using namespace pipeline;

std::unique_ptr<HeaderSource> open(const std::string& path) {
  auto headers = HeaderSource::open(media::Source::from_location(path), {});
  if (!headers.ok()) throw std::runtime_error("cannot open " + path);
  return std::move(headers).value();
}

std::size_t count_pictures(const std::string& path, int threads, bool coefficients) {
  const nb::gil_scoped_release release;
  PictureSource source(open(path), {threads, OnError::kConceal}, coefficients);
  std::size_t count = 0;
  while (source.next({}).ok()) ++count;
  return count;
}

std::size_t count_windows(const std::string& path, int threads, double keyframes_per_second,
                          double deltas_per_second) {
  const nb::gil_scoped_release release;
  WindowOptions options;
  options.density = {keyframes_per_second, deltas_per_second, 0.0};
  WindowSource source(open(path), {threads, OnError::kConceal}, options);
  std::size_t count = 0;
  while (source.next({}).ok()) ++count;
  return count;
}

double thread_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Shown {
  std::vector<std::pair<std::int64_t, std::shared_ptr<prim::PicturePrimitives>>> pictures;

  static const prim::PicturePrimitives* find(void* context, std::int64_t decode_index) {
    for (const auto& [index, picture] : static_cast<Shown*>(context)->pictures) {
      if (index == decode_index) return picture.get();
    }
    return nullptr;
  }
};

// CPU seconds of each picture's headers (demuxing included), slice data, and motion vectors, one
// after the other in this thread.
std::vector<std::tuple<double, double, double>> stage_seconds(const std::string& path) {
  const nb::gil_scoped_release release;
  const auto headers = open(path);
  const auto worker = headers->codec().make_worker();
  prim::PicturePool pool;
  Shown shown;
  std::vector<std::tuple<double, double, double>> stages;
  for (HeaderPicture picture;;) {
    const double begin = thread_seconds();
    if (!headers->next(picture, false, {}).ok()) return stages;
    const double parse = thread_seconds();
    const std::int64_t index = picture.unit->info().decode_index;
    worker->load(*picture.unit, pool.acquire());
    worker->parse(true);
    const double derive = thread_seconds();
    worker->derive(&Shown::find, &shown, prim::kAllRows);
    const double end = thread_seconds();
    Damage damage;
    shown.pictures.emplace_back(index, worker->release(*picture.unit, damage));
    const auto live = picture.unit->live();
    std::erase_if(shown.pictures, [live](const auto& entry) {
      return std::find(live.begin(), live.end(), entry.first) == live.end();
    });
    stages.emplace_back(parse - begin, derive - parse, end - derive);
  }
}

}  // namespace

void bind_loops(nb::module_& m) {
  m.def("count_pictures", count_pictures, "path"_a, "threads"_a, "coefficients"_a = true);
  m.def("count_windows", count_windows, "path"_a, "threads"_a, "keyframes_per_second"_a,
        "deltas_per_second"_a);
  m.def("stage_seconds", stage_seconds, "path"_a);
}

}  // namespace cope::testing
